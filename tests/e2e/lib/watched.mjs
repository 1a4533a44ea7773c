// Between the Worker and its tenants' objects or journals: counts the calls, and lets them fail in every way there is.

const SOURCE = `
let calls = [];
let mode = "pass";
let delay = 0;
export class Watched {
  constructor(state, env) { this.state = state; this.env = env; }
  async fetch(request) {
    const message = request.method === "POST" ? await request.text() : undefined;
    const told = message?.startsWith("{") ? JSON.parse(message) : {};
    calls.push({ at: Date.now(), mode, name: this.state.id.name, tenant: told.tenant, entries: told.entries ?? [], records: told.records ?? [], alive: told.alive ?? [], account: told.account });
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay));
    if (mode === "fail") throw new Error("the object is being moved");
    if (mode === "hang") await new Promise((resolve) => setTimeout(resolve, 60_000));
    const stub = this.env.REAL.getByName(this.state.id.name ?? told.tenant ?? "default");
    const answer = await (await stub.fetch(request.url, message === undefined ? {} : { method: "POST", body: message })).text();
    if (mode === "deaf") throw new Error("the answer is lost");
    return new Response(answer);
  }
}
export default {
  fetch(request) {
    const { searchParams } = new URL(request.url);
    if (searchParams.has("mode")) mode = searchParams.get("mode");
    if (searchParams.has("delay")) delay = Number(searchParams.get("delay"));
    const found = Response.json(calls);
    if (searchParams.has("clear")) calls = [];
    return found;
  },
};`;

export const watching = (className) => ({
  name: "watched",
  modules: [{ type: "ESModule", path: "watched.mjs", contents: SOURCE }],
  durableObjects: {
    REAL: { className, scriptName: "portolan", useSQLite: true },
    SELF: { className: "Watched" },
  },
  unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
});
