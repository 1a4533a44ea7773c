// PRODUCT.md §9: what would become of a request, what if things go wrong, and a decision of the past made again.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, KEY, SECRETS } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const { openai } = SHAPES;
const CANARY = "CANARY-PROMPT-3e1d";
const gateway = await Gateway.withLanes({ ex: ["openai", "anthropic"], fo: ["openai", "openai2"] }, () => ({
  routes: {
    team: {
      rules: [{ when: { "header.x-team": { eq: "research" } }, use: "ex" }, { when: { input_tokens: { gte: 1 } }, use: "fo" }],
      default: "fo",
    },
  },
}));
after(() => gateway.stop());
gateway.upstream.script("fo-openai", forever(json(503, openai.error(503, "down"))));
gateway.upstream.script("fo-openai2", forever(speak(openai, { text: "fine" }, { json, stream })));

const post = (call, body, key = ADMIN) => send(gateway.url(`/admin/v1/${call}`), { key, body });
const chat = (model, more = {}) => ({ model, messages: [{ role: "user", content: CANARY }], ...more });
const heard = () => ["ex-openai", "ex-anthropic", "fo-openai", "fo-openai2"].map((name) => gateway.upstream.requests(name).length);

describe("explain", () => {
  test("tells the plan, and sends nothing", async () => {
    const before = heard();
    const { status, json: told, text } = await post("explain", { body: chat("ex", { stream: true, logit_bias: { 1: 1 } }) });
    assert.equal(status, 200, text);
    assert.deepEqual(told.attempts.map(({ target, body, dropped }) => [target, body, dropped]), [
      ["ex-openai/m", "verbatim", []],
      ["ex-anthropic/m", "translated", ["logit_bias"]],
    ]);
    assert.equal(told.attempts[0].timeouts.first_token_ms, 1500);
    for (const secret of [CANARY, KEY, ...Object.values(SECRETS)]) assert.ok(!text.includes(secret), secret);
    assert.deepEqual(heard(), before);
  });

  test("tells which rule held", async () => {
    const routed = async (question) => {
      const { json: told, text } = await post("explain", question);
      assert.ok(told.attempts, text);
      return [told.attempts[0].target, told.rule];
    };
    const [research, rule] = await routed({ body: chat("team"), headers: { "X-Team": "research" } });
    assert.equal(research, "ex-openai/m");
    assert.match(rule, /rules\[0\]/);
    const [other, second] = await routed({ body: chat("team") });
    assert.equal(other, "fo-openai/m");
    assert.match(second, /rules\[1\]/);
  });

  test("takes a state of health", async () => {
    const { json: told } = await post("explain", { body: chat("ex"), health: { "ex-openai/m": "open" } });
    assert.deepEqual(told.attempts.map(({ target }) => target), ["ex-anthropic/m"]);
    assert.match(told.skipped[0].why, /^circuit open until/);
  });
});

describe("simulate", () => {
  test("fails over in virtual time, and sends nothing", async () => {
    const before = heard();
    const began = Date.now();
    const question = { body: chat("ex", { stream: true }), faults: { "ex-openai/m": [{ fail: 503 }, { first_ms: 60_000 }] } };
    const { status, json: told, text } = await post("simulate", question);
    assert.equal(status, 200, text);
    assert.equal(told.answer.headers["x-portolan-attempts"], "2; ex-openai/m=silent, ex-anthropic/m=200");
    assert.match(told.answer.body, /lorem[^]*data: \[DONE\]\n\n$/);
    assert.ok(told.answer.total_ms > 1500 && Date.now() - began < 5000, `${told.answer.total_ms} virtual, ${Date.now() - began} real`);
    assert.deepEqual(told.steps.filter(({ step }) => step === "send").map(({ target }) => target), ["ex-openai/m", "ex-openai/m", "ex-anthropic/m"]);
    assert.deepEqual(heard(), before);
    // Nor does health learn of it.
    const { json: later } = await post("explain", { body: chat("ex") });
    assert.deepEqual(later.inputs.health, undefined);
  });

  test("never ends a cut stream as if it were whole", async () => {
    const { json: told } = await post("simulate", { body: chat("ex", { stream: true }), faults: { "ex-openai/m": [{ cut: 40 }] } });
    assert.notEqual(told.answer.outcome, "ok");
    assert.match(told.answer.body, /"error"/);
    assert.doesNotMatch(told.answer.body, /\[DONE\]/);
  });
});

describe("replay", () => {
  test("makes a decision of the past again, also after the routes have changed", async () => {
    const answer = await ask(gateway, CALLERS.openai, { model: "fo" });
    assert.equal(answer.headers["x-portolan-attempts"], "2; fo-openai/m=503, fo-openai2/m=200");
    const id = answer.headers["x-request-id"];
    await gateway.recorded("fo");
    const replay = () => gateway.admin(`/admin/v1/requests/${id}/replay`);
    const told = await replay();
    assert.equal(told.same, true, JSON.stringify(told));
    assert.deepEqual(told.recorded.attempts, ["fo-openai/m: priority 1", "fo-openai2/m: priority 2"]);
    assert.deepEqual(told.recomputed, told.recorded);
    const [record] = (await gateway.admin(`/admin/v1/requests/${id}`)).data;
    assert.ok(await gateway.stored(`config@v:${record.config}`), "the configuration of that decision is kept");
    const { json: explained } = await post("explain", { body: chat("fo"), request_id: id, at: record.time, health: record.inputs?.health ?? {} });
    assert.deepEqual(explained.attempts.map(({ target, reason }) => `${target}: ${reason}`), told.recorded.attempts);
    await gateway.restart({ routes: { fo: { targets: ["fo-openai2/m"] } } });
    const { json: now } = await post("explain", { body: chat("fo") });
    assert.deepEqual(now.attempts.map(({ target }) => target), ["fo-openai2/m"]);
    assert.equal((await replay()).same, true, "on the configuration of then");
  });

  test("says when there is nothing to make again", async () => {
    const { status, json: told } = await send(gateway.url("/admin/v1/requests/req_nobody/replay"), { key: ADMIN });
    assert.equal(status, 404);
    assert.match(told.error.message, /no record of `req_nobody`/);
  });
});

test("only the operator may ask, and a question must be one", async () => {
  for (const call of ["explain", "simulate"]) {
    for (const key of [KEY, "", "wrong"]) assert.equal((await post(call, { body: chat("fo") }, key)).status, 401);
    for (const [question, words] of [
      ["not json", /JSON/], [{}, /`body` is required/], [{ body: chat("fo"), bdy: 1 }, /`bdy` is not known here/],
      [{ body: chat("fo"), health: { "fo-openai/m": "down" } }, /one of up, degraded/],
    ]) {
      const { status, json: told, text } = await post(call, question);
      assert.equal(status, 400, text);
      assert.match(told.error.message, words);
    }
    assert.equal((await send(gateway.url(`/admin/v1/${call}`), { key: ADMIN })).status, 405);
  }
  const { status, json: told } = await post("simulate", { body: chat("fo"), faults: { "fo-openai/m": [{ fial: 1 }] } });
  assert.equal(status, 400);
  assert.match(told.error.message, /no option `fial`/);
  const refused = await post("explain", { body: chat("nobody") });
  assert.equal(refused.status, 200);
  assert.equal(refused.json.refused.status, 404);
});
