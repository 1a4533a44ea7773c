// Moves bytes: the few coarse helpers for which a crossing per field or per chunk would cost more than the work itself.
// Nothing is decided here. A header list is text, `name: value` a line, so that it crosses in one piece.

const headerText = (headers) => [...headers].map(([name, value]) => `${name}: ${value}`).join("\n");

const headerPairs = (text) => text.split("\n").filter(Boolean).map((line) => {
  const colon = line.indexOf(": ");
  return [line.slice(0, colon), line.slice(colon + 2)];
});

// Everything about a request but its body: method, URL, place, headers.
export function head(request) {
  const { continent = "", country = "", colo = "", longitude = "" } = request.cf ?? {};
  return `${request.method}\n${request.url}\n${continent}\t${country}\t${colo}\t${longitude}\n${headerText(request.headers)}`;
}

// All of a stream, or null when it is longer than `limit`: counted as it comes, since what is unpacked on the way, or cut
// in chunks, names no length to believe. `toEnd`: what is too long is read to its end, and not kept.
async function gather(stream, limit, toEnd) {
  const parts = [];
  let length = 0;
  for await (const part of stream ?? []) {
    length += part.byteLength;
    if (length <= limit) parts.push(part);
    else if (toEnd) parts.length = 0;
    else return null;
  }
  if (length > limit) return null;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) { bytes.set(part, at); at += part.byteLength; }
  return bytes;
}

// Whether a message says how long its body is, and is as long as that when it arrives.
const named = (headers) => (headers.has("content-encoding") ? undefined : headers.get("content-length") ?? undefined);

// The whole body, or null when it is longer than `limit`. An answer in the middle of an upload is lost on most clients.
export async function body(request, limit) {
  if (named(request.headers) <= limit) return new Uint8Array(await request.arrayBuffer());
  return gather(request.body, limit, true);
}

// Every wake of Rust's futures comes by here. The platform's own wraps the task anew each time: a fifteenth of a small request.
const soon = Promise.resolve();
globalThis.queueMicrotask = (task) => {
  soon.then(() => {
    try { task(); } catch (error) { reportError(error); }
  });
};

export function randomId() {
  return crypto.randomUUID();
}

export function randomBytes(count) {
  return crypto.getRandomValues(new Uint8Array(count));
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// A pause that can be ended before its time.
export class Timer {
  constructor(ms) { this.over = new Promise((resolve) => { this.end = resolve; this.timer = setTimeout(resolve, ms); }); }
  stop() { clearTimeout(this.timer); this.end(); }
}

export function respond(status, headers, content) {
  return new Response(content, { status, headers: headerPairs(headers) });
}

const cut = (original, pieces) => pieces.map((piece) => (typeof piece === "string" ? piece : original.subarray(piece[0], piece[1])));

// A call to a provider. `pieces`: [start, end] of the caller's own body, or new text.
export class Call {
  constructor(request) {
    this.abort = new AbortController();
    this.gone = false;
    this.signal = request.signal;
    this.leave = () => { this.gone = true; this.abort.abort(); };
    this.signal?.addEventListener("abort", this.leave);
  }

  // Calls `work` with a deadline. Resolves to its value, or to the name of what went wrong.
  async within(ms, work) {
    let late = false;
    const timer = setTimeout(() => { late = true; this.abort.abort(); }, ms);
    try {
      return await work();
    } catch (error) {
      if (this.gone || this.signal?.aborted) return "gone";
      return late ? "timeout" : /refused|connect|resolve|DNS/i.test(String(error)) ? "refused" : "reset";
    } finally {
      clearTimeout(timer);
    }
  }

  send(url, method, headers, original, pieces, ms) {
    const parts = cut(original, pieces);
    const content = parts.length === 0 ? undefined : parts.length === 1 ? parts[0] : new Blob(parts);
    return this.within(ms, async () => {
      const options = { method, headers: headerPairs(headers), body: content, redirect: "manual", signal: this.abort.signal };
      return this.take(await fetch(url, options));
    });
  }

  // The caller's own request to another address; its body streams through.
  pass(request, url, headers, ms) {
    const { method } = request;
    const content = method === "GET" || method === "HEAD" ? undefined : request.body;
    return this.within(ms, async () => {
      const options = { method, headers: headerPairs(headers), body: content, redirect: "manual", signal: this.abort.signal };
      return this.take(await fetch(url, options));
    });
  }

  get body() {
    return this.response.body;
  }

  // Workers AI by its binding: what it answers is an HTTP answer like any other.
  run(ai, model, original, pieces, ms) {
    return this.within(ms, async () => {
      const options = { returnRawResponse: true, signal: this.abort.signal };
      const input = JSON.parse(await new Blob(cut(original, pieces)).text());
      return this.take(await Promise.race([ai.run(model, input, options), this.stopped()]));
    });
  }

  // Fails once nothing more is wanted.
  stopped() {
    const stopped = new Promise((_, reject) => this.abort.signal.addEventListener("abort", () => reject(new Error("stopped"))));
    stopped.catch(() => {});
    return stopped;
  }

  // A scripted answer of the built-in provider: waits and bytes, then a clean end, a cut or a stall.
  play(delay, status, headers, waits, chunks, ending, ms) {
    this.scripted = true;
    return this.within(ms, async () => {
      const stopped = this.stopped();
      if (delay > 0) await Promise.race([sleep(delay), stopped]);
      let next = 0;
      const pull = async (controller) => {
        if (next < chunks.length) {
          if (waits[next] > 0) await Promise.race([sleep(waits[next]), stopped]);
          controller.enqueue(chunks[next++]);
        } else if (ending === "stall") await stopped;
        else if (ending === "cut") controller.error(new Error("cut"));
        else controller.close();
      };
      return this.take(new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), { status, headers: headerPairs(headers) }));
    });
  }

  take(response) {
    this.response?.body?.cancel().catch(() => {}); // It is asked once more.
    this.response = response;
    return `${response.status}\n${headerText(response.headers)}`;
  }

  // The whole body.
  readAll(ms, limit) {
    return this.within(ms, async () => {
      const { response } = this;
      const bytes = named(response.headers) <= limit
        ? new Uint8Array(await response.arrayBuffer()) : await gather(response.body, limit);
      if (!bytes) throw new Error("too large");
      this.whole = true;
      return bytes;
    });
  }

  // The next chunk; null at the end.
  readChunk(ms) {
    this.reader ??= this.response.body?.getReader();
    if (!this.reader) return null;
    return this.within(ms, async () => (await this.reader.read()).value ?? null);
  }

  // Nothing more is wanted. An abort costs a twentieth of a request, so none for an answer that was read to its end.
  cancel() {
    this.signal?.removeEventListener("abort", this.leave);
    if (!this.whole) this.abort.abort();
  }
}
