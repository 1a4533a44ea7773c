// FAILOVER.md 3 and 5: streams that break and are gone on with, answers that are held until they are whole, and signs of
// life for who has to wait. What each mode makes of each fault is in tests/conformance.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { CALLERS, ask, openCall } from "./lib/callers.mjs";
import { Gateway, SETTINGS, TIMEOUTS, provider } from "./lib/gateway.mjs";
import { SHAPES } from "./lib/shapes.mjs";
import { CUT, STALL, choose, endless, forever, json, pause, stream } from "./lib/upstream.mjs";

const PARTS = Array.from({ length: 10 }, (_, n) => `part ${n}. `);
const WHOLE = PARTS.join("");
const SAID = 6;
/** How soon after a caller has left its provider's stream must be closed. */
const CANCELLED_MS = 1500;

const WAYS = [
  { caller: "openai", upstream: "openai" },
  { caller: "anthropic", upstream: "anthropic" },
  { caller: "openai", upstream: "anthropic" },
  { caller: "anthropic", upstream: "openai" },
];
const MODES = ["continue", "atomic"];
const CASES = ["whole", "cut", "stall", "gone", "silent", "down", "slow"];

const lane = (kind, way, mode) => `${kind}${way.caller}${way.upstream}${mode}`;
const documents = (origin) => {
  const [providers, routes] = [{}, {}];
  for (const way of WAYS) {
    for (const mode of MODES) {
      for (const kind of CASES) {
        const name = lane(kind, way, mode);
        for (const place of ["first", "second"]) providers[`${name}-${place}`] = provider(origin, `${name}-${place}`, way.upstream, { context: 262_144 });
        const timeouts = kind === "slow" || kind === "down" ? { first_token_ms: 20_000, idle_ms: 800 } : undefined;
        routes[name] = { targets: [`${name}-first/m`, `${name}-second/m`], on_stream_break: mode, ...(timeouts && { timeouts }) };
      }
    }
  }
  return { settings: SETTINGS, providers, routes };
};
const gateway = await Gateway.start({ documents });
after(() => gateway.stop());

const beginning = (shape, count = SAID) => {
  const frames = shape.stream({ text: PARTS });
  return frames.slice(0, frames.findIndex((frame) => frame.includes(PARTS[count - 1])) + 1);
};
/** Goes on where the request says that an answer stopped. */
const goesOn = (shape) => choose((entry) => {
  const said = PARTS.findLastIndex((part) => entry.text.includes(part.trim())) + 1;
  return stream(shape.stream({ text: PARTS.slice(said) }), { gap: 5 });
});

for (const mode of MODES) {
  describe(mode, { concurrency: 4 }, () => {
    for (const way of WAYS) {
      const shape = SHAPES[way.upstream];
      const play = (kind, first, second) => {
        const name = lane(kind, way, mode);
        gateway.upstream.script(`${name}-first`, first);
        gateway.upstream.script(`${name}-second`, forever(second ?? goesOn(shape)));
        return name;
      };
      const asked = (model) => ask(gateway, CALLERS[way.caller], { model, stream: true });
      const title = `${way.caller} ← ${way.upstream}`;

      test(`${title}: a whole answer is the provider's own`, async () => {
        const { said, text } = await asked(play("whole", stream(shape.stream({ text: PARTS }), { gap: 5 })));
        assert.equal(said.text, WHOLE);
        assert.ok(said.clean && !said.error, text);
      });

      for (const [fault, step] of [["cut", CUT], ["stall", STALL]]) {
        test(`${title}: ${fault}`, async () => {
          const name = play(fault, forever(stream([...beginning(shape), step], { gap: 5 })));
          const { said, text, status } = await asked(name);
          assert.equal(status, 200, text);
          assert.equal(said.text, WHOLE, text);
          assert.ok(said.clean && !said.error, text);
          const [record] = await gateway.recorded(name);
          assert.equal(record.outcome, "ok");
          assert.equal(record.provider, `${name}-second`);
          assert.ok(record.tries.length >= 2 && record.tries[0].outcome !== "ok", JSON.stringify(record.tries));
          assert.ok(record.usage.output > 7, "both are counted");
        });
      }

      test(`${title}: the caller leaves while another target goes on`, async () => {
        const more = endless([...beginning(shape, 1)], (n) => shape.delta(`and ${n} `), 100);
        const name = play("gone", forever(stream([...beginning(shape), CUT], { gap: 5 })), more);
        const call = await (mode === "atomic" ? undefined : openCall(gateway, CALLERS[way.caller], { model: name, stream: true }));
        if (!call) return;
        const sent = await gateway.upstream.request(`${name}-second`);
        await new Promise((resolve) => { setTimeout(resolve, 300); });
        const left = Date.now();
        call.reset();
        const closed = await sent.closed;
        assert.ok(closed - left < CANCELLED_MS, `closed after ${closed - left} ms`);
        const [record] = await gateway.recorded(name);
        assert.equal(record.outcome, "gone", JSON.stringify(record.tries));
        assert.equal(record.fault, "caller");
      });

      test(`${title}: signs of life for who waits`, async () => {
        const name = play("slow", stream([pause(2000), ...shape.stream({ text: PARTS })]));
        const { said, text, status } = await asked(name);
        assert.equal(status, 200);
        assert.match(text, /^: keep-alive\n\n/);
        assert.equal(said.text, WHOLE, text);
        assert.ok(said.clean && !said.error, text);
      });

      test(`${title}: an error keeps its status until the answer has begun, and is a frame after it`, async () => {
        const fails = json(400, shape.error(400, "No."));
        const soon = await asked(play("down", fails));
        assert.equal(soon.status, 400, soon.text);
        const late = await asked(play("down", async (response, entry) => { await pause(1000)(); await fails(response, entry); }));
        assert.equal(late.status, 200);
        assert.ok(late.said.error, late.text);
        assert.doesNotMatch(late.text, /\[DONE\]|message_stop/);
      });
    }
  });
}
