// The built Worker with something to tell: documents with versions, keys, records, counters, health that changed, an audit chain.
import { createHash } from "node:crypto";
import http from "node:http";
import { once } from "node:events";

import { send } from "../e2e/lib/client.mjs";
import { ADMIN, Gateway, SECRETS, SETTINGS, KEY } from "../e2e/lib/gateway.mjs";
import { SHAPES, speak } from "../e2e/lib/shapes.mjs";
import { forever, json, stream } from "../e2e/lib/upstream.mjs";

const ENCRYPTION = "encryption-secret-canary-of-forty-letters";
const TENANT_KEY = "pk-openapi-tests-key-of-a-tenant-1d5e7c";
const WAIT_MS = 20_000;
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A gateway after a few requests and edits. */
export async function started() {
  const gateway = await Gateway.withLanes(
    { plain: ["openai"], falls: ["openai", "anthropic"], down: ["openai"] },
    () => ({
      settings: SETTINGS,
      routes: { made: { targets: ["mock/lorem?words=20&rate=0"] }, late: { targets: ["mock/echo?fail=503", "mock/echo"] } },
      budgets: { tags: { ci: { budgets: [{ usd: 5, per: "day" }] } } },
      prices: { "plain-openai/m": { input: 1, output: 2, source: "a contract", date: "2026-11-01" } },
      [`key:${sha256(TENANT_KEY)}`]: { name: "ci", tenant: "acme", tags: ["ci"] },
    }),
    { assets: true, bindings: { GATEWAY_KEY: KEY, ADMIN_TOKEN: ADMIN, ENCRYPTION_SECRET: ENCRYPTION, ...SECRETS } },
  );
  try {
    await visited(gateway);
  } catch (error) {
    await gateway.stop();
    throw error;
  }
  return gateway;
}

async function visited(gateway) {
  const { upstream } = gateway;
  const scripted = (name, shape) => upstream.script(name, forever(speak(SHAPES[shape], { text: "Four words of answer." }, { json, stream })));
  scripted("plain-openai", "openai");
  scripted("falls-anthropic", "anthropic");
  upstream.script("falls-openai", forever(json(503, { error: { message: "overloaded" } })));
  upstream.script("down-openai", forever(json(500, { error: { message: "down" } })));
  const ask = (model, more = {}, key = KEY) =>
    gateway.send("/v1/chat/completions", { key, body: { model, messages: [{ role: "user", content: "Hello" }], ...more } });
  for (const model of ["plain", "falls", "down", "made", "late", "nobody"]) {
    await ask(model);
    await ask(model, { stream: true }, TENANT_KEY);
  }
  const admin = (method, path, body, headers = {}) => send(gateway.url(`/admin/v1/${path}`), { method, key: ADMIN, body, headers });
  await admin("PUT", "tenants/acme/secrets/plain-openai", { key: "sk-own-canary-openapi-11aa22" });
  await admin("PUT", "health/falls-openai", { action: "drain", for_ms: 600_000 });
  const { text, headers } = await admin("GET", "routes");
  const routes = { ...JSON.parse(text), second: { targets: ["plain-openai/m"] } };
  await admin("PUT", "routes", JSON.stringify(routes), { "if-match": headers.etag });
  const deadline = Date.now() + WAIT_MS;
  while ((await gateway.admin("/admin/v1/requests")).data.length < 10) {
    if (Date.now() > deadline) throw new Error("waited in vain for records");
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  }
}

/**
 * A door before the gateway. Whoever calls without the right token comes from an address of their own: otherwise the
 * throttle of wrong tokens would shut out the right one as well.
 */
export async function door(gateway) {
  let strangers = 0;
  const target = new URL(gateway.origin);
  const server = http.createServer((request, response) => {
    const headers = [...request.rawHeaders];
    if (request.headers.authorization !== `Bearer ${ADMIN}`) {
      strangers += 1;
      headers.push("cf-connecting-ip", `10.${(strangers >> 16) & 255}.${(strangers >> 8) & 255}.${strangers & 255}`);
    }
    const onward = http.request({ host: target.hostname, port: target.port, method: request.method, path: request.url, headers, agent: false });
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}/admin/v1`, close: () => { server.close(); server.closeAllConnections(); } };
}
