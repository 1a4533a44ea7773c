// Several isolates of the built Worker in one workerd, in regions of our choosing, with one namespace of health objects.
//
// Each isolate is a service of its own with the same code. A front sets where a request comes from, and a class between
// the Worker and its health objects counts the calls and can hold them up.
import http from "node:http";
import { Miniflare } from "miniflare";

import { ADMIN, KEY, SECRETS, compatibility, modules } from "./gateway.mjs";

/** What the platform would say of a request. */
const PLACES = {
  weur: { continent: "EU", country: "DE", colo: "FRA", longitude: "8.5" },
  enam: { continent: "NA", country: "US", colo: "EWR", longitude: "-74.2" },
  apac: { continent: "AS", country: "JP", colo: "NRT", longitude: "140.3" },
};

const COUNTER = `
let calls = [];
let delay = 0;
export class Counter {
  constructor(state, env) { this.env = env; }
  async fetch(request) {
    const region = request.url.split("/").pop();
    const message = request.method === "POST" ? await request.text() : undefined;
    calls.push({ at: Date.now(), region, is_sync: message?.startsWith("{") ?? false });
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay));
    const real = this.env.REAL.get(this.env.REAL.idFromName(region));
    return real.fetch(request.url, message === undefined ? {} : { method: "POST", body: message });
  }
}
export default {
  fetch(request) {
    const { searchParams } = new URL(request.url);
    if (searchParams.has("delay")) delay = Number(searchParams.get("delay"));
    const found = Response.json(calls);
    if (searchParams.has("clear")) calls = [];
    return found;
  },
};`;

const FRONT = `
export default {
  fetch(request, env) {
    const to = request.headers.get("x-fleet-to");
    return env[to].fetch(request, to === "COUNTER" ? {} : { cf: env.PLACES[to] });
  },
};`;

/** What the slow namespace answers for this key: how often keys were looked up in it by the isolate that asks. */
export const READS = "0".repeat(64);

// A namespace that shows what the Worker writes only after a while, everywhere: what KV may do at its worst. What is put
// behind the Worker's back is shown at once. It counts look-ups of keys, and can be down.
const SLOW = `
const MARK = "history:";
export default (env) => {
  let reads = 0;
  const history = async (key) => {
    const text = await env.REAL.get(key);
    return text?.startsWith(MARK) ? JSON.parse(text.slice(MARK.length)) : [[0, text]];
  };
  const check = async () => { if (await env.REAL.get("-down")) throw new Error("KV is down"); };
  const write = async (key, value) => {
    await check();
    await env.REAL.put(key, MARK + JSON.stringify([...await history(key), [Date.now(), value]]));
  };
  return {
    async get(key) {
      if (key === "key:${READS}") return JSON.stringify({ reads });
      if (key.startsWith("key:")) reads += 1;
      await check();
      const shown = Date.now() - Number(await env.REAL.get("-lag") ?? 0);
      return (await history(key)).filter(([at]) => at <= shown).at(-1)?.[1] ?? null;
    },
    put: write,
    delete: (key) => write(key, null),
    list: async (options) => { await check(); return env.REAL.list(options); },
  };
};`;

export class Fleet {
  #miniflare;
  #config;
  #agent = new http.Agent({ keepAlive: true });

  /** `regions`: of each isolate, its region. `slow`: KV lags, see above. */
  static async start(regions, documents, { slow = false } = {}) {
    const fleet = new Fleet();
    fleet.regions = regions;
    const names = regions.map((_, index) => `W${index}`);
    const worker = (name) => ({
      name,
      ...modules(),
      ...compatibility(),
      bindings: { GATEWAY_KEY: KEY, ADMIN_TOKEN: ADMIN, ...SECRETS },
      ...(slow ? { wrappedBindings: { CONFIG: "slow" } } : { kvNamespaces: { CONFIG: "shared" } }),
      durableObjects: {
        HEALTH: { className: "Counter", scriptName: "counter" },
        JOURNAL: { className: "JournalObject", scriptName: "W0", useSQLite: true },
        METRICS: { className: "MetricsObject", scriptName: "W0", useSQLite: true },
        TENANT: { className: "TenantObject", scriptName: "W0", useSQLite: true },
      },
    });
    const script = (name, contents, more) => ({
      name,
      modules: [{ type: "ESModule", path: `${name}.mjs`, contents }],
      compatibilityDate: compatibility().compatibilityDate,
      ...more,
    });
    const places = Object.fromEntries(names.map((name, index) => [name, PLACES[regions[index]]]));
    const services = Object.fromEntries(names.map((name) => [name, name]));
    fleet.#miniflare = new Miniflare({
      workers: [
        script("front", FRONT, {
          bindings: { PLACES: places },
          serviceBindings: { ...services, COUNTER: "counter" },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        }),
        script("counter", COUNTER, {
          durableObjects: { REAL: { className: "HealthObject", scriptName: "W0", useSQLite: true }, SELF: { className: "Counter" } },
        }),
        ...(slow ? [{ name: "slow", modules: [{ type: "ESModule", path: "slow.mjs", contents: SLOW }], kvNamespaces: { REAL: "shared" } }] : []),
        script("store", "export default {};", { kvNamespaces: { CONFIG: "shared" } }),
        ...names.map(worker),
      ],
      handleRuntimeStdio: (stdout, stderr) => { stdout.resume(); stderr.resume(); },
    });
    await fleet.#miniflare.ready;
    fleet.#config = await fleet.#miniflare.getKVNamespace("CONFIG", "store");
    for (const [name, value] of Object.entries(documents)) await fleet.put(name, value);
    fleet.origin = await fleet.#miniflare.unsafeGetDirectURL("front");
    return fleet;
  }

  async stop() {
    this.#agent.destroy();
    await this.#miniflare.dispose();
  }

  /** Writes KV behind the Worker's back. */
  put(name, value) {
    return value === undefined ? this.#config.delete(name) : this.#config.put(name, JSON.stringify(value));
  }

  /** One call to isolate `index`, with when it was sent and how long it took. */
  send(index, path, { method = "POST", body, key = KEY, headers } = {}) {
    const own = { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers };
    return this.#request(`W${index}`, path, method, body, own);
  }

  chat(index, model, more = {}) {
    return this.send(index, "/v1/chat/completions", { body: { model, messages: [{ role: "user", content: "ping" }], ...more } });
  }

  admin(index, path, body) {
    return this.send(index, `/admin/v1${path}`, { method: body ? "PUT" : "GET", body, key: ADMIN });
  }

  /** Calls to health objects since the last `clear`. */
  async calls(query = "") {
    return JSON.parse((await this.#request("COUNTER", `/?${query}`, "GET", undefined, {})).text);
  }

  #request(to, path, method, body, headers) {
    const sent = performance.now();
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, method, headers: { ...headers, "x-fleet-to": to } };
      const request = http.request(new URL(path, this.origin), options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => { text += chunk; });
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode, headers: response.headers, text, sent, took: performance.now() - sent });
        });
      });
      // The runtime closes a connection behind an answer whose request it did not read; one that is sent on just then is
      // answered by nobody.
      const again = () => this.#request(to, path, method, body, headers).then(resolve, reject);
      request.on("error", (error) => (request.reusedSocket && error.code === "ECONNRESET" ? again() : reject(error)));
      request.end(body && JSON.stringify(body));
    });
  }
}

/** A route whose first target, of a name of its own, fails for whoever asks it to, and whose second never does. */
export const route = (n) => ({ targets: [`mock/echo?words=${n}`, "mock/lorem?words=1&rate=0"] });
export const FAIL = { mock: { fail: 503 } };
/** Whether the plan had left the first target out. */
export const isPassedOver = (answer) => answer.headers["x-portolan-attempts"]?.startsWith("1; mock/lorem") ?? false;

export const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** The smallest number within which so many of a hundred lie. */
export function within(percent, numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * percent / 100) - 1)];
}
