// What an attacker would try that takes the platform: redirects, bodies that unpack themselves, pages, other tenants'
// answers, raw HTTP. What the core decides alone is in tests/security.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, KEY, SECRETS, SETTINGS } from "./lib/gateway.mjs";
import { SHAPES } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const MB = 1 << 20;
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const key = (name) => `pk-${sha256(name).slice(0, 40)}`;
const [ALICE, BOB, LIMITED, DISABLED] = ["alice", "bob", "limited", "disabled"].map(key);
const PAGE = "https://app.example";

// Nobody may come here: each connection is noted.
const bait = net.createServer((socket) => { caught.push(socket.remotePort); socket.destroy(); });
const caught = [];
await new Promise((resolve) => { bait.listen(0, "127.0.0.1", resolve); });
const BAIT = `http://127.0.0.1:${bait.address().port}`;

const gateway = await Gateway.start({
  documents: (origin) => ({
    settings: { ...SETTINGS, max_body_bytes: MB, cors: { origins: [PAGE] } },
    providers: {
      openai: { base_url: `${origin}/openai/v1`, keys: ["${UP_KEY}"] },
      claude: { kind: "anthropic", base_url: `${origin}/claude`, keys: ["${UP_KEY_2}"] },
      google: { base_url: `${origin}/google`, keys: ["${UP_KEY}"] },
    },
    routes: { public: { targets: ["openai/gpt-5.4"] }, "merger-2027": { targets: ["openai/gpt-5.4"] } },
    [`key:${sha256(ALICE)}`]: { name: "alice", tenant: "a" },
    [`key:${sha256(BOB)}`]: { name: "bob", tenant: "b" },
    [`key:${sha256(LIMITED)}`]: { name: "limited", routes: ["public"] },
    [`key:${sha256(DISABLED)}`]: { name: "disabled", disabled: true },
  }),
});
const { upstream } = gateway;
after(() => { bait.close(); return gateway.stop(); });

const chat = (more = {}) => ({ model: "openai/gpt-5.4", messages: [{ role: "user", content: "Hello" }], ...more });
const ask = (body, options = {}) => gateway.send("/v1/chat/completions", { body, ...options });
const served = () => json(200, SHAPES.openai.answer({ text: ["Good day"] }));
const sent = (name) => upstream.requests(name);
/** Raw bytes to the Worker's own socket, and what comes back. */
const raw = (bytes) => new Promise((resolve, reject) => {
  const { hostname, port } = new URL(gateway.origin);
  const socket = net.connect(Number(port), hostname, () => socket.end(bytes));
  const chunks = [];
  socket.on("data", (chunk) => chunks.push(chunk)).on("close", () => resolve(Buffer.concat(chunks).toString())).on("error", reject);
  socket.setTimeout(5_000, () => { socket.destroy(); });
});

describe("redirects", () => {
  const leads = (status) => json(status, "", { location: `${BAIT}/latest/meta-data?key=canary` });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`${status} is followed by nobody`, async () => {
      for (const call of [
        () => ask(chat()),
        () => ask(chat({ stream: true })),
        () => gateway.send("/v1/messages", { body: { model: "openai/gpt-5.4", max_tokens: 9, messages: [{ role: "user", content: "Hi" }] } }),
        () => gateway.send("/passthrough/openai/v1/files"),
        () => gateway.send("/passthrough/openai/v1/files", { body: "x" }),
        () => gateway.send("/v1/responses/resp_1"),
      ]) {
        upstream.script("openai", forever(leads(status)));
        const reply = await call();
        assert.equal(reply.status, 502, reply.text);
        const told = reply.text + JSON.stringify(reply.headers);
        for (const secret of ["127.0.0.1", "meta-data", "canary", ...Object.values(SECRETS)]) assert.ok(!told.includes(secret), told);
      }
      assert.deepEqual(caught, []);
    });
  }

  test("nothing has changed is no redirect", async () => {
    upstream.script("openai", json(304, "", { etag: '"e"' }));
    const reply = await gateway.send("/passthrough/openai/v1/files/f", { headers: { "if-none-match": '"e"' } });
    assert.deepEqual([reply.status, reply.headers.etag], [304, '"e"']);
  });

  test("a status that there is not", async () => {
    for (const call of [() => ask(chat()), () => gateway.send("/passthrough/openai/v1/files")]) {
      for (const status of [600, 999]) {
        upstream.script("openai", forever(json(status, "{}")));
        const reply = await call();
        assert.ok(reply.status >= 500 && reply.status < 600, `${reply.status} ${reply.text}`);
      }
    }
    upstream.script("openai", forever(served()));
    assert.equal((await ask(chat())).status, 200, "the instance lives");
  });
});

test("URLs in bodies are nobody's to fetch here", async () => {
  const url = `${BAIT}/picture.png`;
  const parts = [{ type: "text", text: "What?" }, { type: "image_url", image_url: { url } }];
  const claude = [{ type: "text", text: "What?" }, { type: "image", source: { type: "url", url } }, { type: "document", source: { type: "url", url } }];
  for (const name of ["openai", "claude", "google"]) upstream.script(name, forever(json(400, { error: { message: "No.", type: "invalid_request_error" } })));
  for (const model of ["openai/gpt-5.4", "claude/claude-opus-4-8", "google/gemini-2.5-pro"]) {
    await ask(chat({ model, messages: [{ role: "user", content: parts }] }));
    await gateway.send("/v1/messages", { body: { model, max_tokens: 9, messages: [{ role: "user", content: claude }] } });
    await gateway.send(`/v1beta/models/${encodeURIComponent(model)}:generateContent`, { body: { contents: [{ role: "user", parts: [{ fileData: { fileUri: url, mimeType: "image/png" } }] }] } });
    await gateway.send("/v1/responses", { body: { model, input: [{ role: "user", content: [{ type: "input_image", image_url: url }, { type: "input_file", file_url: url }] }] } });
  }
  const all = ["openai", "claude", "google"].flatMap((name) => sent(name)).map(({ text }) => text).join("");
  assert.ok(all.includes(url), "a provider is told of it");
  assert.deepEqual(caught, []);
});

describe("sizes", () => {
  test("an answer that unpacks itself to more than an isolate holds", async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MB, 0x20));
    upstream.script("openai", forever(json(200, bomb, { "content-encoding": "gzip" })));
    const reply = await ask(chat());
    assert.equal(reply.status, 502, reply.text.slice(0, 300));
    upstream.script("openai", forever(served()));
    assert.equal((await ask(chat())).status, 200);
  });

  test("an answer of chunks without an end", async () => {
    upstream.script("openai", forever(async (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const piece = Buffer.alloc(MB, 0x20);
      for (let n = 0; n < 80 && !response.destroyed; n += 1) {
        if (!response.write(piece)) await new Promise((resolve) => { response.once("drain", resolve).once("close", resolve); });
      }
      response.end("{}");
    }));
    const reply = await ask(chat());
    assert.equal(reply.status, 502, reply.text.slice(0, 300));
  });

  test("a body in chunks is counted as it comes", async () => {
    upstream.script("openai", forever(served()));
    const reply = await new Promise((resolve, reject) => {
      const request = http.request(gateway.url("/v1/chat/completions"), { method: "POST", headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" } }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      request.on("error", reject);
      for (let n = 0; n < 8; n += 1) request.write(Buffer.alloc(MB / 2, 0x20));
      request.end();
    });
    assert.equal(reply, 413);
  });

  test("a packed body is refused with words", async () => {
    const reply = await ask(gzipSync(JSON.stringify(chat())), { headers: { "content-encoding": "gzip" } });
    assert.equal(reply.status, 400);
    assert.match(reply.json.error.message, /content-encoding: gzip/);
  });

  test("JSON as deep as it comes leaves the instance alive", async () => {
    upstream.script("openai", forever(served()));
    upstream.script("claude", forever(json(400, { error: { message: "No.", type: "invalid_request_error" } })));
    const nest = (depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    for (const depth of [100, 124, 128, 20_000]) {
      for (const model of ["openai/gpt-5.4", "claude/claude-opus-4-8", "google/gemini-2.5-pro"]) {
        const parameters = `{"model":"${model}","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":${nest(depth)}}}]}`;
        const reply = await ask(parameters);
        assert.ok(reply.status < 500 || reply.headers["x-portolan-error"] === "provider", `${depth} ${model}: ${reply.status} ${reply.text}`);
        const args = JSON.stringify(nest(depth));
        const turns = `{"model":"${model}","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":${args}}}]},{"role":"tool","tool_call_id":"t","content":"x"}]}`;
        assert.ok((await ask(turns)).status < 600);
      }
      upstream.script("claude", json(200, `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"t","name":"f","input":${nest(depth)}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`), forever(json(400, {})));
      await ask(chat({ model: "claude/claude-opus-4-8" }));
    }
    assert.equal((await ask(chat())).status, 200);
    assert.ok(!gateway.lines.some((line) => /unreachable|RuntimeError|stack/i.test(line)), gateway.lines.slice(-5).join("\n"));
  });
});

describe("web pages", () => {
  const asked = (path, origin, method = "OPTIONS") => send(gateway.url(path), { method, headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" } });

  test("a listed page may, on every path for callers, and may read refusals", async () => {
    upstream.script("openai", forever(json(200, { data: [] }, { "access-control-allow-origin": "*", "access-control-allow-credentials": "true" })));
    for (const path of ["/v1/chat/completions", "/v1/models", "/passthrough/openai/v1/files", "/v1/responses/resp_1", "/v1beta/models/x:generateContent"]) {
      const reply = await asked(path, PAGE);
      assert.deepEqual([reply.status, reply.headers["access-control-allow-origin"], reply.headers["access-control-allow-headers"]], [204, PAGE, "authorization"], path);
      const other = await asked(path, "https://evil.example");
      assert.deepEqual([other.headers["access-control-allow-origin"], other.headers["access-control-allow-methods"], other.headers.vary], [undefined, undefined, "origin"], path);
    }
    for (const [path, options] of [["/v1/models", {}], ["/passthrough/openai/v1/files", {}], ["/v1/responses/resp_1", {}], ["/v1/chat/completions", { body: {} }], ["/v1/models", { key: "pk-nobody" }], ["/passthrough/openai/v1/files", { key: "pk-nobody" }]]) {
      const reply = await gateway.send(path, { ...options, headers: { origin: PAGE } });
      assert.equal(reply.headers["access-control-allow-origin"], PAGE, path);
      assert.equal(reply.headers["access-control-allow-credentials"], undefined, path);
      for (const origin of ["https://evil.example", "null", `${PAGE}.evil.example`]) {
        assert.equal((await gateway.send(path, { ...options, headers: { origin } })).headers["access-control-allow-origin"], undefined, path);
      }
    }
  });

  test("no page may call the operator's paths", async () => {
    for (const path of ["/admin/v1/config", "/admin/v1/requests", "/admin/v1/health/openai"]) {
      for (const origin of [PAGE, "https://evil.example", "null"]) {
        const reply = await asked(path, origin);
        assert.deepEqual([reply.headers["access-control-allow-origin"], reply.headers["access-control-allow-methods"]], [undefined, undefined], path);
        assert.equal((await send(gateway.url(path), { key: ADMIN, headers: { origin } })).status, 403, path);
      }
      assert.equal((await send(gateway.url(path), { key: ADMIN, headers: { "sec-fetch-site": "cross-site" } })).status, 403, path);
    }
    const own = await send(gateway.url("/admin/v1/config"), { key: ADMIN, headers: { origin: new URL(gateway.url("/")).origin, "sec-fetch-site": "same-origin" } });
    assert.deepEqual([own.status, own.headers["cache-control"], own.headers["x-content-type-options"]], [200, "no-store", "nosniff"]);
    const form = await send(gateway.url("/admin/v1/health/openai"), { method: "PUT", key: ADMIN, body: '{"action":"drain"}', headers: { "content-type": "text/plain" } });
    assert.equal(form.status, 400, form.text);
    assert.equal((await send(gateway.url("/admin/v1/config"), { headers: { cookie: `token=${ADMIN}` } })).status, 401);
    assert.equal((await send(gateway.url(`/admin/v1/config?key=${ADMIN}`))).status, 401);
    assert.equal((await send(gateway.url("/admin/v1/config"), { key: KEY })).status, 401);
  });

  test("a file that is a page runs nothing at the gateway's address", async () => {
    upstream.script("openai", forever(json(200, "<script>alert(1)</script>", { "content-type": "text/html", "set-cookie": "a=b", "content-security-policy": "default-src *", "cache-control": "public, max-age=9999", "strict-transport-security": "max-age=1" })));
    const reply = await send(gateway.url(`/passthrough/openai/v1/files/f/content?key=${KEY}`));
    assert.equal(reply.status, 200, reply.text);
    assert.match(reply.headers["content-security-policy"], /^sandbox/);
    assert.deepEqual(["x-content-type-options", "cache-control", "set-cookie", "strict-transport-security"].map((name) => reply.headers[name]), ["nosniff", "private, no-store", undefined, undefined]);
    assert.ok(!JSON.stringify(sent("openai").at(-1)).includes(KEY));
  });
});

describe("tenants", () => {
  const whole = (id) => ({ id, object: "response", created_at: 1, status: "completed", model: "gpt-5.4", output: [{ id: "msg_1", type: "message", status: "completed", role: "assistant", content: [{ type: "output_text", annotations: [], text: "secret of a" }] }], usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } });
  const respond = (key, more = {}) => gateway.send("/v1/responses", { key, body: { model: "openai/gpt-5.4", input: "Hi", store: true, ...more } });

  before(async () => {
    upstream.script("openai", json(200, whole("resp_of_alice")));
    assert.equal((await respond(ALICE)).status, 200);
  });

  test("what one stored, another can neither read, delete nor go on from", async () => {
    upstream.script("openai", forever(json(200, whole("resp_of_alice"))));
    const count = sent("openai").length;
    for (const id of ["resp_of_alice", "resp_of_nobody"]) {
      for (const [method, rest] of [["GET", ""], ["GET", "/input_items"], ["DELETE", ""], ["POST", "/cancel"]]) {
        const reply = await gateway.send(`/v1/responses/${id}${rest}`, { key: BOB, method });
        assert.equal(reply.status, 404, reply.text);
        assert.ok(!reply.text.includes("secret of a"));
      }
      const reply = await respond(BOB, { previous_response_id: id });
      assert.deepEqual([reply.status, reply.json.error.param], [404, "previous_response_id"], reply.text);
    }
    assert.equal(sent("openai").length, count, "nobody was asked");
    assert.equal((await gateway.send("/v1/responses/resp_of_alice", { key: ALICE })).status, 200);
    assert.equal((await respond(ALICE, { previous_response_id: "resp_of_alice" })).status, 200);
  });

  test("the same after the isolate is another", async () => {
    await gateway.recorded("openai");
    await new Promise((resolve) => { setTimeout(resolve, 2_500); });
    await gateway.restart();
    upstream.script("openai", forever(json(200, whole("resp_of_alice"))));
    assert.equal((await gateway.send("/v1/responses/resp_of_alice", { key: BOB })).status, 404);
    assert.equal((await gateway.send("/v1/responses/resp_of_alice", { key: ALICE })).status, 200);
  });

  test("a provider's own paths are not for tenants", async () => {
    const count = sent("openai").length;
    for (const tenant of [ALICE, BOB, LIMITED]) {
      assert.equal((await gateway.send("/passthrough/openai/v1/files", { key: tenant })).status, 403);
    }
    assert.equal(sent("openai").length, count);
  });
});

describe("keys", () => {
  test("guesses are answered alike", async () => {
    const answers = [];
    for (const guess of [key("nobody"), key("nobody else"), "pk-short", "x", "config@good", `key:${sha256(ALICE)}`, "__proto__", "' OR 1=1"]) {
      const reply = await gateway.send("/v1/models", { key: guess });
      assert.equal(reply.status, 401, guess);
      const { date, "x-request-id": id, "request-id": same, ...headers } = reply.headers;
      answers.push(JSON.stringify([headers, reply.text.replaceAll(id, "")]));
      assert.ok(!reply.text.includes(guess) && id === same);
    }
    assert.equal(new Set(answers).size, 1, answers.join("\n"));
    assert.match((await gateway.send("/v1/models", { key: DISABLED })).json.error.message, /disabled/);
  });

  test("a limited key sees its own routes alone", async () => {
    const list = await gateway.send("/v1/models", { key: LIMITED });
    assert.deepEqual(list.json.data.map(({ id }) => id), ["public"]);
    const refusals = [];
    for (const model of ["merger-2027", "merger-2028", "openai/gpt-5.4", "nothing"]) {
      const reply = await ask(chat({ model }), { key: LIMITED });
      refusals.push(`${reply.status} ${reply.json.error.message.replace(`\`${model}\``, "it")}`);
    }
    assert.equal(new Set(refusals).size, 1, refusals.join("\n"));
    for (const place of [{ models: ["merger-2027"] }, { fallbacks: ["openai/gpt-5.4"] }]) {
      assert.equal((await ask(chat({ model: "public", ...place }), { key: LIMITED })).status, 403);
    }
    assert.equal((await ask(chat({ model: "public" }), { key: LIMITED, headers: { "x-portolan-route": "merger-2027" } })).status, 403);
    const twice = '{"model":"public","Model":"openai/gpt-5.4","messages":[{"role":"user","content":"x"}]}';
    assert.equal((await ask(twice, { key: LIMITED })).status, 400);
  });

  test("no key, token or credential is in a log or a record", async () => {
    upstream.script("openai", forever(json(400, { error: { message: `Bad header: Bearer ${SECRETS.UP_KEY}`, type: "invalid_request_error" } })));
    const reply = await ask(chat());
    assert.ok(!reply.text.includes(SECRETS.UP_KEY), reply.text);
    await gateway.send(`/v1beta/models/openai%2Fgpt-5.4:generateContent?key=${ALICE}`, { key: undefined, body: { contents: [{ parts: [{ text: "x" }] }] } });
    await new Promise((resolve) => { setTimeout(resolve, 1_500); });
    const told = gateway.lines.join("\n") + JSON.stringify(await gateway.admin("/admin/v1/requests?limit=500"));
    for (const secret of [KEY, ADMIN, ALICE, BOB, LIMITED, ...Object.values(SECRETS)]) assert.ok(!told.includes(secret), secret);
  });
});

describe("raw HTTP", () => {
  const head = (line, more = "") => `${line}\r\nHost: gw.example\r\nAuthorization: Bearer ${KEY}\r\nConnection: close\r\n${more}\r\n`;

  test("paths are not walked out of", async () => {
    upstream.script("openai", forever(json(200, { ok: true })));
    for (const path of ["/passthrough/openai/v1/../../elsewhere/v1/x", "/passthrough/openai/v1/%2e%2e/%2e%2e/elsewhere/x", "/passthrough/openai/v1/..%2f..%2felsewhere/x", "/passthrough/openai/v1\\..\\..\\elsewhere", "/passthrough/openai/v1/..;/x", "/passthrough/openai/v1/%252e%252e/x"]) {
      await raw(head(`GET ${path} HTTP/1.1`));
    }
    for (const { path } of sent("openai")) assert.ok(path.startsWith("/v1/") && !/\.\.|%2e/i.test(path), path);
    assert.deepEqual(sent("elsewhere"), []);
  });

  test("methods and upgrades that are none of ours", async () => {
    for (const [line, more] of [["TRACE /v1/chat/completions HTTP/1.1"], ["PUT /v1/models HTTP/1.1", "Content-Length: 0\r\n"], ["GET /passthrough/openai/v1/realtime HTTP/1.1", "Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"]]) {
      const answer = await raw(head(line, more));
      assert.ok(!answer.includes(KEY) && !/^HTTP\/1.1 101/.test(answer), answer.slice(0, 200));
    }
    upstream.script("openai", forever(served()));
    assert.equal((await ask(chat())).status, 200);
  });

  test("two lengths, or a length and chunks, are not read in two ways", async () => {
    const count = sent("openai").length;
    const body = JSON.stringify(chat());
    for (const more of [`Content-Length: ${body.length}\r\nContent-Length: 5\r\n`, `Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`, "Transfer-Encoding: xchunked\r\n", `Content-Length: +${body.length}\r\n`]) {
      const answer = await raw(`${head("POST /v1/chat/completions HTTP/1.1", `Content-Type: application/json\r\n${more}`)}${body}`);
      assert.match(answer, /^HTTP\/1.1 (4|5)|^$/, answer.slice(0, 200));
    }
    assert.equal(sent("openai").length, count);
  });

  test("what the operator's queries ask is no SQL", async () => {
    for (const query of ["?limit=1;DROP TABLE facts", "?before=1) OR 1=1 --", "?limit=-1", "?response=' OR 1=1 --", "?limit=99999999999999999999", "?status=200) OR (1=1", "?min_ms=0 OR 1=1"]) {
      const reply = await send(gateway.url(`/admin/v1/requests${encodeURI(query)}`), { key: ADMIN });
      assert.ok(reply.status === 400 && query.startsWith(`?${reply.json.error.path}=`), `${query}: ${reply.status} ${reply.text.slice(0, 200)}`);
    }
    const { data } = await gateway.admin("/admin/v1/requests");
    assert.ok(data.length > 0, "the records are there");
    for (const quoted of ["?id=' OR '1'='1", "?key=' OR 1=1 --", "?model=m') OR 1=1 --", "?tenant=' OR 1=1 --"]) {
      assert.deepEqual((await gateway.admin(`/admin/v1/requests${encodeURI(quoted)}`)).data, [], quoted);
    }
  });
});

test("a stream's headers are the gateway's own", async () => {
  upstream.script("openai", forever(stream(SHAPES.openai.stream({ text: ["Good", " day"] }), { headers: { "set-cookie": "a=b", "alt-svc": 'h3=":443"', "openai-organization": "org-1", "access-control-allow-origin": "*" } })));
  const reply = await ask(chat({ stream: true }));
  assert.equal(reply.status, 200);
  for (const name of ["set-cookie", "alt-svc", "openai-organization", "access-control-allow-origin"]) assert.equal(reply.headers[name], undefined, name);
  assert.equal(reply.headers["x-content-type-options"], "nosniff");
});
