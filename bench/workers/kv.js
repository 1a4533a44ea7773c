// Workers KV's HTTP protocol, as the runtime's KV binding speaks it, over constant documents and this isolate's memory.
const values = new Map();

function lookUp(key, env) {
  if (values.has(key)) return values.get(key);
  return Object.hasOwn(env.DOCUMENTS, key) ? { value: JSON.stringify(env.DOCUMENTS[key]) } : undefined;
}

function keyOf(url) {
  const key = url.pathname.slice(1);
  return url.searchParams.get("urlencoded") === "true" ? decodeURIComponent(key) : key;
}

async function readMany(request, env) {
  const { keys, type, withMetadata } = await request.json();
  const found = keys.map((key) => {
    const entry = lookUp(key, env);
    const value = entry === undefined ? null : type === "json" ? JSON.parse(entry.value) : entry.value;
    return [key, withMetadata && entry ? { value, metadata: entry.metadata ? JSON.parse(entry.metadata) : null } : value];
  });
  return Response.json(Object.fromEntries(found));
}

function list(url, env) {
  const prefix = url.searchParams.get("prefix") ?? "";
  const names = [...new Set([...Object.keys(env.DOCUMENTS), ...values.keys()])].filter((name) => name.startsWith(prefix)).sort();
  return Response.json({ keys: names.map((name) => ({ name })), list_complete: true });
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (request.method === "POST") return readMany(request, env);
    if (request.method === "GET" && url.pathname === "/") return list(url, env);
    const key = keyOf(url);
    if (request.method === "GET") {
      const entry = lookUp(key, env);
      if (entry === undefined) return new Response("Not Found", { status: 404 });
      return new Response(entry.value, { headers: entry.metadata ? { "CF-KV-Metadata": entry.metadata } : {} });
    }
    if (request.method === "PUT") {
      values.set(key, { value: await request.text(), metadata: request.headers.get("CF-KV-Metadata") });
      return new Response(null, { status: 204 });
    }
    if (request.method === "DELETE") {
      values.delete(key);
      return new Response(null, { status: 204 });
    }
    return new Response("Method Not Allowed", { status: 405 });
  },
};
