// Every SDK behind one interface, so that one table of tests holds for all of them.
//
// ask({ model, system, prompt, history, tools, schema, stream }) → { text, calls: [{ id, name, args }], usage: { input, output }, turn }
//   history: [{ turn, results: [text] }] of earlier turns with tool calls, in the SDK's own objects.
// raises(error) → { status, class } of what the SDK threw.
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { ChatAnthropic } from "@langchain/anthropic";
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";
import { ChatOpenAI } from "@langchain/openai";
import { Output, embedMany, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";

const MAX_TOKENS = 256;

/** OpenAI's SDK on the Responses API. */
function responses(origin, key) {
  const client = new OpenAI({ apiKey: key, baseURL: `${origin}/v1`, maxRetries: 0 });
  const read = (response) => ({
    text: response.output_text,
    calls: response.output.filter(({ type }) => type === "function_call").map(({ call_id, name, arguments: args }) => ({ id: call_id, name, args: JSON.parse(args) })),
    usage: { input: response.usage.input_tokens, output: response.usage.output_tokens },
    turn: response.output,
  });
  return {
    dialect: "responses",
    async ask({ model, system, prompt, history = [], tools, schema, stream }) {
      const input = [{ role: "user", content: prompt }];
      for (const { turn, calls, results } of history) {
        input.push(...turn, ...calls.map(({ id }, index) => ({ type: "function_call_output", call_id: id, output: results[index] })));
      }
      const request = {
        model, input, ...(system && { instructions: system }),
        ...(tools && { tools: tools.map(({ name, description, schema: parameters }) => ({ type: "function", name, description, parameters, strict: false })) }),
        ...(schema && { text: { format: { type: "json_schema", name: "answer", schema, strict: true } } }),
      };
      return read(stream ? await client.responses.stream(request).finalResponse() : await client.responses.create(request));
    },
    embed: async (model, texts) => (await client.embeddings.create({ model, input: texts })).data.map(({ embedding }) => embedding),
    raises: ({ status, constructor }) => ({ status, class: constructor.name }),
  };
}

/** Google's SDK. */
function google(origin, key) {
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: origin } });
  const read = (parts, usage) => ({
    text: parts.filter(({ text, thought }) => text && !thought).map(({ text }) => text).join(""),
    calls: parts.filter(({ functionCall }) => functionCall).map(({ functionCall: { id, name, args } }) => ({ id, name, args })),
    usage: { input: usage.promptTokenCount, output: usage.candidatesTokenCount + (usage.thoughtsTokenCount ?? 0) },
    turn: { role: "model", parts },
  });
  return {
    dialect: "gemini",
    async ask({ model, system, prompt, history = [], tools, schema, stream }) {
      const contents = [{ role: "user", parts: [{ text: prompt }] }];
      for (const { turn, calls, results } of history) {
        contents.push(turn, { role: "user", parts: calls.map(({ id, name }, index) => ({ functionResponse: { id, name, response: { output: results[index] } } })) });
      }
      const config = {
        ...(system && { systemInstruction: system }),
        ...(tools && { tools: [{ functionDeclarations: tools.map(({ name, description, schema: parametersJsonSchema }) => ({ name, description, parametersJsonSchema })) }] }),
        ...(schema && { responseMimeType: "application/json", responseJsonSchema: schema }),
      };
      if (!stream) {
        const answer = await client.models.generateContent({ model, contents, config });
        return read(answer.candidates[0].content.parts, answer.usageMetadata);
      }
      const parts = [];
      let usage;
      for await (const chunk of await client.models.generateContentStream({ model, contents, config })) {
        parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
        usage = chunk.usageMetadata ?? usage;
      }
      return read(parts, usage);
    },
    embed: async (model, texts) => (await client.models.embedContent({ model, contents: texts })).embeddings.map(({ values }) => values),
    count: async (model, text) => (await client.models.countTokens({ model, contents: text })).totalTokens,
    models: async () => {
      const names = [];
      for await (const { name } of await client.models.list()) names.push(name.replace("models/", ""));
      return names;
    },
    raises: ({ status, constructor }) => ({ status, class: constructor.name }),
  };
}

/** The Vercel AI SDK on one of its providers. */
function ai(dialect, provide, embedding) {
  const read = ({ text, toolCalls, usage, responseMessages, response }) => ({
    text,
    calls: toolCalls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, args: input })),
    usage: { input: usage.inputTokens, output: usage.outputTokens },
    turn: responseMessages ?? response.messages,
  });
  return {
    dialect,
    async ask({ model, system, prompt, history = [], tools, schema, stream }) {
      const messages = [{ role: "user", content: prompt }];
      for (const { turn, calls, results } of history) {
        const content = calls.map(({ id, name }, index) => ({ type: "tool-result", toolCallId: id, toolName: name, output: { type: "text", value: results[index] } }));
        messages.push(...turn.filter(({ role }) => role === "assistant"), { role: "tool", content });
      }
      const request = {
        model: provide(model), messages, maxRetries: 0, stopWhen: stepCountIs(1), maxOutputTokens: MAX_TOKENS,
        ...(system && { system }),
        ...(tools && { tools: Object.fromEntries(tools.map(({ name, description, schema: parameters }) => [name, tool({ description, inputSchema: jsonSchema(parameters) })])) }),
        ...(schema && { output: Output.object({ schema: jsonSchema(schema) }) }),
      };
      if (!stream) return read(await generateText(request));
      let failed;
      const run = streamText({ ...request, onError: ({ error }) => { failed = error; } });
      try {
        await run.consumeStream();
        if (failed) throw failed;
        return read({ text: await run.text, toolCalls: await run.toolCalls, usage: await run.usage, response: await run.response });
      } catch (error) {
        throw failed ?? error;
      }
    },
    ...(embedding && { embed: async (model, texts) => (await embedMany({ model: embedding(model), values: texts, maxRetries: 0 })).embeddings }),
    raises: ({ statusCode, name }) => ({ status: statusCode, class: name }),
  };
}

/** LangChain on one of its chat models. */
function langchain(dialect, make) {
  return {
    dialect,
    async ask({ model, system, prompt, history = [], tools, schema, stream }) {
      const messages = [...(system ? [new SystemMessage(system)] : []), new HumanMessage(prompt)];
      for (const { turn, calls, results } of history) {
        messages.push(turn, ...calls.map(({ id, name }, index) => new ToolMessage({ tool_call_id: id, name, content: results[index] })));
      }
      let chat = make(model);
      if (tools) chat = chat.bindTools(tools.map(({ name, description, schema: parameters }) => ({ type: "function", function: { name, description, parameters } })));
      if (schema) chat = chat.withStructuredOutput({ title: "answer", description: "The answer.", ...schema }, { includeRaw: true });
      let answer;
      if (stream && !schema) {
        for await (const chunk of await chat.stream(messages)) answer = answer ? answer.concat(chunk) : chunk;
      } else {
        answer = await chat.invoke(messages);
      }
      if (schema) return { text: JSON.stringify(answer.parsed), calls: [], usage: usageOf(answer.raw), turn: answer.raw };
      return {
        text: answer.text, turn: answer, usage: usageOf(answer),
        calls: (answer.tool_calls ?? []).map(({ id, name, args }) => ({ id, name, args })),
      };
    },
    raises: (error) => ({ status: error.status ?? error.statusCode ?? error.response?.status, class: error.constructor.name }),
  };
}
const usageOf = (message) => ({ input: message.usage_metadata?.input_tokens, output: message.usage_metadata?.output_tokens });

export { AIMessageChunk, Anthropic, OpenAI };

/** All of them, against one gateway. */
export function clients(origin, key) {
  const openai = createOpenAI({ apiKey: key, baseURL: `${origin}/v1` });
  const compatible = createOpenAICompatible({ name: "portolan", apiKey: key, baseURL: `${origin}/v1`, includeUsage: true, supportsStructuredOutputs: true });
  const anthropic = createAnthropic({ apiKey: key, baseURL: `${origin}/v1` });
  const gemini = createGoogleGenerativeAI({ apiKey: key, baseURL: `${origin}/v1beta` });
  const common = { maxRetries: 0, maxTokens: MAX_TOKENS };
  return {
    "openai responses": responses(origin, key),
    "@google/genai": google(origin, key),
    "ai + openai": ai("responses", (model) => openai(model), (model) => openai.textEmbeddingModel(model)),
    "ai + openai chat": ai("chat", (model) => openai.chat(model)),
    "ai + compatible": ai("chat", (model) => compatible(model), (model) => compatible.textEmbeddingModel(model)),
    "ai + anthropic": ai("anthropic", (model) => anthropic(model)),
    "ai + google": ai("gemini", (model) => gemini(model), (model) => gemini.textEmbeddingModel(model)),
    "langchain openai": langchain("chat", (model) => new ChatOpenAI({ ...common, model, apiKey: key, configuration: { baseURL: `${origin}/v1` } })),
    "langchain openai responses": langchain("responses", (model) => new ChatOpenAI({ ...common, model, apiKey: key, useResponsesApi: true, configuration: { baseURL: `${origin}/v1` } })),
    // It takes a stream's input from the first event, where nobody knows it yet, and adds the outputs of all events up.
    "langchain anthropic": { ...langchain("anthropic", (model) => new ChatAnthropic({ ...common, model, apiKey: key, anthropicApiUrl: origin })), miscounts: true },
    "langchain google": langchain("gemini", (model) => new ChatGoogleGenerativeAI({ maxRetries: 0, maxOutputTokens: MAX_TOKENS, model, apiKey: key, baseUrl: origin })),
  };
}
