// One JSON log line and one journal record a request, however it ended, and never a word of what was said.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { CALLERS, ask, startCall } from "./lib/callers.mjs";
import { Gateway, KEY, PRICES, SECRETS } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { CUT, STALL, endless, forever, html, json, silence, stream } from "./lib/upstream.mjs";

// What must stay between caller and provider.
const CANARY = {
  prompt: "CANARY-PROMPT-a51c", system: "CANARY-SYSTEM-0be7", tool: "canary_tool_93d2", argument: "CANARY-ARGUMENT-77aa",
  answer: "CANARY-ANSWER-e410", image: "Q0FOQVJZLUlNQUdFLWY5", providerError: "CANARY-PROVIDER-ERROR-2c6f", header: "CANARY-HEADER-d00d",
};
const SECRETS_SENT = [KEY, ...Object.values(SECRETS)];
const { openai, anthropic } = SHAPES;
const says = (shape, answer) => speak(shape, answer, { json, stream });
const ANSWER = { text: [CANARY.answer, " and more"], calls: [{ id: "call_1", name: CANARY.tool, args: { q: CANARY.argument } }], usage: { input: 100, output: 20, cached: 40 } };
const opening = openai.stream({ text: [CANARY.answer] }).slice(0, 2);

const ROWS = [
  { lane: "rok", how: "a whole answer", script: says(openai, ANSWER), outcome: "ok", status: 200 },
  { lane: "rst", how: "a stream", stream: true, script: says(openai, ANSWER), outcome: "ok", status: 200 },
  { lane: "rns", how: "a stream without usage", stream: true, usage: false, script: says(openai, ANSWER), outcome: "ok", status: 200 },
  { lane: "rtr", how: "a translated stream", stream: true, caller: "anthropic", script: says(openai, ANSWER), outcome: "ok", status: 200 },
  { lane: "rfo", how: "an answer after a failover", script: json(503, openai.error(503, CANARY.providerError)), outcome: "ok", status: 200, tries: 3, fallback: true },
  { lane: "rbad", how: "a 400 of the provider", script: json(400, openai.error(400, CANARY.providerError)), outcome: "caller", status: 400 },
  { lane: "rcut", how: "a cut stream", stream: true, script: stream([...opening, CUT], { gap: 5 }), status: 200 },
  { lane: "rstl", how: "a stalled stream", stream: true, script: stream([...opening, STALL], { gap: 5 }), status: 200 },
  { lane: "rhtml", how: "all targets broken", script: html(200), fallbackScript: html(200), status: 502 },
  { lane: "rgon1", how: "a caller gone before headers", stream: true, leave: "request", script: silence(), outcome: "gone" },
  { lane: "rgon2", how: "a caller gone mid-stream", stream: true, leave: "text", script: endless(opening, (n) => openai.delta(`${CANARY.answer} ${n}`), 50), outcome: "gone" },
];

const answers = new Map();
const gateway = await Gateway.withLanes(Object.fromEntries([...ROWS.map(({ lane }) => lane), "barrier"].map((lane) => [lane, ["openai", "openai2"]])));
for (const row of ROWS) {
  gateway.upstream.script(`${row.lane}-openai`, forever(row.script));
  gateway.upstream.script(`${row.lane}-openai2`, forever(row.fallbackScript ?? says(openai, ANSWER)));
  const caller = CALLERS[row.caller ?? "openai"];
  const description = {
    model: row.lane, stream: row.stream, usage: row.usage,
    ...(caller.name === "openai"
      ? { messages: [{ role: "system", content: CANARY.system }, { role: "user", content: [{ type: "text", text: CANARY.prompt }, { type: "image_url", image_url: { url: `data:image/png;base64,${CANARY.image}` } }] }],
          tools: [{ type: "function", function: { name: CANARY.tool, parameters: { type: "object", properties: {} } } }] }
      : { system: CANARY.system, messages: [{ role: "user", content: [{ type: "text", text: CANARY.prompt }, { type: "image", source: { type: "base64", media_type: "image/png", data: CANARY.image } }] }],
          tools: [{ name: CANARY.tool, input_schema: { type: "object", properties: {} } }] }),
  };
  if (row.leave) {
    const call = startCall(gateway, caller, description);
    const sent = await gateway.upstream.request(`${row.lane}-openai`);
    if (row.leave === "text") {
      await call.head;
      await call.until((text) => text.includes(CANARY.answer), "the first text");
    }
    call.reset();
    await sent.closed;
  } else {
    answers.set(row.lane, await ask(gateway, caller, description, { headers: { ...caller.headers, "x-custom": CANARY.header } }));
  }
}
// Refusals that no provider hears of are requests too.
answers.set("unknown", await ask(gateway, CALLERS.openai, { model: "runk-nobody/m", prompt: CANARY.prompt }));
// When this one is in the journal, so are those before it.
gateway.upstream.script("barrier-openai", says(openai, { text: "barrier" }));
await ask(gateway, CALLERS.openai, { model: "barrier" });
await gateway.recorded("barrier");
after(() => gateway.stop());

describe("exactly one record", () => {
  for (const row of ROWS) {
    test(`of ${row.how}`, async () => {
      const records = await gateway.recorded(row.lane);
      const log = await gateway.logged(row.lane);
      assert.equal(records.length, 1, JSON.stringify(records, null, 1));
      assert.equal(log.length, 1, JSON.stringify(log, null, 1));
      const [record] = records;
      assert.equal(log[0].id, record.id, "line and record are of different requests");
      const answer = answers.get(row.lane);
      if (answer) assert.equal(record.id, answer.headers["x-request-id"]);
      assert.equal(record.route, row.lane);
      if (row.status) assert.equal(record.status, row.status);
      if (row.outcome) assert.equal(record.outcome, row.outcome);
      else assert.notEqual(record.outcome, "ok");
      if (row.tries) assert.equal(record.tries.length, row.tries);
      if (row.outcome === "ok") {
        const price = PRICES[row.fallback ? "openai2" : "openai"];
        // Picodollars: dollars per million tokens are 10^6 of them a token.
        const cost = Math.round((100 * price.input + 40 * price.cache_read + 20 * price.output) * 1e6);
        assert.equal(Number(record.cost), cost);
        assert.ok(record.total_ms >= 0 && record.upstream_ms >= 0);
        assert.equal(record.provider, `${row.lane}-${row.fallback ? "openai2" : "openai"}`);
      }
    });
  }

  test("of a request for an unknown model", async () => {
    const records = await gateway.recorded("runk-nobody");
    assert.equal(records.length, 1, JSON.stringify(records, null, 1));
    assert.equal((await gateway.logged("runk-nobody")).length, 1);
    assert.equal(records[0].status, 404);
  });
});

describe("never content", () => {
  const holds = (what, text) => {
    for (const [name, canary] of [...Object.entries(CANARY), ...SECRETS_SENT.map((secret) => ["secret", secret])]) {
      assert.ok(!text.includes(canary), `${what} holds the ${name}: ${text.slice(Math.max(0, text.indexOf(canary) - 200), text.indexOf(canary) + 100)}`);
    }
  };

  test("in a log line", () => {
    assert.ok(gateway.log.length > ROWS.length, "nothing was logged");
    for (const line of gateway.lines) holds("a log line", line);
  });

  test("in a journal record", async () => {
    const { data } = await gateway.admin("/admin/v1/requests?limit=500");
    assert.ok(data.length > ROWS.length);
    holds("the journal", JSON.stringify(data));
  });

  test("in a header of an answer", () => {
    for (const { headers } of answers.values()) holds("a header", JSON.stringify(headers));
  });

  test("in what the Durable Objects store", async () => {
    const health = await gateway.admin("/admin/v1/health");
    holds("the health view", JSON.stringify(health));
  });
});

test("the list is newest first, and as long as asked for", async () => {
  const { data } = await gateway.admin("/admin/v1/requests?limit=3");
  assert.equal(data.length, 3);
  assert.match(JSON.stringify(data[0]), /barrier/);
  const ended = ({ time, total_ms }) => time + total_ms;
  // Isolates tell the journal of a second at once.
  assert.ok(ended(data[0]) >= ended(data[2]) - 1_000);
});
