// What is refused before any provider hears of it, and in which words.
import assert from "node:assert/strict";
import http from "node:http";
import { after, describe, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { send } from "./lib/client.mjs";
import { Gateway, KEY, SETTINGS } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const MB = 1 << 20;
const MAX_BODY = 12 * MB;

const gateway = await Gateway.withLanes({ req: ["openai"], "smart-route": ["openai"] }, () => ({
  settings: { ...SETTINGS, max_body_bytes: MAX_BODY },
}));
gateway.upstream.script("req-openai", forever(speak(SHAPES.openai, { text: "served" }, { json, stream })));
after(() => gateway.stop());

const CHAT = CALLERS.openai.path;
const MESSAGES = CALLERS.anthropic.path;
const body = CALLERS.openai.body({ model: "req" });
const served = () => gateway.upstream.requests("req-openai").length;

/** A refusal, in the dialect of the path, that no provider heard of. */
async function refused(route, options, status, { openai, anthropic }) {
  const before = served();
  const answer = await send(gateway.url(route), options);
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers["x-portolan-error"], "caller");
  assert.match(answer.headers["x-request-id"], /\S{8,}/);
  if (anthropic) {
    assert.equal(answer.json?.type, "error", answer.text);
    assert.equal(answer.json.error.type, anthropic);
  } else {
    assert.equal(answer.json?.error?.type, openai, answer.text);
  }
  assert.ok(answer.json.error.message.length > 10, "it does not say what to do");
  assert.equal(served(), before, "a provider was asked");
  return answer;
}

describe("keys", () => {
  const places = {
    "Authorization: Bearer": { headers: { authorization: `Bearer ${KEY}` } },
    "x-api-key": { headers: { "x-api-key": KEY } },
    "x-goog-api-key": { headers: { "x-goog-api-key": KEY } },
    "api-key": { headers: { "api-key": KEY } },
    "?key=": { query: `?key=${KEY}` },
  };
  for (const [place, { headers, query = "" }] of Object.entries(places)) {
    test(`${place} lets in, and goes no further`, async () => {
      const before = served();
      const answer = await send(gateway.url(CHAT + query), { body, headers });
      assert.equal(answer.status, 200, answer.text);
      const sent = gateway.upstream.requests("req-openai")[before];
      assert.ok(!JSON.stringify([sent.path, sent.headers]).includes(KEY));
    });
  }

  const wrong = [
    ["no key", {}],
    ["a wrong key", { key: "pk-wrong" }],
    ["a key with one letter more", { key: `${KEY}x` }],
    ["an empty key", { headers: { authorization: "Bearer " } }],
    ["another scheme", { headers: { authorization: `Basic ${Buffer.from(KEY).toString("base64")}` } }],
  ];
  for (const [what, options] of wrong) {
    for (const [caller, type] of [["openai", "invalid_request_error"], ["anthropic", "authentication_error"]]) {
      test(`${what}: 401 in ${caller}'s words`, async () => {
        const { path, headers } = CALLERS[caller];
        const answer = await refused(path, { body: CALLERS[caller].body({ model: "req" }), ...options, headers: { ...headers, ...options.headers } }, 401, { [caller]: type });
        assert.ok(!answer.text.includes(KEY.slice(0, 12)) && !answer.text.includes("pk-wrong"), "a key in an error");
        if (caller === "openai") assert.equal(answer.json.error.code, "invalid_api_key");
      });
    }
  }

  test("the admin API takes the admin token and no gateway key", async () => {
    for (const [key, status] of [[undefined, 401], [KEY, 401]]) {
      assert.equal((await send(gateway.url("/admin/v1/requests"), { key })).status, status);
    }
    assert.ok(Array.isArray((await gateway.admin("/admin/v1/requests?limit=1")).data));
  });
});

describe("bodies", () => {
  const bad = [
    ["no JSON", '{"model": "req", '],
    ["an array", "[]"],
    ["a string", '"req"'],
    ["nothing", ""],
    ["no model", '{"messages":[{"role":"user","content":"hi"}]}'],
    ["a model that is no string", '{"model":7,"messages":[{"role":"user","content":"hi"}]}'],
    ["a member twice", '{"model":"req","messages":[],"model":"other"}'],
    ["a member twice, once in escapes", '{"model":"req","messages":[],"\\u006dodel":"other"}'],
    ["something after the end", '{"model":"req","messages":[]} {}'],
    ["bytes that are not UTF-8", Buffer.concat([Buffer.from('{"model":"req","x":"'), Buffer.of(0xff, 0xfe), Buffer.from('"}')])],
  ];
  for (const [what, text] of bad) {
    test(`${what}: 400`, async () => {
      await refused(CHAT, { key: KEY, body: text }, 400, { openai: "invalid_request_error" });
      await refused(MESSAGES, { key: KEY, body: text, headers: CALLERS.anthropic.headers }, 400, { anthropic: "invalid_request_error" });
    });
  }

  test("10 MB pass, byte for byte", async () => {
    const prompt = "abcdefghij".repeat(MB);
    const before = served();
    const answer = await ask(gateway, CALLERS.openai, { model: "req-openai/m", prompt });
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
    assert.equal(gateway.upstream.requests("req-openai")[before].json.messages[0].content.length, prompt.length);
  });

  test("more than max_body_bytes: 413 that says the limit", async () => {
    const answer = await refused(CHAT, { key: KEY, body: JSON.stringify({ ...body, filler: "x".repeat(MAX_BODY) }) }, 413, { openai: "invalid_request_error" });
    assert.match(answer.json.error.message, /12|12582912/);
  });
});

describe("names", () => {
  test("an unknown model: 404 with the nearest names", async () => {
    const chat = await refused(CHAT, { key: KEY, body: { ...body, model: "smart-rout" } }, 404, { openai: "invalid_request_error" });
    assert.equal(chat.json.error.code, "model_not_found");
    assert.match(chat.json.error.message, /smart-route/);
    const messages = await refused(MESSAGES, { key: KEY, body: CALLERS.anthropic.body({ model: "smart-rout" }), headers: CALLERS.anthropic.headers }, 404, { anthropic: "not_found_error" });
    assert.match(messages.json.error.message, /smart-route/);
  });

  test("an unknown provider: 404", async () => {
    await refused(CHAT, { key: KEY, body: { ...body, model: "nobody/m" } }, 404, { openai: "invalid_request_error" });
  });

  for (const route of ["/chat/completions", "/openai/v1/chat/completions"]) {
    test(`${route} is another way in`, async () => {
      assert.equal((await gateway.send(route, { body })).status, 200);
    });
  }
  for (const route of ["/messages", "/anthropic/v1/messages", "/v1/messages?beta=true"]) {
    test(`${route} is another way in`, async () => {
      const answer = await gateway.send(route, { body: CALLERS.anthropic.body({ model: "req" }), headers: CALLERS.anthropic.headers });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.type, "message");
    });
  }
});

describe("paths and methods", () => {
  test("a wrong method: 405 that names the right one", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await send(gateway.url(CHAT), { key: KEY, method });
      assert.equal(answer.status, 405, `${method}: ${answer.text}`);
      assert.match(answer.headers.allow, /POST/);
      assert.ok(answer.json?.error?.message);
    }
  });

  test("an unknown path: 404 in the path's dialect", async () => {
    await refused("/v1/nothing/here", { key: KEY, body }, 404, { openai: "invalid_request_error" });
    await refused("/anthropic/v1/nothing", { key: KEY, body }, 404, { anthropic: "not_found_error" });
  });

  test("HEAD /api/hello: 200 without a key", async () => {
    assert.equal((await send(gateway.url("/api/hello"), { method: "HEAD" })).status, 200);
  });

  test("/livez and /readyz: 200 without a key", async () => {
    assert.equal((await send(gateway.url("/livez"))).status, 200);
    const ready = await send(gateway.url("/readyz"));
    assert.equal(ready.status, 200, ready.text);
    assert.equal(ready.json.ok, true);
  });

  test("a WebSocket on /v1/responses: 426, so that Codex falls back", async () => {
    const request = http.request(gateway.url("/v1/responses"), {
      agent: false,
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", authorization: `Bearer ${KEY}` },
    });
    const status = await new Promise((resolve, reject) => {
      request.on("response", (response) => { response.resume(); resolve(response.statusCode); });
      request.on("upgrade", (response, socket) => { socket.destroy(); resolve(response.statusCode); });
      request.on("error", reject);
      request.end();
    });
    assert.equal(status, 426);
  });

  test("CORS is off", async () => {
    const headers = { origin: "https://somewhere.example" };
    const asked = await send(gateway.url(CHAT), { method: "OPTIONS", headers: { ...headers, "access-control-request-method": "POST" } });
    const answer = await gateway.send(CHAT, { body, headers });
    for (const { headers: got } of [asked, answer]) assert.equal(got["access-control-allow-origin"], undefined);
  });

  test("the caller's own request id is echoed beside ours, and never is ours", async () => {
    const mine = "caller-made-this-up-0001";
    const first = await gateway.send(CHAT, { body, headers: { "x-request-id": mine } });
    const second = await gateway.send(CHAT, { body, headers: { "x-request-id": mine } });
    assert.equal(first.headers["x-client-request-id"], mine);
    assert.notEqual(first.headers["x-request-id"], mine);
    assert.notEqual(first.headers["x-request-id"], second.headers["x-request-id"]);
  });
});
