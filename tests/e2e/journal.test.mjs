// docs/records.md: journals of several tenants over several objects, what is asked of them, and what becomes of old records.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, SETTINGS } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const key = (name) => `pk-journal-${sha256(name).slice(0, 32)}`;
const entry = (name, more) => ({ [`key:${sha256(key(name))}`]: { name, ...more } });
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const WAIT_MS = 30_000;
const LANES = { good: ["openai"], bad: ["openai", "openai2"], refused: ["openai"] };

async function until(what, done) {
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(200)) {
    const found = await done();
    if (found) return found;
  }
  return assert.fail(what);
}

function script({ upstream }) {
  upstream.script("good-openai", forever(speak(SHAPES.openai, { text: "good" }, { json, stream })));
  upstream.script("bad-openai", forever(json(503, { error: { message: "down" } })));
  upstream.script("bad-openai2", forever(speak(SHAPES.openai, { text: "good" }, { json, stream })));
  upstream.script("refused-openai", forever(json(400, { error: { message: "no", code: "bad_thing" } })));
}

/** Pages from `before` on, to the last. */
async function all(gateway, query = "limit=500") {
  const records = [];
  for (let next = ""; ;) {
    const page = await gateway.admin(`/admin/v1/requests?${query}${next}`);
    records.push(...page.data);
    if (!page.next) return records;
    next = `&before=${page.next}`;
  }
}

describe("journals of several tenants", async () => {
  const gateway = await Gateway.withLanes(LANES, () => ({
    ...entry("ann", { tenant: "acme" }),
    ...entry("zoe", { tenant: "zoo & co" }),
    // Never lets anything through: its tenant has no bill.
    ...entry("eve", { tenant: "empty", models: ["none/such"] }),
  }));
  after(() => gateway.stop());
  script(gateway);
  const call = async (name, model, more = {}) => (await ask(gateway, CALLERS.openai, { model, ...more }, { key: key(name) })).headers["x-request-id"];
  const ids = { good: [], bad: [], refused: [], zoe: [], eve: [] };
  for (let n = 0; n < 8; n += 1) ids.good.push(await call("ann", "good", { stream: n % 2 === 1 }));
  for (let n = 0; n < 2; n += 1) ids.bad.push(await call("ann", "bad"));
  ids.refused.push(await call("ann", "refused"));
  for (let n = 0; n < 5; n += 1) ids.zoe.push(await call("zoe", "good"));
  ids.eve.push(await call("eve", "good"));
  const every = Object.values(ids).flat().sort();
  const idsOf = (records) => records.map(({ id }) => id);

  test("are shown together, also of a tenant that was only refused", async () => {
    const records = await until("all records", async () => {
      const found = await all(gateway);
      return found.length >= every.length && found;
    });
    assert.deepEqual(idsOf(records).sort(), every);
    assert.deepEqual([...new Set(records.map(({ tenant }) => tenant))].sort(), ["acme", "empty", "zoo & co"]);
  });

  test("filters", async () => {
    const { good, bad, refused, zoe, eve } = ids;
    for (const [query, expected] of [
      ["tenant=acme", [...good, ...bad, ...refused]],
      ["tenant=acme&route=good", good],
      ["key=zoe", zoe],
      ["key=zoe,eve", [...zoe, ...eve]],
      ["failover=true", bad],
      ["status=4xx", [...refused, ...eve]],
      ["status=400-499&fault=caller&tenant=empty", eve],
      ["provider=bad-openai2", bad],
      ["model=good&tenant=acme", good],
      [`id=${good[3].slice(4, 20)}`, [good[3]]],
      ["min_ms=60000", []],
      ["min_cost_usd=1000", []],
      [`from=${Date.now() + 60_000}`, []],
      [`to=${Date.now() + 60_000}&outcome=ok&tenant=acme`, [...good, ...bad]],
    ]) {
      assert.deepEqual(idsOf(await all(gateway, query)).sort(), [...expected].sort(), query);
    }
    for (const [query, path] of [["limit=501", "limit"], ["status=x", "status"], ["before=7", "before"], ["nonsense=1", "nonsense"], ["tenant=@operator", "tenant"]]) {
      const answer = await send(gateway.url(`/admin/v1/requests?${query}`), { key: ADMIN });
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.json.error.path, path);
    }
  });

  test("pages of two show each record once, and the tail what came since", async () => {
    const first = await gateway.admin("/admin/v1/requests?limit=2");
    const later = [await call("ann", "good"), await call("zoe", "good")];
    const rest = await all(gateway, `limit=2&before=${first.next}`);
    assert.deepEqual(idsOf([...first.data, ...rest]).sort(), every);
    let { newest } = first;
    const seen = [];
    await until("the tail", async () => {
      const page = await gateway.admin(`/admin/v1/requests?after=${newest}`);
      seen.push(...idsOf(page.data));
      newest = page.newest;
      return seen.length >= later.length;
    });
    assert.deepEqual(seen.sort(), later.sort());
  });

  test("one request is found whosever it is, and decided again", async () => {
    for (const [id, query] of [[ids.zoe[0], ""], [ids.bad[0], ""], [ids.good[1], "?tenant=acme"]]) {
      const { data } = await gateway.admin(`/admin/v1/requests/${id}${query}`);
      assert.deepEqual(idsOf(data), [id]);
    }
    assert.equal((await gateway.admin(`/admin/v1/requests/${ids.bad[1]}/replay`)).same, true);
    const elsewhere = await send(gateway.url(`/admin/v1/requests/${ids.bad[0]}?tenant=empty`), { key: ADMIN });
    assert.equal(elsewhere.status, 404, elsewhere.text);
    assert.equal((await send(gateway.url("/admin/v1/requests/req_nobody"), { key: ADMIN })).status, 404);
  });

  test("are there after the runtime was started anew", async () => {
    await gateway.restart();
    const found = idsOf(await all(gateway));
    assert.deepEqual(every.filter((id) => !found.includes(id)), []);
  });
});

test("a journal goes on in another object when one is full, and gives up the oldest", { timeout: 180_000 }, async () => {
  const gateway = await Gateway.withLanes(LANES, () => ({ settings: { ...SETTINGS, journal: { max_mb: 1 } } }), { watch: "journal" });
  try {
    script(gateway);
    const sent = [];
    let answered = [];
    const round = async () => {
      for (let n = 0; n < 40; n += 1) sent.push((await ask(gateway, CALLERS.openai, { model: "good" })).headers["x-request-id"]);
      const last = sent.at(-1);
      await until("the last one", async () => (await gateway.admin("/admin/v1/requests?limit=1")).data[0]?.id === last);
    };
    await round();
    await round();
    await round();
    answered = (await all(gateway, "limit=7")).map(({ id }) => id);
    assert.deepEqual(answered, sent.toReversed(), "over several objects, in order");
    const { shards } = await counts(gateway);
    assert.ok(shards > 1, `${shards} objects`);
    // The first is found, wherever it is.
    assert.equal((await gateway.admin(`/admin/v1/requests/${sent[0]}`)).data[0].id, sent[0]);
    await gateway.restart();
    for (let n = 0; n < 40 && answered.length >= sent.length; n += 1) {
      await round();
      answered = (await all(gateway)).map(({ id }) => id);
    }
    assert.ok(answered.length < sent.length, "the oldest are gone");
    assert.deepEqual(answered, sent.slice(-answered.length).toReversed(), "and only they");
    assert.ok(answered.length > 100, `${answered.length} are left`);
    const gone = await send(gateway.url(`/admin/v1/requests/${sent[0]}`), { key: ADMIN });
    assert.equal(gone.status, 404, gone.text);
    await gateway.put({ settings: { ...SETTINGS, journal: { enabled: false } } });
    await gateway.restart();
    const id = (await ask(gateway, CALLERS.openai, { model: "good" })).headers["x-request-id"];
    await sleep(2_500);
    assert.equal((await send(gateway.url(`/admin/v1/requests/${id}`), { key: ADMIN })).status, 404, "none is kept");
  } finally {
    await gateway.stop();
  }
});

/** Objects that were told records of late. */
async function counts(gateway) {
  const calls = await gateway.calls();
  return { shards: new Set(calls.filter(({ records }) => records.length).map(({ name }) => name)).size };
}

test("a journal that fails harms no request, and is told again", async () => {
  const gateway = await Gateway.withLanes(LANES, () => ({ ...entry("ann", { tenant: "acme" }) }), { watch: "journal" });
  try {
    script(gateway);
    await gateway.calls("mode=fail");
    const sent = [];
    for (let n = 0; n < 5; n += 1) {
      const answer = await ask(gateway, CALLERS.openai, { model: "good" }, { key: key("ann") });
      assert.equal(answer.status, 200, answer.text);
      sent.push(answer.headers["x-request-id"]);
    }
    await until("a call that failed", async () => (await gateway.calls()).some(({ mode, records }) => mode === "fail" && records.length));
    const page = await gateway.admin("/admin/v1/requests?tenant=acme");
    assert.deepEqual([page.data, page.unreachable], [[], ["acme"]]);
    assert.equal((await send(gateway.url(`/admin/v1/requests/${sent[0]}?tenant=acme`), { key: ADMIN })).status, 503);
    // The answer is lost, and what was stored is told again: once is enough.
    await gateway.calls("mode=deaf&clear=1");
    await until("a call that was not heard", async () => (await gateway.calls()).some(({ mode, records }) => mode === "deaf" && records.length));
    await gateway.calls("mode=pass");
    sent.push((await ask(gateway, CALLERS.openai, { model: "good" }, { key: key("ann") })).headers["x-request-id"]);
    const records = await until("all of them", async () => {
      const { data } = await gateway.admin("/admin/v1/requests?tenant=acme");
      return data.length >= sent.length && data;
    });
    assert.deepEqual(records.map(({ id }) => id).sort(), [...sent].sort());
  } finally {
    await gateway.stop();
  }
});
