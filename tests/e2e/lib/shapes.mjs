// What providers say on the wire, per dialect: whole answers, streams and errors, made from the same plain description
// `{ text, calls: [{ id, name, args }], usage: { input, output, cached }, stop }`.
// `text` may be a list: in a stream it is sent piece by piece.

const MODEL_ECHO = "scripted-model";
const usageOf = (answer) => ({ input: 11, output: 7, cached: 0, ...answer.usage });
const whole = (text) => [text ?? []].flat().join("");
const pieces = (text) => [text ?? []].flat();
const reasonOf = (answer) => answer.stop ?? (answer.calls?.length ? "tool" : "stop");

const data = (value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
const named = (value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const crlf = (value) => `data: ${JSON.stringify(value)}\r\n\r\n`;

// ---- OpenAI chat completions

const CHAT_REASON = { stop: "stop", tool: "tool_calls", length: "length", filter: "content_filter" };

function chatUsage(answer) {
  const { input, output, cached } = usageOf(answer);
  return {
    prompt_tokens: input + cached,
    completion_tokens: output,
    total_tokens: input + cached + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}

export const openai = {
  kind: "openai",
  answer(answer = {}) {
    const calls = answer.calls?.map(({ id, name, args }) => ({
      id, type: "function", function: { name, arguments: JSON.stringify(args) },
    }));
    return {
      id: "chatcmpl-scripted",
      object: "chat.completion",
      created: 1790000000,
      model: answer.model ?? MODEL_ECHO,
      choices: [{
        index: 0,
        message: { role: "assistant", content: answer.text === undefined ? null : whole(answer.text), refusal: null, ...(calls && { tool_calls: calls }) },
        logprobs: null,
        finish_reason: CHAT_REASON[reasonOf(answer)],
      }],
      usage: chatUsage(answer),
      system_fingerprint: null,
    };
  },
  chunk(delta, finish = null) {
    return {
      id: "chatcmpl-scripted", object: "chat.completion.chunk", created: 1790000000, model: MODEL_ECHO,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    };
  },
  role: () => data(openai.chunk({ role: "assistant", content: "", refusal: null })),
  delta: (text) => data(openai.chunk({ content: text })),
  finish: (answer = {}) => data(openai.chunk({}, CHAT_REASON[reasonOf(answer)])),
  usage: (answer = {}) => data({
    id: "chatcmpl-scripted", object: "chat.completion.chunk", created: 1790000000, model: MODEL_ECHO, choices: [], usage: chatUsage(answer),
  }),
  done: () => data("[DONE]"),
  /** Frames of a whole stream; `usage` says whether the request asked for the usage chunk. */
  stream(answer = {}, { usage = true } = {}) {
    const frames = [openai.role(), ...pieces(answer.text).map(openai.delta)];
    for (const [index, { id, name, args }] of (answer.calls ?? []).entries()) {
      const text = JSON.stringify(args);
      const half = Math.ceil(text.length / 2);
      frames.push(
        data(openai.chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] })),
        data(openai.chunk({ tool_calls: [{ index, function: { arguments: text.slice(0, half) } }] })),
        data(openai.chunk({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] })),
      );
    }
    frames.push(openai.finish(answer));
    if (usage) frames.push(openai.usage(answer));
    return [...frames, openai.done()];
  },
  error: (status, message, { type = "invalid_request_error", code = null, param = null } = {}) => ({ error: { message, type, param, code } }),
  errorFrame: (message) => data({ error: { message, type: "server_error", code: 503 } }),
};

// ---- Anthropic messages

const ANTHROPIC_REASON = { stop: "end_turn", tool: "tool_use", length: "max_tokens", filter: "refusal" };

function anthropicUsage(answer) {
  const { input, output, cached } = usageOf(answer);
  return { input_tokens: input, cache_creation_input_tokens: 0, cache_read_input_tokens: cached, output_tokens: output };
}

export const anthropic = {
  kind: "anthropic",
  answer(answer = {}) {
    const content = answer.text === undefined ? [] : [{ type: "text", text: whole(answer.text) }];
    for (const { id, name, args } of answer.calls ?? []) content.push({ type: "tool_use", id, name, input: args });
    return {
      id: "msg_scripted", type: "message", role: "assistant", model: answer.model ?? MODEL_ECHO, content,
      stop_reason: ANTHROPIC_REASON[reasonOf(answer)], stop_sequence: null, usage: anthropicUsage(answer),
    };
  },
  role: (answer = {}) => named({
    type: "message_start",
    message: {
      id: "msg_scripted", type: "message", role: "assistant", model: MODEL_ECHO, content: [], stop_reason: null, stop_sequence: null,
      usage: { ...anthropicUsage(answer), output_tokens: 1 },
    },
  }) + `event: ping\ndata: {"type": "ping"}\n\n`,
  open: (index = 0) => named({ type: "content_block_start", index, content_block: { type: "text", text: "" } }),
  delta: (text, index = 0) => named({ type: "content_block_delta", index: Number(index), delta: { type: "text_delta", text } }),
  shut: (index = 0) => named({ type: "content_block_stop", index }),
  finish: (answer = {}) => named({
    type: "message_delta", delta: { stop_reason: ANTHROPIC_REASON[reasonOf(answer)], stop_sequence: null },
    usage: anthropicUsage(answer),
  }),
  done: () => named({ type: "message_stop" }),
  stream(answer = {}) {
    const frames = [anthropic.role(answer)];
    let index = 0;
    if (answer.text !== undefined) {
      frames.push(anthropic.open(index), ...pieces(answer.text).map((text) => anthropic.delta(text, 0)), anthropic.shut(index));
      index += 1;
    }
    for (const { id, name, args } of answer.calls ?? []) {
      const text = JSON.stringify(args);
      const half = Math.ceil(text.length / 2);
      frames.push(named({ type: "content_block_start", index, content_block: { type: "tool_use", id, name, input: {} } }));
      for (const partial_json of ["", text.slice(0, half), text.slice(half)]) {
        frames.push(named({ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } }));
      }
      frames.push(anthropic.shut(index));
      index += 1;
    }
    return [...frames, anthropic.finish(answer), anthropic.done()];
  },
  error: (status, message, { type = "invalid_request_error" } = {}) => ({ type: "error", error: { type, message }, request_id: "req_scripted" }),
  errorFrame: (message) => named({ type: "error", error: { details: null, type: "overloaded_error", message } }),
};

// ---- Gemini generateContent

const GEMINI_REASON = { stop: "STOP", tool: "STOP", length: "MAX_TOKENS", filter: "SAFETY" };
const GEMINI_STATUS = { 400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE" };

function geminiUsage(answer) {
  const { input, output, cached } = usageOf(answer);
  return { promptTokenCount: input + cached, candidatesTokenCount: output, totalTokenCount: input + cached + output, ...(cached && { cachedContentTokenCount: cached }) };
}

const geminiChunk = (parts, answer, finish) => ({
  candidates: [{ content: { role: "model", parts }, ...(finish && { finishReason: finish }), index: 0 }],
  usageMetadata: finish ? geminiUsage(answer) : { promptTokenCount: usageOf(answer).input, totalTokenCount: usageOf(answer).input },
  modelVersion: MODEL_ECHO,
  responseId: "gemini-scripted",
});
// Gemini 2.5 gives function calls no id.
const geminiCalls = (answer) => (answer.calls ?? []).map(({ name, args }) => ({ functionCall: { name, args } }));

export const google = {
  kind: "google",
  answer(answer = {}) {
    const parts = answer.text === undefined ? [] : [{ text: whole(answer.text) }];
    return geminiChunk([...parts, ...geminiCalls(answer)], answer, GEMINI_REASON[reasonOf(answer)]);
  },
  role: () => "",
  delta: (text) => crlf(geminiChunk([{ text }], {})),
  finish: (answer = {}) => crlf(geminiChunk([{ text: "" }], answer, GEMINI_REASON[reasonOf(answer)])),
  done: () => "",
  stream(answer = {}) {
    const frames = pieces(answer.text).map(google.delta);
    const calls = geminiCalls(answer);
    if (calls.length) frames.push(crlf(geminiChunk(calls, answer)));
    return [...frames, google.finish(answer)];
  },
  error: (status, message) => ({ error: { code: status, message, status: GEMINI_STATUS[status] ?? "UNKNOWN" } }),
  errorFrame: (message) => crlf({ error: { code: 503, message, status: "UNAVAILABLE" } }),
};

export const SHAPES = { openai, anthropic, google };

/** Answers as the request asks: a stream or a whole body. */
export function speak(shape, answer, { json, stream, gap = 0 }) {
  return (response, entry) => (isStream(entry)
    ? stream(shape.stream(answer, { usage: Boolean(entry.json?.stream_options?.include_usage) }), { gap })(response, entry)
    : json(200, shape.answer(answer))(response, entry));
}

export const isStream = (entry) => entry.path.includes(":streamGenerateContent") || entry.json?.stream === true;
