// Spans and records that leave the Worker: what a collector and a webhook are told, and that neither can hurt a request.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, describe, test } from "node:test";

import { sleep } from "./lib/fleet.mjs";
import { Gateway, provider } from "./lib/gateway.mjs";
import { receiver } from "./lib/receiver.mjs";
import { Upstream, choose, forever, json } from "./lib/upstream.mjs";

const WAIT_MS = 15_000;
const CALLER_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER_SPAN = "00f067aa0ba902b7";
const SECRET = `whsec_${Buffer.from("a secret of the webhook's tests").toString("base64")}`;
const QUESTION = "what the user asked, seven-canary";

const [collector, webhook, upstream] = [await receiver(), await receiver(), await Upstream.start()];
const gateway = await Gateway.start({
  upstream,
  secrets: () => ({ OTLP_TOKEN: "otlp-token-canary-33cc", WEBHOOK_SECRET: SECRET, ENCRYPTION_SECRET: "an encryption secret of the tests" }),
  documents: (origin) => ({
    settings: {
      allow_private_upstreams: true,
      otlp: { endpoint: collector.origin, headers: { authorization: "Bearer ${OTLP_TOKEN}" }, metrics: false },
      records: { webhook: webhook.origin },
    },
    providers: Object.fromEntries(["sick", "well"].map((name) => [name, provider(origin, name, "openai")])),
    routes: { pair: { targets: ["sick/m", "well/m"] }, lone: { targets: ["well/m"] }, kept: { targets: ["well/m"], cache: { ttl_s: 60 } } },
  }),
});
upstream.script("sick", forever(json(503, { error: { message: "overloaded" } })));
const fine = { id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m-2026", choices: [{ index: 0, message: { role: "assistant", content: "pong" }, finish_reason: "stop" }], usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } };
upstream.script("well", forever(choose(() => json(200, fine))));
after(async () => {
  await gateway.stop();
  collector.stop();
  webhook.stop();
});

const call = (model, headers = {}) => gateway.send("/v1/chat/completions", { body: { model, messages: [{ role: "user", content: QUESTION }] }, headers });
const attributes = (span) => Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
const spans = () => collector.heard.flatMap(({ text }) => JSON.parse(text).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
const records = () => webhook.heard.flatMap(({ text }) => JSON.parse(text).data.records);

async function until(what, ask) {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const found = ask();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(100);
  }
}

/** The spans of a trace, once its request's is there. */
const traced = (trace) => until(`the spans of ${trace}`, () => {
  const found = spans().filter(({ traceId }) => traceId === trace);
  return found.some(({ kind }) => kind === 2) && found;
});

describe("a collector and a webhook", { concurrency: false }, () => {
  test("a failover is one trace of the caller's: a request, a try that failed, and one that served", async () => {
    const { status, headers } = await call("pair", { traceparent: `00-${CALLER_TRACE}-${CALLER_SPAN}-01`, tracestate: "vendor=canary-state", baggage: "user=canary-baggage" });
    assert.equal(status, 200);
    const found = await traced(CALLER_TRACE);
    const server = found.find(({ kind }) => kind === 2);
    const tries = found.filter(({ kind }) => kind === 3);
    assert.equal(server.parentSpanId, CALLER_SPAN);
    assert.ok(tries.length >= 2 && tries.every(({ parentSpanId }) => parentSpanId === server.spanId));
    assert.equal(new Set(found.map(({ spanId }) => spanId)).size, found.length);
    assert.match(headers.traceparent, new RegExp(`^00-${CALLER_TRACE}-${server.spanId}-01$`));
    const [first, last] = [tries[0], tries.at(-1)];
    assert.equal(first.status.code, 2);
    assert.equal(Number(attributes(first)["http.response.status_code"]), 503);
    assert.equal(attributes(last)["gen_ai.response.model"], "m-2026");
    assert.equal(Number(attributes(last)["gen_ai.usage.input_tokens"]), 12);
    assert.equal(Number(attributes(last)["gen_ai.usage.output_tokens"]), 3);
    assert.ok(last.links.some((link) => link.attributes.some(({ value }) => value.stringValue === "failover")), JSON.stringify(last.links));
    for (const span of found) assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
    const sent = upstream.requests("well").at(-1).headers;
    assert.equal(sent.traceparent, `00-${CALLER_TRACE}-${last.spanId}-01`);
    assert.deepEqual([sent.tracestate, sent.baggage], [undefined, undefined]);
    assert.equal(collector.heard[0].path, "/v1/traces");
    assert.equal(collector.heard[0].headers.authorization, "Bearer otlp-token-canary-33cc");
  });

  test("the caller's word not to sample holds", async () => {
    const trace = CALLER_TRACE.replace("4b", "5c");
    assert.equal((await call("lone", { traceparent: `00-${trace}-${CALLER_SPAN}-00` })).status, 200);
    const { headers } = await call("lone");
    await traced(headers["x-request-id"].replace("req_", ""));
    assert.ok(!spans().some(({ traceId }) => traceId === trace));
    assert.match(upstream.requests("well").at(-2).headers.traceparent, new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
  });

  test("an answer from the cache is a span of its own in the caller's trace", async () => {
    const trace = CALLER_TRACE.replace("4b", "6d");
    let answer = await call("kept");
    for (let tries = 0; answer.headers["x-portolan-cache"] !== "hit" && tries < 40; tries += 1) {
      await sleep(100);
      answer = await call("kept", { traceparent: `00-${trace}-${CALLER_SPAN}-01` });
    }
    assert.equal(answer.headers["x-portolan-cache"], "hit");
    const told = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(answer.headers.traceparent);
    assert.equal(told?.[1], trace);
    const own = await until("the span of the cached answer", () => spans().find(({ spanId }) => spanId === told[2]));
    assert.deepEqual([own.kind, own.parentSpanId, attributes(own)["portolan.cache"]], [2, CALLER_SPAN, "hit"]);
  });

  test("records come signed, and without a word of anybody's", async () => {
    const { headers } = await call("lone");
    const id = headers["x-request-id"];
    await until("the record", () => records().some((record) => record.id === id));
    for (const { headers: head, text } of webhook.heard) {
      const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
      const signature = createHmac("sha256", key).update(`${head["webhook-id"]}.${head["webhook-timestamp"]}.${text}`).digest("base64");
      assert.ok(head["webhook-signature"].split(" ").includes(`v1,${signature}`));
      assert.equal(JSON.parse(text).type, "records.created");
    }
    for (const { text } of [...webhook.heard, ...collector.heard]) assert.doesNotMatch(text, /canary|pong/);
  });

  test("a batch that was not taken comes again", async () => {
    webhook.answer = { status: 503, body: "" };
    const { headers } = await call("lone");
    const id = headers["x-request-id"];
    const told = () => webhook.heard.filter(({ text }) => text.includes(id)).length;
    await until("both tries", () => told() >= 2);
    const before = told();
    webhook.answer = { status: 200, body: "{}" };
    const deadline = Date.now() + 30_000;
    while (told() === before && Date.now() < deadline) {
      await call("lone");
      await sleep(1_000);
    }
    assert.ok(told() > before);
  });

  test("receivers that say nothing hold up no request", async () => {
    [collector.answer, webhook.answer] = [{ silent: true }, { silent: true }];
    const answers = await Promise.all(Array.from({ length: 40 }, () => call("lone")));
    assert.ok(answers.every(({ status }) => status === 200));
    await sleep(2_000);
    assert.equal((await call("lone")).status, 200);
    [collector.answer, webhook.answer] = [{ status: 200, body: "{}" }, { status: 200, body: "{}" }];
  });
});
