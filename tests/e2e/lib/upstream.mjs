// A scripted upstream on loopback: what each provider answers, try by try, and a record of what it was sent.
//
// The first segment of a path names the provider, so one server plays any number of them. A script is a list of
// answers; each request takes the next one, and the last repeats only when it is `forever`.
import http from "node:http";
import { once } from "node:events";
import { gzipSync } from "node:zlib";

const WAIT_MS = 10_000;

export class Upstream {
  #scripts = new Map();
  #requests = [];
  #waiters = new Set();
  #server = http.createServer({ keepAlive: true }, (request, response) => this.#serve(request, response));

  /** On any free port, or on this one. */
  static async start(port = 0) {
    const upstream = new Upstream();
    // Silent answers are part of the play: the server must not end them on its own.
    upstream.#server.requestTimeout = 0;
    upstream.#server.listen(port, "127.0.0.1");
    await once(upstream.#server, "listening");
    return upstream;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Sets what `provider` answers from now on. */
  script(provider, ...answers) {
    this.#scripts.set(provider, answers);
  }

  /** Requests that reached `provider`, oldest first. */
  requests(provider) {
    return this.#requests.filter((request) => request.provider === provider);
  }

  /** The `index`th request to `provider`, awaited. */
  async request(provider, index = 0) {
    await this.#until(() => this.requests(provider).length > index, `request ${index + 1} to ${provider}`);
    return this.requests(provider)[index];
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request, response) {
    const entry = {
      provider: request.url.split("/")[1],
      method: request.method,
      path: request.url.slice(request.url.indexOf("/", 1)),
      headers: request.headers,
      at: Date.now(),
      body: Buffer.alloc(0),
      /** When the answer's connection was closed by the other side before the answer was whole. */
      closedAt: undefined,
      closed: undefined,
      /** The answer is not over yet. */
      open: true,
    };
    let close;
    entry.closed = new Promise((resolve) => { close = resolve; });
    response.on("close", () => {
      entry.open = false;
      if (!response.writableFinished && !response.cutByScript) entry.closedAt = Date.now();
      close(entry.closedAt);
    });
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    entry.body = Buffer.concat(chunks);
    entry.text = entry.body.toString();
    try { entry.json = JSON.parse(entry.text); } catch { /* not every body is JSON */ }
    this.#requests.push(entry);
    for (const wake of this.#waiters) wake();
    const script = this.#scripts.get(entry.provider) ?? [];
    const answer = script[0]?.forever ? script[0].answer : script.shift();
    await (answer ?? unscripted)(response, entry);
  }

  async #until(test, what) {
    const deadline = Date.now() + WAIT_MS;
    while (!test()) {
      if (Date.now() > deadline) throw new Error(`the scripted upstream waited in vain for ${what}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now() + 1);
        const wake = () => { clearTimeout(timer); this.#waiters.delete(wake); resolve(); };
        this.#waiters.add(wake);
      });
    }
  }
}

/** Answers a request nobody expected so that it shows in whatever the test compares. */
const unscripted = (response) => json(418, { error: { message: "unscripted request", type: "unscripted" } })(response);

/** The answer of every request from here on. */
export const forever = (answer) => ({ forever: true, answer });

/** A whole body. Objects become JSON; strings and buffers go as they are. */
export const json = (status, body, headers = {}) => (response) => {
  const bytes = typeof body === "string" || Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length, ...headers });
  response.end(bytes);
};

/** As `json`, compressed whether asked for or not, as some front ends do. */
export const gzipped = (status, body) => json(status, gzipSync(JSON.stringify(body)), { "content-encoding": "gzip" });

/** A page of a CDN where JSON is expected. */
export const html = (status) => json(status, "<!doctype html><html><body><h1>Please wait…</h1></body></html>", { "content-type": "text/html" });

/** Decides by the request: `(request) => answer`. */
export const choose = (pick) => (response, entry) => pick(entry)(response, entry);

/** The connection is reset before any header. */
export const reset = () => (response) => cut(response);

/** Nothing, ever. */
export const silence = () => () => {};

/** Silence before an answer. */
export const after = (ms, answer) => async (response, entry) => {
  await sleep(ms);
  if (!response.destroyed) await answer(response, entry);
};

// Steps of a stream besides text: they happen between frames.
/** A pause. */
export const pause = (ms) => async () => sleep(ms);
/** The connection is reset. */
export const CUT = (response) => { cut(response); return false; };
/** The connection is closed politely, as if all were well. */
export const CLOSE = (response) => { response.end(); return false; };
/** The connection stays open and nothing more comes. */
export const STALL = () => false;
/** One byte at a time. */
export const drip = (text, ms) => async (response) => {
  for (const byte of Buffer.from(text)) {
    if (response.destroyed) return false;
    response.write(Buffer.of(byte));
    await sleep(ms);
  }
  return true;
};

/** A stream: text is written as one piece each, functions are steps as above, and at the end it is closed politely. */
export const stream = (steps, { gap = 0, status = 200, headers = {} } = {}) => async (response) => {
  response.writeHead(status, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", ...headers });
  response.flushHeaders();
  for (const step of steps) {
    if (response.destroyed) return;
    if (typeof step === "function") {
      if ((await step(response)) === false) return;
    } else {
      if (!response.write(step)) await drained(response);
      // Without a gap, still one turn of the loop each, so that frames are separate writes.
      await (gap ? sleep(gap) : new Promise(setImmediate));
    }
  }
  response.end();
};

/** A stream that never ends on its own: `frame(n)` every `gap` ms. */
export const endless = (opening, frame, gap) => async (response) => {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  for (const text of opening) response.write(text);
  for (let n = 0; !response.destroyed; n += 1) {
    response.write(frame(n));
    await sleep(gap);
  }
};

function cut(response) {
  response.cutByScript = true;
  // What was written before must arrive first: a reset may overtake data still in the send buffer.
  setTimeout(() => response.socket?.resetAndDestroy(), response.headersSent ? 50 : 0);
}

const drained = (response) => new Promise((resolve) => {
  const go = () => { response.off("drain", go).off("close", go); resolve(); };
  response.on("drain", go).on("close", go);
});
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
