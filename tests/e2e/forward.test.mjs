// What goes through as it came: Responses and what providers keep of them, other paths of a provider; and two forms of
// an answer that callers choose: JSON arrays, and nothing lossy.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { open, send } from "./lib/client.mjs";
import { Gateway, KEY, SECRETS, SETTINGS } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { CLOSE, CUT, choose, forever, gzipped, json, pause, stream } from "./lib/upstream.mjs";

const MB = 1 << 20;
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const LIMITED = `pk-${sha256("a key with a list of routes").slice(0, 40)}`;

const gateway = await Gateway.start({
  documents: (origin) => ({
    // Far less than what passes through below.
    settings: { ...SETTINGS, max_body_bytes: MB },
    providers: {
      openai: { base_url: `${origin}/openai/v1`, keys: ["${UP_KEY}"] },
      "azure-openai": { base_url: `${origin}/azure/openai/v1`, keys: ["${UP_KEY_2}"] },
      google: { base_url: `${origin}/google`, keys: ["${UP_KEY}"] },
      local: { kind: "openai", base_url: `${origin}/local/v1`, keys: ["${UP_KEY}"] },
      aws: { kind: "bedrock", base_url: `${origin}/aws`, keys: ["${AWS_PAIR}"] },
    },
    routes: {
      keep: { targets: ["azure-openai/gpt-5.4", "openai/gpt-5.4"] },
      lost: { targets: ["local/m"] },
      strict: { targets: ["google/gemini-2.5-pro"], lossy: "refuse" },
      choosy: { targets: ["google/gemini-2.5-pro", "local/m"], lossy: "refuse" },
    },
    [`key:${sha256(LIMITED)}`]: { name: "limited", routes: ["keep"] },
  }),
  secrets: () => ({ AWS_PAIR: "AKIDEXAMPLE:secret" }),
});
const { upstream } = gateway;
after(() => gateway.stop());

const script = (name, ...answers) => upstream.script(name, ...answers);
const sent = (name) => upstream.requests(name);
/** The call's answer, and what reached a provider of it. */
async function through(name, answer, call) {
  script(name, answer);
  const before = sent(name).length;
  const reply = await call();
  return { reply, got: sent(name).slice(before) };
}

// ---- Responses

const USAGE = '{"input_tokens":11,"input_tokens_details":{"cached_tokens":0},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":18}';
const response = (id, status, output, usage) =>
  `{"id":"${id}","object":"response","created_at":1790000000,"status":"${status}","zz_unknown":1.0,"model":"gpt-5.4","output":${output},"usage":${usage}}`;
const ITEM = '{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"G\\u006fod day"}]}';
const whole = (id) => response(id, "completed", `[${ITEM}]`, USAGE);
const frames = (id) => [
  ["response.created", `"response":${response(id, "in_progress", "[]", "null")}`],
  ["response.output_item.added", '"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}'],
  ["response.content_part.added", '"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}'],
  ["response.output_text.delta", '"item_id":"msg_1","output_index":0,"content_index":0,"delta":"G\\u006fod","obfuscation":"x"'],
  ["response.output_text.delta", '"item_id":"msg_1","output_index":0,"content_index":0,"delta":" day"'],
  ["response.output_text.done", '"item_id":"msg_1","output_index":0,"content_index":0,"text":"Good day"'],
  ["response.output_item.done", `"output_index":0,"item":${ITEM}`],
  ["response.completed", `"response":${whole(id)}`],
].map(([type, rest], n) => `event: ${type}\ndata: {"type":"${type}","sequence_number":${n},${rest}}\n\n`);
const body = (model, more = "") => `{"zz":[1.0,1e2],"model":"${model}","input":[{"role":"user","content":"Hi \\u0041"}],"store":true,"include":["reasoning.encrypted_content"],"tools":[{"type":"web_search"}]${more}}`;
const respond = (text) => gateway.send("/v1/responses", { body: text });

describe("responses", () => {
  test("whole: as the caller wrote it, as the provider wrote it", async () => {
    const { reply, got } = await through("openai", json(200, whole("resp_whole")), () => respond(body("openai/gpt-5.4")));
    assert.deepEqual([reply.status, reply.text], [200, whole("resp_whole")]);
    assert.deepEqual(got.map(({ path, text }) => [path, text]), [["/v1/responses", body("gpt-5.4")]]);
  });

  test("a stream: identical bytes", async () => {
    const { reply, got } = await through("openai", stream(frames("resp_stream")), () => respond(body("openai/gpt-5.4", ',"stream":true')));
    assert.deepEqual([reply.status, reply.text], [200, frames("resp_stream").join("")]);
    assert.equal(got[0].text, body("gpt-5.4", ',"stream":true'));
  });

  for (const [what, last] of [["cut", CUT], ["closed early", CLOSE]]) {
    test(`a stream that is ${what} ends in an error and response.failed`, async () => {
      const { reply } = await through("openai", stream([...frames("resp_cut").slice(0, 4), last]), () => respond(body("openai/gpt-5.4", ',"stream":true')));
      assert.ok(reply.text.startsWith(frames("resp_cut").slice(0, 4).join("")), reply.text);
      assert.deepEqual(reply.frames.slice(4).map(({ event }) => event), ["error", "response.failed"]);
    });
  }
});

describe("stored responses", () => {
  const path = (id, rest = "") => `/v1/responses/${id}${rest}`;

  test("are asked of who keeps them", async () => {
    for (const [name, provider, secret, id] of [["openai", "openai", SECRETS.UP_KEY, "resp_of_openai"], ["azure", "azure-openai", SECRETS.UP_KEY_2, "resp_of_azure"]]) {
      const made = await through(name, json(200, whole(id)), () => respond(body(`${provider}/gpt-5.4`)));
      assert.equal(made.reply.json.id, id);
      for (const [method, rest, answer] of [["GET", "?include=x", whole(id)], ["GET", "/input_items?limit=2", '{"object":"list","data":[]}'], ["POST", "/cancel", whole(id)], ["DELETE", "", `{"id":"${id}","object":"response","deleted":true}`]]) {
        const { reply, got } = await through(name, json(200, answer), () => gateway.send(path(id, rest), { method }));
        assert.deepEqual([reply.status, reply.text, reply.headers["x-portolan-provider"]], [200, answer, provider]);
        const [{ method: asked, path: at, headers }, ...more] = got;
        assert.deepEqual([asked, at.endsWith(`/v1/responses/${id}${rest}`), more.length], [method, true, 0], at);
        assert.equal(headers.authorization ?? `Bearer ${headers["api-key"]}`, `Bearer ${secret}`);
        assert.ok(!JSON.stringify(headers).includes(KEY));
      }
    }
  });

  test("a conversation goes on where it is kept, second in the route or not", async () => {
    for (const [name, provider, streaming] of [["openai", "openai", false], ["azure", "azure-openai", false], ["openai", "openai", true]]) {
      const id = `resp_turn_${name}_${streaming}`;
      const flag = streaming ? ',"stream":true' : "";
      await through(name, streaming ? stream(frames(id)) : json(200, whole(id)), () => respond(body(`${provider}/gpt-5.4`, flag)));
      const { reply, got } = await through(name, json(200, whole(`${id}_2`)), () => respond(body("keep", `,"previous_response_id":"${id}"`)));
      assert.deepEqual([reply.status, reply.headers["x-portolan-provider"], got.length], [200, provider, 1], reply.text);
      assert.equal(got[0].json.previous_response_id, id);
    }
  });

  test("another isolate knows who keeps them", async () => {
    await through("openai", json(200, whole("resp_before")), () => respond(body("openai/gpt-5.4")));
    await gateway.recorded("resp_before").catch(() => {});
    await new Promise((resolve) => { setTimeout(resolve, 2500); });
    await gateway.restart();
    const { reply } = await through("openai", json(200, whole("resp_before")), () => gateway.send(path("resp_before")));
    assert.deepEqual([reply.status, reply.headers["x-portolan-provider"]], [200, "openai"], reply.text);
  });

  test("nobody is known to keep it: 404 that says what to do", async () => {
    for (const [id, words] of [["resp_nobodys", /known to keep.*send the whole conversation/], ["resp_portolan_1", /kept nowhere.*send the whole conversation/], ["..%2Fmodels", /send the whole conversation/]]) {
      const reply = await gateway.send(path(id));
      assert.equal(reply.status, 404, reply.text);
      assert.match(reply.json.error.message, words);
    }
  });

  test("a conversation that cannot go on: 4xx that says why", async () => {
    const lost = await respond(body("lost", ',"previous_response_id":"resp_of_openai"'));
    assert.ok(lost.status >= 400 && lost.status < 500, `${lost.status} ${lost.text}`);
    assert.match(lost.json.error.message, /kept|keep/);
    const minted = await respond(body("keep", ',"previous_response_id":"resp_portolan_1"'));
    assert.ok(minted.status >= 400 && minted.status < 500, `${minted.status} ${minted.text}`);
    assert.match(minted.json.error.message, /send the whole conversation/);
    const refusal = json(400, { error: { message: "Previous response with id 'resp_x' not found.", type: "invalid_request_error", param: "previous_response_id", code: "previous_response_not_found" } });
    const { reply } = await through("azure", refusal, () => respond(body("keep", ',"previous_response_id":"resp_x"')));
    assert.deepEqual([reply.status, reply.json.error.code], [400, "previous_response_not_found"], reply.text);
  });

  test("a limited key sees none", async () => {
    const reply = await send(gateway.url(path("resp_of_openai")), { key: LIMITED });
    assert.equal(reply.status, 403, reply.text);
  });
});

describe("passthrough", () => {
  const at = (path) => `/passthrough/openai${path}`;

  test("an upload of 20 MB streams through unchanged", async () => {
    const file = randomBytes(20 * MB);
    const boundary = "----portolan-e2e";
    const upload = Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="ü.bin"\r\n\r\n`),
      file, Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    const headers = { "content-type": `multipart/form-data; boundary=${boundary}`, cookie: "c=1", "x-forwarded-for": "203.0.113.9" };
    const { reply, got } = await through("openai", json(200, { id: "file-1" }), () => gateway.send(at("/files?key=k&limit=2"), { body: upload, headers }));
    assert.deepEqual([reply.status, reply.json], [200, { id: "file-1" }]);
    const [{ method, path, headers: arrived, body: bytes }] = got;
    assert.deepEqual([method, path, arrived["content-type"], sha256(bytes)], ["POST", "/v1/files?limit=2", headers["content-type"], sha256(upload)]);
    assert.equal(arrived.authorization, `Bearer ${SECRETS.UP_KEY}`);
    for (const kept of [KEY, "c=1", "203.0.113.9"]) assert.ok(!JSON.stringify(arrived).includes(kept), kept);
  });

  test("a binary answer is unchanged, and a range may be asked for", async () => {
    const sound = randomBytes(3 * MB);
    const answer = choose(({ headers }) => (headers.range
      ? json(206, sound.subarray(0, 10), { "content-type": "audio/mpeg", "content-range": `bytes 0-9/${sound.length}`, "accept-ranges": "bytes" })
      : json(200, sound, { "content-type": "audio/mpeg", "set-cookie": "s=1", "openai-organization": "org-1" })));
    script("openai", forever(answer));
    const all = await gateway.send(at("/files/f1/content"));
    assert.deepEqual([all.status, all.headers["content-type"], sha256(all.bytes)], [200, "audio/mpeg", sha256(sound)]);
    assert.deepEqual([all.headers["set-cookie"], all.headers["openai-organization"], all.headers["x-portolan-provider"]], [undefined, undefined, "openai"]);
    const part = await gateway.send(at("/files/f1/content"), { headers: { range: "bytes=0-9" } });
    assert.deepEqual([part.status, part.headers["content-range"], part.bytes], [206, `bytes 0-9/${sound.length}`, sound.subarray(0, 10)]);
  });

  test("a stream comes as it is made", async () => {
    script("openai", stream(["data: 1\n\n", pause(1500), "data: 2\n\n"]));
    const call = await open(gateway.url(at("/anything")), { key: KEY, body: {} });
    await call.until((text) => text.includes("data: 1"));
    assert.ok(Date.now() - call.headAt < 1000, "held back");
    assert.equal((await call.rest()).text, "data: 1\n\ndata: 2\n\n");
  });

  test("methods, errors and compressed answers pass", async () => {
    const refused = await through("openai", json(404, { error: { message: "No such file" } }, { "x-request-id": "theirs" }), () => gateway.send(at("/files/f1"), { method: "DELETE" }));
    assert.deepEqual([refused.reply.status, refused.reply.json, refused.got[0].method], [404, { error: { message: "No such file" } }, "DELETE"]);
    assert.match(refused.reply.headers["x-request-id"], /^req_/);
    const { reply } = await through("openai", gzipped(200, { zipped: true }), () => gateway.send(at("/models")));
    assert.deepEqual([reply.json, reply.headers["content-encoding"]], [{ zipped: true }, undefined]);
  });

  test("who it is not for", async () => {
    for (const [route, options, status] of [
      ["/passthrough/nobody/v1/files", {}, 404],
      ["/passthrough/mock/v1/files", {}, 404],
      ["/passthrough/aws/model/x/invoke", {}, 400],
      [at("/files"), { key: LIMITED }, 403],
      [at("/files"), { key: undefined }, 401],
    ]) {
      const reply = await gateway.send(route, options);
      assert.equal(reply.status, status, `${route}: ${reply.text}`);
      assert.equal(reply.headers["x-portolan-error"], "caller");
    }
  });
});

describe("arrays for Gemini's callers", () => {
  const generate = (model, query = "") => gateway.send(`/v1beta/models/${model}:streamGenerateContent${query}`, { body: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] } });
  const text = (parts) => parts.map((part) => part.candidates?.[0]?.content?.parts?.map(({ text: said }) => said ?? "").join("") ?? "").join("");

  for (const [name, model, shape] of [["google", "google/gemini-2.5-pro", "google"], ["local", "local/m", "openai"]]) {
    test(`${name}: one array, its elements what events would be`, async () => {
      script(name, forever(speak(SHAPES[shape], { text: ["Good", " \"day\""], usage: { input: 11, output: 7 } }, { json, stream })));
      const reply = await generate(model);
      assert.deepEqual([reply.status, reply.headers["content-type"].split(";")[0]], [200, "application/json"], reply.text);
      assert.equal(text(reply.json), 'Good "day"');
      assert.deepEqual([reply.json.at(-1).candidates[0].finishReason, reply.json.at(-1).usageMetadata.candidatesTokenCount], ["STOP", 7]);
      assert.match(sent(name).at(-1).path, name === "google" ? /:streamGenerateContent\?alt=sse$/ : /chat\/completions$/);
      const events = await generate(model, "?alt=sse");
      assert.match(events.headers["content-type"], /^text\/event-stream/);
      assert.equal(text(events.frames.map((frame) => frame.json)), 'Good "day"');
    });

    test(`${name}: broken off, the array closes on an error`, async () => {
      const frames = SHAPES[shape].stream({ text: ["Good", " day"] });
      const reply = (await through(name, stream([...frames.slice(0, shape === "google" ? 1 : 2), CUT], { gap: 5 }), () => generate(model))).reply;
      assert.ok(Array.isArray(reply.json), reply.text);
      assert.equal(text(reply.json), "Good");
      assert.ok(reply.json.at(-1).error?.message, reply.text);
      assert.ok(!reply.text.includes("finishReason"), reply.text);
    });
  }

  test("a refusal before anything was said is an error like any other", async () => {
    const { reply } = await through("google", json(400, SHAPES.google.error(400, "Bad field.")), () => generate("google/gemini-2.5-pro"));
    assert.equal(reply.status, 400);
    const error = Array.isArray(reply.json) ? reply.json[0].error : reply.json.error;
    assert.deepEqual([error.code, error.message, error.status], [400, "Bad field.", "INVALID_ARGUMENT"]);
  });
});

describe("lossy: refuse", () => {
  const lossy = { logit_bias: { 50256: -100 } };

  test("400 that names the field, and nobody was asked", async () => {
    const before = sent("google").length;
    const reply = await ask(gateway, CALLERS.openai, { model: "strict", ...lossy });
    assert.equal(reply.status, 400, reply.text);
    assert.equal(reply.json.error.param, "logit_bias");
    assert.match(reply.json.error.message, /`strict`.*`logit_bias`/);
    assert.equal(sent("google").length, before);
  });

  test("a target that takes all of it serves", async () => {
    script("local", speak(SHAPES.openai, { text: "taken" }, { json, stream }));
    const reply = await ask(gateway, CALLERS.openai, { model: "choosy", ...lossy });
    assert.deepEqual([reply.status, reply.said.text, reply.headers["x-portolan-provider"], reply.headers["x-portolan-dropped"]], [200, "taken", "local", undefined], reply.text);
  });

  test("what loses nothing passes; without it what is lost is said", async () => {
    script("google", forever(speak(SHAPES.google, { text: "kept" }, { json, stream })));
    const kept = await ask(gateway, CALLERS.openai, { model: "strict" });
    assert.deepEqual([kept.status, kept.said.text, kept.headers["x-portolan-dropped"]], [200, "kept", undefined], kept.text);
    const said = await ask(gateway, CALLERS.openai, { model: "google/gemini-2.5-pro", ...lossy });
    assert.deepEqual([said.status, said.headers["x-portolan-dropped"]], [200, "logit_bias"], said.text);
  });
});
