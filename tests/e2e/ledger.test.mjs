// The ledger in real workerd: each request one entry, closed once, and sums that are those of the records to the picodollar.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";

import { ALL_CALLERS, ask, startCall } from "./lib/callers.mjs";
import { Gateway, PRICES } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { costOf, entries, open, total } from "./lib/tables.mjs";
import { STALL, after as later, endless, forever, json, pause, stream } from "./lib/upstream.mjs";

const RULED = "pk-e2e-key-under-limits-canary-1b77";
const { openai } = SHAPES;
const { openai: caller } = ALL_CALLERS;
const USAGE = { input: 100, output: 20, cached: 40 };
const COST = BigInt(Math.round((100 * PRICES.openai.input + 40 * PRICES.openai.cache_read + 20 * PRICES.openai.output) * 1e6));
const says = speak(openai, { text: ["some", " text"], usage: USAGE }, { json, stream });
const started = openai.stream({ text: ["some"] }).slice(0, 2);
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const gateway = await Gateway.withLanes(
  Object.fromEntries(["whole", "leave", "early", "same", "many", "moved", "failed", "object", "ruled", "gated"].map((lane) => [lane, ["openai", "openai2"]])),
  () => ({ [`key:${createHash("sha256").update(RULED).digest("hex")}`]: { name: "ruled", tenant: "acme", budgets: [{ usd: 1000, per: "day" }], limits: { requests_per_minute: 10_000 } } }),
  { watch: true },
);
after(() => gateway.stop());
const { upstream } = gateway;
const script = (lane, answer, second = says) => {
  upstream.script(`${lane}-openai`, forever(answer));
  upstream.script(`${lane}-openai2`, forever(second));
};
const of = (lane) => entries(gateway).filter(({ open: { route } }) => route === lane);

/** Entries of one lane, once there are so many and none is open. */
async function closed(lane, count) {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = of(lane);
    if (found.length >= count && !open(gateway).some(({ route }) => route === lane)) return found;
    await sleep(100);
  }
  assert.fail(`${lane}: ${of(lane).length} of ${count} entries; open ${JSON.stringify(open(gateway))}\n${gateway.lines.slice(-5).join("\n")}`);
}

describe("an entry is closed once", () => {
  test("when an answer or a stream is whole", async () => {
    script("whole", says);
    const ids = [];
    for (const streamed of [false, true]) {
      const answer = await ask(gateway, caller, { model: "whole", stream: streamed, user: "ann@example.com" });
      assert.equal(answer.status, 200);
      ids.push(answer.headers["x-request-id"]);
    }
    const found = await closed("whole", 2);
    assert.deepEqual(found.map(({ open: { id } }) => id).sort(), ids.sort());
    for (const { open: begun, close, text } of found) {
      assert.equal(costOf(text.slice(text.indexOf('"close"'))), COST);
      assert.deepEqual([close.close, close.status, close.outcome, close.provider, close.model], ["finish", 200, "ok", "whole-openai", "m"]);
      assert.deepEqual([close.input, close.cache_read, close.output, close.estimated, close.failovers], [100, 40, 20, false, 0]);
      assert.deepEqual([begun.key, begun.route], ["gateway", "whole"]);
      assert.match(begun.user, /^[0-9a-f]{16}$/, "the end user is a digest");
    }
  });

  test("when its caller leaves in the middle of a stream", async () => {
    script("leave", endless(started, (n) => openai.delta(`word ${n} `), 20));
    const call = startCall(gateway, caller, { model: "leave", stream: true });
    await call.head;
    await call.until((text) => text.includes("word 3"), "some words");
    call.hangUp();
    const [{ close }] = await closed("leave", 1);
    assert.deepEqual([close.close, close.outcome, close.estimated], ["disconnect", "gone", true]);
    assert.ok(close.output > 0 && close.cost > 0, "what went by is owed");
  });

  test("when its caller leaves before there is an answer", async () => {
    script("early", later(5000, says));
    const call = startCall(gateway, caller, { model: "early", stream: true });
    await upstream.request("early-openai");
    await sleep(300);
    assert.deepEqual(open(gateway).map(({ route }) => route), ["early"], "it is in the ledger while it is under way");
    call.reset();
    const [{ close }] = await closed("early", 1);
    assert.equal(close.close, "disconnect");
  });

  test("with the targets that failed before", async () => {
    script("moved", json(503, openai.error(503, "busy")));
    await ask(gateway, caller, { model: "moved" });
    const [{ close }] = await closed("moved", 1);
    assert.deepEqual([close.outcome, close.provider, close.failovers], ["ok", "moved-openai2", 1]);
  });

  test("also when nobody answered", async () => {
    script("failed", json(503, openai.error(503, "busy")), json(503, openai.error(503, "busy")));
    const { status } = await ask(gateway, caller, { model: "failed" });
    const [{ close }] = await closed("failed", 1);
    assert.deepEqual([close.status, close.cost], [status, 0]);
    assert.notEqual(close.outcome, "ok");
  });
});

test("a caller's repeated id is billed each time", async () => {
  script("same", says);
  for (let n = 0; n < 3; n += 1) await ask(gateway, caller, { model: "same" }, { headers: { "x-request-id": "mine" } });
  const found = await closed("same", 3);
  assert.equal(new Set(found.map(({ open: { id } }) => id)).size, 3);
  assert.equal(found.reduce((sum, { text }) => sum + costOf(text.slice(text.indexOf('"close"'))), 0n), 3n * COST);
});

test("requests at once go in few calls", async () => {
  script("many", stream([...openai.stream({ text: ["some"], usage: USAGE }).slice(0, 1), pause(300), ...openai.stream({ text: ["some"], usage: USAGE }).slice(1)]));
  await sleep(1500);
  await gateway.calls("clear=1");
  await Promise.all(Array.from({ length: 60 }, () => ask(gateway, caller, { model: "many", stream: true })));
  await closed("many", 60);
  const calls = (await gateway.calls()).filter(({ entries: told }) => told.length);
  const told = calls.flatMap(({ entries: all }) => all);
  assert.equal(new Set(told.map(({ open: { id } }) => id)).size, 60);
  assert.ok(calls.length <= 15, `${calls.length} calls for 60 requests`);
  assert.equal(told.filter(({ close }) => !close).length, 60, "each was told of while it was under way");
});

describe("an object that cannot be reached", () => {
  for (const [mode, how] of [["fail", "fails"], ["deaf", "answers in vain"]]) {
    test(`that ${how} is told again, and counts once`, async () => {
      script("object", says);
      const before = of("object").length;
      await gateway.calls(`mode=${mode}`);
      for (let n = 0; n < 3; n += 1) assert.equal((await ask(gateway, caller, { model: "object" })).status, 200, "requests without limits go on");
      await sleep(1500);
      await gateway.calls("mode=pass");
      // Whoever comes next takes along what waits.
      await ask(gateway, caller, { model: "object" });
      await closed("object", before + 4);
      assert.equal(of("object").length, before + 4);
    });
  }
});

describe("under limits and budgets", () => {
  test("requests go on by leases, and each is in the ledger before anything of its answer is out", async () => {
    script("ruled", says);
    await gateway.calls("clear=1");
    for (let n = 0; n < 40; n += 1) {
      const { headers, status } = await ask(gateway, caller, { model: "ruled", stream: n % 2 === 0 }, { key: RULED });
      assert.equal(status, 200);
      const id = headers["x-request-id"];
      const told = (await gateway.calls()).some(({ entries: all, account }) => [...all.map(({ open: begun }) => begun), ...(account?.asks ?? [])].some((begun) => begun.id === id));
      assert.ok(told, "its beginning was told");
    }
    const found = await closed("ruled", 40);
    assert.ok(found.every(({ open: begun }) => begun.reserved > 0 && begun.holds.length === 1));
    const calls = await gateway.calls();
    assert.ok(calls.filter(({ account }) => account?.asks?.length).length < 40, "some went on by a lease");
  });

  test("they are refused while the object cannot be reached, and go on after", async () => {
    script("gated", says);
    await gateway.calls("mode=fail&clear=1");
    let refused;
    // What is leased may still be used, but nothing of an answer goes out that the ledger does not know of.
    for (let n = 0; n < 3; n += 1) refused = await ask(gateway, caller, { model: "gated" }, { key: RULED });
    assert.equal(refused.status, 503, refused.text);
    assert.equal(refused.headers["retry-after"], "2");
    assert.equal(refused.headers["x-portolan-error"], "gateway");
    assert.match(refused.json.error.message, /on_error/);
    await gateway.calls("mode=pass");
    await sleep(1200);
    assert.equal((await ask(gateway, caller, { model: "gated" }, { key: RULED })).status, 200);
    assert.equal((await ask(gateway, caller, { model: "gated" })).status, 200);
  });
});

test("sums are those of entries, and of records", async () => {
  for (let tries = 0; tries < 50 && open(gateway).length; tries += 1) await sleep(100);
  await sleep(1500);
  const all = entries(gateway);
  const sum = all.reduce((cost, { text }) => cost + costOf(text.slice(text.indexOf('"close"'))), 0n);
  assert.ok(sum > 0n);
  assert.equal(total(gateway, "cost"), sum);
  assert.equal(total(gateway, "requests"), BigInt(all.length));
  assert.equal(total(gateway, "failovers"), BigInt(all.reduce((count, { close }) => count + close.failovers, 0)));
  assert.equal(open(gateway).length, 0);
  const told = new Set(all.map(({ open: begun }) => begun.id));
  const records = (await gateway.admin("/admin/v1/requests?limit=500")).data.filter(({ tries }) => tries.length);
  assert.deepEqual(records.filter(({ id }) => !told.has(id)), [], "each that was sent has an entry");
  const paid = gateway.lines.filter((line) => line.startsWith("{")).reduce((cost, line) => cost + costOf(line), 0n);
  assert.equal(paid, sum);
});

test("the tenant is listed for reports", async () => {
  assert.equal(await gateway.stored("tenant:default"), "{}");
});
