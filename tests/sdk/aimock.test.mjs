// The gateway in front of a mock that nobody here wrote: @copilotkit/aimock, playing the providers of every dialect it knows.
//
// Its known gaps are no failures here: it counts no tokens, serves Gemini below /v1beta only, numbers no Responses events, and
// its Gemini once said FUNCTION_CALL for STOP.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { LLMock } from "@copilotkit/aimock";

import { Gateway, KEY } from "../e2e/lib/gateway.mjs";
import { clients } from "./lib/clients.mjs";

const WORD = "sk-aimock-upstream";
const TEXT = "Sunny, 21 °C in \"Lisboa\" ☀️";
const THOUGHT = "The user wants the weather.";
const WEATHER = {
  name: "get_weather",
  description: "The weather of a city.",
  schema: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } }, required: ["city"] },
};
const CALLS = [
  { id: "call_one", name: "get_weather", args: { city: "Lisboa", days: 2 } },
  { id: "call_two", name: "get_weather", args: { city: "Porto \"do\" mar\n" } },
];
/** In every dialect's words; the mock takes those of its own. */
const USAGE = {
  prompt_tokens: 120, completion_tokens: 30, total_tokens: 150, input_tokens: 120, output_tokens: 30,
  promptTokenCount: 120, candidatesTokenCount: 30, totalTokenCount: 150,
};

/** How the gateway reaches each of the mock's endpoints. A name of the catalog's own keeps what is known of its models. */
const PROVIDERS = {
  chat: { kind: "openai", base: "/v1", model: "m" },
  responses: { name: "openai", base: "/v1", model: "m-codex" },
  anthropic: { kind: "anthropic", base: "", model: "m" },
  gemini: { kind: "google", base: "", model: "m" },
  cohere: { kind: "cohere", base: "", model: "m" },
  converse: { kind: "bedrock", base: "", model: "amazon.m" },
  "claude on bedrock": { kind: "bedrock", base: "", model: "anthropic.claude-m" },
};
/** What goes wrong, by the model that is asked. */
const FAULTS = {
  cut: { truncateAfterChunks: 3 },
  gone: { disconnectAfterMs: 60, latency: 25 },
  dropped: { chaos: { dropRate: 1 } },
  garbled: { chaos: { malformedRate: 1 } },
  reset: { chaos: { disconnectRate: 1 } },
  limited: { chaos: { rateLimitRate: 1 } },
};
const STATUSES = { 400: [400], 401: [502], 403: [502], 404: [404], 429: [429], 500: [500], 503: [503] };

const mock = new LLMock({ port: 0, chunkSize: 7 });
const name = (flavour) => PROVIDERS[flavour].name ?? `aimock-${flavour.replaceAll(" ", "-")}`;
const model = (flavour, what = "") => `${name(flavour)}/${PROVIDERS[flavour].model}${what && `-${what}`}`;
const named = (what) => new RegExp(`-${what}$`);

let gateway;
before(async () => {
  mock.on({ model: named("think") }, { content: TEXT, reasoning: THOUGHT, usage: USAGE });
  for (const [fault, how] of Object.entries(FAULTS)) mock.on({ model: named(fault) }, { content: TEXT.repeat(8), usage: USAGE }, how);
  for (const status of Object.keys(STATUSES)) mock.on({ model: named(status) }, { error: { message: "the mock says no" }, status: Number(status) });
  mock.on({ userMessage: "tools", hasToolResult: true }, { content: "Both are sunny.", usage: USAGE });
  const toolCalls = CALLS.map(({ id, name: tool, args }) => ({ id, name: tool, arguments: JSON.stringify(args) }));
  mock.on({ userMessage: "tools and text" }, { content: "Let me look.", toolCalls, usage: USAGE });
  mock.on({ userMessage: "tools" }, { toolCalls, usage: USAGE });
  mock.on({}, { content: TEXT, usage: USAGE });
  await mock.start();
  const known = { context: 131_072, max_output: 8192, supports: ["tools", "json_schema", "reasoning"], price: { input: 1, output: 2 } };
  const models = (own) => Object.fromEntries(["", "think", ...Object.keys(FAULTS), ...Object.keys(STATUSES)].map((what) => [what ? `${own}-${what}` : own, known]));
  const entries = Object.entries(PROVIDERS).map(([flavour, { kind, base, model: own }]) => [
    name(flavour), { ...(kind && { kind }), base_url: mock.url + base, keys: ["${UP_KEY}"], models: models(own) },
  ]);
  gateway = await Gateway.start({
    documents: () => ({ settings: { allow_private_upstreams: true }, providers: Object.fromEntries(entries) }),
    bindings: { GATEWAY_KEY: KEY, ADMIN_TOKEN: "aimock-admin-token", UP_KEY: WORD, AWS_REGION: "eu-north-1" },
  });
});
after(async () => {
  await gateway?.stop();
  await mock.stop();
});

const args = (calls) => calls.map(({ name: tool, args: input }) => ({ name: tool, args: input }));
const CALLERS = ["openai responses", "@google/genai", "langchain openai", "ai + anthropic"];
const sdk = (caller) => clients(new URL(gateway.origin).origin, KEY)[caller];
const refused = (caller, ask) => sdk(caller).ask({ prompt: "Tell me.", ...ask }).then(() => assert.fail("no error"), (error) => error);

for (const caller of CALLERS) {
  for (const flavour of Object.keys(PROVIDERS)) {
    describe(`${caller} on the mock's ${flavour}`, () => {
      for (const stream of [false, true]) {
        const how = stream ? "streamed" : "whole";

        test(`text and usage, ${how}`, async () => {
          const answer = await sdk(caller).ask({ model: model(flavour), system: "Be brief.", prompt: "Tell me.", stream });
          assert.equal(answer.text, TEXT);
          // The mock's invoked Claude ends each stream with no output counted.
          const output = stream && flavour === "claude on bedrock" ? 0 : 30;
          assert.deepEqual(answer.usage, { input: 120, output });
          assert.equal(mock.getLastRequest().response.status, 200);
        });

        test(`thoughts do not mix with text, ${how}`, async () => {
          const answer = await sdk(caller).ask({ model: model(flavour, "think"), prompt: "Tell me.", stream });
          // The mock's Cohere tells thoughts as text.
          assert.equal(answer.text, flavour === "cohere" ? THOUGHT + TEXT : TEXT);
        });

        test(`two tool calls at once, ${how}`, async () => {
          const ask = { model: model(flavour), prompt: "Use the tools.", tools: [WEATHER], stream };
          const first = await sdk(caller).ask(ask);
          assert.deepEqual(args(first.calls), args(CALLS));
          const second = await sdk(caller).ask({ ...ask, history: [{ ...first, results: ["sunny in Lisboa", "sunny in Porto"] }] });
          assert.equal(second.text, "Both are sunny.");
        });

        test(`text before two tool calls, ${how}`, async () => {
          const answer = await sdk(caller).ask({ model: model(flavour), prompt: "Use tools and text.", tools: [WEATHER], stream });
          assert.equal(answer.text, "Let me look.");
          assert.deepEqual(args(answer.calls), args(CALLS));
        });
      }

      for (const [status, expected] of Object.entries(STATUSES)) {
        test(`its ${status} is raised as one`, async () => {
          const error = await refused(caller, { model: model(flavour, status), stream: Number(status) % 2 === 1 });
          const { status: told } = sdk(caller).raises(error);
          assert.ok(expected.includes(told), `${told}: ${error.message}`);
          assert.ok(!String(error.message).includes(WORD));
        });
      }

      for (const fault of Object.keys(FAULTS)) {
        test(`a stream that is ${fault} is never a whole answer`, async () => {
          const error = await refused(caller, { model: model(flavour, fault), stream: true });
          // Something that was told, and not an answer that some SDK stumbles over.
          assert.ok(!(error instanceof TypeError) && !/abort|timeout/i.test(error.name), error);
          if (fault === "limited") assert.equal(sdk(caller).raises(error).status, 429, error.message);
        });
      }

      for (const [fault, expected] of Object.entries({ dropped: [500, 502, 503], garbled: [502], reset: [502, 503], limited: [429] })) {
        test(`an answer that is ${fault} is an error`, async () => {
          const { status } = sdk(caller).raises(await refused(caller, { model: model(flavour, fault) }));
          assert.ok(expected.includes(status), String(status));
        });
      }
    });
  }
}
