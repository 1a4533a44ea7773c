// Whatever is sent, the answer is the caller's dialect: what cannot be read is refused, and nobody is asked; what may pass, passes;
// nothing of it is kept, and nothing of it is the gateway's failure.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { DIALECTS, UNREADABLE, endpoints, mutants } from "./lib/bad_input.mjs";
import { found, within } from "./lib/canaries.mjs";
import { send } from "./lib/client.mjs";
import { Gateway, KEY, SETTINGS } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { choose, forever, json, stream } from "./lib/upstream.mjs";

const LANES = { o: ["openai"], a: ["anthropic"], g: ["google"] };
const EMBEDDING = [0.1, 0.2];
/** What is answered besides chat: a part of the path, and the answer. */
const OTHERS = [
  ["count_tokens", { input_tokens: 5 }],
  [":countTokens", { totalTokens: 5 }],
  [":embedContent", { embedding: { values: EMBEDDING } }],
  [":batchEmbedContents", { embeddings: [{ values: EMBEDDING }, { values: EMBEDDING }] }],
  ["/embeddings", { object: "list", data: [{ object: "embedding", index: 0, embedding: EMBEDDING }], model: "m", usage: { prompt_tokens: 2, total_tokens: 2 } }],
];
let gateway;
let sent = 0;
const MAX_BODY = 300_000;
/** Models that nobody has. */
const NAMES = [
  "", " ", "/", "//", "/m", "o-openai/", "../o-openai/m", "o-openai", "nobody/m", "o-openai\u0000/m", "\u202eo-openai/m", "o-openai /m", "o\r\nx-evil: 1", "${PROVIDER_KEY}",
  "' OR 1=1 --", "<script>alert(1)</script>", "__proto__", "constructor", "x".repeat(10_000), "\u{1f6a2}".repeat(200),
];

const calls = () => Object.entries(LANES).reduce((sum, [lane, [flavour]]) => sum + gateway.upstream.requests(`${lane}-${flavour}`).length, 0);

/** What is wrong with how a request was answered, in words. */
async function faults({ path, dialect, body, method, headers = {}, key = KEY }, statuses) {
  const before = calls();
  const answer = await send(gateway.url(path), { key, method, body, headers: { ...(dialect === "anthropic" && { "anthropic-version": "2023-06-01" }), ...headers } });
  sent += 1;
  const asked = calls() - before;
  const wrong = [];
  if (!statuses(answer.status)) wrong.push(`status ${answer.status}`);
  if (answer.status >= 400 && asked > 0) wrong.push(`${asked} calls for a refusal`);
  if (answer.status >= 400) {
    const message = answer.json && DIALECTS[dialect](answer.json);
    if (!message) wrong.push("no error of the dialect");
    else if (message.length > 2_000) wrong.push(`${message.length} characters of message`);
  }
  if (!answer.headers["x-request-id"]) wrong.push("no request id");
  return wrong.length ? [`${wrong.join(", ")}: ${answer.status} ${answer.text.slice(0, 300)}`] : [];
}

before(async () => {
  gateway = await Gateway.withLanes(LANES, () => ({ settings: { ...SETTINGS, max_body_bytes: MAX_BODY } }));
  for (const [lane, [flavour]] of Object.entries(LANES)) {
    const says = speak(SHAPES[flavour], { text: "fine" }, { json, stream });
    gateway.upstream.script(`${lane}-${flavour}`, forever(choose(({ path }) => {
      const other = OTHERS.find(([part]) => path.includes(part));
      return other ? json(200, other[1]) : says;
    })));
  }
});
after(() => gateway?.stop());

describe("bad input", { concurrency: false }, () => {
  test("a body that cannot be read is refused on every endpoint, and nobody is asked", async () => {
    const wrong = [];
    const paths = new Map(endpoints("o-openai/m").map(([path, dialect]) => [path, dialect]));
    for (const [path, dialect] of paths) {
      for (const [what, body] of Object.entries(UNREADABLE)) {
        for (const fault of await faults({ path, dialect, body }, (status) => status === 400)) wrong.push(`${path}: ${what}: ${fault}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("a model that can be nobody's is refused, and nobody is asked", async () => {
    const wrong = [];
    for (const model of NAMES) {
      for (const [path, dialect, body] of endpoints(model)) {
        if (path.includes("/v1beta/")) continue;
        for (const fault of await faults({ path, dialect, body }, (status) => status === 400 || status === 404)) wrong.push(`${path}: ${model.slice(0, 40)}: ${fault}`);
      }
      for (const verb of ["generateContent", "streamGenerateContent", "countTokens", "embedContent"]) {
        const path = `/v1beta/models/${encodeURIComponent(model)}:${verb}`;
        const fault = await faults({ path, dialect: "google", body: { contents: [] } }, (status) => status === 400 || status === 404);
        wrong.push(...fault.map((words) => `${path.slice(0, 60)}: ${words}`));
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("a method, a type or a packing that is none of an endpoint's is refused, and nobody is asked", async () => {
    const wrong = [];
    for (const [path, dialect, body] of endpoints("o-openai/m")) {
      for (const [what, request, status] of [
        ["PUT", { method: "PUT", body }, 405],
        ["PATCH", { method: "PATCH", body }, 405],
        ["packed", { body, headers: { "content-encoding": "gzip" } }, 400],
        ["too large", { body: JSON.stringify({ ...body, filler: "x".repeat(MAX_BODY) }) }, 413],
        ["no key", { body, key: null }, 401],
        ["a wrong key", { body, key: "pk-nobody" }, 401],
        ["a key of odd letters", { body, key: null, headers: { "x-api-key": "pk-\u00ff \u00a0" } }, 401],
      ]) {
        for (const fault of await faults({ path, dialect, ...request }, (found) => found === status)) wrong.push(`${path}: ${what}: ${fault}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  for (const [lane, [flavour]] of Object.entries(LANES)) {
    test(`one wrong place in a good body, to a provider of ${flavour}: refused in words, or passed on`, { timeout: 240_000 }, async () => {
      const wrong = [];
      for (const [path, dialect, body] of endpoints(`${lane}-${flavour}/m`)) {
        for (const [what, mutant] of mutants(body)) {
          for (const fault of await faults({ path, dialect, body: mutant }, (status) => status === 200 || (status >= 400 && status < 500))) wrong.push(`${path}: ${what}: ${fault}`);
        }
      }
      assert.deepEqual(wrong, []);
    });
  }

  test("nothing of it was kept or logged", async () => {
    assert.ok(sent > 1_000, `${sent} requests`);
    const isAllowed = ([at]) => at.endsWith(".asked") || at.endsWith(".dropped[]");
    const leaks = gateway.lines.flatMap((line) => {
      let record;
      try { record = JSON.parse(line.slice(line.indexOf("{"))); } catch { /* no record */ }
      return record ? within(record).filter((leak) => !isAllowed(leak)) : found(line).map((place) => [line.slice(0, 300), place]);
    });
    assert.deepEqual([...new Set(leaks.map(String))], []);
    assert.ok(!gateway.lines.some((line) => /unreachable|RuntimeError|panicked/.test(line)), "a trap");
  });
});
