// The built Worker in real workerd, through Miniflare, beside a scripted upstream.
//
// MINIFLARE_WORKERD_PATH picks another runtime, PORTOLAN_WORKER another Worker than `build/index.js`.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

import { send } from "./client.mjs";
import { Upstream } from "./upstream.mjs";
import { watching } from "./watched.mjs";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const WAIT_MS = 10_000;
const POLL_MS = 100;

export const KEY = "pk-e2e-gateway-key-canary-7f3a";
export const ADMIN = "admin-e2e-token-canary-91bc";
/** Secrets of the Worker that the providers' documents name. */
export const SECRETS = { UP_KEY: "sk-up-canary-5d21", UP_KEY_2: "sk-up-canary-second-88e0" };
/** Deadlines of FAILOVER.md scaled down: about one twentieth of the usual. */
export const TIMEOUTS = { headers_ms: 1500, first_token_ms: 1500, idle_ms: 1500, total_ms: 20_000 };
export const SETTINGS = { allow_private_upstreams: true, timeouts: TIMEOUTS };
export const PRICES = {
  openai: { input: 1.25, output: 10, cache_read: 0.125 },
  openai2: { input: 2, output: 16, cache_read: 0.5 },
  anthropic: { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 },
  google: { input: 0.3, output: 2.5, cache_read: 0.03 },
};

const BASE = { openai: "/v1", openai2: "/v1", anthropic: "", google: "" };
const KIND = { openai: "openai", openai2: "openai", anthropic: "anthropic", google: "google" };

/** A providers entry that points at the scripted upstream under its own name. */
export function provider(origin, name, flavour, { context = 131_072, model = "m", ...extra } = {}) {
  return {
    kind: KIND[flavour],
    base_url: `${origin}/${name}${BASE[flavour]}`,
    keys: ["${UP_KEY}"],
    models: { [model]: { context, max_output: 8192, supports: ["tools", "vision", "json_schema"], price: PRICES[flavour] } },
    ...extra,
  };
}

/**
 * Routes and providers for tests that must not see each other's health: each lane has providers of its own,
 * `<lane>-<flavour>`, and a route of its name over them in order. Later targets have the larger window.
 */
export function lanes(origin, table) {
  const providers = {};
  const routes = {};
  for (const [lane, flavours] of Object.entries(table)) {
    for (const [index, flavour] of flavours.entries()) {
      providers[`${lane}-${flavour}`] = provider(origin, `${lane}-${flavour}`, flavour, { context: 131_072 * (index + 1) });
    }
    routes[lane] = { targets: flavours.map((flavour) => `${lane}-${flavour}/m`) };
  }
  return { providers, routes };
}

export class Gateway {
  #miniflare;
  #options;
  #lineWaiters = new Set();
  lines = [];

  /**
   * `documents(origin)` returns what KV holds at the start: values by key, objects become JSON.
   * `bindings` replaces the secrets; `secrets(origin)` returns more of them. `ai(origin)` returns a module that stands in
   * for the platform's `AI`. `watch`: calls to tenants' objects, or to their journals when it is "journal", are counted, and can be disturbed. `inStore` are names bound
   * to the Secrets Store, with their texts; `undefined` is one that is bound and not there. `buckets` are names that R2 buckets
   * are bound to. `assets`: the dashboard is served too, by the router that the platform puts before the Worker then.
   */
  static async start(
    { upstream, documents = () => ({}), bindings, secrets = () => ({}), inStore = {}, ai, watch = false, buckets = [], assets = false } = {},
  ) {
    const gateway = new Gateway();
    const worker = modules();
    gateway.upstream = upstream ?? await Upstream.start();
    gateway.state = mkdtempSync(path.join(tmpdir(), "portolan-e2e-"));
    const { origin } = gateway.upstream;
    const portolan = {
      name: "portolan",
      ...worker,
      ...compatibility(),
      bindings: bindings ?? { GATEWAY_KEY: KEY, ADMIN_TOKEN: ADMIN, ...SECRETS, ...secrets(origin) },
      kvNamespaces: ["CONFIG", "CACHE"],
      secretsStoreSecrets: Object.fromEntries(Object.keys(inStore).map((name) => [name, { store_id: "store", secret_name: name }])),
      r2Buckets: buckets,
      durableObjects: {
        HEALTH: { className: "HealthObject", useSQLite: true },
        JOURNAL: watch === "journal" ? { className: "Watched", scriptName: "watched" } : { className: "JournalObject", useSQLite: true },
        METRICS: { className: "MetricsObject", useSQLite: true },
        TENANT: watch === true ? { className: "Watched", scriptName: "watched" } : { className: "TenantObject", useSQLite: true },
      },
      ...(assets && { assets: siteAssets(worker.modulesRoot) }),
      ...(ai && { wrappedBindings: { AI: "ai" } }),
      // The Worker's own socket: Miniflare's front worker would stand between it and the bytes.
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    };
    gateway.#options = {
      workers: [
        portolan,
        ...(ai ? [{ name: "ai", modules: [{ type: "ESModule", path: "index.mjs", contents: ai(origin) }] }] : []),
        ...(watch ? [{ ...watching(watch === "journal" ? "JournalObject" : "TenantObject"), compatibilityDate: compatibility().compatibilityDate }] : []),
      ],
      kvPersist: path.join(gateway.state, "kv"),
      durableObjectsPersist: path.join(gateway.state, "do"),
      secretsStorePersist: path.join(gateway.state, "secrets-store"),
      r2Persist: path.join(gateway.state, "r2"),
      handleRuntimeStdio: (stdout, stderr) => gateway.#listen(stdout, stderr),
    };
    try {
      await gateway.#boot(documents(gateway.upstream.origin), inStore);
    } catch (error) {
      await gateway.stop();
      throw new Error(`the Worker does not start:\n${gateway.lines.slice(0, 20).join("\n")}`, { cause: error });
    }
    return gateway;
  }

  /** Starts with one set of lanes. `extra(origin)` adds to or replaces the documents. */
  static withLanes(table, extra = () => ({}), options = {}) {
    return Gateway.start({
      ...options,
      documents: (origin) => {
        const { providers, routes } = lanes(origin, table);
        const more = extra(origin);
        return {
          ...more,
          settings: more.settings ?? SETTINGS,
          providers: { ...providers, ...more.providers },
          routes: { ...routes, ...more.routes },
        };
      },
    });
  }

  /** Stops the runtime and starts another on the same stored state, with `documents` written and `bindings` changed in between. */
  async restart(documents = {}, bindings = {}) {
    await this.pause();
    Object.assign(this.#options.workers[0].bindings, bindings);
    await this.resume(documents);
  }

  /** Stops the runtime; what it stored can be looked at. */
  async pause() {
    await this.#miniflare.dispose();
  }

  async resume(documents = {}) {
    await this.#boot(documents);
  }

  async bucket(name) {
    return this.#miniflare.getR2Bucket(name);
  }

  /** Writes KV behind the Worker's back, as `wrangler kv key put` does. */
  async put(documents) {
    const config = await this.#miniflare.getKVNamespace("CONFIG");
    for (const [name, value] of Object.entries(documents)) {
      await config.put(name, typeof value === "string" ? value : JSON.stringify(value));
    }
  }

  /** What KV holds under a name. */
  async stored(name) {
    return (await this.#miniflare.getKVNamespace("CONFIG")).get(name);
  }

  /** A KV namespace, as the platform has it. */
  namespace(name) {
    return this.#miniflare.getKVNamespace(name);
  }

  async stop() {
    await this.#miniflare?.dispose().catch(() => {});
    await this.upstream.stop();
    rmSync(this.state, { recursive: true, force: true });
  }

  /** Calls to tenants' objects since the last `clear`; `mode` says what becomes of them from now on. */
  async calls(query = "") {
    const watched = await this.#miniflare.unsafeGetDirectURL("watched");
    return (await send(new URL(`/?${query}`, watched))).json;
  }

  url(route) { return new URL(route, this.origin).href; }

  /** One call with the gateway key, answered whole. */
  send(route, options = {}) {
    return send(this.url(route), { key: KEY, ...options });
  }

  async admin(route) {
    const answer = await send(this.url(route), { key: ADMIN });
    if (answer.status !== 200) throw new Error(`${route}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  /** The log's JSON objects. */
  get log() {
    return this.lines.flatMap((line) => {
      if (!line.startsWith("{")) return [];
      try { return [JSON.parse(line)]; } catch { return []; }
    });
  }

  /** Log lines of one lane, once there is at least one. */
  async logged(lane) {
    await this.#untilLine(() => this.log.some(mentions(lane)), `a log line of ${lane}`);
    return this.log.filter(mentions(lane));
  }

  /** Journal records of one lane, once there is at least one. */
  async recorded(lane) {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const { data } = await this.admin("/admin/v1/requests?limit=500");
      const found = data.filter(mentions(lane));
      if (found.length) return found;
      if (Date.now() > deadline) {
        throw new Error(`no record of ${lane} among ${data.length} in the journal; the log says:\n${this.lines.slice(-5).join("\n")}`);
      }
      await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
    }
  }

  async #boot(documents, inStore = {}) {
    this.#miniflare = new Miniflare(this.#options);
    await this.#miniflare.ready;
    for (const [name, value] of Object.entries(inStore)) {
      if (value !== undefined) await (await this.#miniflare.getSecretsStoreSecretAPI(name))().create(value);
    }
    await this.put(documents);
    this.origin = await this.#miniflare.unsafeGetDirectURL();
  }

  #listen(stdout, stderr) {
    for (const [stream, mark] of [[stdout, ""], [stderr, "stderr: "]]) {
      readline.createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(mark + line);
        if (process.env.E2E_LOG) console.error(`worker| ${mark}${line}`);
        for (const wake of this.#lineWaiters) wake();
      });
    }
  }

  async #untilLine(test, what) {
    const deadline = Date.now() + WAIT_MS;
    while (!test()) {
      if (Date.now() > deadline) throw new Error(`waited in vain for ${what}; the last lines are:\n${this.lines.slice(-10).join("\n")}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now() + 1);
        const wake = () => { clearTimeout(timer); this.#lineWaiters.delete(wake); resolve(); };
        this.#lineWaiters.add(wake);
      });
    }
  }
}

/** A lane shows in a record as its route or in its providers' names. */
const mentions = (lane) => (record) => new RegExp(`"${lane}["/-]`).test(JSON.stringify(record));

export function modules() {
  const main = path.resolve(process.env.PORTOLAN_WORKER ?? path.join(ROOT, "build/index.js"));
  if (!existsSync(main)) throw new Error(`${main} is missing: run \`cargo xtask build\` first`);
  const folder = path.dirname(main);
  const wasm = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
  return {
    modulesRoot: folder,
    modules: [
      { type: "ESModule", path: main },
      ...wasm.map((name) => ({ type: "CompiledWasm", path: path.join(folder, name) })),
    ],
  };
}

/** The assets as wrangler.toml has them served. */
function siteAssets(folder) {
  const toml = readFileSync(path.join(ROOT, "wrangler.toml"), "utf8");
  const [, binding] = /^\[assets\]\n(?:.+\n)*?binding = "(.*)"$/m.exec(toml);
  const patterns = JSON.parse(/^run_worker_first = (\[.*\])$/m.exec(toml)[1]);
  const isNegative = (pattern) => pattern.startsWith("!");
  return {
    directory: path.join(folder, "assets"),
    binding,
    routerConfig: {
      has_user_worker: true,
      static_routing: {
        user_worker: patterns.filter((pattern) => !isNegative(pattern)),
        asset_worker: patterns.filter(isNegative).map((pattern) => pattern.slice(1)),
      },
    },
    assetConfig: {},
  };
}

/** Date and flags are written once, in wrangler.toml. */
export function compatibility() {
  const toml = readFileSync(path.join(ROOT, "wrangler.toml"), "utf8");
  const [, compatibilityDate] = /^compatibility_date = "(.*)"$/m.exec(toml);
  const [, flags] = /^compatibility_flags = (\[.*\])$/m.exec(toml);
  return { compatibilityDate, compatibilityFlags: JSON.parse(flags) };
}
