// FAILOVER.md §6: what one isolate learns of a target outlives it, and a target that heals gets its traffic back.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, SETTINGS } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const { openai } = SHAPES;
const fine = (text) => forever(speak(openai, { text }, { json, stream }));
const down = () => forever(json(503, openai.error(503, "down")));
const targets = { two: ["openai", "openai2"] };
const story = (answer) => answer.headers["x-portolan-attempts"];
const until = async (what, look, patienceMs = 15_000) => {
  const end = Date.now() + patienceMs;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error(`never: ${what}`);
};

async function start(breaker) {
  const gateway = await Gateway.withLanes(targets, () => ({ settings: { ...SETTINGS, breaker } }));
  after(() => gateway.stop());
  gateway.upstream.script("two-openai", down());
  gateway.upstream.script("two-openai2", fine("fallback"));
  for (let n = 0; n < 3; n += 1) await ask(gateway, CALLERS.openai, { model: "two" });
  return gateway;
}

test("a runtime that has just begun leaves a target alone that another one found down", async () => {
  const gateway = await start({ open_ms: 60_000, early_max_open_ms: 60_000 });
  const published = await until("a snapshot in KV", () => gateway.stored("health@weur"));
  assert.match(published, /two-openai\/m/);
  await gateway.restart();
  const answer = await ask(gateway, CALLERS.openai, { model: "two" });
  assert.equal(answer.status, 200);
  assert.equal(story(answer), "1; two-openai2/m=200");
});

test("a target that heals is probed and gets its traffic back", async () => {
  const gateway = await start({ open_ms: 500, early_max_open_ms: 500, ramp_ms: 300 });
  gateway.upstream.script("two-openai", fine("primary"));
  const tries = () => gateway.upstream.requests("two-openai").length;
  const before = tries();
  const probe = await until("a probe", async () => {
    const answer = await ask(gateway, CALLERS.openai, { model: "two" });
    return answer.headers["x-portolan-reason"] === "probe" && answer;
  });
  assert.equal(story(probe), "1; two-openai/m=200");
  await until("all traffic back", async () => {
    const answers = [];
    for (let n = 0; n < 5; n += 1) answers.push(story(await ask(gateway, CALLERS.openai, { model: "two" })));
    return answers.every((each) => each === "1; two-openai/m=200");
  });
  assert.ok(tries() > before + 5);
});

test("a region tells what became of a target, also after its object began anew, and keeps what was in order", async () => {
  const gateway = await start({ open_ms: 60_000, early_max_open_ms: 60_000 });
  const history = async () => {
    const { regions } = await gateway.admin("/admin/v1/health?region=weur&history=1");
    return regions.weur.history.map(({ cell, from, to, why }) => `${cell} ${from} > ${to}: ${why}`);
  };
  let opened;
  // How many failed depends on which of them one report tells of.
  const isOpening = (row) => /^two-openai\/m up > open: (\d+ failures in a row|\d+ of \d+ failed)$/u.test(row);
  await until("the opening", async () => { opened = (await history()).find(isOpening); return opened; }).catch(async (error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await history())}`);
  });
  const body = { action: "drain", for_ms: 600_000, region: "weur" };
  await send(gateway.url("/admin/v1/health/two-openai2"), { method: "PUT", key: ADMIN, body });
  const expected = ["two-openai2 up > drained: operator: drain", opened];
  assert.deepEqual(await history(), expected);
  assert.ok(!("history" in (await gateway.admin("/admin/v1/health")).regions.weur), "only for who asks");
  await gateway.restart();
  assert.deepEqual(await history(), expected, "after a restart");
  const [newest, first] = (await gateway.admin("/admin/v1/health?region=weur&history=1")).regions.weur.history;
  assert.ok(newest.at >= first.at && newest.until === newest.at + 600_000 && first.until > first.at, JSON.stringify([newest, first]));
});
