// SDKs and frameworks as their users run them: only base URL, key and model name are the gateway's. Each on providers of
// every dialect, so that most of it is translated.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { Gateway, KEY } from "../e2e/lib/gateway.mjs";
import { SHAPES, speak } from "../e2e/lib/shapes.mjs";
import { forever, json, stream } from "../e2e/lib/upstream.mjs";
import { clients } from "./lib/clients.mjs";

const FLAVOURS = Object.keys(SHAPES);
const SYSTEM = "You are a harbour pilot.";
const QUESTION = "What is the weather in Lisbon?";
const WEATHER = {
  name: "get_weather",
  description: "The weather of a city.",
  schema: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } }, required: ["city"] },
};
const CALLS = [
  { id: "call_one", name: "get_weather", args: { city: "Lisboa", days: 2 } },
  { id: "call_two", name: "get_weather", args: { city: "Porto \"do\" mar\n" } },
];
const ANSWER = {
  type: "object", properties: { verdict: { type: "string" }, degrees: { type: "integer" } }, required: ["verdict", "degrees"], additionalProperties: false,
};
const USAGE = { input: 120, output: 30 };
const STATUSES = [400, 401, 403, 404, 408, 413, 429, 500, 503, 529];

const failing = STATUSES.map((status) => `fail${status}`);
const gateway = await Gateway.withLanes(
  { sdk: FLAVOURS, ...Object.fromEntries(failing.map((lane) => [lane, FLAVOURS])) },
  () => ({ settings: { allow_private_upstreams: true } }),
);
after(() => gateway.stop());

const ORIGIN = new URL(gateway.origin).origin;
const provider = (flavour) => `sdk-${flavour}`;
const model = (flavour) => `${provider(flavour)}/m`;
const script = (flavour, answer) => gateway.upstream.script(provider(flavour), forever(speak(SHAPES[flavour], { ...answer, usage: USAGE }, { json, stream })));
const lastSent = (flavour) => gateway.upstream.requests(provider(flavour)).at(-1).text;
const args = (calls) => calls.map(({ name, args: input }) => ({ name, args: input }));

const chosen = process.env.SDK ? new RegExp(process.env.SDK) : /./;
for (const [name, sdk] of Object.entries(clients(ORIGIN, KEY)).filter(([name]) => chosen.test(name))) {
  for (const flavour of FLAVOURS) {
    describe(`${name} on ${flavour}`, () => {
      for (const asStream of [false, true]) {
        const how = asStream ? "streamed" : "whole";

        test(`text, system prompt and usage, ${how}`, async () => {
          script(flavour, { text: ["Sunny, ", "21 °C ", "☀️"] });
          const answer = await sdk.ask({ model: model(flavour), system: SYSTEM, prompt: QUESTION, stream: asStream });
          assert.equal(answer.text, "Sunny, 21 °C ☀️");
          if (!(asStream && sdk.miscounts)) assert.deepEqual(answer.usage, USAGE);
          assert.ok(lastSent(flavour).includes(SYSTEM) && lastSent(flavour).includes(QUESTION));
        });

        test(`a loop with two tool calls at once, ${how}`, async () => {
          const ask = { model: model(flavour), prompt: QUESTION, tools: [WEATHER], stream: asStream };
          script(flavour, { calls: CALLS });
          const first = await sdk.ask(ask);
          assert.deepEqual(args(first.calls), args(CALLS));
          script(flavour, { text: "Both are sunny." });
          const second = await sdk.ask({ ...ask, history: [{ ...first, results: ["sunny in Lisboa", "sunny in Porto"] }] });
          assert.equal(second.text, "Both are sunny.");
          const sent = lastSent(flavour);
          for (const part of ["Lisboa", "Porto \\\"do", "sunny in Lisboa", "sunny in Porto"]) assert.ok(sent.includes(part) || sent.includes(part.replaceAll("\\", "\\\\\\")), `${part} is not in ${sent}`);
        });
      }

      test("structured output", async () => {
        const text = JSON.stringify({ verdict: "sunny", degrees: 21 });
        // Some ask for JSON, others force a tool whose input is the answer: the provider plays along with either.
        const answer = (entry) => (forces(entry)
          ? { calls: [{ id: "call_a", name: forces(entry), args: JSON.parse(text) }] }
          : { text });
        gateway.upstream.script(provider(flavour), forever((response, entry) => speak(SHAPES[flavour], { ...answer(entry), usage: USAGE }, { json, stream })(response, entry)));
        const { text: said } = await sdk.ask({ model: model(flavour), prompt: QUESTION, schema: ANSWER });
        assert.deepEqual(JSON.parse(said), JSON.parse(text));
        const sent = lastSent(flavour);
        assert.ok(sent.indexOf("verdict") > 0 && sent.indexOf("verdict") < sent.indexOf("degrees"), `the schema's order in ${sent}`);
      });

      for (const status of STATUSES) {
        test(`a provider's ${status} is raised as one`, async () => {
          const target = `fail${status}-${flavour}`;
          gateway.upstream.script(target, forever(json(status, SHAPES[flavour].error(status, "the provider says no"))));
          const error = await sdk.ask({ model: `${target}/m`, prompt: QUESTION }).then(() => assert.fail("no error"), (raised) => raised);
          // The operator's own credential is no business of the caller's.
          const expected = status === 401 || status === 403 ? [502] : status === 529 ? [503, 529] : status === 408 ? [504] : [status];
          const { status: told } = sdk.raises(error);
          assert.ok(expected.includes(told), `${told}: ${error.message}`);
        });
      }
    });
  }

  describe(name, () => {
    test("a wrong key is a 401", async () => {
      const wrong = clients(ORIGIN, "pk-wrong")[name];
      const error = await wrong.ask({ model: model("openai"), prompt: QUESTION }).then(() => assert.fail("no error"), (raised) => raised);
      assert.equal(sdk.raises(error).status, 401, error.message);
    });

    test("an unknown model is a 404", async () => {
      const error = await sdk.ask({ model: "nobody/knows", prompt: QUESTION }).then(() => assert.fail("no error"), (raised) => raised);
      assert.equal(sdk.raises(error).status, 404, error.message);
    });

    if (sdk.embed) {
      for (const flavour of ["openai", "google"]) {
        test(`vectors from ${flavour}, in order`, async () => {
          gateway.upstream.script(provider(flavour), forever((response, entry) => json(200, numbers(entry))(response, entry)));
          const vectors = await sdk.embed(model(flavour), ["first", "second", "third"]);
          assert.deepEqual(vectors.map((vector) => [...vector]), [[0, 0.5], [1, 0.5], [2, 0.5]]);
        });
      }
    }

    if (sdk.count) {
      test("tokens counted by who counts, and estimated elsewhere", async () => {
        gateway.upstream.script(provider("google"), forever((response, entry) => json(200, numbers(entry))(response, entry)));
        assert.equal(await sdk.count(model("google"), QUESTION), 7);
        gateway.upstream.script(provider("anthropic"), forever((response, entry) => json(200, numbers(entry))(response, entry)));
        assert.equal(await sdk.count(model("anthropic"), QUESTION), 7);
        const estimate = await sdk.count(model("openai"), QUESTION);
        assert.ok(estimate >= 5 && estimate <= 14, `${estimate} tokens`);
      });
    }

    if (sdk.models) {
      test("the models in its own shape", async () => {
        const names = await sdk.models();
        for (const known of ["sdk", ...FLAVOURS.map(model)]) assert.ok(names.includes(known), `${known} is not among ${names.slice(0, 20)}…`);
      });
    }
  });
}

/** What a provider answers to a question for vectors or counts, as the request asks: the nth text has [n, 0.5]. */
function numbers(entry) {
  const { json: body, path } = entry;
  if (path.includes(":countTokens")) return { totalTokens: 7 };
  if (path.includes("ontents")) return { embeddings: body.requests.map((_, n) => ({ values: [n, 0.5] })) };
  if (path.includes(":embedContent")) return { embedding: { values: [0, 0.5] } };
  if (path.includes("count_tokens")) return { input_tokens: 7 };
  const packed = (vector) => Buffer.from(new Float32Array(vector).buffer).toString("base64");
  const data = [body.input].flat().map((_, index) => ({
    object: "embedding", index, embedding: body.encoding_format === "base64" ? packed([index, 0.5]) : [index, 0.5],
  }));
  return { object: "list", model: "e", data, usage: { prompt_tokens: 7, total_tokens: 7 } };
}

/** The one tool that a request forces, in whichever dialect. */
function forces({ json: body }) {
  const choice = body?.tool_choice;
  return choice?.function?.name ?? (choice?.type === "tool" ? choice.name : undefined)
    ?? body?.toolConfig?.functionCallingConfig?.allowedFunctionNames?.[0];
}
