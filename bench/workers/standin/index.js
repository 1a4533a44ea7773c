// A gateway of the plainest kind, to try the harness without a built Worker: `--gateway-dir bench/workers/standin`.
// Its figures say nothing about Portolan.
import { DurableObject } from "cloudflare:workers";

export class HealthObject extends DurableObject {}

export class TenantObject extends DurableObject {}

export class JournalObject extends DurableObject {
  constructor(state, env) {
    super(state, env);
    state.storage.sql.exec("CREATE TABLE IF NOT EXISTS counts (at INTEGER, requests INTEGER)");
  }
  append(requests) {
    this.ctx.storage.sql.exec("INSERT INTO counts VALUES (?, ?)", Date.now(), requests);
  }
}

let providers;
let unsaved = 0;

async function readProviders(env) {
  if (providers === undefined) {
    const settings = await env.CONFIG.get("settings", "json");
    if (settings?.allow_private_upstreams !== true) throw new Error("settings do not allow loopback");
    providers = await env.CONFIG.get("providers", "json");
  }
  return providers;
}

function count(env, context) {
  unsaved += 1;
  if (unsaved < 100) return;
  context.waitUntil(env.JOURNAL.get(env.JOURNAL.idFromName("journal")).append(unsaved));
  unsaved = 0;
}

function chunk(id, choices, usage) {
  const body = { id, object: "chat.completion.chunk", created: 1700000000, model: "m", choices, usage };
  return `data: ${JSON.stringify(body)}\n\n`;
}

function translate(event, id) {
  const choice = (delta, finish_reason = null) => [{ index: 0, delta, logprobs: null, finish_reason }];
  switch (event.type) {
    case "message_start": return chunk(id, choice({ role: "assistant", content: "" }));
    case "content_block_delta": return chunk(id, choice({ content: event.delta.text }));
    case "message_delta": return chunk(id, choice({}, "stop")) + chunk(id, [], { total_tokens: event.usage.output_tokens });
    case "message_stop": return "data: [DONE]\n\n";
    default: return "";
  }
}

function editStream(body, edit) {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  return body.pipeThrough(new TransformStream({
    transform(bytes, controller) {
      const events = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
      rest = events.pop();
      const text = events.map(edit).join("");
      if (text !== "") controller.enqueue(encoder.encode(text));
    },
  }));
}

const translateEvent = (event) => translate(JSON.parse(event.slice(event.indexOf("data: ") + 6)), "chatcmpl-1");
const dropUsage = (event) => (event.includes('"usage":{') ? "" : `${event}\n\n`);

async function answer(request, env) {
  if (request.headers.get("authorization") !== `Bearer ${env.GATEWAY_KEY}`) return new Response("no key", { status: 401 });
  const body = await request.json();
  const [name, model] = body.model.split("/");
  const provider = (await readProviders(env))[name];
  if (provider === undefined) return new Response(`unknown model ${body.model}`, { status: 404 });
  const path = provider.kind === "anthropic" ? "/v1/messages" : "/chat/completions";
  const headers = { "content-type": "application/json", authorization: `Bearer ${env.BENCH_KEY}` };
  const upstream = await fetch(provider.base_url + path, { method: "POST", headers, body: JSON.stringify({ ...body, model }) });
  if (provider.kind === "openai") {
    return body.stream && !body.stream_options ? new Response(editStream(upstream.body, dropUsage), upstream) : upstream;
  }
  if (body.stream) return new Response(editStream(upstream.body, translateEvent), { headers: { "content-type": "text/event-stream" } });
  const message = await upstream.json();
  const choices = [{ index: 0, message: { role: "assistant", content: message.content[0].text }, finish_reason: "stop" }];
  return Response.json({ id: message.id, object: "chat.completion", choices, usage: { total_tokens: 1 } });
}

export default {
  fetch(request, env, context) {
    count(env, context);
    return answer(request, env);
  },
};
