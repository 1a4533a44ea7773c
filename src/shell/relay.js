// The way back of a stream after its commit point: bytes to the client, and a truthful end. What an end is, wasm decides.

const encoder = new TextEncoder();
const NOTHING = new Uint8Array();

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Streams the rest of a call's body to the client after `first`. `tap` is the relay in wasm, `trap` what to send should it
// die. Native: the bytes pass without waking us, and a branch is read once in `every` ms for metering. Returns the
// readable for the response; `call.done` resolves when nothing more will happen.
export function relay(call, native, first, tap, trap, heartbeat, [idleMs, totalMs, settleMs, every, tailBytes, beatMs]) {
  const { readable, writable } = new IdentityTransformStream();
  const watch = new Watch(idleMs, totalMs, settleMs, tap, () => call.abort.abort());
  const run = async () => {
    if (native && !call.scripted && (await pipeSparesDestination())) return pass(call, first, writable, watch, every, tailBytes);
    return pumped(call, first, writable, watch, tap, native ? undefined : { bytes: encoder.encode(heartbeat), ms: beatMs });
  };
  call.done = run().then(
    ({ tail, bytes }) => finish(writable, tap, trap, "end", tail, bytes),
    ({ why = "cut", tail = NOTHING, bytes = 0 }) =>
      finish(writable, tap, trap, call.gone ? "gone" : (watch.fired ?? why), tail, bytes),
  ).catch(() => tap.end("gone", NOTHING, 0)).catch(() => {}).finally(() => { watch.stop(); call.cancel(); tap.free(); });
  return readable;
}

// A response that outlives the streams it is fed from. It stands for the client's request: calls made with it end when the
// client leaves, whichever way that is noticed.
export class Outlet {
  constructor(request, heartbeat, beatMs) {
    this.left = new AbortController();
    this.signal = AbortSignal.any([this.left.signal, request.signal].filter(Boolean));
    this.beat = encoder.encode(heartbeat);
    this.beatMs = beatMs;
  }

  // The readable for the response. From now on the client hears something at least every `beatMs`.
  open() {
    const { readable, writable } = new IdentityTransformStream();
    this.writer = writable.getWriter();
    this.last = Date.now();
    this.timer = setInterval(() => {
      if (!this.busy && Date.now() - this.last >= this.beatMs) this.write(this.beat).catch(() => {});
    }, this.beatMs / 2);
    return readable;
  }

  async write(bytes) {
    this.busy = true;
    try { await this.writer.write(bytes); } catch (error) { this.left.abort(); throw error; }
    this.busy = false;
    this.last = Date.now();
  }

  // Feeds it the rest of a call's body after `first`. Resolves to the word for how that ended.
  async feed(call, first, tap, [idleMs, totalMs, settleMs]) {
    const watch = new Watch(idleMs, totalMs, settleMs, tap, () => call.abort.abort());
    try {
      await pump(call, first, (bytes) => this.write(bytes), watch, tap, () => tap.over());
      return "end";
    } catch ({ why = "cut" }) {
      return why === "trap" ? why : call.gone || this.left.signal.aborted ? "gone" : (watch.fired ?? why);
    } finally {
      watch.stop();
      call.cancel();
      tap.free();
    }
  }

  async close(last) {
    clearInterval(this.timer);
    try {
      if (last.length) await this.writer.write(typeof last === "string" ? encoder.encode(last) : last);
      await this.writer.close();
    } catch { /* Nobody is there to hear it. */ }
  }
}

// Each chunk through wasm, to a response of its own. With `beat` a sign of life is sent when nothing else was for so long:
// what wasm gives out are whole events, so there is always room for one between two.
async function pumped(call, first, writable, watch, tap, beat) {
  const writer = writable.getWriter();
  // Not `write` below: a word of ours must not pass for one of the provider's.
  const timer = beat && setInterval(() => {
    if (watch.isQuiet(beat.ms)) writer.write(beat.bytes).catch(() => call.leave());
  }, beat.ms);
  try {
    await pump(call, first, (bytes) => writer.write(bytes), watch, tap);
    return { tail: NOTHING, bytes: 0 };
  } finally {
    clearInterval(timer);
    writer.releaseLock();
  }
}

// `over`: whether nothing that comes still counts.
async function pump(call, first, send, watch, tap, over) {
  let written;
  const write = (bytes) => {
    if (bytes.byteLength === 0) return;
    watch.held = true; // A slow client is not a silent provider.
    written = send(bytes).then(() => { watch.held = false; watch.touch(); });
    written.catch(() => call.leave());
  };
  try {
    write(first);
    while (!over?.()) {
      const { value } = await call.reader.read().catch(() => { throw { why: "cut" }; });
      if (value === undefined) { call.whole = true; break; }
      watch.touch();
      let out;
      try { out = tap.push(value); } catch { throw { why: "trap" }; }
      await written;
      write(out);
    }
    await written;
  } catch (fault) {
    throw fault?.why ? fault : { why: "gone" };
  }
}

// The bytes as they are, natively.
async function pass(call, first, writable, watch, every, tailBytes) {
  const writer = writable.getWriter();
  const seen = new Tail(tailBytes);
  watch.tail = () => seen.result().tail;
  try { await writer.write(first); } catch { throw { why: "gone" }; }
  writer.releaseLock();
  call.reader.releaseLock();
  const [straight, branch] = call.response.body.tee();
  const piped = straight.pipeTo(writable, { preventClose: true, preventAbort: true, signal: call.abort.signal });
  let over = false;
  const ended = piped.then(() => { over = true; }, () => { over = true; });
  const meter = branch.getReader({ mode: "byob" });
  const metered = (async () => {
    for (;;) {
      const { value, done } = await meter.read(new Uint8Array(4096));
      if (done) { watch.held = true; return; }
      watch.touch();
      seen.add(value);
      if (value.byteLength < 4096 && !over) await Promise.race([after(every), ended]);
    }
  })();
  metered.catch(() => {});
  try {
    await piped;
  } catch {
    const end = writable.getWriter();
    const left = await Promise.race([end.closed.catch(() => true), after(0)]);
    end.releaseLock();
    meter.cancel().catch(() => {});
    throw { why: left ? "gone" : "cut", ...seen.result() };
  }
  await metered;
  call.whole = true;
  return seen.result();
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

// One timer for three deadlines: silence, the whole, and a shorter silence after which an answer that is complete but for
// its end is ended. Only then is wasm asked whether it is.
class Watch {
  constructor(idleMs, totalMs, settleMs, tap, fire) {
    const start = Date.now();
    this.last = start;
    let asked;
    const end = (why) => { this.fired = why; fire(); };
    const arm = () => {
      const now = Date.now(), quiet = this.held ? 0 : now - this.last, idle = idleMs - quiet, total = start + totalMs - now;
      if (idle <= 0 || total <= 0) return end(total <= 0 ? "total" : "idle");
      if (quiet >= settleMs && asked !== this.last) {
        asked = this.last;
        if (tap.told(this.tail?.() ?? NOTHING)) return end("end");
      }
      this.timer = setTimeout(arm, Math.min(idle, total, quiet < settleMs ? settleMs - quiet : idle));
    };
    arm();
  }
  touch() { this.last = Date.now(); }
  isQuiet(ms) { return !this.held && Date.now() - this.last >= ms; }
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
