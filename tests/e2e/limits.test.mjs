// Limits and budgets where they must hold: several isolates of the built Worker over one object of the tenant.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { Fleet, sleep } from "./lib/fleet.mjs";
import { PRICES, SETTINGS, provider } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { Upstream, after as later, forever, json, stream } from "./lib/upstream.mjs";

const ISOLATES = 8;
const USAGE = { input: 100, output: 20, cached: 40 };
const COST = (100 * PRICES.openai.input + 40 * PRICES.openai.cache_read + 20 * PRICES.openai.output) / 1e6;
const BUDGET = 0.02;
const MINUTE = "/v1/chat/completions";
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** By key: its entry. */
const KEYS = {
  "pk-limits-minute-3f01": { name: "minute", tenant: "minute", limits: { requests_per_minute: 50 } },
  "pk-limits-places-3f02": { name: "places", tenant: "places", limits: { concurrent: 3 } },
  "pk-limits-budget-3f03": { name: "budget", tenant: "budget", budgets: [{ usd: BUDGET, per: "day" }] },
  "pk-limits-shared-3f04": { name: "one", tenant: "shared" },
  "pk-limits-shared-3f05": { name: "other", tenant: "shared" },
  "pk-limits-people-3f06": { name: "people", tenant: "people" },
  "pk-limits-passed-3f07": { name: "passed", tenant: "passed", endpoints: ["passthrough"], limits: { requests_per_minute: 5 } },
  "pk-limits-unseen-3f08": { name: "unseen", tenant: "unseen", endpoints: ["passthrough"], budgets: [{ usd: 5, per: "day" }] },
};
const [MINUTE_KEY, PLACES, MONEY, ONE, OTHER, PEOPLE, PASSED, UNSEEN] = Object.keys(KEYS);
const BUDGETS = {
  tenants: { shared: { limits: { requests_per_minute: 10 } } },
  users: { "*": { limits: { requests_per_minute: 5 } }, carol: { limits: { requests_per_minute: 7 } } },
};

let fleet;
let upstream;

before(async () => {
  upstream = await Upstream.start();
  const says = speak(SHAPES.openai, { text: "done", usage: USAGE }, { json, stream });
  // Long enough that all that was let through is under way at once.
  upstream.script("money-openai", forever(later(100, says)));
  fleet = await Fleet.start(Array(ISOLATES).fill("weur"), {
    ...Object.fromEntries(Object.entries(KEYS).map(([key, entry]) => [`key:${sha256(key)}`, entry])),
    budgets: BUDGETS,
    providers: { "money-openai": provider(upstream.origin, "money-openai", "openai") },
    routes: { money: { targets: ["money-openai/m"] } },
    settings: { ...SETTINGS, log: { console: false } },
  });
  // All are awake: a cold start of eight isolates is not what is looked at.
  await Promise.all(Array.from({ length: ISOLATES }, (_, index) => fleet.chat(index, "mock/echo")));
});
after(async () => {
  await fleet?.stop();
  await upstream?.stop();
});

const ask = (index, key, more = {}) =>
  fleet.send(index % ISOLATES, MINUTE, { key, body: { model: "mock/echo", messages: [{ role: "user", content: "ping" }], ...more } });
const together = (count, call) => Promise.all(Array.from({ length: count }, (_, index) => call(index)));
const passed = (answers) => answers.filter(({ status }) => status === 200);
const refused = (answers) => answers.filter(({ status }) => status !== 200);

/** Each refusal says what OpenAI's clients look for. */
function assertRefused(answers, type, code, isWorthWaiting = true) {
  for (const { status, text, headers } of answers) {
    assert.equal(status, 429, text);
    const { error } = JSON.parse(text);
    assert.deepEqual([error.type, error.code, headers["x-portolan-error"]], [type, code, "caller"], text);
    if (isWorthWaiting) {
      assert.ok(Number(headers["retry-after"]) >= 1 && Number(headers["retry-after"]) <= 61, headers["retry-after"]);
    } else {
      assert.deepEqual([headers["x-should-retry"], headers["retry-after"]], ["false", undefined]);
    }
  }
}

/** Those who were refused come again, from every isolate, until nobody is let through for longer than a lease lasts. */
async function exhausted(count, call) {
  const answers = await together(count, call);
  for (let quiet = 0; quiet < 7; quiet += 1) {
    await sleep(1_000);
    const more = await together(ISOLATES, call);
    if (passed(more).length > 0) quiet = 0;
    answers.push(...more);
  }
  return answers;
}

test("of 200 requests at once from eight isolates a key of 50 a minute gets 50 through", async () => {
  const answers = await together(200, (index) => ask(index, MINUTE_KEY));
  assert.equal(passed(answers).length, 50);
  assertRefused(refused(answers), "requests", "rate_limit_exceeded");
  for (const { headers, status } of answers) {
    assert.equal(headers["x-ratelimit-limit-requests"], "50");
    assert.ok(Number(headers["x-ratelimit-remaining-requests"]) < 50);
    assert.match(headers["x-ratelimit-reset-requests"], /^\d+(\.\d+)?(s|ms)$|^1m0?/);
    if (status === 429) assert.equal(headers["x-ratelimit-remaining-requests"], "0");
  }
  const anthropic = await fleet.send(0, "/v1/messages", {
    key: MINUTE_KEY,
    body: { model: "mock/echo", max_tokens: 5, messages: [{ role: "user", content: "ping" }] },
  });
  assert.deepEqual([anthropic.status, JSON.parse(anthropic.text).error.type], [429, "rate_limit_error"]);
  assert.equal(anthropic.headers["anthropic-ratelimit-requests-remaining"], "0");
  assert.match(anthropic.headers["anthropic-ratelimit-requests-reset"], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test("of ten slow streams at once a key of three at a time gets three, and three more when they are over", async () => {
  const slow = (index) => ask(index, PLACES, { model: "mock/lorem?words=20&pace_ms=100", stream: true });
  for (let round = 0; round < 2; round += 1) {
    const answers = await together(10, slow);
    assert.equal(passed(answers).length, 3, `round ${round}`);
    assertRefused(refused(answers), "requests", "rate_limit_exceeded");
    for (const { text } of passed(answers)) assert.ok(text.trimEnd().endsWith("data: [DONE]"), text);
    await sleep(1_000);
  }
});

test("a day's budget is not overspent, from however many isolates", async () => {
  // So long that the worst case, two bytes a token, is no less than what the provider says that it was.
  const messages = [{ role: "user", content: "ping ".repeat(60) }];
  const spend = (index) => ask(index, MONEY, { model: "money", max_tokens: 20, messages });
  const answers = await exhausted(200, spend);
  const costs = passed(answers).map(({ headers }) => Number(headers["x-portolan-cost"]));
  for (const cost of costs) assert.ok(Math.abs(cost - COST) < 1e-9, `${cost}`);
  const spent = costs.reduce((sum, cost) => sum + cost, 0);
  assert.ok(spent <= BUDGET + 1e-9, `${spent}`);
  assert.ok(spent > BUDGET * 0.8, `${spent} of ${BUDGET} could be spent`);
  assert.equal(upstream.requests("money-openai").length, costs.length, "nothing was sent that was refused");
  const last = await spend(0);
  assertRefused([last], "insufficient_quota", "insufficient_quota", false);
  assert.match(JSON.parse(last.text).error.message, /\$0\.02 a day.*begins anew at \d{4}-/);
  assert.ok(Number(last.headers["x-portolan-budget-remaining"]) < COST);
});

test("a tenant's limit is of all its keys together, and not of others", async () => {
  // Of so few one may be leased where it is not used, until the lease is over.
  const answers = await exhausted(20, (index) => ask(index, index % 2 ? ONE : OTHER));
  assert.equal(passed(answers).length, 10);
  assertRefused(refused(answers), "requests", "rate_limit_exceeded");
  assert.match(JSON.parse(refused(answers)[0].text).error.message, /the tenant `shared` has 10 requests/);
  assert.equal((await ask(0, PEOPLE)).status, 200);
});

test("each end user has a limit of its own, and who is named another one", async () => {
  for (const [user, limit] of [["ann@example.com", 5], ["bob@example.com", 5], ["carol", 7]]) {
    const answers = await together(16, (index) => ask(index, PEOPLE, { user }));
    assert.equal(passed(answers).length, limit, user);
    assertRefused(refused(answers), "requests", "rate_limit_exceeded");
    assert.ok(!refused(answers).some(({ text }) => text.includes(user)));
  }
});

test("what passes unread is counted, and not let through under a budget", async () => {
  const call = (index, key) => fleet.send(index % ISOLATES, "/passthrough/money-openai/v1/files", { method: "GET", key });
  upstream.script("money-openai", forever(json(200, { ok: true })));
  const answers = await together(12, (index) => call(index, PASSED));
  // Never more; of a small limit over several isolates one may be left in a lease (docs/limits.md).
  assert.ok([4, 5].includes(passed(answers).length), refused(answers)[0]?.text);
  assertRefused(refused(answers), "requests", "rate_limit_exceeded");
  assert.equal(passed(answers)[0].headers["x-ratelimit-limit-requests"], "5");
  const before = upstream.requests("money-openai").length;
  const unseen = await call(0, UNSEEN);
  assertRefused([unseen], "insufficient_quota", "insufficient_quota", false);
  assert.match(unseen.text, /passes unread/);
  assert.equal(upstream.requests("money-openai").length, before);
});
