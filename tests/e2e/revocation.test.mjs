// DECISIONS: what is written through the admin API is in force in every active isolate within 5 s, however far KV lags.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";

import { ADMIN } from "./lib/gateway.mjs";
import { Fleet, READS, sleep, within } from "./lib/fleet.mjs";

const LAG_MS = 60_000;
/** What is promised, and a second for a busy machine. */
const LIMIT_MS = 6_000;
const BETWEEN_MS = 50;
const ALL = [0, 1, 2, 3];
let fleet;

before(async () => {
  const routes = { one: { targets: ["mock/echo?words=1"] } };
  fleet = await Fleet.start(["weur", "weur", "enam", "apac"], { routes, settings: { log: { console: false } } }, { slow: true });
  await fleet.put("-lag", LAG_MS);
});
after(() => fleet?.stop());

/** A call of the operator's. */
async function admin(index, method, path, body, headers) {
  const answer = await fleet.send(index, `/admin/v1${path}`, { method, body, key: ADMIN, headers });
  return { ...answer, json: answer.text && JSON.parse(answer.text) };
}

async function made(entry) {
  const { status, json } = await admin(0, "POST", "/keys", { name: "ci", ...entry });
  assert.equal(status, 201, JSON.stringify(json));
  assert.deepEqual(json.in_force.not_told, []);
  // Isolates that asked for news a moment ago do not ask again at once.
  await sleep(300);
  return json;
}

const ask = (index, key, model = "one", headers) =>
  fleet.send(index, "/v1/chat/completions", { key, headers, body: { model, messages: [{ role: "user", content: "ping" }] } });

/** Asks all isolates all the while, does something, and tells of each when its answers last were the old ones, from then on. */
async function lag(key, model, status, act) {
  const old = ALL.map(() => 0);
  const settled = ALL.map(() => false);
  let changed = Infinity;
  const asks = ALL.map(async (index) => {
    while (performance.now() < changed + LIMIT_MS + 1_000) {
      const answer = await ask(index, key, model);
      if (answer.status === status) settled[index] = true;
      else if (answer.sent > changed) [old[index], settled[index]] = [answer.sent - changed, false];
      await sleep(BETWEEN_MS);
    }
  });
  await sleep(2_000 + Math.random() * 3_000);
  await act();
  changed = performance.now();
  await Promise.all(asks);
  assert.deepEqual(settled, ALL.map(() => true), "the old answer was the last");
  return old;
}

test("a key disabled is refused, and enabled again let in, everywhere within 5 s", async (t) => {
  const { key, id } = await made();
  const times = [];
  for (const index of ALL) assert.equal((await ask(index, key)).status, 200, `${index}: a new key works at once`);
  for (const [from, what, status] of [[0, "disable", 401], [2, "enable", 200], [3, "disable", 401]]) {
    times.push(...await lag(key, "one", status, async () => {
      assert.equal((await admin(from, "POST", `/keys/${id}/${what}`)).status, 200);
    }));
  }
  t.diagnostic(`in force after ms: p50 ${within(50, times)}, p95 ${within(95, times)}, max ${within(100, times)}`);
  assert.ok(Math.max(...times) < LIMIT_MS, `${times}`);
});

test("a document is in force everywhere within 5 s, and refused before it is written", async (t) => {
  const { key } = await made();
  const current = await admin(1, "GET", "/routes");
  const put = (body, headers) => admin(1, "PUT", "/routes", body, headers);
  assert.equal((await put({ two: { targets: ["mock/echo"] } })).status, 428);
  const tag = { "if-match": current.headers.etag };
  const bad = await put({ two: { targets: ["nobody/x"] } }, tag);
  assert.deepEqual([bad.status, bad.json.problems[0].path], [400, "two.targets[0]"]);
  const times = await lag(key, "two", 200, async () => {
    const answer = await put({ one: { targets: ["mock/echo?words=1"] }, two: { targets: ["mock/echo"] } }, tag);
    assert.equal(answer.status, 200, answer.text);
  });
  t.diagnostic(`in force after ms: p50 ${within(50, times)}, max ${within(100, times)}`);
  assert.ok(Math.max(...times) < LIMIT_MS, `${times}`);
  assert.equal((await put({}, tag)).status, 412, "somebody changed it");
  for (const index of ALL) {
    const shown = await admin(index, "GET", "/routes");
    assert.deepEqual(Object.keys(shown.json), ["one", "two"], `${index} reads what was written`);
  }
});

test("an isolate that rested asks before it lets anybody in", async () => {
  const { key, id } = await made();
  for (const index of ALL) assert.equal((await ask(index, key)).status, 200);
  await admin(0, "DELETE", `/keys/${id}`);
  await sleep(6_000);
  for (const index of ALL) assert.equal((await ask(index, key)).status, 401, `${index}`);
  assert.equal((await admin(3, "GET", `/keys/${id}`)).status, 404);
});

test("a rotated key works beside the old one, which ends", async () => {
  const first = await made({ tenant: "acme" });
  const rotated = await admin(2, "POST", `/keys/${first.id}/rotate`, { overlap_s: 0 });
  assert.equal(rotated.status, 201, rotated.text);
  assert.deepEqual([rotated.json.account, rotated.json.rotated_from], [first.id, first.id]);
  await sleep(6_000);
  for (const index of ALL) {
    assert.deepEqual([(await ask(index, first.key)).status, (await ask(index, rotated.json.key)).status], [401, 200], `${index}`);
  }
});

const guess = () => `pk-${randomBytes(24).toString("hex")}`;
const reads = async (index) => (await admin(index, "GET", `/keys/${READS}`)).json.entry.reads;

test("guesses are shut out and cost no look-up; neighbours with good keys pass", async () => {
  const { key } = await made();
  const [here, there] = [{ "cf-connecting-ip": "192.0.2.7" }, { "cf-connecting-ip": "192.0.2.8" }];
  assert.equal((await ask(1, key, "one", here)).status, 200);
  const before = await reads(1);
  const statuses = [];
  for (let n = 0; n < 50; n += 1) statuses.push((await ask(1, guess(), "one", here)).status);
  assert.deepEqual([statuses.indexOf(429), statuses.lastIndexOf(401)], [30, 29], `${statuses}`);
  assert.equal(await reads(1) - before, 30, "a look-up of each guess until then");
  const shut = await ask(1, guess(), "one", here);
  assert.ok(Number(shut.headers["retry-after"]) > 0 && JSON.parse(shut.text).error.message.includes("Too many wrong keys"));
  assert.deepEqual([(await ask(1, key, "one", here)).status, (await ask(1, guess(), "one", there)).status], [200, 401]);
  // The same guess again, and what cannot be a key: neither is looked up.
  const one = guess();
  const now = await reads(1);
  for (const wrong of [one, one, one, "pk-short", `pk-v1_${"a".repeat(49)}`]) assert.equal((await ask(1, wrong, "one", there)).status, 401);
  assert.equal(await reads(1) - now, 1);
});

test("the admin token is guessed no better", async () => {
  const headers = { "cf-connecting-ip": "2001:db8::1" };
  const status = async (key, address) => (await fleet.send(2, "/admin/v1/keys", { method: "GET", key, headers: { "cf-connecting-ip": address } })).status;
  for (let n = 0; n < 30; n += 1) assert.equal(await status(guess(), `2001:db8::${n}`), 401);
  assert.deepEqual([await status(guess(), headers["cf-connecting-ip"]), await status(ADMIN, "2001:db8::ffff:1")], [429, 429]);
  assert.equal(await status(ADMIN, "2001:db8:1::1"), 200);
});

test("while KV is down known keys go on, and of others nobody says they are wrong", async () => {
  const { key } = await made();
  assert.equal((await ask(0, key)).status, 200);
  await fleet.put("-down", true);
  const unknown = await ask(0, guess());
  assert.deepEqual([unknown.status, Number(unknown.headers["retry-after"])], [503, 5], unknown.text);
  assert.equal((await ask(0, key)).status, 200);
  assert.equal((await admin(0, "POST", "/keys", { name: "ci" })).status, 503);
  await fleet.put("-down", undefined);
  assert.equal((await ask(0, guess())).status, 401);
});
