// What callers say and understand, per dialect: requests made from a plain description, answers read back into one.
import { open, send, start } from "./client.mjs";
import { KEY } from "./gateway.mjs";

const MAX_TOKENS = 200;

const openai = {
  name: "openai",
  path: "/v1/chat/completions",
  headers: {},
  body: ({ model, prompt = "Say something.", stream = false, usage = true, ...rest }) => ({
    model,
    messages: [{ role: "user", content: prompt }],
    ...(stream && { stream: true }),
    ...(stream && usage && { stream_options: { include_usage: true } }),
    ...rest,
  }),
  read(answer) {
    if (!isStream(answer)) {
      const choice = answer.json?.choices?.[0];
      return { text: choice?.message?.content ?? "", finish: choice?.finish_reason, usage: answer.json?.usage, error: answer.json?.error, clean: Boolean(choice) };
    }
    const chunks = answer.frames.map((frame) => frame.json).filter(Boolean);
    return {
      text: chunks.map((chunk) => chunk.choices?.[0]?.delta?.content ?? "").join(""),
      finish: chunks.map((chunk) => chunk.choices?.[0]?.finish_reason).filter(Boolean).at(-1),
      usage: chunks.map((chunk) => chunk.usage).filter(Boolean).at(-1),
      error: chunks.find((chunk) => chunk.error)?.error,
      clean: answer.frames.at(-1)?.data === "[DONE]",
    };
  },
};

const anthropic = {
  name: "anthropic",
  path: "/v1/messages",
  headers: { "anthropic-version": "2023-06-01" },
  body: ({ model, prompt = "Say something.", stream = false, usage: _, ...rest }) => ({
    model,
    max_tokens: MAX_TOKENS,
    messages: [{ role: "user", content: prompt }],
    ...(stream && { stream: true }),
    ...rest,
  }),
  read(answer) {
    if (!isStream(answer)) {
      const blocks = answer.json?.content ?? [];
      return {
        text: blocks.map((block) => block.text ?? "").join(""), finish: answer.json?.stop_reason, usage: answer.json?.usage,
        error: answer.json?.type === "error" ? answer.json.error : undefined, clean: answer.json?.type === "message",
      };
    }
    const events = answer.frames.map((frame) => frame.json).filter(Boolean);
    const of = (type) => events.filter((event) => event.type === type);
    return {
      text: of("content_block_delta").map((event) => event.delta.text ?? "").join(""),
      finish: of("message_delta").at(-1)?.delta.stop_reason,
      usage: of("message_delta").at(-1)?.usage,
      error: of("error")[0]?.error,
      clean: events.at(-1)?.type === "message_stop",
    };
  },
};

const google = {
  name: "google",
  path: ({ model, stream = false }) => `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  headers: {},
  body: ({ prompt = "Say something.", model: _, stream: __, usage: ___, ...rest }) => ({ contents: [{ role: "user", parts: [{ text: prompt }] }], ...rest }),
  read(answer) {
    const chunks = isStream(answer) ? answer.frames.map((frame) => frame.json).filter(Boolean) : [answer.json ?? {}];
    const finish = chunks.map((chunk) => chunk.candidates?.[0]?.finishReason).filter(Boolean).at(-1);
    const error = chunks.find((chunk) => chunk.error)?.error;
    return {
      text: chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []).map((part) => part.text ?? "").join(""),
      finish,
      usage: chunks.filter((chunk) => chunk.candidates?.[0]?.finishReason).map((chunk) => chunk.usageMetadata).filter(Boolean).at(-1),
      error,
      // The dialect has no terminal marker: the reason to stop is one.
      clean: Boolean(finish) && !error,
    };
  },
};

const responses = {
  name: "responses",
  path: "/v1/responses",
  headers: {},
  body: ({ model, prompt = "Say something.", stream = false, usage: _, ...rest }) => ({ model, input: prompt, ...(stream && { stream: true }), ...rest }),
  read(answer) {
    const outputs = (response) => (response?.output ?? []).flatMap((item) => item.content ?? []).map((part) => part.text ?? "").join("");
    if (!isStream(answer)) {
      return {
        text: outputs(answer.json), finish: answer.json?.status, usage: answer.json?.usage, error: answer.json?.error ?? undefined,
        clean: answer.json?.status === "completed",
      };
    }
    const events = answer.frames.map((frame) => frame.json).filter(Boolean);
    const of = (type) => events.filter((event) => event.type === type);
    return {
      text: of("response.output_text.delta").map((event) => event.delta).join(""),
      finish: events.at(-1)?.response?.status,
      usage: events.at(-1)?.response?.usage,
      error: of("response.failed")[0]?.response?.error ?? of("error")[0]?.error ?? of("error")[0],
      clean: events.at(-1)?.type === "response.completed",
    };
  },
};

const isStream = (answer) => String(answer.headers["content-type"]).startsWith("text/event-stream");

export const CALLERS = { openai, anthropic };

/** With those that few tests need. */
export const ALL_CALLERS = { ...CALLERS, google, responses };

const request = (gateway, caller, description, options) => [
  gateway.url(typeof caller.path === "function" ? caller.path(description) : caller.path),
  { key: KEY, headers: caller.headers, body: caller.body(description), ...options },
];

/** Asks and reads the whole answer: the raw one with `text`, `finish`, `usage`, `error`, `clean` under `said`. */
export async function ask(gateway, caller, description, options = {}) {
  const answer = await send(...request(gateway, caller, description, options));
  return { ...answer, said: caller.read(answer) };
}

/** Asks and returns when the headers have come. */
export const openCall = (gateway, caller, description) => open(...request(gateway, caller, description));

/** Asks and returns at once. */
export const startCall = (gateway, caller, description) => start(...request(gateway, caller, description));
