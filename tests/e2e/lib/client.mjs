// A plain HTTP caller that sees bytes and frames as they come, and can leave in two ways.
import http from "node:http";
import { once } from "node:events";

const WAIT_MS = 15_000;

/** Sends a request and reads the whole answer. `broken` says that it ended without its proper end. */
export async function send(url, options = {}) {
  const call = await open(url, options);
  return call.rest();
}

/** Sends a request and returns once the headers are there. */
export async function open(url, options) {
  const call = start(url, options);
  await call.head;
  return call;
}

/** Sends a request and returns at once. */
export function start(url, { method, headers = {}, body, key } = {}) {
  const bytes = body === undefined || Buffer.isBuffer(body) || typeof body === "string" ? body : JSON.stringify(body);
  const request = http.request(url, {
    method: method ?? (bytes === undefined ? "GET" : "POST"),
    agent: false,
    headers: {
      ...(bytes !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(bytes) }),
      ...(key && { authorization: `Bearer ${key}` }),
      ...headers,
    },
  });
  request.end(bytes);
  return new Call(request);
}

class Call {
  #request;
  #response;
  #chunks = [];
  #ended = false;
  #broken = false;
  #wake = () => {};

  constructor(request) {
    this.#request = request;
    this.startedAt = Date.now();
    this.head = new Promise((resolve, reject) => {
      request.once("error", reject);
      request.once("response", (response) => {
        this.#response = response;
        this.status = response.statusCode;
        this.headers = response.headers;
        this.headAt = Date.now();
        response.on("data", (chunk) => { this.#chunks.push(chunk); this.#wake(); });
        response.on("close", () => { this.#broken = !response.complete; this.#ended = true; this.endedAt = Date.now(); this.#wake(); });
        response.on("error", () => {});
        resolve(this);
      });
    });
    this.head.catch(() => {});
    request.on("error", () => {});
  }

  get text() { return Buffer.concat(this.#chunks).toString(); }
  get frames() { return framesOf(this.text); }

  pause() { this.#response.pause(); }
  resume() { this.#response.resume(); }

  /** Waits until `test(text so far)` holds. */
  async until(test, what = String(test)) {
    const deadline = Date.now() + WAIT_MS;
    while (!test(this.text)) {
      if (this.#ended) throw new Error(`the answer ended before: ${what}\n${this.text.slice(-2000)}`);
      await this.#change(deadline, what);
    }
  }

  /** The whole answer. */
  async rest(limitMs = 60_000) {
    await this.head;
    const deadline = Date.now() + limitMs;
    while (!this.#ended) await this.#change(deadline, "the end of the answer");
    const bytes = Buffer.concat(this.#chunks);
    const text = bytes.toString();
    let json;
    try { json = JSON.parse(text); } catch { /* streams and pages */ }
    return { status: this.status, headers: this.headers, bytes, text, json, frames: framesOf(text), broken: this.#broken, tookMs: this.endedAt - this.startedAt };
  }

  /** Leaves as a closed laptop does: the connection is reset. */
  reset() { this.leftAt = Date.now(); this.#request.socket?.resetAndDestroy(); }

  /** Leaves as SDKs do on `break` and `abort()`: the socket is closed. */
  hangUp() { this.leftAt = Date.now(); this.#request.destroy(); }

  async #change(deadline, what) {
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}\n${this.text.slice(-2000)}`);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, deadline - Date.now() + 1);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}

/** Whole SSE frames as `{ event, data, json }`; comments are left out. */
export function framesOf(text) {
  return text.split(/\r\n\r\n|\n\n/).slice(0, -1).flatMap((block) => {
    const lines = block.split(/\r\n|\n/);
    const of = (field) => lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).trimStart()).join("\n");
    const data = of("data");
    if (!data) return [];
    let json;
    try { json = JSON.parse(data); } catch { /* [DONE], or a malformed event */ }
    return [{ event: of("event") || undefined, data, json }];
  });
}

/** Resolves when something listens no more: used to find a port that refuses. */
export async function refusedPort() {
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
