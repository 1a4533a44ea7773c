// Nothing of a request's content is ever stored, logged, cached in clear or told to anybody else: canaries go through every
// surface, in every dialect, in success and in every kind of failure; then everything that holds anything is searched.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { files, found, text, within, word } from "./lib/canaries.mjs";
import { CALLERS, HEADERS, form, operations } from "./lib/canary_bodies.mjs";
import { send, start } from "./lib/client.mjs";
import { sleep } from "./lib/fleet.mjs";
import { ADMIN, Gateway, KEY, SETTINGS } from "./lib/gateway.mjs";
import { receiver } from "./lib/receiver.mjs";
import { SHAPES } from "./lib/shapes.mjs";
import { CUT, STALL, choose, forever, html, json, stream } from "./lib/upstream.mjs";

/** What may hold a caller's own words, and why. Everything else may not. */
const ALLOWED = [
  // The operator has to see which model a client asks for in vain. What cannot be a name is left out (below).
  { at: ".asked", place: "model" },
  { at: ".portolan.model.asked.stringValue", place: "model" },
  // Members that a target could not carry are named, as `x-portolan-dropped` names them: where the dialect has no such member, in the
  // caller's word. A sentence in its place is left out.
  { at: ".dropped[]", place: "unknownKey" },
  { at: ".dropped[]", place: "providerKey" },
];
/** Places whose words a record may hold. */
const RECORDED = ALLOWED.map((row) => row.place);
const isAllowed = (at, place) => ALLOWED.some((row) => at.endsWith(row.at) && row.place === place);

const OTHER = "pk-another-key-of-the-canary-test";
const STRICT = "pk-a-key-that-requires-zero-retention";
const FLAVOURS = ["openai", "anthropic", "google"];
const MAX_BODY = 200_000;
/** The kind of a request's span, not of a try's. */
const SERVER_SPAN = 2;
const ANSWER = {
  text: [text("answer"), ` and ${word("answer2")}`],
  calls: [{ id: "call_9", name: word("answerTool"), args: { [word("answerKey")]: text("answerArgument") } }],
};
const opening = { openai: SHAPES.openai.stream(ANSWER).slice(0, 3), anthropic: SHAPES.anthropic.stream(ANSWER).slice(0, 3), google: SHAPES.google.stream(ANSWER).slice(0, 1) };
const isStream = (entry) => entry.json?.stream === true || entry.path.includes(":streamGenerateContent");
/** A provider puts the caller's words into its error, its headers and its codes. */
const leaky = { "x-upstream": text("upstreamHeader"), "set-cookie": `s=${word("upstreamCookie")}`, "x-should-retry": "false" };
const fails = (status, flavour) => json(status, SHAPES[flavour].error(status, text("providerError"), { type: text("errorType"), code: text("errorCode"), param: word("errorParam") }), leaky);
const both = (flavour, whole, streamed) => choose((entry) => (isStream(entry) ? streamed : whole)(flavour));

/** How the provider behaves: of a flavour. */
const MODES = {
  "answers": (f) => both(f, () => json(200, SHAPES[f].answer(ANSWER), leaky), () => stream(SHAPES[f].stream(ANSWER), { headers: leaky })),
  "is filtered": (f) => both(f, () => json(200, SHAPES[f].answer({ text: text("filtered"), stop: "filter" })), () => stream(SHAPES[f].stream({ text: [text("filtered")], stop: "filter" }))),
  "refuses with 400": (f) => fails(400, f),
  "refuses with 401": (f) => fails(401, f),
  "refuses with 404": (f) => fails(404, f),
  "fails with 500": (f) => fails(500, f),
  "fails with a page": () => html(502),
  "answers what is no JSON": () => json(200, `{"choices": [${text("brokenAnswer")}`),
  "fails in a 200": (f) => json(200, { error: { message: text("errorIn200"), code: text("errorCode") } }),
  "streams what nobody can read": (f) => stream([...opening[f], `data: {"broken": ${text("malformedEvent")}\n\n`, `: ${text("comment")}\n\n`, ...SHAPES[f].stream(ANSWER).slice(-2)]),
  "breaks off": (f) => stream([...opening[f], CUT], { gap: 5 }),
  "fails in a stream": (f) => stream([...opening[f], SHAPES[f].errorFrame(text("errorInStream"))]),
};
let mode = "answers";

const sha256 = (value) => createHash("sha256").update(value).digest("hex");
const [collector, webhook] = [await receiver(), await receiver()];
let gateway;
const told = [];
const toOthers = [];
const seen = { ids: [] };

async function call(path, options = {}) {
  const answer = await send(gateway.url(path), { key: KEY, ...options, headers: { ...HEADERS, ...options.headers } });
  if (answer.headers["x-request-id"]) seen.ids.push(answer.headers["x-request-id"]);
  told.push({ path, status: answer.status });
  return answer;
}

/** For `JSON.parse`: attributes of OTLP under their names. */
const named = (member, value) => (member === "attributes" ? Object.fromEntries(value.map((attribute) => [attribute.key, attribute.value])) : value);

const target = { openai: "o", anthropic: "a", google: "g" };

async function everyDialect(modes, more = {}) {
  for (mode of modes) {
    for (const caller of Object.values(CALLERS)) {
      for (const flavour of FLAVOURS) {
        for (const isStreamed of [false, true]) {
          const asked = { model: target[flavour], stream: isStreamed, ...more };
          await call(caller.path(asked), { body: caller.body(asked), headers: caller.headers });
        }
      }
    }
  }
  mode = "answers";
}

async function everyMistake() {
  const post = (body, options) => call("/v1/chat/completions", { body, ...options });
  const good = (more) => CALLERS.chat.body({ model: "o", more });
  // A model nobody has: one that could be a name, and prompts pasted in its place.
  await post(good({ model: word("model") }));
  await post(good({ model: text("pastedPrompt") }));
  await post(good({ model: `o-openai/${text("pastedPrompt")}` }));
  await post(good({ models: [text("pastedPrompt")] }));
  await call(`/v1beta/models/${encodeURIComponent(text("pastedPrompt"))}:generateContent`, { body: CALLERS.google.body({}) });
  // What cannot be read, or cannot be meant.
  await post(`{"model": "o", "messages": [${text("brokenJson")}`);
  await post(`{"model": "o", "${word("twice")}": 1, "${word("twice")}": 2, "messages": []}`);
  await post(good({ messages: text("wrongType") }));
  await post(good({ messages: [{ role: text("wrongRole"), content: "x" }] }));
  await post(good({ stream: text("wrongFlag") }));
  await post(good({ provider: { order: [text("providerOrder")], ignore: [text("providerIgnore")], [word("providerKey")]: 1 } }));
  await post(good({ provider: { only: [text("providerOnly")] } }));
  await post(good({ provider: { data_collection: text("providerWord") } }));
  await post(Buffer.concat([Buffer.from(`{"model":"o","messages":"${text("notUtf8")}`), Buffer.from([0xff, 0xfe])]));
  await post(good({ [word("large")]: text("large").repeat(MAX_BODY / 20) }));
  for (const [name, value] of [["x-portolan-route", text("routeHeader")], ["x-portolan-metadata", text("metadataBroken")], ["x-portolan-zdr", text("zdrHeader")],
    ["x-portolan-cache", text("cacheHeader")], ["x-portolan-timeout-ms", text("timeoutHeader")]]) {
    await post(good(), { headers: { [name]: value } });
  }
  // Where nothing is, and where nobody may be.
  await call(`/v1/${word("path")}?q=${word("query")}`, { body: good() });
  await call(`/v1/chat/completions?q=${word("query")}`, { body: good() });
  await call(`/v1/models/${word("listed")}`);
  await call("/v1/chat/completions", { key: `pk-${word("guessedKey")}`, body: good() });
  await call(`/v1/chat/completions?key=${word("guessedKey")}`, { key: undefined, body: good() });
  await call(`/v1/responses/${word("storedId")}`);
  await call(`/v1/videos/${word("storedId")}/content`);
  await call("/v1/responses", { body: CALLERS.responses.body({ model: "o", more: { previous_response_id: word("previous") } }) });
  await call(`/admin/v1/${word("adminPath")}`, { key: ADMIN });
}

async function everythingElse() {
  for (const modeName of ["answers", "refuses with 400", "fails with 500"]) {
    mode = modeName;
    for (const lane of ["o", "g"]) for (const [path, body] of operations(`${lane}-${lane === "o" ? "openai" : "google"}/m`)) await call(path, { body });
    for (const path of ["/v1/images/generations", "/v1/videos"]) {
      const { body, headers } = form("o-openai/m");
      await call(path, { body, headers });
    }
    const { body, headers } = form("m");
    await call(`/passthrough/o-openai/files/${word("passPath")}?q=${word("passQuery")}`, { body, headers });
    await call("/passthrough/o-openai/chat/completions", { body: { [word("passKey")]: text("passBody") } });
  }
  mode = "answers";
  // A client that leaves in the middle.
  mode = "stalls";
  const leaving = start(gateway.url("/v1/chat/completions"), { key: KEY, headers: HEADERS, body: CALLERS.chat.body({ model: "o", stream: true }) });
  await leaving.head;
  leaving.reset();
  mode = "answers";
}

/** All records there are. */
async function journal() {
  const records = [];
  for (let before = ""; ;) {
    const { data, next } = await gateway.admin(`/admin/v1/requests?limit=500${before}`);
    records.push(...data);
    if (!next) return records;
    before = `&before=${next}`;
  }
}

async function theOperator() {
  const ask = (path, body) => send(gateway.url(`/admin/v1/${path}`), { key: ADMIN, body });
  const answers = [];
  for (const path of ["explain", "simulate"]) {
    for (const [name, caller] of Object.entries(CALLERS)) {
      const asked = { model: "o", stream: true };
      const question = { path: caller.path(asked), body: caller.body(asked), headers: { ...HEADERS, ...caller.headers } };
      answers.push([`${path} ${name}`, await ask(path, question)]);
    }
    answers.push([`${path} in vain`, await ask(path, { body: { model: text("pastedPrompt"), messages: text("wrongType") } })]);
  }
  for (const id of seen.ids.filter((_, index) => index % 7 === 0)) {
    answers.push([`replay ${id}`, await send(gateway.url(`/admin/v1/requests/${id}/replay`), { key: ADMIN })]);
  }
  return answers;
}

before(async () => {
  const strictly = Object.fromEntries(Object.values(target).map((lane) => [lane, [FLAVOURS.find((f) => target[f] === lane)]]));
  gateway = await Gateway.withLanes({ ...strictly, kept: ["openai"], strict: ["openai"] }, () => ({
    settings: { ...SETTINGS, max_body_bytes: MAX_BODY, otlp: { endpoint: collector.origin }, records: { webhook: webhook.origin } },
    routes: {
      kept: { targets: ["kept-openai/m"], cache: { ttl_s: 60 } },
      keptfar: { targets: ["kept-openai/m"], cache: { ttl_s: 60 }, on_stream_break: "continue" },
      marked: { targets: [{ model: "strict-openai/m", requires: { zdr: true } }], cache: { ttl_s: 60 } },
    },
    [`key:${sha256(OTHER)}`]: { name: "other" },
    [`key:${sha256(STRICT)}`]: { name: "strict", zdr: "required" },
  }), {
    secrets: () => ({
      ENCRYPTION_SECRET: "an encryption secret of the canary test",
      WEBHOOK_SECRET: `whsec_${Buffer.from("a webhook secret of the canary test").toString("base64")}`,
    }),
    analytics: "export default () => ({ writeDataPoint: (point) => console.log(JSON.stringify({ point })) });",
  });
  const { upstream } = gateway;
  for (const flavour of FLAVOURS) {
    const answer = choose((entry) => (mode === "stalls" ? stream([...opening[flavour], STALL]) : MODES[mode](flavour))
      ?? unscripted(entry));
    upstream.script(`${target[flavour]}-${flavour}`, forever(answer));
  }
  for (const lane of ["kept", "strict"]) upstream.script(`${lane}-openai`, forever(choose(() => MODES[mode]("openai"))));
});
after(async () => {
  await gateway?.stop();
  collector.stop();
  webhook.stop();
});

const unscripted = (entry) => { throw new Error(`nothing is scripted for ${entry.path}`); };

describe("canaries", { concurrency: false }, () => {
  test("are found however they are written", () => {
    const plain = word("x");
    for (const shift of [0, 1, 2]) {
      const encoded = Buffer.from(`${"y".repeat(shift)}${plain} and more`).toString("base64");
      assert.deepEqual(found(encoded), ["(base64)"], encoded);
    }
    for (const [written, places] of [
      [plain, ["x"]], [plain.toLowerCase(), ["x"]], [Buffer.from(`\0${plain}\0`), ["x"]], [Buffer.from(plain).toString("hex"), ["(hex)"]],
      [encodeURIComponent(JSON.stringify({ a: plain })), ["x"]], [plain.slice(0, -1), ["(cut)"]], ["nothing at all", []],
    ]) assert.deepEqual(found(written), places, String(written));
  });

  test("go everywhere", { timeout: 240_000 }, async () => {
    await everyDialect(Object.keys(MODES));
    await everyMistake();
    await everythingElse();
    assert.ok(told.length > 350, `${told.length} requests`);
    for (const status of [200, 400, 401, 404, 413, 502]) assert.ok(told.some((answer) => answer.status === status), `nothing ended with ${status}`);
  });

  test("reach the provider: the search is for what was really sent", () => {
    const sent = gateway.upstream.requests("o-openai").map((entry) => entry.text).join("\n");
    for (const place of ["system", "prompt", "toolResult", "schemaKey", "imageData", "formBytes", "passBody"]) assert.ok(found(sent).includes(place), place);
  });

  test("stand in no answer to the operator", async () => {
    for (const [what, answer] of await theOperator()) {
      // The operator's own question: what is wrong with it and what of it cannot be carried is said to whoever asked, and kept nowhere.
      const isEchoed = ([at, place]) => (place === "pastedPrompt" && what.endsWith("in vain")) || (place === "unknownSentence" && at.endsWith(".dropped[]"));
      const leaks = within(answer.json ?? answer.text).filter((leak) => !isEchoed(leak) && !isAllowed(...leak));
      // What a simulation answers is the answer: the mock's echo of the question.
      const kept = what.startsWith("simulate") ? leaks.filter(([at]) => !at.startsWith(".answer") && !at.startsWith(".body")) : leaks;
      assert.deepEqual(kept.slice(0, 5), [], what);
    }
    const health = await gateway.admin("/admin/v1/health");
    assert.deepEqual(within(health), []);
    assert.deepEqual(within(await gateway.admin("/admin/v1/config")), []);
  });

  test("stand in no answer to another caller", async () => {
    mode = "answers";
    const plain = (path, body) => send(gateway.url(path), { key: OTHER, body });
    for (const model of ["o", "a", "g", "nobody"]) {
      toOthers.push(await plain("/v1/embeddings", { model: "nobody/m", input: "Hello" }));
      toOthers.push(await plain("/v1/chat/completions", { model: `${model}x`, messages: [] }));
    }
    toOthers.push(await plain("/v1/models"), await plain("/livez"), await plain("/readyz"), await plain("/"), await plain("/v1/nowhere", {}));
    for (const answer of toOthers) assert.deepEqual(found(`${JSON.stringify(answer.headers)}${answer.text}`), [], answer.text);
  });

  test("are not in the journal", async () => {
    const logged = () => gateway.log.filter((line) => line.id && line.outcome).map((line) => line.id);
    const data = await until(journal, (records) => logged().every((id) => records.some((record) => record.id === id)));
    assert.ok(data.length > 350, `${data.length} records`);
    const leaks = data.flatMap((record) => within(record)).filter(([at, place]) => !isAllowed(at, place));
    assert.deepEqual([...new Set(leaks.map(String))], []);
    assert.ok(data.some((record) => found(record.asked).includes("model")), "the search finds what is there");
    assert.ok(data.some((record) => record.asked === "(no name)"));
  });

  test("are not on the console", () => {
    const leaks = gateway.lines.flatMap((line) => {
      const at = line.indexOf("{");
      let record;
      try { record = JSON.parse(line.slice(at)); } catch { /* no record */ }
      return record ? within(record).filter(([path, place]) => !isAllowed(path, place)) : found(line).map((place) => [line.slice(0, 300), place]);
    });
    assert.deepEqual([...new Set(leaks.map(String))], []);
    assert.ok(gateway.lines.some((line) => found(line).includes("model")), "the search finds what is there");
  });

  test("are told to nobody outside: traces, metrics, records and points", { timeout: 120_000 }, async () => {
    const records = gateway.log.filter((line) => line.id && line.outcome);
    const until = async (what, ask) => {
      for (let tries = 0; !ask(); tries += 1) {
        assert.ok(tries < 400, `${what}: ${ask()}`);
        await sleep(200);
      }
    };
    const last = Date.now();
    const sent = (path) => collector.heard.filter((message) => message.path === path);
    const spans = () => sent("/v1/traces").flatMap(({ text }) => JSON.parse(text).resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans).flatMap((scope) => scope.spans).filter(({ kind }) => kind === SERVER_SPAN);
    const delivered = () => webhook.heard.flatMap(({ text }) => JSON.parse(text).data.records);
    const points = () => gateway.log.filter(({ point }) => point).map(({ point }) => point);
    for (const [what, list] of [["spans", spans], ["records", delivered], ["points", points]]) await until(what, () => list().length >= records.length);
    // Sums are told once a minute: those that hold the last request.
    await until("metrics", () => sent("/v1/metrics").some(({ at }) => at > last + 1_000));

    for (const { path, headers, text } of [...collector.heard, ...webhook.heard]) {
      assert.deepEqual(found(JSON.stringify(headers)), [], path);
      const leaks = within(JSON.parse(text, named)).filter(([at, place]) => !isAllowed(at, place));
      assert.deepEqual([...new Set(leaks.map(String))], [], path);
    }
    assert.deepEqual([...new Set(points().flatMap((point) => within(point)).map(String))], []);
    assert.deepEqual(within((await send(gateway.url("/metrics"), { key: ADMIN })).text), []);
    assert.ok(delivered().some((record) => found(record.asked).includes("model")), "the search finds what is there");
  });

  test("are not in what is cached: sealed for one key, found again by it alone", async () => {
    for (const isStreamed of [false, true]) {
      for (const [route, caller] of [["kept", CALLERS.chat], ["kept", CALLERS.anthropic], ["keptfar", CALLERS.chat]]) {
        const asked = { model: route, stream: isStreamed };
        const ask = (options = {}) => send(gateway.url(caller.path(asked)), { key: KEY, body: caller.body(asked), headers: caller.headers, ...options });
        const headers = (more) => ({ headers: { ...caller.headers, ...more } });
        const count = () => gateway.upstream.requests("kept-openai").length;
        const first = await ask();
        assert.equal(first.headers["x-portolan-cache"], "miss", first.text);
        assert.ok(found(first.text).includes("answer"), first.text);
        const calls = count();
        const again = await until(ask, (answer) => answer.headers["x-portolan-cache"] === "hit");
        const after = count();
        assert.deepEqual(again.bytes, first.bytes, "byte for byte");
        assert.equal(again.headers["content-type"], first.headers["content-type"]);
        assert.equal(again.headers["x-portolan-cost"], "0");
        assert.notEqual(again.headers["x-request-id"], first.headers["x-request-id"]);
        assert.equal((await ask()).headers["x-portolan-cache"], "hit");
        assert.equal(count(), after, "a hit asks nobody");
        assert.ok(calls >= 1);
        assert.equal((await ask({ key: OTHER })).headers["x-portolan-cache"], "miss", "another key has its own");
        assert.equal((await ask(headers({ "x-portolan-cache": "refresh" }))).headers["x-portolan-cache"], "miss");
        assert.equal((await ask(headers({ "x-portolan-cache": "off" }))).headers["x-portolan-cache"], "off");
        assert.equal((await ask({ body: { ...caller.body(asked), temperature: 0 } })).headers["x-portolan-cache"], "miss");
      }
    }
    const cache = await gateway.namespace("CACHE");
    const { keys } = await until(() => cache.list(), ({ keys }) => keys.length >= 12);
    for (const { name } of keys) {
      assert.match(name, /^answer1:[0-9a-f]{64}$/);
      assert.deepEqual(found(Buffer.from(await cache.get(name, "arrayBuffer"))), []);
    }
    const data = await journal();
    const hits = () => gateway.log.filter((record) => record.cache === "hit");
    await until(async () => hits(), (list) => list.length > 0);
    assert.ok(hits().every((record) => Number(record.cost) === 0 && record.status === 200 && record.provider === "kept-openai"));
    assert.deepEqual(data.flatMap((record) => within(record)).filter(([at, place]) => !isAllowed(at, place)), []);
  });

  test("an answer that is not whole and good is not cached, and nothing is where zero retention is required", async () => {
    const count = async () => (await (await gateway.namespace("CACHE")).list()).keys.length;
    const settled = () => new Promise((resolve) => { setTimeout(resolve, 1_500); });
    // What the test before has still to write.
    await settled();
    const stored = await count();
    for (mode of ["is filtered", "refuses with 400", "streams what nobody can read", "breaks off", "fails in a stream", "answers what is no JSON"]) {
      for (const isStreamed of [false, true]) {
        const more = { [word("mode")]: `${mode} ${isStreamed}` };
        await call("/v1/chat/completions", { body: CALLERS.chat.body({ model: "kept", stream: isStreamed, more }) });
      }
    }
    mode = "answers";
    await settled();
    assert.equal(await count(), stored, "something bad was kept");
    const ask = (model, options) => send(gateway.url("/v1/chat/completions"), { key: KEY, body: { model, messages: [{ role: "user", content: text("strictly") }] }, ...options });
    // Nobody marked its provider: refused, and nothing is sent.
    const calls = gateway.upstream.requests("kept-openai").length;
    for (const options of [{ key: STRICT }, { headers: { "x-portolan-zdr": "required" } }]) {
      const refused = await ask("kept", options);
      assert.equal(refused.status, 400, refused.text);
      assert.match(refused.text, /not marked as keeping nothing/);
      const passed = await send(gateway.url("/passthrough/kept-openai/models"), { key: KEY, ...options });
      assert.equal(passed.status, 403, passed.text);
      const kept = await send(gateway.url("/v1/responses/resp_1"), { key: KEY, ...options });
      assert.equal(kept.status, 403, kept.text);
    }
    assert.equal(gateway.upstream.requests("kept-openai").length, calls);
    const marked = { ...JSON.parse(await gateway.stored("providers")) };
    for (const name of ["kept-openai", "strict-openai"]) marked[name] = { ...marked[name], zdr: true };
    await gateway.put({ providers: marked });
    await gateway.restart();
    for (const [model, options] of [["kept", { key: STRICT }], ["kept", { headers: { "x-portolan-zdr": "required" } }], ["marked", {}]]) {
      const answer = await ask(model, options);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers["x-portolan-cache"], "off");
    }
    const bodies = ["kept-openai", "strict-openai"].map((name) => gateway.upstream.requests(name).at(-1).json);
    assert.deepEqual(bodies.map((body) => body.store), [false, false], "the provider is told");
    await settled();
    assert.equal(await count(), stored, "something was kept under zero retention");
  });

  test("are nowhere in KV", async () => {
    for (const name of ["CONFIG", "CACHE"]) {
      const namespace = await gateway.namespace(name);
      const { keys } = await namespace.list();
      assert.ok(keys.length > 0, name);
      for (const key of keys) {
        const value = Buffer.from(await namespace.get(key.name, "arrayBuffer"));
        assert.deepEqual(found(JSON.stringify(key)), []);
        assert.deepEqual(found(value), [], `${name} ${key.name}`);
      }
    }
  });

  test("are nowhere on disk: every object's database with its log, and KV's own", () => {
    const all = files(gateway.state);
    const kinds = { journal: 0, health: 0, tenant: 0, kv: 0 };
    let finds = 0;
    for (const { file, bytes } of all) {
      for (const kind of Object.keys(kinds)) if (file.toLowerCase().includes(kind)) kinds[kind] += 1;
      const places = found(bytes);
      finds += places.length;
      // The cut stands for words that lie across two pages of a database.
      assert.deepEqual(places.filter((place) => !/journal/i.test(file) || ![...RECORDED, "(cut)"].includes(place)), [], file);
    }
    assert.ok(kinds.journal > 0 && kinds.health > 0 && kinds.kv > 0, JSON.stringify(kinds));
    assert.ok(finds > 0, "the search finds what is there: the model that nobody has");
  });
});

/** Asks until the answer is as it should be: what is written after a response is there a little later. */
async function until(ask, test) {
  for (let tries = 0; ; tries += 1) {
    const answer = await ask();
    if (test(answer)) return answer;
    assert.ok(tries < 40, `it never came: ${JSON.stringify(answer.headers ?? answer).slice(0, 1_000)}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
