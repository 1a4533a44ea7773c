// docs/audit.md: what operators change and what requests cost is a chain of hashes, and whoever edits it is found out.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, KEY, SECRETS, SETTINGS } from "./lib/gateway.mjs";
import { forever, json } from "./lib/upstream.mjs";

const TWIN = fileURLToPath(new URL("../support/verify_audit.py", import.meta.url));
const OPERATOR = "tenant=%40operator";
const WEBHOOK_SECRET = `whsec_${Buffer.from("a secret of twenty-four bytes").toString("base64")}`;
/** The first head is told ten seconds after the first entry, and five later again. */
const HEAD_MS = 40_000;
const POLL_MS = 200;
const CANARY = "CANARY-PROMPT-8a2f";

const gateway = await Gateway.start({
  bindings: { GATEWAY_KEY: KEY, ADMIN_TOKEN: ADMIN, ...SECRETS, WEBHOOK_SECRET },
  buckets: ["AUDIT"],
  documents: (origin) => ({ settings: { ...SETTINGS, audit: { webhook: `${origin}/hook/audit?to=us` } } }),
});
after(() => gateway.stop());
// Away at first: a head is told again until it went.
const away = new Set();
gateway.upstream.script("hook", forever((response, request) => {
  // The first time of each.
  const id = request.headers["webhook-id"];
  json(away.has(id) ? 200 : 503, {})(response);
  away.add(id);
}));

const audit = async (call) => (await gateway.admin(`/admin/v1/audit${call}`));
const exported = async (query) => (await send(gateway.url(`/admin/v1/audit?${query}&format=jsonl`), { key: ADMIN })).text;
const order = (target, action) =>
  send(gateway.url(`/admin/v1/health/${target}`), { key: ADMIN, body: { action, for_ms: 60_000, region: "wnam" } });

/** What the verifier of forty lines says of an export. */
function twin(text, ...heads) {
  const file = path.join(gateway.state, "export.jsonl");
  writeFileSync(file, text);
  return spawnSync("python3", [TWIN, file, ...heads], { encoding: "utf8" }).stdout.trim();
}

async function until(holds) {
  for (const end = Date.now() + HEAD_MS; !(await holds());) {
    assert.ok(Date.now() < end, "waited in vain");
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
  }
}

/** The file of the object of which a statement counts something. */
function database(counted) {
  const folder = path.join(gateway.state, "do", "portolan-TenantObject");
  const files = readdirSync(folder).filter((name) => name.endsWith(".sqlite")).map((name) => path.join(folder, name));
  const found = files.find((file) => {
    edit(file, "PRAGMA wal_checkpoint(TRUNCATE)");
    return edit(file, "SELECT count(*) FROM sqlite_master WHERE name = 'audit'") > 0 && edit(file, counted) > 0;
  });
  assert.ok(found, files.join());
  return found;
}

/** The first column of the last statement's rows, one a line. */
function edit(file, statements) {
  const program = [
    "import sqlite3, sys",
    "connection = sqlite3.connect(sys.argv[1])",
    "rows = [connection.execute(statement).fetchall() for statement in sys.argv[2].split(';')][-1]",
    "connection.commit()",
    "connection.close()",
    "print(*[row[0] for row in rows], sep='\\n')",
  ].join("\n");
  return execFileSync("python3", ["-c", program, file, statements], { encoding: "utf8" }).trim();
}

const TARGETS = ["acme/one", "acme/two", "acme/three", "acme/four", "acme/five", "acme/six"];

describe("administrative changes", () => {
  test("each is an entry that says who did what", async () => {
    for (const target of TARGETS) assert.equal((await order(target, "drain")).status, 200);
    assert.equal((await order("acme/one", "explode")).status, 400);
    const { data, next } = await audit(`?${OPERATOR}`);
    assert.deepEqual(data.map(({ seq, kind }) => [seq, kind]), TARGETS.map((_, at) => [at + 1, "change"]));
    assert.equal(next, null);
    const bodies = data.map(({ body }) => JSON.parse(body));
    assert.deepEqual(bodies.map(({ what, name }) => [what, name]), TARGETS.map((target) => ["health", target]));
    assert.match(bodies[0].action, /^drain for 60000 ms in wnam$/);
    assert.match(bodies[0].by, /^token:[0-9a-f]{8}$/);
    assert.ok(!JSON.stringify(data).includes(ADMIN));
  });

  test("pages go on where the last one ended, and one chain knows nothing of another", async () => {
    const first = await audit(`?${OPERATOR}&limit=4`);
    const rest = await audit(`?${OPERATOR}&limit=4&after=${first.next}`);
    assert.deepEqual([...first.data, ...rest.data].map(({ seq }) => seq), [1, 2, 3, 4, 5, 6]);
    assert.equal(first.data[3].hash, rest.data[0].previous);
    assert.deepEqual((await audit("?tenant=nobody")).data, []);
    for (const wrong of ["limit=0", "tenant=", "x=1", "head=7"]) {
      const answer = await send(gateway.url(`/admin/v1/audit?${wrong}`), { key: ADMIN });
      assert.equal(answer.status, 400, wrong);
    }
    assert.equal((await send(gateway.url("/admin/v1/audit"), { key: KEY })).status, 401);
  });

  test("the chain holds, here and for a verifier that is not ours", async () => {
    const verdict = await audit(`/verify?${OPERATOR}`);
    assert.deepEqual([verdict.ok, verdict.entries, verdict.first, verdict.last], [true, 6, 1, 6]);
    const head = await audit(`/head?${OPERATOR}`);
    assert.deepEqual([head.seq, head.hash], [6, verdict.head]);
    const text = await exported(OPERATOR);
    assert.equal(twin(text, `6-${head.hash}`), "ok 6");
    assert.equal(twin(text.replace("acme/three", "acme/3hree")), "3 changed");
    assert.equal((await audit(`/verify?${OPERATOR}&head=6-${head.hash}`)).published.compared, 1);
    assert.equal((await audit(`/verify?${OPERATOR}&head=6-${"0".repeat(64)}`)).broken.what, "rewritten");
    assert.equal((await audit(`/verify?${OPERATOR}&head=7-${"0".repeat(64)}`)).broken.what, "truncated");
    assert.deepEqual((await audit("/verify?tenant=nobody")).entries, 0);
  });
});

describe("requests", () => {
  test("each that was closed in the ledger is an entry with the digest of its line there", async () => {
    const ask = () => gateway.send("/v1/chat/completions", { body: { model: "mock/echo", messages: [{ role: "user", content: CANARY }] } });
    const ids = (await Promise.all([ask(), ask(), ask()])).map(({ status, headers }) => [status, headers["x-request-id"]]);
    assert.ok(ids.every(([status]) => status === 200));
    await until(async () => (await audit("/head")).seq >= ids.length);
    const { data } = await audit("");
    const noted = data.filter(({ kind }) => kind === "request").map(({ body }) => JSON.parse(body));
    assert.deepEqual(noted.map(({ request }) => request).sort(), ids.map(([, id]) => id).sort());
    assert.ok(!JSON.stringify(data).includes(CANARY));
    assert.equal((await audit("/verify")).ok, true);
    await gateway.pause();
    const lines = edit(database("SELECT count(*) FROM audit WHERE kind = 'request'"), "SELECT entry FROM entries").split("\n");
    await gateway.resume();
    const digests = lines.map((line) => createHash("sha256").update(line).digest("hex"));
    assert.deepEqual(noted.map(({ digest }) => digest).sort(), digests.sort());
  });
});

describe("the head of the day", () => {
  test("goes to the bucket, once, and to the webhook, signed, until it went", { timeout: 60_000 }, async () => {
    const told = () => gateway.upstream.requests("hook").filter(({ text }) => text.includes("@operator"));
    await until(() => told().length > 1);
    const [failed, hook] = told();
    assert.deepEqual([failed.text, failed.headers["webhook-id"]], [hook.text, hook.headers["webhook-id"]]);
    assert.equal(hook.path, "/audit?to=us");
    assert.equal(hook.method, "POST");
    const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature } = hook.headers;
    const secret = Buffer.from(WEBHOOK_SECRET.slice("whsec_".length), "base64");
    assert.equal(signature, `v1,${createHmac("sha256", secret).update(`${id}.${time}.${hook.text}`).digest("base64")}`);
    const { type, data } = JSON.parse(hook.text);
    assert.deepEqual([type, data.tenant, data.seq], ["audit.head", "@operator", 6]);
    const bucket = await gateway.bucket("AUDIT");
    const { objects } = await bucket.list();
    const key = `heads/%40operator/${data.date}.json`;
    assert.equal(objects.filter((object) => object.key.startsWith("heads/%40operator/")).length, 1);
    assert.equal(await (await bucket.get(key)).text(), hook.text);
    // It is an entry itself.
    await until(async () => (await audit(`/head?${OPERATOR}`)).seq === 7);
    const { published } = await audit(`/verify?${OPERATOR}`);
    assert.deepEqual([published.compared, published.last.seq, published.last.to], [1, 6, ["bucket", "webhook"]]);
  });
});

describe("whoever edits the object's own storage", () => {
  let file;
  let honest;
  const DEEDS = [
    ["changes an entry", "UPDATE audit SET body = replace(body, 'acme/two', 'acme/2wo') WHERE seq = 2", 2, "changed"],
    ["changes one and makes its hash fit nothing", "UPDATE audit SET hash = lower(hex(randomblob(32))) WHERE seq = 4", 4, "changed"],
    ["deletes one", "DELETE FROM audit WHERE seq = 3", 4, "missing"],
    ["deletes the first", "DELETE FROM audit WHERE seq = 1", 2, "beheaded"],
    ["swaps two", "UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); UPDATE audit SET seq = -seq WHERE seq < 0", 2, "changed"],
    ["cuts the tail that was published", "DELETE FROM audit WHERE seq > 4", 6, "truncated"],
    ["empties it", "DELETE FROM audit", 6, "truncated"],
  ];

  for (const [what, statement, seq, found] of DEEDS) {
    test(`${what}: entry ${seq} is ${found}`, async () => {
      await gateway.pause();
      file ??= database("SELECT count(*) FROM audit WHERE kind = 'change'");
      honest ??= readFileSync(file);
      writeFileSync(file, honest);
      edit(file, statement);
      await gateway.resume();
      const { ok, broken } = await audit(`/verify?${OPERATOR}`);
      assert.deepEqual([ok, broken?.seq, broken?.what], [false, seq, found]);
    });
  }

  test("a chain that is as it was holds", async () => {
    await gateway.pause();
    writeFileSync(file, honest);
    await gateway.resume();
    assert.equal((await audit(`/verify?${OPERATOR}`)).ok, true);
  });
});
