// Gateway keys in KV: `key:` and the SHA-256 of the key, never the key.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { ADMIN, Gateway, KEY } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const DAY_MS = 86_400_000;
const inDays = (days) => new Date(Date.now() + days * DAY_MS).toISOString();

const ROWS = [
  { what: "a plain one", entry: { name: "ci" }, status: 200 },
  { what: "one that is not disabled", entry: { name: "ci-on", disabled: false }, status: 200 },
  { what: "a disabled one", entry: { name: "ci-off", disabled: true }, status: 401 },
  { what: "one that expires tomorrow", entry: { name: "ci-new", expires: inDays(1) }, status: 200 },
  { what: "one that expired yesterday", entry: { name: "ci-old", expires: inDays(-1) }, status: 401 },
  { what: "one for this route", entry: { name: "ci-this", routes: ["keyed"] }, status: 200 },
  { what: "one for another route", entry: { name: "ci-that", routes: ["other"] }, status: 403 },
  { what: "an entry that is broken", entry: '{"name":', status: 500 },
  { what: "one nobody made", entry: undefined, status: 401 },
].map((row, index) => ({ ...row, key: `pk-${createHash("sha256").update(`e2e ${index}`).digest("hex").slice(0, 40)}` }));

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

const gateway = await Gateway.withLanes({ keyed: ["openai"] }, () => Object.fromEntries(
  ROWS.filter(({ entry }) => entry).map(({ key, entry }) => [`key:${sha256(key)}`, entry]),
));
gateway.upstream.script("keyed-openai", forever(speak(SHAPES.openai, { text: "let in" }, { json, stream })));
after(() => gateway.stop());

for (const { what, entry, key, status } of ROWS) {
  test(`${what}: ${status}`, async () => {
    const before = gateway.upstream.requests("keyed-openai").length;
    const answer = await ask(gateway, CALLERS.openai, { model: "keyed" }, { key });
    assert.equal(answer.status, status, answer.text);
    assert.equal(gateway.upstream.requests("keyed-openai").length - before, status === 200 ? 1 : 0);
    assert.ok(!answer.text.includes(key));
    if (status === 200) {
      const log = await gateway.logged("keyed");
      assert.ok(log.some((line) => line.key === entry.name), "the log names no key");
    }
  });
}

test("the secret key works beside them", async () => {
  assert.equal((await ask(gateway, CALLERS.openai, { model: "keyed" }, { key: KEY })).status, 200);
});

/** Entries that let a key do some things, and what comes of others. */
const SCOPED = [
  { what: "its dialect", entry: { dialects: ["openai-chat"] }, openai: 200, anthropic: 403, models: 200 },
  { what: "another dialect", entry: { dialects: ["gemini"] }, openai: 403, anthropic: 403, models: 200 },
  { what: "its endpoints", entry: { endpoints: ["messages"] }, openai: 403, anthropic: 200, models: 403 },
  { what: "its provider", entry: { providers: ["keyed-openai"] }, openai: 200, anthropic: 200, models: 200 },
  { what: "another provider", entry: { providers: ["mock"] }, openai: 403, anthropic: 403, models: 200 },
];

const admin = (path, options) => gateway.send(`/admin/v1${path}`, { key: ADMIN, ...options });

for (const { what, entry, ...expected } of SCOPED) {
  test(`a key limited to ${what}`, async () => {
    const made = await admin("/keys", { body: { name: "scoped", ...entry } });
    assert.equal(made.status, 201, made.text);
    const { key } = made.json;
    const openai = await ask(gateway, CALLERS.openai, { model: "keyed" }, { key });
    const anthropic = await ask(gateway, CALLERS.anthropic, { model: "keyed" }, { key });
    const models = await gateway.send("/v1/models", { key });
    assert.deepEqual({ openai: openai.status, anthropic: anthropic.status, models: models.status }, expected, openai.text + anthropic.text);
    const named = models.status === 200 && models.json.data.some(({ id }) => id === "keyed");
    assert.equal(named, models.status === 200 && entry.providers?.[0] !== "mock", "it sees what it may use");
    for (const { status, text } of [openai, anthropic]) {
      if (status === 403) assert.match(text, /gateway key `scoped` may/);
    }
  });
}

test("a key is made, shown without itself, changed, listed and deleted", async () => {
  const made = await admin("/keys", { body: { name: "mine", tenant: "acme", tags: ["a"] } });
  const { key, id } = made.json;
  assert.match(key, /^pk-v1_[0-9A-Za-z]{49}$/);
  assert.equal(id, sha256(key));
  assert.equal(made.headers["cache-control"], "no-store");
  const shown = await admin(`/keys/${id}`);
  assert.deepEqual(shown.json.entry, { name: "mine", tenant: "acme", tags: ["a"] });
  assert.deepEqual([shown.json.hint, shown.json.state, shown.headers.etag], [key.slice(-4), "active", made.headers.etag]);
  const patch = (body, headers) => admin(`/keys/${id}`, { method: "PATCH", body, headers });
  assert.equal((await patch({ zdr: true }, { "if-match": '"old"' })).status, 412);
  const bad = await patch({ endpoints: ["embed"] });
  assert.deepEqual([bad.status, bad.json.error.path], [400, "endpoints"]);
  assert.equal((await patch({ tags: null, zdr: true }, { "if-match": shown.headers.etag })).status, 200);
  const listed = await admin("/keys?tenant=acme");
  assert.deepEqual(listed.json.data.map(({ name, hint, tags }) => ({ name, hint, tags })), [{ name: "mine", hint: key.slice(-4), tags: [] }]);
  const pages = [];
  for (let cursor = ""; cursor !== null;) {
    const page = (await admin(`/keys?limit=4&cursor=${encodeURIComponent(cursor)}`)).json;
    pages.push(...page.data);
    cursor = page.cursor;
  }
  assert.equal(new Set(pages.map((row) => row.id)).size, pages.length);
  assert.ok(pages.some((row) => row.state === "unreadable") && pages.some((row) => row.id === id));
  assert.equal((await admin(`/keys/${id}`, { method: "DELETE" })).status, 200);
  assert.equal((await ask(gateway, CALLERS.openai, { model: "keyed" }, { key })).status, 401);
  assert.equal((await admin(`/keys/${id}`)).status, 404);
  assert.equal((await admin("/keys/nobody")).status, 404);
  assert.equal((await gateway.send("/admin/v1/keys", { key: KEY })).status, 401, "a gateway key makes none");
  for (const { text } of [shown, listed]) assert.ok(!text.includes(key));
});

test("no key stands in a log line", () => {
  for (const line of gateway.lines) {
    for (const { key } of ROWS) assert.ok(!line.includes(key), line);
  }
});
