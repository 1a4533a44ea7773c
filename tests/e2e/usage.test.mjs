// docs/ledger.md: spending by whatever it is asked by, exports, and webhooks of budgets that came to a threshold.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { after, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, KEY, PRICES, SECRETS, SETTINGS } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const SECRET = Buffer.from("a secret of twenty-four bytes");
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const key = (name) => `pk-usage-${sha256(name).slice(0, 32)}`;
const USAGE = { input: 1000, output: 200 };
const COST = BigInt(Math.round((1000 * PRICES.openai.input + 200 * PRICES.openai.output) * 1e6));
const DOLLARS = Number(COST) / 1e12;
const POLL_MS = 200;
const WAIT_MS = 20_000;

const gateway = await Gateway.withLanes({ spent: ["openai"] }, (origin) => ({
  [`key:${sha256(key("ann"))}`]: { name: "ann", tenant: "acme", tags: ["gold", "beta"] },
  [`key:${sha256(key("bob"))}`]: { name: "bob", tenant: "acme", tags: ["gold"] },
  [`key:${sha256(key("zoe"))}`]: {
    name: "zoe",
    tenant: "zoo",
    budgets: [{ usd: Number((DOLLARS * 4).toFixed(6)), per: "day", soft: true, alerts: [50, 100] }],
  },
  settings: { ...SETTINGS, budgets: { webhook: `${origin}/hook/budgets` } },
}), { bindings: { GATEWAY_KEY: KEY, ADMIN_TOKEN: ADMIN, ...SECRETS, WEBHOOK_SECRET: `whsec_${SECRET.toString("base64")}` } });
after(() => gateway.stop());
const { upstream } = gateway;
upstream.script("spent-openai", forever(speak(SHAPES.openai, { text: "spent", usage: USAGE }, { json, stream })));
// Away at first: what it was to be told is told again.
let away = true;
upstream.script("hook", forever((response) => {
  json(away ? 503 : 200, {})(response);
  away = false;
}));

const usage = async (query) => (await gateway.admin(`/admin/v1/usage?${query}`));
const until = async (what, done) => {
  for (const end = Date.now() + WAIT_MS; Date.now() < end;) {
    const found = await done();
    if (found) return found;
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
  }
  return assert.fail(`${what}\n${gateway.lines.slice(-8).join("\n")}`);
};
const spend = async (name, times) => {
  for (let n = 0; n < times; n += 1) {
    const answer = await ask(gateway, CALLERS.openai, { model: "spent", stream: n % 2 === 1 }, { key: key(name) });
    assert.equal(answer.status, 200, answer.text);
  }
};

test("sums are those of the requests, by whatever is asked", async () => {
  await spend("ann", 2);
  await spend("bob", 1);
  await spend("zoe", 1);
  const all = await until("four requests", async () => {
    const report = await usage("group_by=tenant,key&provider=spent-openai");
    return report.data.reduce((sum, row) => sum + row.requests, 0) === 4 && report;
  });
  const named = all.data.map(({ tenant, key: of, requests, input, output, cost }) => [tenant, of, requests, input, output, BigInt(cost)]);
  assert.deepEqual(named, [
    ["acme", "ann", 2, 2000, 400, COST * 2n],
    ["acme", "bob", 1, 1000, 200, COST],
    ["zoo", "zoe", 1, 1000, 200, COST],
  ]);
  assert.equal(BigInt(all.total.cost), COST * 4n);
  const tags = await usage("group_by=tag&tenant=acme&model=m");
  assert.deepEqual(tags.data.map(({ tag, requests }) => [tag, requests]), [["beta", 2], ["gold", 3]]);
  assert.equal((await usage("tag=beta&model=m")).data[0].requests, 2);
  const [day] = (await usage("group_by=day,model&tenant=acme&model=m")).data;
  assert.deepEqual([day.day, day.model, day.requests], [new Date().toISOString().slice(0, 10), "m", 3]);
  assert.deepEqual((await usage("key=nobody")).data, []);
});

test("exports are lines", async () => {
  const csv = await send(gateway.url("/admin/v1/usage?group_by=key&tenant=acme&format=csv"), { key: ADMIN });
  assert.match(csv.headers["content-type"], /^text\/csv/);
  const [head, ann] = csv.text.split("\r\n");
  assert.match(head, /^key,requests,/);
  assert.match(ann, /^ann,2,/);
  const lines = (await send(gateway.url("/admin/v1/usage?group_by=key&tenant=acme&format=jsonl"), { key: ADMIN })).text.trim().split("\n");
  assert.deepEqual(lines.map((line) => JSON.parse(line).key), ["ann", "bob"]);
});

test("what cannot be asked is refused, and only the operator asks", async () => {
  const wrong = await send(gateway.url("/admin/v1/usage?group_by=colour"), { key: ADMIN });
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /nothing to group by/);
  assert.equal((await send(gateway.url("/admin/v1/usage"), { key: key("ann") })).status, 401);
});

test("a budget that comes to a threshold is told, signed, and told again until it was heard", async () => {
  await spend("zoe", 1);
  const calls = await until("a second call", () => upstream.requests("hook").length >= 2 && upstream.requests("hook"));
  const [first, second] = calls;
  assert.equal(first.headers["webhook-id"], second.headers["webhook-id"]);
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = second.headers;
  const body = second.body.toString();
  assert.equal(signature, `v1,${createHmac("sha256", SECRET).update(`${id}.${at}.${body}`).digest("base64")}`);
  const event = JSON.parse(body);
  assert.equal(event.type, "budget.threshold");
  assert.deepEqual([event.data.tenant, event.data.percent, event.data.soft, event.data.per], ["zoo", 50, true, "day"]);
  // Soft: it is told, and nobody is refused.
  await spend("zoe", 3);
  const third = await until("the whole budget", () => upstream.requests("hook").find((call) => JSON.parse(call.body.toString()).data.percent === 100));
  assert.notEqual(third.headers["webhook-id"], id);
});
