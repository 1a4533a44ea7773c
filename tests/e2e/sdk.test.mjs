// The official SDKs, unchanged but for base URL and key, on every upstream dialect and on the mock.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

import { Gateway, KEY } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { endless, forever, json, stream } from "./lib/upstream.mjs";

const FLAVOURS = Object.keys(SHAPES);
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const IMAGE_URL = "https://images.example/cat.png";
const SYSTEM = "You are a harbour pilot.";
const QUESTION = "What is the weather in Lisbon?";
const USAGE = { input: 120, output: 30, cached: 80 };
const WEATHER = {
  name: "get_weather",
  description: "The weather of a city.",
  schema: { type: "object", properties: { city: { type: "string" }, unit: { type: "string", enum: ["c", "f"] } }, required: ["city"], additionalProperties: false },
};
const CALLS = [
  { id: "call_one", name: "get_weather", args: { city: "Lisboa", unit: "c" } },
  { id: "call_two", name: "get_weather", args: { city: "Porto \"do\" mar\n" } },
];
// The provider's verdict, and the class that the SDKs must raise for it.
const VERDICTS = [
  { status: 400, name: "BadRequestError", message: "the field is wrong", words: { type: "invalid_request_error" } },
  { status: 404, name: "NotFoundError", message: "model: m does not exist", words: { type: "not_found_error", code: "model_not_found" } },
  { status: 429, name: "RateLimitError", message: "slow down", words: { type: "rate_limit_error", code: "rate_limit_exceeded" }, headers: { "retry-after": "30" } },
];

// Verdicts cool what they hit, so each has lanes of its own.
const failing = VERDICTS.flatMap(({ status }) => [`fail${status}`, `fail${status}s`]);
const gateway = await Gateway.withLanes({ sdk: FLAVOURS, ...Object.fromEntries(failing.map((lane) => [lane, FLAVOURS])) });
const openai = new OpenAI({ apiKey: KEY, baseURL: gateway.url("/v1"), maxRetries: 0 });
const anthropic = new Anthropic({ apiKey: KEY, baseURL: gateway.url(""), maxRetries: 0 });
after(() => gateway.stop());

const says = (flavour, answer) => speak(SHAPES[flavour], answer, { json, stream });
const provider = (flavour) => `sdk-${flavour}`;
const model = (flavour) => `${provider(flavour)}/m`;
const script = (flavour, answer) => gateway.upstream.script(provider(flavour), forever(says(flavour, answer)));
const lastSent = (flavour) => gateway.upstream.requests(provider(flavour)).at(-1).json;

/** What a provider was asked, read from its own dialect: system, images, tools, calls and results of the history. */
const heard = {
  openai: (body) => ({
    system: body.messages.filter(({ role }) => role === "system" || role === "developer").map(({ content }) => textOf(content)).join("\n"),
    user: body.messages.filter(({ role }) => role === "user").map(({ content }) => textOf(content)).join("\n"),
    images: parts(body.messages).filter(({ type }) => type === "image_url").map(({ image_url }) => image_url.url),
    tools: body.tools?.map((tool) => ({ name: tool.function.name, schema: tool.function.parameters })),
    calls: body.messages.flatMap(({ tool_calls = [] }) => tool_calls.map((call) => ({ id: call.id, args: JSON.parse(call.function.arguments) }))),
    results: body.messages.filter(({ role }) => role === "tool").map(({ tool_call_id, content }) => ({ id: tool_call_id, text: textOf(content) })),
  }),
  anthropic: (body) => ({
    system: textOf(body.system ?? ""),
    user: body.messages.filter(({ role }) => role === "user").map(({ content }) => textOf(content)).join("\n"),
    images: parts(body.messages).filter(({ type }) => type === "image").map(({ source }) => (source.type === "url" ? source.url : `data:${source.media_type};base64,${source.data}`)),
    tools: body.tools?.map((tool) => ({ name: tool.name, schema: tool.input_schema })),
    calls: parts(body.messages).filter(({ type }) => type === "tool_use").map(({ id, input }) => ({ id, args: input })),
    results: parts(body.messages).filter(({ type }) => type === "tool_result").map(({ tool_use_id, content }) => ({ id: tool_use_id, text: textOf(content) })),
  }),
  google: (body) => ({
    system: body.systemInstruction?.parts.map(({ text }) => text).join("") ?? "",
    user: body.contents.filter(({ role }) => role === "user").flatMap(({ parts: all }) => all.map(({ text }) => text ?? "")).join("\n"),
    images: body.contents.flatMap(({ parts: all }) => all).flatMap(({ inlineData, fileData }) => (inlineData ? [`data:${inlineData.mimeType};base64,${inlineData.data}`] : fileData ? [fileData.fileUri] : [])),
    tools: body.tools?.flatMap(({ functionDeclarations = [] }) => functionDeclarations).map((tool) => ({ name: tool.name, schema: tool.parametersJsonSchema ?? tool.parameters })),
    calls: body.contents.flatMap(({ parts: all }) => all).filter(({ functionCall }) => functionCall).map(({ functionCall }) => ({ args: functionCall.args })),
    results: body.contents.flatMap(({ parts: all }) => all).filter(({ functionResponse }) => functionResponse).map(({ functionResponse }) => ({ text: JSON.stringify(functionResponse.response) })),
  }),
};
const parts = (messages) => messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
const textOf = (content) => (Array.isArray(content) ? content.map(({ text }) => text ?? "").join("") : content ?? "");

// One way to speak per SDK: `ask` returns `{ text, calls, finish, usage }` whether streamed or not.
const SDKS = {
  openai: {
    async ask({ model: name, messages, asStream, tools, tool_choice }) {
      const request = {
        model: name, messages: messages ?? [{ role: "system", content: SYSTEM }, { role: "user", content: QUESTION }],
        ...(tools && { tools: tools.map(({ name: tool, description, schema }) => ({ type: "function", function: { name: tool, description, parameters: schema } })) }),
        ...(tool_choice && { tool_choice }),
      };
      if (!asStream) {
        const { choices: [choice], usage } = await openai.chat.completions.create(request);
        return this.read(choice.message, choice.finish_reason, usage);
      }
      const run = openai.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
      const { choices: [choice], usage } = await run.finalChatCompletion();
      return this.read(choice.message, choice.finish_reason, usage);
    },
    read: (message, finish, usage) => ({
      text: message.content ?? "", finish, message,
      calls: (message.tool_calls ?? []).map((call) => ({ id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) })),
      usage: { input: usage.prompt_tokens - (usage.prompt_tokens_details?.cached_tokens ?? 0), output: usage.completion_tokens, cached: usage.prompt_tokens_details?.cached_tokens ?? 0 },
    }),
    reasons: { stop: "stop", tool: "tool_calls", length: "length", filter: "content_filter" },
    afterCalls: (first, results) => [
      { role: "system", content: SYSTEM }, { role: "user", content: QUESTION }, first.message,
      ...first.calls.map(({ id }, index) => ({ role: "tool", tool_call_id: id, content: results[index] })),
    ],
    seeing: (url) => [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "image_url", image_url: { url } }] }],
    errors: OpenAI,
    models: () => openai.models.list(),
  },
  anthropic: {
    async ask({ model: name, messages, asStream, tools, tool_choice }) {
      const request = {
        model: name, max_tokens: 256, system: SYSTEM, messages: messages ?? [{ role: "user", content: QUESTION }],
        ...(tools && { tools: tools.map(({ name: tool, description, schema }) => ({ name: tool, description, input_schema: schema })) }),
        ...(tool_choice && { tool_choice }),
      };
      const message = asStream ? await anthropic.messages.stream(request).finalMessage() : await anthropic.messages.create(request);
      return {
        text: message.content.map((block) => block.text ?? "").join(""), finish: message.stop_reason, message,
        calls: message.content.filter(({ type }) => type === "tool_use").map(({ id, name: tool, input }) => ({ id, name: tool, args: input })),
        usage: { input: message.usage.input_tokens, output: message.usage.output_tokens, cached: message.usage.cache_read_input_tokens ?? 0 },
      };
    },
    reasons: { stop: "end_turn", tool: "tool_use", length: "max_tokens", filter: "refusal" },
    afterCalls: (first, results) => [
      { role: "user", content: QUESTION }, { role: "assistant", content: first.message.content },
      { role: "user", content: first.calls.map(({ id }, index) => ({ type: "tool_result", tool_use_id: id, content: results[index] })) },
    ],
    seeing: (url) => {
      const [, type, data] = /^data:([^;]+);base64,(.*)$/.exec(url) ?? [];
      const source = data ? { type: "base64", media_type: type, data } : { type: "url", url };
      return [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "image", source }] }];
    },
    errors: Anthropic,
    models: () => anthropic.models.list(),
  },
};

for (const [sdkName, sdk] of Object.entries(SDKS)) {
  for (const flavour of FLAVOURS) {
    describe(`${sdkName} SDK on ${flavour}`, () => {
      for (const asStream of [false, true]) {
        const how = asStream ? "streamed" : "whole";

        test(`answer with system prompt and usage, ${how}`, async () => {
          script(flavour, { text: ["Sunny, ", "21 °C ", "☀️"], usage: USAGE });
          const answer = await sdk.ask({ model: model(flavour), asStream });
          assert.equal(answer.text, "Sunny, 21 °C ☀️");
          assert.equal(answer.finish, sdk.reasons.stop);
          assert.deepEqual(answer.usage, USAGE);
          const { system, user } = heard[flavour](lastSent(flavour));
          assert.equal(system, SYSTEM);
          assert.equal(user, QUESTION);
        });

        test(`text and parallel tool calls, and the round trip of their results, ${how}`, async () => {
          script(flavour, { text: "Let me look.", calls: CALLS });
          const first = await sdk.ask({ model: model(flavour), asStream, tools: [WEATHER] });
          assert.equal(first.text, "Let me look.");
          assert.equal(first.finish, sdk.reasons.tool);
          assert.deepEqual(first.calls.map(({ name, args }) => ({ name, args })), CALLS.map(({ name, args }) => ({ name, args })));
          assert.equal(new Set(first.calls.map(({ id }) => id)).size, 2, "two calls need two ids");
          const [tool] = heard[flavour](lastSent(flavour)).tools;
          assert.equal(tool.name, WEATHER.name);
          assert.deepEqual(Object.keys(tool.schema.properties), ["city", "unit"]);

          script(flavour, { text: "Both are sunny." });
          const results = ["sunny in Lisboa", "sunny in Porto"];
          const second = await sdk.ask({ model: model(flavour), asStream, tools: [WEATHER], messages: sdk.afterCalls(first, results) });
          assert.equal(second.text, "Both are sunny.");
          const sent = heard[flavour](lastSent(flavour));
          assert.deepEqual(sent.calls.map(({ args }) => args), CALLS.map(({ args }) => args));
          assert.equal(sent.results.length, 2);
          for (const [index, { id, text }] of sent.results.entries()) {
            assert.ok(text.includes(results[index]), `${text} is not ${results[index]}`);
            assert.equal(id, sent.calls[index].id);
          }
        });

        test(`a call and no text, ${how}`, async () => {
          script(flavour, { calls: CALLS.slice(0, 1) });
          const answer = await sdk.ask({ model: model(flavour), asStream, tools: [WEATHER] });
          assert.equal(answer.text, "");
          assert.deepEqual(answer.calls.map(({ args }) => args), [CALLS[0].args]);
          assert.equal(answer.finish, sdk.reasons.tool);
        });

        test(`cut by the limit, ${how}`, async () => {
          script(flavour, { text: "Sun", stop: "length" });
          assert.equal((await sdk.ask({ model: model(flavour), asStream })).finish, sdk.reasons.length);
        });
      }

      test("an image as data", async () => {
        script(flavour, { text: "A dot." });
        const url = `data:image/png;base64,${PNG}`;
        assert.equal((await sdk.ask({ model: model(flavour), messages: sdk.seeing(url) })).text, "A dot.");
        assert.deepEqual(heard[flavour](lastSent(flavour)).images, [url]);
      });

      test("an image by URL", async () => {
        script(flavour, { text: "A cat." });
        assert.equal((await sdk.ask({ model: model(flavour), messages: sdk.seeing(IMAGE_URL) })).text, "A cat.");
        assert.deepEqual(heard[flavour](lastSent(flavour)).images, [IMAGE_URL]);
      });

      for (const { status, name, message, words, headers } of VERDICTS) {
        for (const asStream of [false, true]) {
          test(`a provider's ${status} is a ${name}${asStream ? ", asked as a stream" : ""}`, async () => {
            const target = `fail${status}${asStream ? "s" : ""}-${flavour}`;
            gateway.upstream.script(target, forever(json(status, SHAPES[flavour].error(status, message, words), headers)));
            const error = await sdk.ask({ model: `${target}/m`, asStream }).then(() => assert.fail("no error"), (raised) => raised);
            assert.ok(error instanceof sdk.errors[name], `${error.constructor.name}: ${error.message}`);
            assert.equal(error.status, status);
            // A limit is told in the gateway's own words, with the wait; the rest is the provider's verdict.
            if (status === 429) assert.ok(Number(error.headers.get("retry-after")) >= 1);
            else assert.ok(error.message.includes(message), error.message);
          });
        }
      }
    });
  }

  describe(`${sdkName} SDK`, () => {
    test("on the mock, whole and streamed", async () => {
      for (const asStream of [false, true]) {
        const answer = await sdk.ask({ model: "mock/echo", asStream });
        assert.ok(answer.text.includes(QUESTION), answer.text);
        assert.ok(answer.usage.output > 0);
      }
    });

    test("tools on the mock", async () => {
      for (const asStream of [false, true]) {
        const answer = await sdk.ask({ model: "mock/tools", asStream, tools: [WEATHER] });
        assert.equal(answer.calls[0].name, WEATHER.name);
        assert.equal(typeof answer.calls[0].args.city, "string");
      }
    });

    test("a fault of the mock is an InternalServerError", async () => {
      await assert.rejects(sdk.ask({ model: "mock/flaky?fail=503" }), sdk.errors.InternalServerError);
    });

    test("a wrong key is an AuthenticationError", async () => {
      const wrong = sdkName === "openai"
        ? new OpenAI({ apiKey: "pk-wrong", baseURL: gateway.url("/v1"), maxRetries: 0 }).models.list()
        : new Anthropic({ apiKey: "pk-wrong", baseURL: gateway.url(""), maxRetries: 0 }).models.list();
      await assert.rejects(wrong, sdk.errors.AuthenticationError);
    });

    test("an unknown model is a NotFoundError", async () => {
      await assert.rejects(sdk.ask({ model: "sdkk" }), (error) => error instanceof sdk.errors.NotFoundError && /sdk/.test(error.message));
    });

    test("models.list in its own shape holds routes and models", async () => {
      const ids = [];
      for await (const { id } of await sdk.models()) ids.push(id);
      for (const id of ["sdk", ...FLAVOURS.map(model)]) assert.ok(ids.includes(id), `${id} is not among ${ids.slice(0, 20)}…`);
    });

    test("leaving the loop closes the provider's stream", async () => {
      const flavour = sdkName;
      const shape = SHAPES[flavour];
      const count = gateway.upstream.requests(provider(flavour)).length;
      const opening = shape.stream({ text: ["first"] }).filter((frame) => !/finish_reason":"|message_delta|message_stop|block_stop|DONE|"choices":\[\]/.test(frame));
      gateway.upstream.script(provider(flavour), forever(endless(opening, (n) => shape.delta(`${n} `), 50)));
      const body = { model: model(flavour), stream: true, messages: [{ role: "user", content: QUESTION }] };
      const events = sdkName === "openai"
        ? await openai.chat.completions.create(body)
        : await anthropic.messages.create({ ...body, max_tokens: 64 });
      let left;
      for await (const _ of events) {
        left = Date.now();
        break;
      }
      const sent = await gateway.upstream.request(provider(flavour), count);
      const closedAt = await sent.closed;
      assert.ok(closedAt - left < 1000, `closed after ${closedAt - left} ms`);
    });
  });
}
