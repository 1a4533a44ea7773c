// Requests with a canary in every place that a dialect has for content.
import { text, word } from "./canaries.mjs";

const IMAGE = `https://img.example/${word("imageUrl")}.png?q=${word("imageQuery")}`;
const schema = { type: "object", properties: { [word("schemaKey")]: { type: "string", description: text("schemaText"), enum: [word("schemaEnum")] } } };
const odd = { [word("unknownKey")]: text("unknownValue"), [text("unknownSentence")]: 1 };

const chat = ({ model, stream, more = {} }) => ({
  model, max_tokens: 50, ...(stream && { stream: true, stream_options: { include_usage: true } }),
  messages: [
    { role: "system", content: text("system") },
    { role: "user", name: word("userName"), content: [
      { type: "text", text: text("prompt") },
      { type: "image_url", image_url: { url: IMAGE } },
      { type: "image_url", image_url: { url: `data:image/png;base64,${word("imageData")}` } },
      { type: "file", file: { filename: `${word("fileName")}.pdf`, file_data: `data:application/pdf;base64,${word("fileData")}` } },
    ] },
    { role: "assistant", content: text("history"), tool_calls: [{ id: "call_1", type: "function", function: { name: word("callName"), arguments: JSON.stringify({ [word("argumentKey")]: text("argument") }) } }] },
    { role: "tool", tool_call_id: "call_1", content: text("toolResult") },
    { role: "user", content: text("question") },
  ],
  tools: [{ type: "function", function: { name: word("toolName"), description: text("toolText"), parameters: schema } }],
  response_format: { type: "json_schema", json_schema: { name: word("schemaName"), schema } },
  stop: [word("stop")], user: word("user"), metadata: { [word("metadataKey")]: word("metadata") },
  prompt_cache_key: word("cacheKey"), safety_identifier: word("safety"),
  prediction: { type: "content", content: text("prediction") }, ...odd, ...more,
});

const responses = ({ model, stream, more = {} }) => ({
  model, max_output_tokens: 50, ...(stream && { stream: true }), instructions: text("instructions"),
  input: [
    { role: "user", content: [{ type: "input_text", text: text("input") }, { type: "input_image", image_url: IMAGE }] },
    { type: "function_call", call_id: "call_1", name: word("callName"), arguments: JSON.stringify({ a: text("argument") }) },
    { type: "function_call_output", call_id: "call_1", output: text("toolResult") },
    { role: "user", content: text("question") },
  ],
  tools: [{ type: "function", name: word("toolName"), description: text("toolText"), parameters: schema }],
  metadata: { team: word("metadata") }, user: word("user"), ...odd, ...more,
});

const anthropic = ({ model, stream, more = {} }) => ({
  model, max_tokens: 50, ...(stream && { stream: true }), system: [{ type: "text", text: text("system") }],
  messages: [
    { role: "user", content: [
      { type: "text", text: text("prompt") },
      { type: "image", source: { type: "base64", media_type: "image/png", data: word("imageData") } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: text("document") }, title: word("title") },
    ] },
    { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: word("callName"), input: { [word("argumentKey")]: text("argument") } }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: text("toolResult") }, { type: "text", text: text("question") }] },
  ],
  tools: [{ name: word("toolName"), description: text("toolText"), input_schema: schema }],
  stop_sequences: [word("stop")], metadata: { user_id: word("user") }, ...odd, ...more,
});

const google = ({ more = {} }) => ({
  systemInstruction: { parts: [{ text: text("system") }] },
  contents: [
    { role: "user", parts: [{ text: text("prompt") }, { inlineData: { mimeType: "image/png", data: word("imageData") } }, { fileData: { mimeType: "video/mp4", fileUri: IMAGE } }] },
    { role: "model", parts: [{ functionCall: { name: word("callName"), args: { [word("argumentKey")]: text("argument") } } }] },
    { role: "user", parts: [{ functionResponse: { name: word("callName"), response: { r: text("toolResult") } } }, { text: text("question") }] },
  ],
  tools: [{ functionDeclarations: [{ name: word("toolName"), description: text("toolText"), parameters: schema }] }],
  generationConfig: { stopSequences: [word("stop")], maxOutputTokens: 50 }, labels: { [word("metadataKey")]: word("metadata") }, ...odd, ...more,
});

const completions = ({ model, stream, more = {} }) => ({
  model, max_tokens: 50, ...(stream && { stream: true }), prompt: text("prompt"), suffix: text("suffix"), stop: word("stop"), user: word("user"), ...odd, ...more,
});

/** Callers by dialect: where they call, with what. */
export const CALLERS = {
  chat: { path: () => "/v1/chat/completions", body: chat },
  responses: { path: () => "/v1/responses", body: responses },
  anthropic: { path: () => "/v1/messages", body: anthropic, headers: { "anthropic-version": "2023-06-01" } },
  google: { path: ({ model, stream }) => `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`, body: google },
  completions: { path: () => "/v1/completions", body: completions },
};

/** What is asked besides generating: `[path, body]`. */
export const operations = (model) => [
  ["/v1/embeddings", { model, input: [text("embedding"), text("embedding2")], user: word("user"), ...odd }],
  ["/v1/rerank", { model, query: text("query"), documents: [text("rerankDocument"), { text: text("rerankObject") }], ...odd }],
  ["/v1/moderations", { model, input: text("moderation"), ...odd }],
  ["/v1/images/generations", { model, prompt: text("imagePrompt"), ...odd }],
  ["/v1/videos", { model, prompt: text("videoPrompt"), ...odd }],
  ["/v1/messages/count_tokens", { model, messages: [{ role: "user", content: text("counted") }] }],
  [`/v1beta/models/${model}:embedContent`, { content: { parts: [{ text: text("embedding") }] }, title: text("embeddingTitle") }],
  [`/v1beta/models/${model}:countTokens`, { contents: [{ parts: [{ text: text("counted") }] }] }],
];

/** A form with canaries in its names, its files and their names. */
export function form(model) {
  const boundary = "canary-boundary";
  const part = (head, value) => `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
  const body = [
    part('name="model"', model),
    part('name="prompt"', text("formText")),
    part(`name="${word("formName")}"`, text("formValue")),
    part(`name="image"; filename="${word("formFile")}.png"`, text("formBytes")),
  ].join("");
  return { body: `${body}--${boundary}--\r\n`, headers: { "content-type": `multipart/form-data; boundary=${boundary}` } };
}

/** Headers of a caller who puts content everywhere. */
export const HEADERS = {
  "x-custom": text("header"), cookie: `c=${word("cookie")}`, referer: `https://app.example/${word("referer")}`, "user-agent": word("userAgent"),
  "x-portolan-metadata": JSON.stringify({ team: word("metadataHeader") }), "x-portolan-session": word("session"),
  "x-request-id": text("requestId"), tracestate: `a=${word("traceState")}`,
};
