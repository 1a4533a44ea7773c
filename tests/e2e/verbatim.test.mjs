// Same dialect: what the caller wrote is what the provider reads, and what the provider wrote is what the caller reads.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { CALLERS } from "./lib/callers.mjs";
import { Gateway, KEY, SECRETS, provider } from "./lib/gateway.mjs";
import { SHAPES } from "./lib/shapes.mjs";
import { json, stream } from "./lib/upstream.mjs";

// Members as raw text, in an order no serialiser would choose. `model` is put between them.
const ODD = [
  ["zz_unknown", '{"b":1,"a" : [1.0,1e2,-0.0,12345678901234567890,1.7976931348623157e400],"nested":{"z":null,"y":{}}}'],
  ["temperature", "1.0"],
  ["metadata", '{"escapes":"\\u00e9\\/\\u2028\\ud83d\\ude00 é/😀","empty":"","tab":"\\t"}'],
];
const TAIL = [
  ["seed", "15924764223251450000"],
  ["a_later_field", '[ ]'],
];
const DIALECTS = {
  openai: {
    messages: '[ {"content":"Hi \\u0041","role":"user","x_extra":{"k":1.10}} ]',
    reply: '\n \n{"id":"chatcmpl-1","choices":[{"index":0,"message":{"role":"assistant","content":"h\\u0069 \\/ é","zz":1.0},"finish_reason":"stop","logprobs":null}],"created":0,"seed":15924764223251450000,"object":"chat.completion","model":"","usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"cost":1e-7}}\n',
  },
  anthropic: {
    messages: '[ {"content":[{"type":"text","text":"Hi \\u0041","cache_control":{"type":"ephemeral"},"x_extra":1.10}],"role":"user"} ]',
    extra: [["max_tokens", "64"], ["context_management", '{"edits":[{"type":"clear_tool_uses_20250919"}]}']],
    reply: '{"content":[{"text":"h\\u0069 \\/ é","type":"text","zz":1.0}],"id":"msg_1","type":"message","role":"assistant","model":"x","stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"usage":{"output_tokens":2,"input_tokens":3,"service_tier":"standard","inference_geo":"x"}}\n',
  },
};

const members = (name, model, more = []) => [
  ...ODD, ["model", JSON.stringify(model)], ["messages", DIALECTS[name].messages], ...(DIALECTS[name].extra ?? []), ...more, ...TAIL,
];
const write = (list) => `{${list.map(([key, value]) => `"${key}":${value}`).join(",")}}`;

const gateway = await Gateway.withLanes({ vb: ["openai", "anthropic"] }, (origin) => ({
  providers: {
    "same-openai": provider(origin, "same-openai", "openai", { model: "same-openai-model" }),
    "same-anthropic": provider(origin, "same-anthropic", "anthropic", { model: "same-anthropic-model" }),
  },
  // Routes named as their model: nothing has to be edited.
  routes: {
    "same-openai-model": { targets: ["same-openai/same-openai-model"] },
    "same-anthropic-model": { targets: ["same-anthropic/same-anthropic-model"] },
  },
}));
after(() => gateway.stop());

async function post(name, body, upstreamName, answer, headers = {}) {
  gateway.upstream.script(upstreamName, answer);
  const count = gateway.upstream.requests(upstreamName).length;
  const reply = await gateway.send(CALLERS[name].path, { body, headers: { ...CALLERS[name].headers, ...headers } });
  return { reply, sent: await gateway.upstream.request(upstreamName, count) };
}

for (const name of ["openai", "anthropic"]) {
  const { reply: odd } = DIALECTS[name];
  const shape = SHAPES[name];

  describe(`${name} to ${name}`, () => {
    test("with nothing to edit, the very bytes go out and come back", async () => {
      const model = `same-${name}-model`;
      const body = ` ${write(members(name, model)).replace('"seed":', '\n\t"seed" :  ')} \n`;
      const { reply, sent } = await post(name, body, `same-${name}`, json(200, odd));
      assert.equal(sent.text, body);
      assert.equal(reply.status, 200);
      assert.equal(reply.text, odd);
    });

    test("with another model's name, only its value changes", async () => {
      const { reply, sent } = await post(name, write(members(name, `vb-${name}/m`)), `vb-${name}`, json(200, odd));
      assert.equal(sent.text, write(members(name, "m")));
      assert.equal(reply.text, odd);
    });

    test("a model name written in escapes is read as the same name", async () => {
      const body = write(members(name, "MODEL")).replace('"MODEL"', `"vb-${name}\\/\\u006d"`);
      const { sent } = await post(name, body, `vb-${name}`, json(200, odd));
      assert.equal(sent.json.model, "m");
      assert.equal(sent.text.replace(/"model":"[^"]*"/, ""), body.replace(/"model":"[^"]*"/, ""));
    });

    test("the provider gets its own credential and none of the caller's", async () => {
      const { sent } = await post(name, write(members(name, `vb-${name}/m`)), `vb-${name}`, json(200, odd));
      const headers = JSON.stringify(sent.headers);
      assert.ok(!headers.includes(KEY), headers);
      assert.equal(name === "openai" ? sent.headers.authorization : sent.headers["x-api-key"], name === "openai" ? `Bearer ${SECRETS.UP_KEY}` : SECRETS.UP_KEY);
      assert.equal(sent.method, "POST");
      assert.equal(sent.path.split("?")[0], name === "openai" ? "/v1/chat/completions" : "/v1/messages");
    });
  });
}

test("anthropic-version and anthropic-beta are the caller's own", async () => {
  const headers = { "anthropic-version": "2026-10-21", "anthropic-beta": "context-management-2025-06-27,interleaved-thinking-2025-05-14" };
  const { sent } = await post("anthropic", write(members("anthropic", "vb-anthropic/m")), "vb-anthropic", json(200, DIALECTS.anthropic.reply), headers);
  assert.equal(sent.headers["anthropic-version"], headers["anthropic-version"]);
  assert.equal(sent.headers["anthropic-beta"], headers["anthropic-beta"]);
});

test("a gzip'd answer arrives whole and is told as what it is", async () => {
  const odd = DIALECTS.openai.reply;
  const { reply } = await post("openai", write(members("openai", "vb-openai/m")), "vb-openai", json(200, gzipSync(odd), { "content-encoding": "gzip" }));
  assert.equal(reply.status, 200);
  assert.equal(reply.headers["content-encoding"], undefined);
  assert.equal(reply.text, odd);
});

// Streams: comments, odd escapes, unknown events and paddings are the provider's own business.
const chunk = (rest) => `data: {"id":"c1","object":"chat.completion.chunk","created":0,"model":"","seed":15924764223251450000,${rest}}\n\n`;
const CHAT = {
  before: [
    ": PROCESSING\n\n",
    chunk('"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null,"obfuscation":"x9"'),
    chunk('"choices":[{"index":0,"delta":{"content":"h\\u0069 \\u2028 é\\/"},"finish_reason":null, "zz" : 1.0}],"usage":null'),
    "event: x-unknown\ndata:{\"what\":1e2}\n\n",
    chunk('"choices":[{"index":0,"delta":{"content":"!"},"finish_reason":null}],"usage":null'),
    chunk('"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null'),
  ],
  usage: chunk('"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"zz":1.0}'),
  after: ["data: [DONE]\n\n"],
};
const MESSAGES = [
  'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}      }\n\n',
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}   }\n\n',
  'event: ping\ndata: {"type": "ping"}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"h\\u0069 \\/"}       }\n\n',
  'event: x_unknown\ndata: {"type":"x_unknown","n":1e2}\n\n',
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0 }\n\n',
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"     }\n\n',
];

/** A body without one flat member, wherever it stands. */
const without = (key, text) => text.replace(new RegExp(`"${key}":\\{[^}]*\\},|,"${key}":\\{[^}]*\\}`), "");

/** The same text in writes of `size` bytes, so that frames begin and end anywhere. */
const sliced = (text, size) => {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
};

describe("streams", () => {
  for (const size of [7, 200, 1 << 20]) {
    const asked = [["stream", "true"], ["stream_options", '{"include_usage" : true, "zz":1.0}']];
    const whole = [...CHAT.before, CHAT.usage, ...CHAT.after].join("");

    test(`openai, usage asked for: identical bytes, in writes of ${size}`, async () => {
      const { reply, sent } = await post("openai", write(members("openai", "vb-openai/m", asked)), "vb-openai", stream(sliced(whole, size)));
      assert.equal(sent.text, write(members("openai", "m", asked)));
      assert.equal(reply.text, whole);
    });

    test(`openai, usage not asked for: its frame is dropped, every other byte is the same, in writes of ${size}`, async () => {
      const more = [["stream", "true"]];
      const { reply, sent } = await post("openai", write(members("openai", "vb-openai/m", more)), "vb-openai", stream(sliced(whole, size)));
      assert.equal(sent.json.stream_options?.include_usage, true, "usage was not asked for on the gateway's account");
      assert.equal(without("stream_options", sent.text), write(members("openai", "m", more)));
      assert.equal(reply.text, [...CHAT.before, ...CHAT.after].join(""));
    });

    test(`anthropic: identical bytes, in writes of ${size}`, async () => {
      const more = [["stream", "true"]];
      const { reply, sent } = await post("anthropic", write(members("anthropic", "vb-anthropic/m", more)), "vb-anthropic", stream(sliced(MESSAGES.join(""), size)));
      assert.equal(sent.text, write(members("anthropic", "m", more)));
      assert.equal(reply.text, MESSAGES.join(""));
    });
  }

  test("openai, other stream options beside: they are kept when usage is added", async () => {
    const more = [["stream", "true"], ["stream_options", '{"include_obfuscation":false,"zz":1.0}']];
    const { sent } = await post("openai", write(members("openai", "vb-openai/m", more)), "vb-openai", stream([...CHAT.before, CHAT.usage, ...CHAT.after]));
    assert.deepEqual(sent.json.stream_options, { include_obfuscation: false, zz: 1, include_usage: true });
    assert.match(sent.text, /"zz":1\.0/);
    assert.equal(without("stream_options", sent.text), without("stream_options", write(members("openai", "m", more))));
  });
});
