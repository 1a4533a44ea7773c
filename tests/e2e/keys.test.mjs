// Gateway keys in KV: `key:` and the SHA-256 of the key, never the key.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { Gateway, KEY } from "./lib/gateway.mjs";
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

test("no key stands in a log line", () => {
  for (const line of gateway.lines) {
    for (const { key } of ROWS) assert.ok(!line.includes(key), line);
  }
});
