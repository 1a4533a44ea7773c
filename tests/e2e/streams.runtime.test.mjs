// FAILOVER.md §5: after the commit point a stream ends well, or ends with an error frame; and callers who leave.
// `runtime`: these run on the pinned workerd and on the newest one (DECISIONS.md 11).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";

import { CALLERS, ask, openCall, startCall } from "./lib/callers.mjs";
import { Gateway, TIMEOUTS } from "./lib/gateway.mjs";
import { SHAPES } from "./lib/shapes.mjs";
import { CLOSE, CUT, STALL, endless, forever, silence, stream } from "./lib/upstream.mjs";

const PARTS = Array.from({ length: 10 }, (_, n) => `part ${n}. `);
const WHOLE = PARTS.join("");
const SAID = 6;
/** How soon after a caller has left its provider's stream must be closed: sooner than any deadline would close it. */
const CANCELLED_MS = 1000;
/** Cases that mostly wait run beside each other. */
const BESIDE = { concurrency: 6 };

// Every way back: same dialect with and without a usage frame to drop, and translated.
const WAYS = [
  { way: "openai ← openai, natively", caller: "openai", upstream: "openai", usage: true },
  { way: "openai ← openai, pumped", caller: "openai", upstream: "openai", usage: false },
  { way: "anthropic ← anthropic, natively", caller: "anthropic", upstream: "anthropic", usage: true },
  { way: "openai ← anthropic", caller: "openai", upstream: "anthropic", usage: true },
  { way: "openai ← google", caller: "openai", upstream: "google", usage: true },
  { way: "anthropic ← openai", caller: "anthropic", upstream: "openai", usage: true },
  { way: "anthropic ← google", caller: "anthropic", upstream: "google", usage: true },
].map((row, index) => ({ ...row, index, shape: SHAPES[row.upstream] }));

/** One of each kind is enough for what takes megabytes. */
const SLOW_WAYS = WAYS.filter(({ way }) => ["openai ← openai, natively", "openai ← openai, pumped", "anthropic ← openai"].includes(way));

/** Frames up to and with the `count`th part of the text. */
const beginning = (shape, count = SAID) => {
  const frames = shape.stream({ text: PARTS });
  const last = frames.findIndex((frame) => frame.includes(PARTS[count - 1]));
  return frames.slice(0, last + 1);
};

const BREAKS = [
  { name: "cut", step: CUT, withinMs: 1500 },
  { name: "closed without its end", step: CLOSE, withinMs: 1500 },
  { name: "stalled", step: STALL, withinMs: TIMEOUTS.idle_ms + 1500 },
  { name: "error event", step: undefined, withinMs: 1500 },
];

// When a caller leaves, and how. A closed socket (FIN) is only seen by workerd when it next writes to it, so the cases
// in which nothing comes from the provider need the reset that a vanished network or an HTTP/2 cancel is.
const LEAVES = [
  { name: "before headers", steps: silence(), wait: "request", how: "reset" },
  { name: "before the first token", steps: "metadata", wait: "request", how: "reset" },
  { name: "mid-stream, reset", steps: "endless", wait: "text", how: "reset" },
  { name: "mid-stream, closed", steps: "endless", wait: "text", how: "hangUp" },
  { name: "mid-stream while the provider stalls", steps: "stall", wait: "text", how: "reset" },
].map((row, index) => ({ ...row, index }));

const lane = (...parts) => parts.join("").replaceAll(/[^a-z0-9]/g, "");
const table = {};
for (const { index, upstream } of WAYS) {
  for (const { name } of BREAKS) table[lane("break", index, name)] = [upstream];
  for (const leave of LEAVES) table[lane("leave", index, leave.index)] = [upstream];
  for (const kind of ["whole", "badevent", "slow"]) table[lane(kind, index)] = [upstream];
}
table.nodone = ["openai"];
// A target to move to, for a break must not reach it.
table.noswitch = ["openai", "openai2"];
const gateway = await Gateway.withLanes(table);
after(() => gateway.stop());

const script = (name, way, ...answers) => gateway.upstream.script(`${name}-${way.upstream}`, ...answers);

describe("a whole stream ends well", () => {
  for (const way of WAYS) {
    test(way.way, async () => {
      const name = lane("whole", way.index);
      script(name, way, stream(way.shape.stream({ text: PARTS }), { gap: 5 }));
      const { said, broken, text, headers } = await ask(gateway, CALLERS[way.caller], { model: name, stream: true, usage: way.usage });
      assert.equal(said.text, WHOLE);
      assert.ok(said.clean && !broken, text);
      assert.equal(said.error, undefined);
      assert.match(headers["content-type"], /^text\/event-stream/);
      if (way.usage) assert.equal(said.usage?.completion_tokens ?? said.usage?.output_tokens, 7, text);
      else assert.equal(said.usage, undefined);
    });
  }
});

describe("a broken stream ends with an error frame and never as if complete", BESIDE, () => {
  for (const way of WAYS) {
    for (const { name: fault, step, withinMs } of BREAKS) {
      test(`${way.way}: ${fault} after ${SAID} of ${PARTS.length} parts`, async () => {
        const name = lane("break", way.index, fault);
        script(name, way, stream([...beginning(way.shape), step ?? way.shape.errorFrame("it broke")], { gap: 5 }));
        const answer = await ask(gateway, CALLERS[way.caller], { model: name, stream: true, usage: way.usage });
        const { said } = answer;
        assert.equal(answer.status, 200, answer.text);
        assert.equal(said.text, PARTS.slice(0, SAID).join(""));
        assert.ok(said.error, `no error frame:\n${answer.text}`);
        assert.ok(!said.clean, `it ends as if complete:\n${answer.text}`);
        assert.doesNotMatch(answer.text, /\[DONE\]|message_stop/);
        assert.ok([undefined, "error"].includes(said.finish), `finish reason ${said.finish}`);
        assert.ok(answer.tookMs < withinMs, `took ${answer.tookMs} ms`);
        const [record] = await gateway.recorded(name);
        assert.notEqual(record.outcome, "ok");
        assert.ok(record.outcome, "the record says no outcome");
      });
    }
  }

  test("no other target is asked after the commit point", async () => {
    gateway.upstream.script("noswitch-openai", stream([...beginning(SHAPES.openai), CUT], { gap: 5 }));
    await ask(gateway, CALLERS.openai, { model: "noswitch", stream: true });
    assert.equal(gateway.upstream.requests("noswitch-openai").length, 1);
    assert.equal(gateway.upstream.requests("noswitch-openai2").length, 0);
  });
});

test("a missing [DONE] after a finish reason is supplied", async () => {
  const frames = SHAPES.openai.stream({ text: PARTS });
  for (const [caller, usage] of [["openai", true], ["openai", false], ["anthropic", true]]) {
    gateway.upstream.script("nodone-openai", stream(frames.slice(0, -1)));
    const { said, text } = await ask(gateway, CALLERS[caller], { model: "nodone", stream: true, usage });
    assert.equal(said.text, WHOLE);
    assert.ok(said.clean, `${caller}, usage ${usage}:\n${text}`);
    assert.equal(said.error, undefined);
  }
});

describe("a malformed event does not end the stream", () => {
  for (const way of WAYS) {
    test(way.way, async () => {
      const name = lane("badevent", way.index);
      const frames = way.shape.stream({ text: PARTS });
      const middle = frames.findIndex((frame) => frame.includes(PARTS[4]));
      const end = way.upstream === "google" ? "\r\n\r\n" : "\n\n";
      const event = way.upstream === "anthropic" ? "event: content_block_delta\n" : "";
      frames.splice(middle, 0, `${event}data: {"choices":[{"delta":{"content":"never${end}`);
      script(name, way, stream(frames, { gap: 5 }));
      const { said, text } = await ask(gateway, CALLERS[way.caller], { model: name, stream: true, usage: way.usage });
      assert.equal(said.text, WHOLE);
      assert.ok(said.clean, text);
      assert.equal(said.error, undefined);
    });
  }
});

describe("a reader slower than the idle deadline gets every byte", () => {
  const CHUNK = "x".repeat(16 * 1024);
  // 24 MB: sockets and runtime take up to 19 MB before the provider has to wait.
  const COUNT = 1536;
  const digest = (text) => createHash("sha256").update(text).digest("hex");
  for (const way of SLOW_WAYS) {
    test(way.way, async () => {
      const name = lane("slow", way.index);
      script(name, way, stream(way.shape.stream({ text: Array(COUNT).fill(CHUNK) })));
      const call = await openCall(gateway, CALLERS[way.caller], { model: name, stream: true, usage: way.usage });
      call.pause();
      const sent = await gateway.upstream.request(`${name}-${way.upstream}`);
      // The idle deadline is about the provider, which has been waiting to send all the time.
      await new Promise((resolve) => { setTimeout(resolve, TIMEOUTS.idle_ms * 1.5); });
      assert.ok(sent.open, "the provider never had to wait: the test proves nothing");
      call.resume();
      const answer = await call.rest();
      const said = CALLERS[way.caller].read(answer);
      assert.ok(said.clean, answer.text.slice(-500));
      assert.equal(said.text.length, CHUNK.length * COUNT);
      assert.equal(digest(said.text), digest(CHUNK.repeat(COUNT)));
      assert.equal(await sent.closed, undefined, "the provider's stream was cut off");
    });
  }
});

describe("a caller who leaves: the provider's stream is closed and the record says so", BESIDE, () => {
  for (const way of WAYS) {
    for (const leave of LEAVES) {
      test(`${way.way}: ${leave.name}`, async () => {
        const name = lane("leave", way.index, leave.index);
        const { shape } = way;
        const text = beginning(shape, 1);
        const plays = {
          metadata: stream([...text.slice(0, -1), STALL]),
          stall: stream([...text, STALL]),
          endless: endless(text, (n) => shape.delta(`and ${n} `), 100),
        };
        script(name, way, forever(plays[leave.steps] ?? leave.steps));
        const call = startCall(gateway, CALLERS[way.caller], { model: name, stream: true, usage: way.usage });
        const sent = await gateway.upstream.request(`${name}-${way.upstream}`);
        if (leave.wait === "text") {
          await call.head;
          await call.until((so_far) => so_far.includes(PARTS[0].trim()), "the first part");
        }
        call[leave.how]();
        const closedAt = await within(sent.closed, TIMEOUTS.total_ms);
        assert.ok(closedAt, "the provider's stream ended by itself");
        assert.ok(closedAt - call.leftAt < CANCELLED_MS, `closed after ${closedAt - call.leftAt} ms`);
        const [record] = await gateway.recorded(name);
        assert.equal(record.outcome, "gone");
        assert.equal(gateway.upstream.requests(`${name}-${way.upstream}`).length, 1, "it was tried again for nobody");
      });
    }
  }
});

const within = (promise, ms) => Promise.race([promise, new Promise((resolve) => { setTimeout(resolve, ms).unref(); })]);
