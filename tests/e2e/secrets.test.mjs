// Providers' keys: from the Worker's secrets, from the Secrets Store, and a tenant's own, sealed in KV. None comes out again.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, KEY, SECRETS, SETTINGS, provider } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { choose, json, forever, stream } from "./lib/upstream.mjs";

const STORE_KEY = "sk-store-canary-4be1c7";
const ENCRYPTION = "encryption-secret-canary-of-forty-letters";
const OTHER_ENCRYPTION = "another-encryption-canary-of-forty-letters";
const OWN = { acme: "sk-own-canary-acme-11aa22", globex: "sk-own-canary-globex-33bb44", later: "sk-own-canary-later-55cc66" };
const BAD = "sk-own-canary-refused-77dd88";
const keyOf = (name) => `pk-${createHash("sha256").update(`own ${name}`).digest("hex").slice(0, 40)}`;
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const TENANTS = ["acme", "globex", "plain", "a b/ü"];

const gateway = await Gateway.start({
  documents: (origin) => ({
    settings: SETTINGS,
    providers: {
      lab: provider(origin, "lab", "openai"),
      stored: provider(origin, "stored", "openai", { keys: ["${STORE_KEY}"] }),
      missing: provider(origin, "missing", "openai", { keys: ["${GONE_KEY}"] }),
      keyless: provider(origin, "keyless", "openai", { keys: ["${NOBODYS_KEY}"] }),
    },
    routes: { both: { targets: ["lab/m", "stored/m"] } },
    [`key:${sha256(keyOf("through"))}`]: { name: "ci-through", tenant: "acme", endpoints: ["passthrough"] },
    ...Object.fromEntries(TENANTS.map((tenant) => [`key:${sha256(keyOf(tenant))}`, { name: `ci-${tenant.slice(0, 1)}`, tenant }])),
  }),
  bindings: { GATEWAY_KEY: KEY, ENCRYPTION_SECRET: ENCRYPTION, ...SECRETS },
  inStore: { STORE_KEY, GONE_KEY: undefined, ADMIN_TOKEN: ADMIN },
});
after(() => gateway.stop());

const said = [];
const heard = (answer) => {
  said.push(answer.text, JSON.stringify(answer.headers));
  return answer;
};
const speaking = speak(SHAPES.openai, { text: "let in" }, { json, stream });
/** Refuses one key, and repeats it as some providers do. */
const wary = choose((request) => (request.headers.authorization === `Bearer ${BAD}`
  ? json(401, { error: { message: `Incorrect API key provided: ${BAD}.`, code: "invalid_api_key" } })
  : speaking));
for (const name of ["lab", "stored", "keyless"]) gateway.upstream.script(name, forever(wary));

const call = async (tenant, model) => heard(await ask(gateway, CALLERS.openai, { model }, { key: tenant ? keyOf(tenant) : KEY }));
const admin = async (method, route, body) => heard(await send(gateway.url(`/admin/v1${route}`), { method, key: ADMIN, body }));
const put = (tenant, name, key) => admin("PUT", `/tenants/${encodeURIComponent(tenant)}/secrets/${name}`, { key });
const sent = (name) => gateway.upstream.requests(name).map((request) => request.headers.authorization);

describe("the Secrets Store", () => {
  test("gives providers' keys and the gateway's own", async () => {
    assert.equal((await call("", "stored/m")).status, 200);
    assert.equal(sent("stored").at(-1), `Bearer ${STORE_KEY}`);
    assert.equal((await admin("GET", "/config")).status, 200);
    assert.equal((await send(gateway.url("/admin/v1/config"), { key: "wrong" })).status, 401);
  });

  test("is named where it gives nothing", async () => {
    const { warnings, off, providers } = (await admin("GET", "/config")).json;
    assert.ok(warnings.some((words) => /Secrets Store did not give .*`GONE_KEY`.*not found/.test(words)), warnings.join("\n"));
    assert.deepEqual(off.missing, ["GONE_KEY"]);
    assert.ok(providers.includes("stored"));
    assert.equal((await call("", "missing/m")).status, 404);
  });
});

describe("a tenant's own key", () => {
  test("is stored sealed, and told to nobody", async () => {
    const before = Date.now();
    const answer = await put("acme", "lab", OWN.acme);
    assert.equal(answer.status, 200, answer.text);
    const [{ provider: name, fingerprint, set, ...rest }] = answer.json.data;
    assert.equal(name, "lab");
    assert.match(fingerprint, /^[0-9a-f]{16}$/);
    assert.equal(fingerprint, sha256(`acme\nlab\n${OWN.acme}`).slice(0, 16));
    assert.ok(set >= before && set <= Date.now());
    assert.deepEqual(rest, {});
    assert.deepEqual((await admin("GET", "/tenants/acme/secrets")).json, answer.json);
    assert.deepEqual((await admin("GET", "/tenants/globex/secrets")).json, { tenant: "globex", data: [] });
    assert.equal((await admin("GET", "/tenants/acme/secrets/lab")).status, 405);
    const entry = await gateway.stored("own-keys:acme");
    assert.ok(!entry.includes("canary") && !Buffer.from(JSON.parse(entry).lab.sealed, "base64").includes("canary"));
  });

  test("is used for that tenant alone, and instead of the operator's", async () => {
    for (const [tenant, key] of [["acme", OWN.acme], ["globex", SECRETS.UP_KEY], ["plain", SECRETS.UP_KEY], ["", SECRETS.UP_KEY]]) {
      assert.equal((await call(tenant, "lab/m")).status, 200);
      assert.equal(sent("lab").at(-1), `Bearer ${key}`, tenant);
    }
    assert.equal((await call("acme", "stored/m")).status, 200);
    assert.equal(sent("stored").at(-1), `Bearer ${STORE_KEY}`);
    const through = heard(await send(gateway.url("/passthrough/lab/v1/anything"), { key: keyOf("through"), body: {} }));
    assert.equal(through.status, 200);
    assert.equal(sent("lab").at(-1), `Bearer ${OWN.acme}`);
  });

  test("turns on a provider that the operator has no key for", async () => {
    assert.equal((await put("acme", "keyless", OWN.later)).status, 200);
    assert.equal((await call("acme", "keyless/m")).status, 200);
    assert.equal(sent("keyless").at(-1), `Bearer ${OWN.later}`);
    assert.equal((await call("globex", "keyless/m")).status, 404);
    const listed = async (tenant) => heard(await gateway.send("/v1/models", { key: keyOf(tenant) })).json.data.map(({ id }) => id);
    assert.ok((await listed("acme")).includes("keyless/m"));
    assert.ok(!(await listed("globex")).includes("keyless/m"));
  });

  test("stands in records and decisions as no more than that it was there", async () => {
    const records = await gateway.recorded("keyless");
    const record = records.find(({ credential }) => credential === "tenant");
    assert.equal(record.tries[0].credential, "tenant");
    assert.equal(record.inputs.own_keys.keyless, sha256(`acme\nkeyless\n${OWN.later}`).slice(0, 16));
    assert.equal((await admin("GET", `/requests/${record.id}/replay`)).json.same, true);
    const body = { model: "keyless/m", messages: [{ role: "user", content: "Hello" }] };
    const explained = async (tenant) => (await admin("POST", "/explain", { body, key: { name: "x", tenant } })).json;
    assert.ok((await explained("acme")).refused === undefined);
    assert.equal((await explained("globex")).refused.status, 404);
    assert.equal((await admin("POST", "/simulate", { body, key: { name: "x", tenant: "acme" } })).status, 200);
  });

  test("that fails is its tenant's affair", async () => {
    assert.equal((await put("globex", "lab", BAD)).status, 200);
    const before = sent("lab").length;
    const refused = await call("globex", "lab/m");
    assert.equal(refused.status, 502);
    assert.match(refused.text, /Your own key for provider `lab` was refused/);
    assert.deepEqual(sent("lab").slice(before), [`Bearer ${BAD}`]);
    // Another target may serve; nobody else is kept from this one.
    assert.equal((await call("globex", "both")).headers["x-portolan-provider"], "stored");
    for (const tenant of ["acme", "plain", ""]) assert.equal((await call(tenant, "lab/m")).status, 200, tenant);
    // Its successor is not held back by what was learned of it.
    assert.equal((await put("globex", "lab", OWN.globex)).status, 200);
    assert.equal((await call("globex", "lab/m")).status, 200);
    assert.equal(sent("lab").at(-1), `Bearer ${OWN.globex}`);
  });

  test("may be any tenant's, and is taken away again", async () => {
    assert.equal((await put("a b/ü", "lab", OWN.later)).status, 200);
    assert.equal((await call("a b/ü", "lab/m")).status, 200);
    assert.equal(sent("lab").at(-1), `Bearer ${OWN.later}`);
    const gone = await admin("DELETE", `/tenants/${encodeURIComponent("a b/ü")}/secrets/lab`);
    assert.deepEqual(gone.json, { tenant: "a b/ü", data: [] });
    assert.equal((await call("a b/ü", "lab/m")).status, 200);
    assert.equal(sent("lab").at(-1), `Bearer ${SECRETS.UP_KEY}`);
  });

  test("is kept when several are brought at once", async () => {
    const names = ["openai", "groq", "gemini", "anthropic", "mistral"];
    await Promise.all(names.map((name) => put("plain", name, OWN.later)));
    const stored = Object.keys(JSON.parse(await gateway.stored("own-keys:plain"))).sort();
    assert.deepEqual(stored, ["anthropic", "google", "groq", "mistral", "openai"]);
  });

  test("is refused where it cannot be one", async () => {
    for (const [name, body, status, words] of [
      ["lab", { key: "sk-canary" }, 400, /16 to 8192 bytes/],
      ["lab", { key: "sk-canary with\r\nx-evil: header" }, 400, /visible ASCII/],
      ["lab", { keys: OWN.acme }, 400, /must be/],
      ["lab", { key: OWN.acme, tenant: "globex" }, 400, /must be/],
      ["lab", { key: "x".repeat(20_000) }, 413, /larger/],
      ["mock", { key: OWN.acme }, 404, /takes no key/],
      ["vertex", { key: OWN.acme }, 404, /VERTEX_/],
      ["nobody", { key: OWN.acme }, 404, /no provider/],
    ]) {
      const answer = await admin("PUT", `/tenants/acme/secrets/${name}`, body);
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, words);
    }
    assert.equal((await send(gateway.url("/admin/v1/tenants/acme/secrets"), { key: keyOf("acme") })).status, 401);
  });
});

describe("the entry in KV", () => {
  test("opens for no other tenant and no other provider, and is not made up for by the operator's key", async () => {
    const acme = JSON.parse(await gateway.stored("own-keys:acme"));
    await gateway.restart({ "own-keys:globex": acme, "own-keys:plain": { lab: acme.keyless } });
    const before = sent("lab").length;
    for (const tenant of ["globex", "plain"]) {
      const answer = await call(tenant, "lab/m");
      assert.equal(answer.status, 404, answer.text);
      assert.match(answer.text, /own key for it cannot be opened/);
    }
    assert.equal(sent("lab").length, before);
    assert.equal((await call("acme", "lab/m")).status, 200);
    assert.equal((await call("globex", "both")).headers["x-portolan-provider"], "stored");
  });

  test("outlives a change of the secret while the old one is there", async () => {
    await gateway.restart({}, { ENCRYPTION_SECRET: OTHER_ENCRYPTION, ENCRYPTION_SECRET_PREVIOUS: ENCRYPTION });
    assert.equal((await call("acme", "lab/m")).status, 200);
    assert.equal(sent("lab").at(-1), `Bearer ${OWN.acme}`);
    assert.equal((await put("acme", "lab", OWN.later)).status, 200);
    await gateway.restart({}, { ENCRYPTION_SECRET_PREVIOUS: "" });
    assert.equal((await call("acme", "lab/m")).status, 200);
    assert.equal(sent("lab").at(-1), `Bearer ${OWN.later}`);
    assert.equal((await call("acme", "keyless/m")).status, 404);
  });

  test("is not written without a secret", async () => {
    await gateway.restart({}, { ENCRYPTION_SECRET: "too short" });
    const answer = await put("acme", "lab", OWN.acme);
    assert.equal(answer.status, 503);
    assert.match(answer.text, /`ENCRYPTION_SECRET` is missing or shorter than 32 characters: run/);
  });
});

describe("no secret comes out", () => {
  const canaries = [STORE_KEY, ENCRYPTION, OTHER_ENCRYPTION, BAD, ...Object.values(OWN), ...Object.values(SECRETS), ADMIN];

  test("in an answer, whatever is asked", async () => {
    for (const route of ["/readyz", "/livez", "/", "/v1/models"]) heard(await gateway.send(route));
    for (const route of ["/config", "/health", "/requests?limit=500", "/tenants/acme/secrets"]) await admin("GET", route);
    for (const { id } of (await admin("GET", "/requests?limit=100")).json.data) await admin("GET", `/requests/${id}/replay`);
    await gateway.put({ providers: { lab: { kind: "openai", base_url: "https://lab.example", keys: [OWN.acme] } } });
    await gateway.restart();
    const unready = heard(await gateway.send("/readyz"));
    assert.match(unready.text, /A key never stands in a document: store it with `wrangler secret put NAME`/);
    assert.ok(said.length > 60);
    for (const text of said) for (const canary of canaries) assert.ok(!text.includes(canary), `${canary}: ${text}`);
  });

  test("in a log line", () => {
    assert.ok(gateway.lines.length > 10);
    for (const line of gateway.lines) for (const canary of canaries) assert.ok(!line.includes(canary), line);
  });

  test("in what is stored", async () => {
    await gateway.put({ providers: {} });
    const files = readdirSync(gateway.state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const places = files.map((file) => path.join(file.parentPath ?? file.path, file.name));
    // The stand-in for the Secrets Store is the one place that has them.
    const stored = places.filter((place) => !place.includes("secrets-store"));
    assert.ok(stored.length > 3 && stored.length < places.length);
    for (const place of stored) {
      const bytes = readFileSync(place);
      // The document with the literal key was written by the test, and its bytes may linger in freed pages.
      for (const canary of canaries.filter((canary) => canary !== OWN.acme)) assert.ok(!bytes.includes(canary), `${canary} in ${place}`);
    }
  });
});
