// Providers that wrap what they speak: Amazon's signature and framing, Azure's header, Cohere's dialect, Workers AI's binding.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { CALLERS, ask } from "./lib/callers.mjs";
import { Gateway, KEY, SECRETS, SETTINGS, TIMEOUTS } from "./lib/gateway.mjs";
import { EVENT_STREAM, chunk, event, exception, faultOfSignature } from "./lib/hosts.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { CUT, forever, json, silence, stream } from "./lib/upstream.mjs";

const { openai, anthropic } = CALLERS;
const USAGE = { input: 11, output: 7 };
const AWS = { id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1", service: "bedrock" };
const NOVA = "amazon.nova-lite-v1:0";
const CLAUDE = "eu.anthropic.claude-sonnet-4-6";
const COHERE_MODEL = "command-a-03-2025";

const gateway = await Gateway.start({
  documents: (origin) => ({
    settings: SETTINGS,
    providers: {
      ...Object.fromEntries(["aws", "awslim", "awsbad"].map((name) => [name, { kind: "bedrock", base_url: `${origin}/${name}`, keys: ["${AWS_PAIR}"] }])),
      awsbearer: { kind: "bedrock", base_url: `${origin}/awsbearer`, keys: ["${UP_KEY}"] },
      "azure-openai": { base_url: `${origin}/azure/openai/v1`, keys: ["${UP_KEY}"] },
      cohere: { base_url: `${origin}/cohere`, keys: ["${UP_KEY}"] },
    },
  }),
  secrets: () => ({ AWS_PAIR: `${AWS.id}:${AWS.secret}` }),
  // As the platform's own does, it hands out the answer of a fetch that the signal ends.
  ai: (origin) => `export default () => ({
    run: (model, input, { returnRawResponse, signal }) => {
      if (!returnRawResponse) throw new Error("not raw");
      return fetch(${JSON.stringify(origin)} + "/ai" + model, { method: "POST", body: JSON.stringify(input), signal });
    },
  });`,
});
const { upstream } = gateway;
after(() => gateway.stop());

const script = (name, ...answers) => upstream.script(name, ...answers);
const sent = (name) => upstream.requests(name);
const says = (shape, answer) => speak(SHAPES[shape], answer, { json, stream });
const chat = (model, more = {}) => ask(gateway, openai, { model, ...more });
/** One header of an answer that tells how each target's last try ended. */
const trail = (answer) => answer.headers["x-portolan-attempts"];

/** Converse's stream of `text` and calls. */
function converse({ text = [], calls = [] }) {
  const frames = [event("messageStart", { role: "assistant" })];
  let contentBlockIndex = 0;
  for (const piece of text) frames.push(event("contentBlockDelta", { contentBlockIndex, delta: { text: piece } }));
  if (text.length) frames.push(event("contentBlockStop", { contentBlockIndex: contentBlockIndex++ }));
  for (const { id, name, args } of calls) {
    const input = JSON.stringify(args);
    frames.push(event("contentBlockStart", { contentBlockIndex, start: { toolUse: { toolUseId: id, name } } }));
    for (const part of [input.slice(0, 4), input.slice(4)]) frames.push(event("contentBlockDelta", { contentBlockIndex, delta: { toolUse: { input: part } } }));
    frames.push(event("contentBlockStop", { contentBlockIndex: contentBlockIndex++ }));
  }
  return [...frames,
    event("messageStop", { stopReason: calls.length ? "tool_use" : "end_turn" }),
    event("metadata", { usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18, cacheReadInputTokens: 5 }, metrics: { latencyMs: 9 } })];
}
const events = (frames) => stream(frames, { headers: EVENT_STREAM });
/** The same bytes, cut anywhere. */
const cutInto = (frames, size) => { const all = Buffer.concat(frames); return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.subarray(n * size, (n + 1) * size)); };
const CALL = { id: "tooluse_1", name: "get_weather", args: { city: "Lisboa", "días": 3 } };
const TOOLS = [{ type: "function", function: { name: CALL.name, parameters: { type: "object", properties: { city: { type: "string" } } } } }];
const callsOf = (answer) => answer.frames.flatMap(({ json: frame }) => frame?.choices?.[0]?.delta?.tool_calls ?? []);

describe("bedrock", () => {
  const signed = (entry) => {
    assert.equal(faultOfSignature(entry, AWS), undefined);
    assert.match(faultOfSignature({ ...entry, body: Buffer.concat([entry.body, Buffer.from(" ")]) }, AWS), /^signature/);
  };

  test("converse: whole", async () => {
    script("aws", json(200, {
      output: { message: { role: "assistant", content: [{ text: "Good day" }] } }, stopReason: "end_turn", usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 },
    }));
    const answer = await chat(`aws/${NOVA}`, { prompt: "¿Qué tal? 😀" });
    assert.deepEqual([answer.status, answer.said.text, answer.said.finish, answer.said.usage.total_tokens], [200, "Good day", "stop", 18], answer.text);
    const [entry] = sent("aws");
    assert.equal(entry.path, `/model/${encodeURIComponent(NOVA)}/converse`);
    assert.equal(entry.headers["content-type"], "application/json");
    assert.deepEqual(entry.json.messages, [{ role: "user", content: [{ text: "¿Qué tal? 😀" }] }]);
    signed(entry);
  });

  for (const size of [undefined, 1, 7, 400]) {
    test(`converse: a stream with a call, in writes of ${size ?? "a message"}`, async () => {
      const frames = converse({ text: ["Let", " me look"], calls: [CALL] });
      script("aws", events(size ? cutInto(frames, size) : frames));
      const before = sent("aws").length;
      const answer = await chat(`aws/${NOVA}`, { stream: true, tools: TOOLS });
      assert.deepEqual([answer.status, answer.said.text, answer.said.finish, answer.said.clean], [200, "Let me look", "tool_calls", true], answer.text);
      assert.deepEqual(answer.said.usage.prompt_tokens_details.cached_tokens, 5);
      assert.equal(answer.said.usage.prompt_tokens, 16);
      const calls = callsOf(answer);
      assert.deepEqual([calls[0].id, calls[0].function.name], [CALL.id, CALL.name]);
      assert.deepEqual(JSON.parse(calls.map((call) => call.function.arguments ?? "").join("")), CALL.args);
      const entry = sent("aws")[before];
      assert.equal(entry.path, `/model/${encodeURIComponent(NOVA)}/converse-stream`);
      assert.equal(entry.headers.accept, "application/vnd.amazon.eventstream");
      signed(entry);
    });
  }

  for (const caller of [openai, anthropic]) {
    for (const streaming of [false, true]) {
      test(`claude is invoked${streaming ? ", streaming" : ""}: ${caller.name}'s caller`, async () => {
        const frames = SHAPES.anthropic.stream({ text: ["Good", " day"], usage: USAGE });
        const wrapped = frames.flatMap((frame) => frame.split("\n").filter((line) => line.startsWith("data: ")).map((line) => chunk(JSON.parse(line.slice(6)))));
        script("aws", streaming ? events(cutInto(wrapped, 100)) : json(200, SHAPES.anthropic.answer({ text: "Good day", usage: USAGE })));
        const before = sent("aws").length;
        const headers = { ...caller.headers, ...(caller === anthropic && { "anthropic-beta": "context-1m-2025-08-07" }) };
        const answer = await ask(gateway, caller, { model: `aws/${CLAUDE}`, stream: streaming }, { headers });
        assert.deepEqual([answer.status, answer.said.text, answer.said.clean, answer.said.error], [200, "Good day", true, undefined], answer.text);
        if (streaming && caller === anthropic) assert.deepEqual(answer.frames.map(({ event: name }) => name), frames.join("").match(/^event: .*$/gm).map((line) => line.slice(7)));
        const entry = sent("aws")[before];
        assert.equal(entry.path, `/model/${CLAUDE}/invoke${streaming ? "-with-response-stream" : ""}`);
        const { model, stream: asked, anthropic_version: version, anthropic_beta: beta } = entry.json;
        assert.deepEqual([model, asked, version, beta], [undefined, undefined, "bedrock-2023-05-31", caller === anthropic ? ["context-1m-2025-08-07"] : undefined]);
        assert.equal(entry.headers["anthropic-beta"], undefined);
        signed(entry);
      });
    }
  }

  const opening = converse({ text: ["Good", " day"] }).slice(0, 3);
  const corrupt = Buffer.from(opening[2]);
  corrupt[corrupt.length - 1] ^= 1;
  for (const [what, last] of [
    ["an exception", [exception("internalServerException", "The system encountered an unexpected error.")]],
    ["a wrong checksum", [corrupt]],
    ["half a message", [opening[2].subarray(0, 20)]],
    ["no end", []],
    ["a cut", [CUT]],
  ]) {
    for (const caller of [openai, anthropic]) {
      test(`${what} in the middle of a stream breaks it for ${caller.name}'s caller`, async () => {
        script("aws", events([...opening.slice(0, 2), ...last]));
        const answer = await ask(gateway, caller, { model: `aws/${NOVA}`, stream: true });
        assert.equal(answer.said.text, "Good", answer.text);
        assert.ok(answer.said.error, answer.text);
        assert.equal(answer.said.clean, false, answer.text);
        assert.ok([undefined, "error"].includes(answer.said.finish), answer.text);
      });
    }
  }

  test("an exception before anything was said is an error, not a stream", async () => {
    script("awsbad", forever(events([exception("validationException", "The model returned the following errors: bad input.")])));
    const answer = await chat(`awsbad/${NOVA}`, { stream: true });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.json.error.message, /bad input/);
  });

  test("throttling: 429", async () => {
    script("awslim", forever(json(429, { message: "Too many requests, please wait before trying again." }, { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/" })));
    const answer = await chat(`awslim/${NOVA}`);
    assert.equal(answer.status, 429, answer.text);
    assert.ok(Number(answer.headers["retry-after"]) > 0);
  });

  test("a count is signed like all else", async () => {
    script("aws", json(200, { inputTokens: 12 }));
    const before = sent("aws").length;
    const answer = await gateway.send("/v1/messages/count_tokens", { body: anthropic.body({ model: `aws/${CLAUDE}` }), headers: anthropic.headers });
    assert.deepEqual([answer.status, answer.json.input_tokens], [200, 12], answer.text);
    assert.equal(sent("aws")[before].path, `/model/${CLAUDE}/count-tokens`);
    signed(sent("aws")[before]);
  });

  test("a bearer token is sent as one", async () => {
    script("awsbearer", json(200, { output: { message: { role: "assistant", content: [{ text: "Hi" }] } }, stopReason: "end_turn" }));
    assert.equal((await chat(`awsbearer/${NOVA}`)).said.text, "Hi");
    assert.equal(sent("awsbearer")[0].headers.authorization, `Bearer ${SECRETS.UP_KEY}`);
  });
});

test("azure: the key in its own header, the deployment in the body", async () => {
  script("azure", forever(says("openai", { text: ["Good", " day"], usage: USAGE })));
  for (const [model, streaming] of [["azure-openai/gpt-5.4", false], ["azure/gpt-5.4", true]]) {
    const answer = await chat(model, { stream: streaming });
    assert.deepEqual([answer.status, answer.said.text, answer.said.clean], [200, "Good day", true], answer.text);
  }
  for (const { path, headers, json: body } of sent("azure")) {
    assert.deepEqual([path, headers["api-key"], headers.authorization, body.model], ["/openai/v1/chat/completions", SECRETS.UP_KEY, undefined, "gpt-5.4"]);
  }
});

describe("cohere", () => {
  const usage = { billed_units: { input_tokens: 9, output_tokens: 7 }, tokens: { input_tokens: 11, output_tokens: 7 } };

  test("whole", async () => {
    script("cohere", json(200, { id: "c1", finish_reason: "COMPLETE", message: { role: "assistant", content: [{ type: "text", text: "Good day" }] }, usage }));
    const answer = await ask(gateway, anthropic, { model: `cohere/${COHERE_MODEL}` });
    assert.deepEqual([answer.status, answer.said.text, answer.said.finish, answer.said.usage.output_tokens], [200, "Good day", "end_turn", 7], answer.text);
    const [{ path, headers, json: body }] = sent("cohere");
    assert.deepEqual([path, headers.authorization, body.model], ["/v2/chat", `Bearer ${SECRETS.UP_KEY}`, COHERE_MODEL]);
  });

  test("a stream with a call; broken off, it is no answer", async () => {
    const data = (value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
    const frames = [
      { type: "message-start", id: "c2", delta: { message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] } } },
      { type: "tool-plan-delta", delta: { message: { tool_plan: "I will look." } } },
      { type: "tool-call-start", index: 0, delta: { message: { tool_calls: { id: "get_1", type: "function", function: { name: CALL.name, arguments: "" } } } } },
      ...['{"city":', '"Lisboa"}'].map((part) => ({ type: "tool-call-delta", index: 0, delta: { message: { tool_calls: { function: { arguments: part } } } } })),
      { type: "tool-call-end", index: 0 },
      { type: "message-end", delta: { finish_reason: "TOOL_CALL", usage } },
    ].map(data);
    script("cohere", stream(frames), stream(frames.slice(0, -1)));
    const answer = await chat(`cohere/${COHERE_MODEL}`, { stream: true, tools: TOOLS });
    assert.deepEqual([answer.said.finish, answer.said.clean, answer.said.usage.prompt_tokens], ["tool_calls", true, 11], answer.text);
    const calls = callsOf(answer);
    assert.deepEqual([calls[0].function.name, calls.map((call) => call.function.arguments ?? "").join("")], [CALL.name, '{"city":"Lisboa"}']);
    const broken = await chat(`cohere/${COHERE_MODEL}`, { stream: true, tools: TOOLS });
    assert.deepEqual([broken.said.clean, Boolean(broken.said.error)], [false, true], broken.text);
  });
});

describe("workers-ai", () => {
  const MODEL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";
  const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

  test("whole, in both of its shapes", async () => {
    script("ai@cf", json(200, { response: "Good day", usage }), json(200, SHAPES.openai.answer({ text: "Good day", usage: USAGE })));
    for (const caller of [openai, anthropic]) {
      const answer = await ask(gateway, caller, { model: `workers-ai/${MODEL}` });
      assert.deepEqual([answer.status, answer.said.text, answer.said.clean], [200, "Good day", true], answer.text);
    }
    const [{ path, json: body }] = sent("ai@cf");
    assert.equal(`/ai@cf${path}`, `/ai${MODEL}`);
    assert.deepEqual([body.model, body.messages], [undefined, [{ role: "user", content: "Say something." }]]);
  });

  test("a stream; silent or broken off, it is no answer", async () => {
    const frames = [{ response: "Good" }, { response: " day" }, { response: "", usage }].map((value) => `data: ${JSON.stringify(value)}\n\n`);
    script("ai@cf", stream([...frames, "data: [DONE]\n\n"]), stream(frames.slice(0, 1)), stream([frames[0], () => false]));
    const answer = await chat(`workers-ai/${MODEL}`, { stream: true });
    assert.deepEqual([answer.said.text, answer.said.finish, answer.said.clean, answer.said.usage?.total_tokens], ["Good day", "stop", true, 18], answer.text);
    for (const limit of [1000, 2 * TIMEOUTS.idle_ms]) {
      const broken = await chat(`workers-ai/${MODEL}`, { stream: true });
      assert.deepEqual([broken.said.text, broken.said.clean, Boolean(broken.said.error)], ["Good", false, true], broken.text);
      assert.ok(broken.tookMs < limit, `${broken.tookMs} ms`);
    }
  });

  test("its errors are told as such, its silence ends", async () => {
    const refusal = { internalCode: 5007, message: "No such model", name: "InvalidModel", description: "No such model @cf/x/y or task" };
    script("ai@cf", json(400, refusal));
    const gone = await chat("workers-ai/@cf/x/y");
    assert.deepEqual([gone.status, gone.json.error.message, trail(gone)], [400, "No such model @cf/x/y or task", "1; workers-ai/@cf/x/y=400"], gone.text);
    script("ai@cf", silence());
    const late = await chat("workers-ai/@cf/x/z", { stream: true });
    assert.equal(late.status, 504, late.text);
    assert.ok(late.tookMs < 2 * TIMEOUTS.headers_ms, `${late.tookMs} ms`);
  });
});

test("the gateway key reaches no provider", () => {
  for (const name of ["aws", "azure", "cohere", "ai@cf"]) {
    for (const { headers, text, path } of sent(name)) assert.ok(!JSON.stringify([headers, text, path]).includes(KEY), name);
  }
});
