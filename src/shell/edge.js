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

// The whole body, or null when it is longer than `limit`.
export async function body(request, limit) {
  if (Number(request.headers.get("content-length")) > limit) {
    // Read to its end all the same: an answer in the middle of an upload is lost on most clients.
    for await (const _ of request.body);
    return null;
  }
  const bytes = new Uint8Array(await request.arrayBuffer());
  return bytes.byteLength > limit ? null : bytes;
}

export function randomId() {
  return crypto.randomUUID();
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function respond(status, headers, content) {
  return new Response(content, { status, headers: headerPairs(headers) });
}

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
    const parts = pieces.map((piece) => (typeof piece === "string" ? piece : original.subarray(piece[0], piece[1])));
    const content = parts.length === 0 ? undefined : parts.length === 1 ? parts[0] : new Blob(parts);
    return this.within(ms, async () => {
      const options = { method, headers: headerPairs(headers), body: content, redirect: "manual", signal: this.abort.signal };
      return this.take(await fetch(url, options));
    });
  }

  // A scripted answer of the built-in provider: waits and bytes, then a clean end, a cut or a stall.
  play(delay, status, headers, waits, chunks, ending, ms) {
    this.scripted = true;
    return this.within(ms, async () => {
      const stopped = new Promise((_, reject) => this.abort.signal.addEventListener("abort", () => reject(new Error("stopped"))));
      stopped.catch(() => {});
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
    this.response = response;
    return `${response.status}\n${headerText(response.headers)}`;
  }

  // The whole body.
  readAll(ms, limit) {
    return this.within(ms, async () => {
      const bytes = new Uint8Array(await this.response.arrayBuffer());
      if (bytes.byteLength > limit) throw new Error("too large");
      return bytes;
    });
  }

  // The next chunk; null at the end.
  readChunk(ms) {
    this.reader ??= this.response.body?.getReader();
    if (!this.reader) return null;
    return this.within(ms, async () => (await this.reader.read()).value ?? null);
  }

  cancel() {
    this.signal?.removeEventListener("abort", this.leave);
    this.abort.abort();
  }

  // Streams the rest of the body to the client after `first`. `tap` is the relay in wasm, `trap` what to send should it
  // die. Native: the bytes pass without waking us, and a branch is read once in `every` ms for metering. Returns the
  // readable for the response; `this.done` resolves when nothing more will happen.
  relay(native, first, tap, trap, [idleMs, totalMs, every, tailBytes]) {
    const { readable, writable } = new IdentityTransformStream();
    const watch = new Watch(idleMs, totalMs, () => this.abort.abort());
    const run = async () => {
      const passes = native && !this.scripted && (await pipeSparesDestination());
      return passes ? this.native(first, writable, watch, every, tailBytes) : this.pump(first, writable, watch, tap);
    };
    this.done = run().then(
      ({ tail, bytes }) => finish(writable, tap, trap, "end", tail, bytes),
      ({ why = "cut", tail, bytes }) => finish(writable, tap, trap, this.gone ? "gone" : (watch.fired ?? why), tail, bytes),
    ).catch(() => tap.end("gone", new Uint8Array(), 0)).catch(() => {}).finally(() => { watch.stop(); this.cancel(); tap.free(); });
    return readable;
  }

  async pump(first, writable, watch, tap) {
    const none = { tail: new Uint8Array(), bytes: 0 };
    const writer = writable.getWriter();
    let written = first.byteLength ? writer.write(first) : undefined;
    // A slow client is not a silent provider.
    const clientIsReady = async () => { watch.hold(); await written; watch.touch(); };
    try {
      for (;;) {
        const { value } = await this.reader.read().catch(() => { throw { why: "cut", ...none }; });
        if (value === undefined) break;
        watch.touch();
        let out;
        try { out = tap.push(value); } catch { throw { why: "trap", ...none }; }
        await clientIsReady();
        written = out.byteLength ? writer.write(out) : undefined;
      }
      await clientIsReady();
      return none;
    } catch (fault) {
      throw fault?.why ? fault : { why: "gone", ...none };
    } finally {
      writer.releaseLock();
    }
  }

  async native(first, writable, watch, every, tailBytes) {
    const writer = writable.getWriter();
    const seen = new Tail(tailBytes);
    try { await writer.write(first); } catch { throw { why: "gone", ...seen.result() }; }
    writer.releaseLock();
    this.reader.releaseLock();
    const [straight, branch] = this.response.body.tee();
    const piped = straight.pipeTo(writable, { preventClose: true, preventAbort: true, signal: this.abort.signal });
    let over = false;
    const ended = piped.then(() => { over = true; }, () => { over = true; });
    const meter = branch.getReader({ mode: "byob" });
    const metered = (async () => {
      for (;;) {
        const { value, done } = await meter.read(new Uint8Array(4096));
        if (done) return watch.hold();
        watch.touch();
        seen.add(value);
        if (value.byteLength < 4096 && !over) await Promise.race([sleep(every), ended]);
      }
    })();
    metered.catch(() => {});
    try {
      await piped;
    } catch {
      const end = writable.getWriter();
      const left = await Promise.race([end.closed.catch(() => true), sleep(0)]);
      end.releaseLock();
      meter.cancel().catch(() => {});
      throw { why: left ? "gone" : "cut", ...seen.result() };
    }
    await metered;
    return seen.result();
  }
}

// Whether a pipe whose source breaks leaves its destination open, as `preventAbort` promises: an error frame has to follow.
// Runtimes before summer 2026 close it; asked once, with a source of the same native kind that is sure to break.
let spares;
async function pipeSparesDestination() {
  if (spares !== undefined) return spares;
  const broken = new DecompressionStream("gzip");
  const feed = broken.writable.getWriter();
  feed.write(new Uint8Array(16)).then(() => feed.close()).catch(() => {});
  const { readable, writable } = new IdentityTransformStream();
  const reader = readable.getReader();
  await broken.readable.pipeTo(writable, { preventClose: true, preventAbort: true }).catch(() => {});
  const read = reader.read().catch(() => {});
  try {
    await writable.getWriter().write(new Uint8Array(1));
    await read;
    spares = true;
  } catch {
    spares = false;
  }
  return spares;
}

// The last bytes of a stream, and how many there were.
class Tail {
  constructor(limit) { this.limit = limit; this.parts = []; this.held = 0; this.bytes = 0; }
  add(part) {
    this.parts.push(part);
    this.held += part.byteLength;
    this.bytes += part.byteLength;
    while (this.held - this.parts[0].byteLength >= this.limit) this.held -= this.parts.shift().byteLength;
  }
  result() {
    const tail = new Uint8Array(this.held);
    let at = 0;
    for (const part of this.parts) { tail.set(part, at); at += part.byteLength; }
    return { tail, bytes: this.bytes };
  }
}

// One timer for two deadlines: silence, and the whole.
class Watch {
  constructor(idleMs, totalMs, fire) {
    const start = Date.now();
    this.last = start;
    const arm = () => {
      const now = Date.now(), idle = this.last + idleMs - now, total = start + totalMs - now;
      if (idle <= 0 || total <= 0) { this.fired = total <= 0 ? "total" : "idle"; fire(); } else this.timer = setTimeout(arm, Math.min(idle, idleMs, total));
    };
    arm();
  }
  touch() { this.last = Date.now(); }
  hold() { this.last = Infinity; }
  stop() { clearTimeout(this.timer); }
}

async function finish(writable, tap, trap, how, tail, bytes) {
  let last = trap;
  try { if (how !== "trap") last = tap.end(how, tail, bytes); } catch { last = trap; }
  if (how === "gone") return;
  const writer = writable.getWriter();
  if (last.byteLength) await writer.write(last);
  await writer.close();
}
