// Vertex AI: a service account's key is traded for a token, the token kept and sent; what happens when there is none.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { CALLERS, ask, startCall } from "./lib/callers.mjs";
import { Gateway, KEY, SETTINGS, TIMEOUTS } from "./lib/gateway.mjs";
import { KEY_LINES, claimed, serviceAccount } from "./lib/hosts.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { after as later, choose, forever, json, silence, stream } from "./lib/upstream.mjs";

const { openai, anthropic } = CALLERS;
const USAGE = { input: 11, output: 7 };
const TOKEN = (n) => `ya29.token-canary-${n}`;
/** Each has an account of its own, whose tokens are served under `<name>-token`. */
const VERTEX = ["vx", "vxdown", "vxno", "vxslow", "vxshort", "vxstale", "vxpem", "vxgone", "vxone", "vxtwo"];
const PROJECT = "v1/projects/acme/locations/europe-west1";
const SECRET_OF = (name) => `ACCOUNT_${name.toUpperCase()}`;

const gateway = await Gateway.start({
  documents: (origin) => ({
    settings: SETTINGS,
    providers: {
      ...Object.fromEntries(VERTEX.map((name) => [name, { kind: "vertex", base_url: `${origin}/${name}/${PROJECT}`, keys: [`\${${SECRET_OF(name)}}`] }])),
      vxpair: { kind: "vertex", base_url: `${origin}/vxpair/${PROJECT}`, keys: ["vxone", "vxtwo"].map((name) => `\${${SECRET_OF(name)}}`) },
      spare: { kind: "openai", base_url: `${origin}/spare/v1`, keys: ["${UP_KEY}"] },
    },
    routes: { "vxdown-safe": { targets: ["vxdown/gemini-2.5-pro", "spare/m"] } },
  }),
  secrets: (origin) => ({
    ...Object.fromEntries(VERTEX.map((name) => [SECRET_OF(name), serviceAccount(origin, `${name}-token`)])),
    [SECRET_OF("vxpem")]: serviceAccount(origin, "vxpem-token", { private_key: "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n" }),
  }),
});
const { upstream } = gateway;
after(() => gateway.stop());

const script = (name, ...answers) => upstream.script(name, ...answers);
const sent = (name) => upstream.requests(name);
const says = (shape, answer) => speak(SHAPES[shape], answer, { json, stream });
const chat = (model, more = {}) => ask(gateway, openai, { model, ...more });
/** One header of an answer that tells how each target's last try ended. */
const trail = (answer) => answer.headers["x-portolan-attempts"];

/** 502 in words that tell nothing of the account. */
function assertNeutral(answer) {
  assert.equal(answer.status, 502, answer.text);
  assert.equal(answer.headers["x-portolan-error"], "gateway");
  assert.match(answer.json.error.message, /^The gateway's account at provider `\w+` cannot be used/);
  for (const secret of ["iam.gserviceaccount", "invalid_grant", "ya29", "key-1"]) assert.ok(!answer.text.includes(secret), secret);
}

/** Waits until health has heard that a credential rests. */
async function untilCooling(cell) {
  const deadline = Date.now() + 10_000;
  while (!JSON.stringify(await gateway.admin("/admin/v1/health")).includes(`"${cell}"`)) {
    assert.ok(Date.now() < deadline, `health knows no ${cell}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

/** Hands out numbered tokens. */
const tokens = (expires_in = 3599, first = 1) => {
  let n = first - 1;
  return forever((response, entry) => json(200, { access_token: TOKEN(n += 1), expires_in, token_type: "Bearer" })(response, entry));
};

test("a token is asked for with a signed claim, and used again", async () => {
  script("vx-token", tokens());
  script("vx", forever(says("google", { text: ["Good", " day"], usage: USAGE })));
  for (const streaming of [false, true]) {
    const answer = await chat("vx/gemini-2.5-pro", { stream: streaming });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.said.text, answer.said.clean, answer.said.usage.prompt_tokens], ["Good day", true, 11]);
  }
  const [{ at, ...asked }, ...more] = sent("vx-token");
  assert.equal(more.length, 0, "a second token was asked for");
  const { header, claims, ...rest } = claimed(asked);
  assert.deepEqual(rest, { method: "POST", type: "application/x-www-form-urlencoded", grant: "urn:ietf:params:oauth:grant-type:jwt-bearer", genuine: true });
  assert.deepEqual(header, { alg: "RS256", typ: "JWT", kid: "key-1" });
  const { iat, exp, ...claim } = claims;
  assert.deepEqual(claim, {
    iss: "vx-token@acme.iam.gserviceaccount.com", scope: "https://www.googleapis.com/auth/cloud-platform", aud: `${upstream.origin}/vx-token/token`,
  });
  assert.ok(Math.abs(iat - at / 1000) < 60 && exp - iat === 3600, `${iat} ${exp}`);
  const models = `/${PROJECT}/publishers/google/models/gemini-2.5-pro`;
  assert.deepEqual(sent("vx").map(({ path, headers }) => [path, headers.authorization]), [
    [`${models}:generateContent`, `Bearer ${TOKEN(1)}`], [`${models}:streamGenerateContent?alt=sse`, `Bearer ${TOKEN(1)}`],
  ]);
});

test("claude is asked at its own path, in its own words", async () => {
  script("vx-token", tokens());
  const before = sent("vx").length;
  script("vx", forever(says("anthropic", { text: ["Good", " day"], usage: USAGE })));
  for (const [caller, streaming] of [[openai, false], [openai, true], [anthropic, false], [anthropic, true]]) {
    const answer = await ask(gateway, caller, { model: "vx/claude-sonnet-4-5@20250929", stream: streaming });
    assert.deepEqual([answer.status, answer.said.text, answer.said.clean], [200, "Good day", true], answer.text);
  }
  const models = `/${PROJECT}/publishers/anthropic/models/claude-sonnet-4-5@20250929`;
  assert.deepEqual(sent("vx").slice(before).map(({ path }) => path), ["rawPredict", "streamRawPredict", "rawPredict", "streamRawPredict"].map((verb) => `${models}:${verb}`));
  for (const { json: body, headers } of sent("vx").slice(before)) {
    assert.equal(body.anthropic_version, "vertex-2023-10-16");
    assert.equal(body.model, undefined);
    assert.match(headers.authorization, /^Bearer ya29/);
  }
});

test("a token near its end is not used again", async () => {
  script("vxshort-token", tokens(200));
  script("vxshort", forever(says("google", { text: "Hi" })));
  for (const n of [1, 2]) {
    assert.equal((await chat("vxshort/gemini-2.5-pro")).status, 200);
    assert.equal(sent("vxshort")[n - 1].headers.authorization, `Bearer ${TOKEN(n)}`);
  }
});

test("a remembered token that is refused is replaced, unseen", async () => {
  script("vxstale-token", tokens());
  script("vxstale", forever(choose(({ headers }) => (headers.authorization === `Bearer ${TOKEN(1)}` && sent("vxstale").length > 1
    ? json(401, { error: { code: 401, message: "Request had invalid authentication credentials.", status: "UNAUTHENTICATED" } })
    : says("google", { text: "Hi" })))));
  for (const [asked, tried] of [[1, 1], [2, 3], [2, 4]]) {
    const answer = await chat("vxstale/gemini-2.5-pro");
    assert.deepEqual([answer.status, sent("vxstale-token").length, sent("vxstale").length], [200, asked, tried], answer.text);
  }
});

for (const [name, what, answer, outcome] of [
  ["vxdown", "is down", json(503, "down"), "no_token"],
  ["vxno", "refuses the account", json(400, { error: "invalid_grant", error_description: "Invalid JWT Signature." }), "credential"],
  ["vxpem", "is not even asked, for the key is none", undefined, "credential"],
]) {
  test(`the token endpoint ${what}: 502 in neutral words, and the account rests`, async () => {
    script(`${name}-token`, ...(answer ? [forever(answer)] : []));
    const first = await chat(`${name}/gemini-2.5-pro`);
    assertNeutral(first);
    assert.equal(trail(first), `1; ${name}/gemini-2.5-pro=${outcome}`);
    assert.equal(sent(`${name}-token`).length, answer ? 1 : 0);
    assert.equal(sent(name).length, 0, "the provider was asked");
    await untilCooling(`${name}#0`);
  });
}

test("another account of the provider serves where one is refused", async () => {
  script("vxone-token", json(401, { error: "unauthorized_client" }));
  script("vxtwo-token", tokens());
  script("vxpair", forever(says("google", { text: "second" })));
  // Which account comes first is the seed's choice: after a few requests the refused one has been met and is out.
  for (let n = 0; n < 6; n += 1) {
    const answer = await chat("vxpair/gemini-2.5-pro");
    assert.deepEqual([answer.status, answer.said.text], [200, "second"], answer.text);
  }
  assert.ok(sent("vxone-token").length <= 1, `the refused account was asked ${sent("vxone-token").length} times`);
});

test("a caller who leaves before there is a token is nobody's fault", async () => {
  script("vxgone-token", silence());
  const call = startCall(gateway, openai, { model: "vxgone/gemini-2.5-pro" });
  await upstream.request("vxgone-token");
  call.reset();
  const [record] = await gateway.recorded("vxgone");
  assert.equal(record.outcome, "gone");
  assert.ok((await sent("vxgone-token")[0].closed) > 0, "the token is still waited for");
});

test("embeddings and counts go in by the same door", async () => {
  script("vx-token", tokens());
  const before = sent("vx").length;
  script("vx", json(200, { predictions: [{ embeddings: { values: [0.5, -1], statistics: { token_count: 4, truncated: false } } }] }), json(200, { totalTokens: 5 }));
  const embedded = await gateway.send("/v1/embeddings", { body: { model: "vx/gemini-embedding-001", input: "Hi" } });
  assert.deepEqual([embedded.status, embedded.json.data[0].embedding, embedded.json.usage.prompt_tokens], [200, [0.5, -1], 4], embedded.text);
  const counted = await gateway.send("/v1/messages/count_tokens", { body: anthropic.body({ model: "vx/gemini-2.5-pro" }), headers: anthropic.headers });
  assert.deepEqual([counted.status, counted.json.input_tokens], [200, 5], counted.text);
  const models = `/${PROJECT}/publishers/google/models`;
  const got = sent("vx").slice(before);
  assert.deepEqual(got.map(({ path }) => path), [`${models}/gemini-embedding-001:predict`, `${models}/gemini-2.5-pro:countTokens`]);
  for (const { headers } of got) assert.match(headers.authorization, /^Bearer ya29/);
});

test("another target serves while there is no token", async () => {
  script("vxdown-token", forever(json(503, "down")));
  script("spare", forever(says("openai", { text: "spared" })));
  const answer = await chat("vxdown-safe");
  assert.deepEqual([answer.status, answer.said.text, answer.headers["x-portolan-provider"]], [200, "spared", "spare"], answer.text);
});

test("a slow token endpoint counts into the deadline", async () => {
  script("vxslow-token", later(1000, json(200, { access_token: TOKEN(1), expires_in: 200 })), silence());
  script("vxslow", forever(later(1000, stream(SHAPES.google.stream({ text: "late" })))));
  const late = await chat("vxslow/gemini-2.5-pro", { stream: true });
  assert.equal(late.status, 504, late.text);
  assert.ok(late.tookMs < 1.5 * TIMEOUTS.headers_ms, `${late.tookMs} ms`);
  assert.equal(sent("vxslow").length, 1);
  const never = await chat("vxslow/gemini-2.5-pro", { stream: true });
  assert.equal(never.status, 504, never.text);
  assert.equal(sent("vxslow").length, 1);
});

test("neither key nor token is told to anybody", async () => {
  const told = JSON.stringify([gateway.lines, await gateway.admin("/admin/v1/requests?limit=500"), await gateway.admin("/admin/v1/config"), await gateway.admin("/admin/v1/health")]);
  for (const secret of [...KEY_LINES, "ya29.", "PRIVATE KEY", "assertion="]) assert.ok(!told.includes(secret), secret);
});

test("the gateway key reaches neither provider nor token endpoint", () => {
  for (const name of VERTEX.flatMap((one) => [one, `${one}-token`])) {
    for (const { headers, text, path } of sent(name)) assert.ok(!JSON.stringify([headers, text, path]).includes(KEY), name);
  }
});
