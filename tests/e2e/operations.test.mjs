// What is asked besides generating, through the built Worker: each path once, the bytes of forms included.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import OpenAI, { toFile } from "openai";

import { Gateway, KEY } from "./lib/gateway.mjs";
import { json } from "./lib/upstream.mjs";

const gateway = await Gateway.withLanes({ op: ["openai"] });
after(() => gateway.stop());
const openai = new OpenAI({ apiKey: KEY, baseURL: gateway.url("/v1"), maxRetries: 0 });
const UP = "op-openai";
const MODEL = `${UP}/m`;

async function ask(path, body, answer) {
  gateway.upstream.script(UP, json(200, answer));
  const count = gateway.upstream.requests(UP).length;
  const reply = await gateway.send(path, { body: JSON.stringify(body) });
  return { reply, sent: await gateway.upstream.request(UP, count) };
}

for (const [path, body, answer, to] of [
  ["/v1/embeddings", { input: "Hello" }, { object: "list", model: "m", data: [{ object: "embedding", index: 0, embedding: [0.5] }], usage: { prompt_tokens: 1, total_tokens: 1 } }, "/v1/embeddings"],
  ["/v1/rerank", { query: "q", documents: ["a", "b"] }, { results: [{ index: 1, relevance_score: 0.9 }] }, "/v1/rerank"],
  ["/v1/images/generations", { prompt: "a boat" }, { created: 1, data: [{ b64_json: "AAAA" }] }, "/v1/images/generations"],
]) {
  test(`${path} passes but for the model`, async () => {
    const { reply, sent } = await ask(path, { model: MODEL, odd: 1, ...body }, answer);
    assert.deepEqual([reply.status, reply.json, sent.path], [200, answer, to]);
    assert.deepEqual(sent.json, { model: "m", odd: 1, ...body });
  });
}

test("a video's form passes but for the model, and the job is found again", async () => {
  const picture = Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 256));
  gateway.upstream.script(UP, json(200, { id: "video_e2e", object: "video", status: "queued", model: "m" }));
  const count = gateway.upstream.requests(UP).length;
  const job = await openai.videos.create({ model: MODEL, prompt: "a boat 🚤", input_reference: await toFile(picture, "boat.png", { type: "image/png" }) });
  assert.equal(job.id, "video_e2e");
  const sent = await gateway.upstream.request(UP, count);
  assert.equal(sent.path, "/v1/videos");
  const form = await new Response(sent.body, { headers: { "content-type": sent.headers["content-type"] } }).formData();
  assert.deepEqual([form.get("model"), form.get("prompt")], ["m", "a boat 🚤"]);
  assert.ok(Buffer.from(await form.get("input_reference").arrayBuffer()).equals(picture));

  gateway.upstream.script(UP, json(200, { id: "video_e2e", object: "video", status: "completed" }), json(200, "the film", { "content-type": "video/mp4" }));
  assert.equal((await openai.videos.retrieve("video_e2e")).status, "completed");
  const film = await openai.videos.downloadContent("video_e2e");
  assert.equal(await film.text(), "the film");
  assert.deepEqual(gateway.upstream.requests(UP).slice(-2).map(({ method, path }) => [method, path]), [["GET", "/v1/videos/video_e2e"], ["GET", "/v1/videos/video_e2e/content"]]);
});

test("who does not do it is not asked", async () => {
  const reply = await gateway.send("/v1/moderations", { body: JSON.stringify({ model: MODEL, input: "x" }) });
  assert.equal(reply.status, 400);
  assert.match(reply.json.error.message, /does not do this/);
});

test("tokens are estimated where nobody counts", async () => {
  const body = JSON.stringify({ model: "mock/echo", messages: [{ role: "user", content: "How many tokens are these?" }] });
  const reply = await gateway.send("/v1/messages/count_tokens", { body });
  assert.equal(reply.headers["x-portolan-estimated"], "true");
  assert.ok(reply.json.input_tokens > 5 && reply.json.input_tokens < 20, reply.text);
});
