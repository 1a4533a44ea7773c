// Documents in KV: bad ones never take effect and say why; the last good ones stay in force, for new isolates too.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, KEY, SECRETS, SETTINGS, lanes, provider } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const LITERAL = "sk-proj-literal-key-canary-4471";
const PRIVATE = ["http://127.0.0.1:9/v1", "http://10.1.2.3/v1", "http://169.254.169.254/latest", "http://[::1]:9/v1", "http://localhost:9/v1", "http://2130706433/v1"];

const gateway = await Gateway.withLanes({ one: ["openai"], two: ["openai", "anthropic"] });
gateway.upstream.script("one-openai", forever(speak(SHAPES.openai, { text: "still here" }, { json, stream })));
const good = { settings: SETTINGS, ...lanes(gateway.upstream.origin, { one: ["openai"], two: ["openai", "anthropic"] }) };
// The first request validates the documents, which makes them the last good ones.
assert.equal((await ask(gateway, CALLERS.openai, { model: "one" })).status, 200);
after(() => gateway.stop());

const ready = async () => send(gateway.url("/readyz"));

/** Where each bad document is wrong: `path` and `message` are what /readyz must say. */
const BAD = () => [
  { what: "no JSON", document: "routes", value: '{"one": {"targets": [', path: /.*/, message: /./ },
  { what: "no object", document: "routes", value: [], path: /.*/, message: /./ },
  { what: "an unknown field", document: "routes", value: { one: { targets: ["one-openai/m"], stratgy: "weighted" } }, path: /^one\.stratgy$/, message: /strategy/ },
  { what: "an unknown strategy", document: "routes", value: { one: { strategy: "fastest", targets: ["one-openai/m"] } }, path: /^one\.strategy$/, message: /fastest/ },
  { what: "no targets", document: "routes", value: { one: { targets: [] } }, path: /^one(\.targets)?$/, message: /./ },
  { what: "an unknown provider", document: "routes", value: { one: { targets: ["one-openai/m", "nobody/m"] } }, path: /^one\.targets\[1\]$/, message: /nobody/ },
  { what: "a weight of the wrong type", document: "routes", value: { one: { strategy: "weighted", targets: [{ model: "one-openai/m", weight: "9" }] } }, path: /^one\.targets\[0\]\.weight$/, message: /./ },
  { what: "an unknown kind", document: "providers", value: { ...good.providers, "one-openai": { ...good.providers["one-openai"], kind: "opanai" } }, path: /^one-openai\.kind$/, message: /openai/ },
  { what: "a literal key", document: "providers", value: { ...good.providers, "one-openai": { ...good.providers["one-openai"], keys: [LITERAL] } }, path: /^one-openai\.keys\[0\]$/, message: /wrangler secret put/ },
  { what: "the gateway's own secret", document: "providers", value: { ...good.providers, "one-openai": { ...good.providers["one-openai"], keys: ["${ADMIN_TOKEN}"] } }, path: /^one-openai\.keys\[0\]$/, message: /./ },
  { what: "an unknown setting", document: "settings", value: { ...SETTINGS, alow_private_upstreams: true }, path: /^alow_private_upstreams$/, message: /./ },
  { what: "a timeout of no number", document: "settings", value: { ...SETTINGS, timeouts: { idle_ms: "soon" } }, path: /^timeouts\.idle_ms$/, message: /./ },
];

test("good documents: ready", async () => {
  const answer = await ready();
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([answer.json.ok, answer.json.problems ?? []], [true, []]);
});

test("a bad document says what is wrong, and the last good one serves on after a restart", async (context) => {
  for (const row of BAD()) {
    await context.test(row.what, async () => {
      await gateway.restart({ ...good, [row.document]: row.value });
      const answer = await ask(gateway, CALLERS.openai, { model: "one" });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.said.text, "still here");
      const { status, json: said, text } = await ready();
      assert.equal(status, 503, text);
      assert.equal(said.ok, false);
      const problem = said.problems.find(({ document, path }) => document === row.document && row.path.test(path));
      assert.ok(problem, text);
      assert.match(problem.message, row.message);
      assert.ok(!text.includes(LITERAL), "the key is repeated");
      assert.ok(gateway.lines.every((line) => !line.includes(LITERAL)), "the key is in the log");
      assert.ok(gateway.lines.some((line) => line.includes(row.document) && /problem|refused|bad|invalid|wrong|last good/i.test(line)), "no log line says it");
    });
  }
});

test("the last good one is found again by a runtime that never saw it, and mended documents take its place", async () => {
  await gateway.restart({ ...good, routes: "{" });
  assert.equal((await ask(gateway, CALLERS.openai, { model: "one" })).status, 200);
  // A second start on the same bad document: nothing but KV remembers.
  await gateway.restart();
  assert.equal((await ask(gateway, CALLERS.openai, { model: "one" })).status, 200);
  await gateway.restart({ ...good, routes: { ...good.routes, fresh: { targets: ["one-openai/m"] } } });
  assert.equal((await ask(gateway, CALLERS.openai, { model: "fresh" })).status, 200);
  assert.equal((await ready()).status, 200);
});

describe("upstreams on private addresses", () => {
  for (const base_url of PRIVATE) {
    test(`${base_url} is refused unless the settings allow it`, async () => {
      const documents = (allow) => ({
        settings: { ...SETTINGS, allow_private_upstreams: allow },
        providers: { ...(allow && good.providers), lan: { ...provider("", "lan", "openai"), base_url } },
        routes: allow ? good.routes : {},
      });
      await gateway.restart(documents(false));
      const { status, json: said, text } = await ready();
      assert.equal(status, 503, text);
      const problem = said.problems.find(({ document, path }) => document === "providers" && path === "lan.base_url");
      assert.match(problem?.message ?? text, /private|loopback|local/i);
      await gateway.restart(documents(true));
      assert.equal((await ready()).status, 200);
    });
  }
});

describe("without a good document", () => {
  test("a first document that is bad: nothing is served, /readyz says why, /livez lives", async () => {
    const fresh = await Gateway.start({ documents: (origin) => ({ settings: SETTINGS, ...lanes(origin, { a: ["openai"] }), routes: "{" }) });
    try {
      const answer = await ask(fresh, CALLERS.openai, { model: "a" });
      assert.ok(answer.status >= 400, answer.text);
      assert.ok(answer.json.error.message);
      const { status, json: said } = await send(fresh.url("/readyz"));
      assert.equal(status, 503);
      assert.equal(said.problems[0].document, "routes");
      assert.equal((await send(fresh.url("/livez"))).status, 200);
    } finally {
      await fresh.stop();
    }
  });

  test("no documents at all: the mock answers, and a provider without its secret says which", async () => {
    const fresh = await Gateway.start();
    try {
      assert.equal((await ask(fresh, CALLERS.openai, { model: "mock/echo", prompt: "ahoy" })).status, 200);
      assert.equal((await send(fresh.url("/readyz"))).status, 200);
      const answer = await ask(fresh, CALLERS.openai, { model: "openai/gpt-5.4" });
      assert.ok(answer.status >= 400, answer.text);
      assert.match(answer.json.error.message, /OPENAI_API_KEY/);
    } finally {
      await fresh.stop();
    }
  });

  test("no keys, no service: the refusal says what to do", async () => {
    const closed = await Gateway.start({ bindings: { ADMIN_TOKEN: ADMIN, ...SECRETS } });
    try {
      for (const key of [undefined, KEY, ""]) {
        const answer = await send(closed.url("/v1/chat/completions"), { key, body: { model: "mock/echo", messages: [{ role: "user", content: "hi" }] } });
        assert.equal(answer.status, 401, answer.text);
        assert.match(answer.json.error.message, /GATEWAY_KEY/);
      }
    } finally {
      await closed.stop();
    }
  });
});
