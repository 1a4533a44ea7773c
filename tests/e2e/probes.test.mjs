// FAILOVER.md §6: what is shut and gets no requests is tried by the region's object, where the operator wants it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { FAIL, Fleet, route, sleep } from "./lib/fleet.mjs";

const TARGET = "mock/echo?words=1";
/** An opening of half a second, six seconds twice, and room for a busy machine. */
const LIMIT_MS = 40_000;

const fleet = (active) =>
  Fleet.start(["weur"], {
    routes: { e1: route(1) },
    settings: { log: { console: false }, breaker: { open_ms: 500 }, probes: { active } },
  });

const standing = async (fleet) => JSON.parse((await fleet.admin(0, "/health?region=weur")).text).regions.weur.cells[TARGET]?.standing;
const probes = async (fleet) =>
  JSON.parse((await fleet.admin(0, "/requests?limit=100")).text).data.filter((record) => record.key === "probe");

/** Opens the target, by the caller's wish; whoever asks without that wish finds it well. */
async function shut(fleet) {
  for (let n = 0; n < 3; n += 1) assert.equal((await fleet.chat(0, "e1", FAIL)).status, 200);
  for (const end = performance.now() + 10_000; (await standing(fleet)) !== "open"; await sleep(100)) {
    assert.ok(performance.now() < end, "it never opened");
  }
}

test("a target that heals without any traffic is closed again", { timeout: 120_000 }, async (t) => {
  const region = await fleet(true);
  t.after(() => region.stop());
  await shut(region);
  for (const end = performance.now() + LIMIT_MS; ["open", undefined].includes(await standing(region)); await sleep(250)) {
    assert.ok(performance.now() < end, `still ${await standing(region)}`);
  }
  const records = await probes(region);
  assert.deepEqual(records.map((record) => [record.model ?? record.tries[0].model, record.status]), [["echo?words=1", 200], ["echo?words=1", 200]]);
});

test("unless the operator wants it nothing is sent", { timeout: 60_000 }, async (t) => {
  const region = await fleet(false);
  t.after(() => region.stop());
  await shut(region);
  await sleep(12_000);
  assert.equal(await standing(region), "open");
  assert.deepEqual(await probes(region), []);
});
