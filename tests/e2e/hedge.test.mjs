// docs/failover.md: a second target beside one that is late, waiting, credentials in turn, and filters routed around.
import assert from "node:assert/strict";
import { after as afterAll, describe, test } from "node:test";

import { CALLERS, ask, startCall } from "./lib/callers.mjs";
import { Gateway, provider } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { after, choose, forever, json, silence, stream } from "./lib/upstream.mjs";

const { openai } = SHAPES;
const HEDGE_MS = 300;
const fine = (text, flavour = "openai") => speak(SHAPES[flavour.replace("2", "")], { text }, { json, stream });
const fails = (status, message, more = {}, headers = {}) => json(status, openai.error(status, message, more), headers);
const final = (status) => fails(status, "down", {}, { "x-should-retry": "false" });

// `first` and `second` are what the two targets answer; who serves; how the header tells both.
const ROWS = [
  { lane: "sec", what: "the second is first", first: silence(), second: fine("two"), text: "two", ends: ["hedged", "200"], cancelled: "first" },
  { lane: "fst", what: "the late one is first all the same", first: after(700, fine("one")), second: silence(), text: "one", ends: ["200", "hedged"], cancelled: "second" },
  { lane: "ffl", what: "the late one fails", first: after(600, final(503)), second: after(700, fine("two")), text: "two", ends: ["503", "200"] },
  { lane: "sfl", what: "the second fails at once", first: after(900, fine("one")), second: final(503), text: "one", ends: ["200", "503"] },
  { lane: "xdi", what: "the second speaks another dialect", first: silence(), second: fine("two", "anthropic"), to: "anthropic", text: "two", ends: ["hedged", "200"], cancelled: "first" },
  { lane: "bth", what: "both fail", first: after(800, final(500)), second: final(503), status: 500, ends: ["500", "503"] },
  { lane: "bad", what: "the first finds fault with the request", first: after(600, fails(400, "No.")), second: silence(), status: 400, ends: ["400", "hedged"], cancelled: "second" },
];
const LEAVES = [{ lane: "lv1", asStream: false }, { lane: "lv2", asStream: true }];

const flavours = (row) => ["openai", row.to ?? "openai2"];
const gateway = await Gateway.withLanes({
  ...Object.fromEntries(ROWS.flatMap((row) => [[`${row.lane}w`, flavours(row)], [`${row.lane}s`, flavours(row)]])),
  ...Object.fromEntries([...LEAVES.map(({ lane }) => lane), "tim", "fil", "usu", "trn"].map((lane) => [lane, ["openai", "openai2"]])),
  wai: ["openai"],
}, (origin) => {
  const hedged = (lane, to = "openai2") => [lane, { targets: [`${lane}-openai/m`, `${lane}-${to}/m`], hedge: { after: HEDGE_MS } }];
  return {
    providers: {
      "trn-openai": provider(origin, "trn-openai", "openai", { keys: ["${UP_KEY}", "${UP_KEY_2}", "${UP_KEY_3}"] }),
    },
    routes: {
      ...Object.fromEntries(ROWS.flatMap((row) => [hedged(`${row.lane}w`, row.to), hedged(`${row.lane}s`, row.to)])),
      ...Object.fromEntries([...LEAVES.map(({ lane }) => lane), "tim"].map((lane) => hedged(lane))),
      fil: { targets: ["fil-openai/m", "fil-openai2/m"], on_content_filter: "fallback" },
      wai: { targets: ["wai-openai/m"], when_all_unavailable: { wait_ms: 3000 } },
    },
  };
}, { secrets: () => ({ UP_KEY_3: "sk-up-canary-third-41c7" }) });
afterAll(() => gateway.stop());

const tries = (name) => gateway.upstream.requests(name).length;

describe("a second target beside one that is late", () => {
  for (const row of ROWS) {
    for (const asStream of [false, true]) {
      test(`${row.what}${asStream ? ", in a stream" : ""}`, async () => {
        const lane = `${row.lane}${asStream ? "s" : "w"}`;
        const [first, second] = flavours(row).map((flavour) => `${lane}-${flavour}`);
        gateway.upstream.script(first, forever(row.first));
        gateway.upstream.script(second, forever(row.second));
        const answer = await ask(gateway, CALLERS.openai, { model: lane, stream: asStream });
        assert.equal(answer.status, row.status ?? 200, answer.text);
        if (row.text) assert.equal(answer.said.text, row.text);
        assert.equal(answer.headers["x-portolan-attempts"], `2; ${first}/m=${row.ends[0]}, ${second}/m=${row.ends[1]}`);
        assert.deepEqual([tries(first), tries(second)], [1, 1]);
        const [one, two] = [gateway.upstream.requests(first)[0], gateway.upstream.requests(second)[0]];
        assert.ok(two.at - one.at >= HEDGE_MS - 20 && two.at - one.at < HEDGE_MS + 1000, `after ${two.at - one.at} ms`);
        const [record] = await gateway.recorded(lane);
        assert.deepEqual(record.tries.map((t) => t.outcome === "hedged"), row.ends.map((end) => end === "hedged"), JSON.stringify(record.tries));
        assert.equal(record.tries.length, 2);
        if (row.cancelled) {
          const lost = row.cancelled === "first" ? one : two;
          assert.ok(await lost.closed, "the loser's connection is closed before its answer");
          assert.equal(lost.open, false);
          assert.ok(record.tries.find((t) => t.outcome === "hedged").wasted > 0, "it is accounted for");
        }
      });
    }
  }

  test("one that is in time stays alone", async () => {
    gateway.upstream.script("tim-openai", forever(fine("in time")));
    for (const asStream of [false, true]) {
      const answer = await ask(gateway, CALLERS.openai, { model: "tim", stream: asStream });
      assert.equal(answer.said.text, "in time");
    }
    await new Promise((resolve) => { setTimeout(resolve, HEDGE_MS * 2); });
    assert.equal(tries("tim-openai2"), 0);
  });

  for (const { lane, asStream } of LEAVES) {
    test(`a caller who leaves closes both${asStream ? ", in a stream" : ""}`, async () => {
      gateway.upstream.script(`${lane}-openai`, forever(silence()));
      gateway.upstream.script(`${lane}-openai2`, forever(silence()));
      const call = startCall(gateway, CALLERS.openai, { model: lane, stream: asStream });
      const both = [await gateway.upstream.request(`${lane}-openai`), await gateway.upstream.request(`${lane}-openai2`)];
      call.reset();
      for (const one of both) assert.ok(await one.closed);
      const [record] = await gateway.recorded(lane);
      assert.deepEqual([record.status, record.outcome, record.tries.length], [499, "gone", 2]);
    });
  }
});

describe("a content filter", () => {
  const nothing = (asStream) => asStream
    ? stream([openai.role(), openai.finish({ stop: "filter" }), openai.usage(), openai.done()])
    : json(200, openai.answer({ stop: "filter" }));
  for (const asStream of [false, true]) {
    test(`is routed around where the route says so${asStream ? ", in a stream" : ""}`, async () => {
      gateway.upstream.script("fil-openai", nothing(asStream), fails(400, "Refused.", { code: "content_filter" }));
      gateway.upstream.script("fil-openai2", forever(fine("allowed")));
      for (const how of ["withheld", "refused"]) {
        const answer = await ask(gateway, CALLERS.openai, { model: "fil", stream: asStream });
        assert.equal(answer.said.text, "allowed", how);
      }
    });

    test(`is not, elsewhere${asStream ? ", in a stream" : ""}`, async () => {
      gateway.upstream.script("usu-openai", nothing(asStream));
      const answer = await ask(gateway, CALLERS.openai, { model: "usu", stream: asStream });
      assert.deepEqual([answer.status, answer.said.finish, tries("usu-openai2")], [200, "content_filter", 0]);
    });
  }
});

test("a request waits for a target that is back in time", async () => {
  const limited = fails(429, "slow down", {}, { "retry-after": "1" });
  gateway.upstream.script("wai-openai", limited, limited, forever(fine("back")));
  const refused = await ask(gateway, CALLERS.openai, { model: "wai" });
  assert.equal(refused.status, 429, refused.text);
  const answer = await ask(gateway, CALLERS.openai, { model: "wai" });
  assert.deepEqual([answer.status, answer.said.text, tries("wai-openai")], [200, "back", 3]);
  assert.ok(answer.tookMs >= 600 && answer.tookMs < 2500, `took ${answer.tookMs} ms`);
  assert.match(answer.headers["server-timing"], /^gateway;dur=\d{1,2},/, "waiting is not the gateway's own time");
});

test("three credentials: the one that works is found, and the others are left alone", async () => {
  const good = choose(({ headers }) => (headers.authorization === "Bearer sk-up-canary-third-41c7" ? fine("third") : fails(401, "Incorrect API key.", { code: "invalid_api_key" })));
  gateway.upstream.script("trn-openai", forever(good));
  for (let n = 0; n < 4; n += 1) {
    const answer = await ask(gateway, CALLERS.openai, { model: "trn" });
    assert.equal(answer.said.text, "third");
  }
  const used = gateway.upstream.requests("trn-openai").map(({ headers }) => headers.authorization);
  assert.ok(used.length >= 4 && used.length <= 6, `each of the two rejected once at most: ${used}`);
  assert.equal(tries("trn-openai2"), 0);
});
