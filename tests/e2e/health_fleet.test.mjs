// FAILOVER.md §6: what one isolate learns, the others of its region know within seconds, and no request waits for it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { FAIL, Fleet, isPassedOver, route, sleep } from "./lib/fleet.mjs";

/** Twice what the documentation promises: this machine may be busy. */
const LIMIT_MS = 10_000;
let fleet;

before(async () => {
  const routes = Object.fromEntries([1, 2, 3].map((n) => [`e${n}`, route(n)]));
  fleet = await Fleet.start(["weur", "weur", "enam"], { routes, settings: { log: { console: false } } });
});
after(() => fleet?.stop());

/** Asks isolate `index` ten times a second until it passes the first target over, or the time is up. */
async function learns(index, model, limit = LIMIT_MS) {
  for (const end = performance.now() + limit; performance.now() < end; await sleep(100)) {
    const answer = await fleet.chat(index, model);
    assert.equal(answer.status, 200, answer.text);
    if (isPassedOver(answer)) return true;
  }
  return false;
}

const fails = async (index, model) => {
  for (let n = 0; n < 2; n += 1) assert.equal((await fleet.chat(index, model, FAIL)).status, 200);
};

test("no request waits long for a health object", async () => {
  await Promise.all([0, 1, 2].map((index) => fleet.chat(index, "e1")));
  await fleet.calls("clear&delay=4000");
  // Longer than the time between two synchronisations, so that some are under way all the while.
  let slowest = 0;
  for (const end = performance.now() + 7_000; performance.now() < end; await sleep(100)) {
    const answers = await Promise.all([0, 1, 2].map((index) => fleet.chat(index, "e1")));
    slowest = Math.max(slowest, ...answers.map((answer) => answer.took));
  }
  const held = (await fleet.calls("delay=0")).length;
  assert.ok(held >= 3, `${held} calls were held up`);
  assert.ok(slowest < 3_000, `${slowest} ms`);
  await sleep(4_500);
});

test("an opening is known in the region and nowhere else", async () => {
  await Promise.all([0, 1, 2].map((index) => fleet.chat(index, "e2")));
  await fails(0, "e2");
  assert.ok(isPassedOver(await fleet.chat(0, "e2")), "at once where it was seen");
  const [near, far] = await Promise.all([learns(1, "e2"), learns(2, "e2")]);
  assert.deepEqual({ near, far }, { near: true, far: false });
});

test("the operator's word reaches every isolate of every region, and is taken back", async () => {
  const target = "/health/mock/echo%3Fwords%3D3";
  assert.equal((await fleet.admin(0, target, { action: "close" })).status, 400);
  const told = await fleet.admin(0, target, { action: "drain", for_ms: 60_000 });
  assert.equal(told.status, 200, told.text);
  assert.equal(Object.keys(JSON.parse(told.text).regions).length, 9, told.text);
  assert.deepEqual(await Promise.all([0, 1, 2].map((index) => learns(index, "e3"))), [true, true, true]);
  const { regions } = JSON.parse((await fleet.admin(2, "/health?region=enam")).text);
  assert.deepEqual(Object.keys(regions), ["enam"]);
  assert.equal(regions.enam.operator["mock/echo?words=3"].action, "drain");
  await fleet.admin(1, target, { action: "reset" });
  for (const index of [0, 1, 2]) {
    const end = performance.now() + LIMIT_MS;
    while (isPassedOver(await fleet.chat(index, "e3"))) {
      assert.ok(performance.now() < end, `${index} is still drained`);
      await sleep(100);
    }
  }
});
