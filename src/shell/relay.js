// The way back of a stream after its commit point: bytes to the client, and a truthful end. What an end is, wasm decides.

const KEEP_ALIVE = new TextEncoder().encode(": keep-alive\n\n");
const NOTHING = new Uint8Array();

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Streams the rest of a call's body to the client after `first`. `tap` is the relay in wasm, `trap` what to send should it
// die. Native: the bytes pass without waking us, and a branch is read once in `every` ms for metering. Returns the
// readable for the response; `call.done` resolves when nothing more will happen.
export function relay(call, native, first, tap, trap, [idleMs, totalMs, every, tailBytes, beatMs]) {
  const { readable, writable } = new IdentityTransformStream();
  const watch = new Watch(idleMs, totalMs, () => call.abort.abort());
  const run = async () => {
    if (native && !call.scripted && (await pipeSparesDestination())) return pass(call, first, writable, watch, every, tailBytes);
    return pump(call, first, writable, watch, tap, native ? undefined : beatMs);
  };
  call.done = run().then(
    ({ tail, bytes }) => finish(writable, tap, trap, "end", tail, bytes),
    ({ why = "cut", tail = NOTHING, bytes = 0 }) =>
      finish(writable, tap, trap, call.gone ? "gone" : (watch.fired ?? why), tail, bytes),
  ).catch(() => tap.end("gone", NOTHING, 0)).catch(() => {}).finally(() => { watch.stop(); call.cancel(); tap.free(); });
  return readable;
}

// Each chunk through wasm. With `beatMs` a comment is sent when nothing else was for so long: what wasm gives out are
// whole events, so there is always room for one between two.
async function pump(call, first, writable, watch, tap, beatMs) {
  const writer = writable.getWriter();
  let written;
  const write = (bytes) => {
    if (bytes.byteLength === 0) return;
    watch.held = true; // A slow client is not a silent provider.
    written = writer.write(bytes).then(() => { watch.held = false; watch.touch(); });
    written.catch(() => call.leave());
  };
  // Not `write`: a word of ours must not pass for one of the provider's.
  const beat = beatMs && setInterval(() => {
    if (watch.isQuiet(beatMs)) writer.write(KEEP_ALIVE).catch(() => call.leave());
  }, beatMs);
  try {
    write(first);
    for (;;) {
      const { value } = await call.reader.read().catch(() => { throw { why: "cut" }; });
      if (value === undefined) { call.whole = true; break; }
      watch.touch();
      let out;
      try { out = tap.push(value); } catch { throw { why: "trap" }; }
      await written;
      write(out);
    }
    await written;
    return { tail: NOTHING, bytes: 0 };
  } catch (fault) {
    throw fault?.why ? fault : { why: "gone" };
  } finally {
    clearInterval(beat);
    writer.releaseLock();
  }
}

// The bytes as they are, natively.
async function pass(call, first, writable, watch, every, tailBytes) {
  const writer = writable.getWriter();
  const seen = new Tail(tailBytes);
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

// One timer for two deadlines: silence, and the whole.
class Watch {
  constructor(idleMs, totalMs, fire) {
    const start = Date.now();
    this.last = start;
    const arm = () => {
      const now = Date.now(), idle = this.held ? idleMs : this.last + idleMs - now, total = start + totalMs - now;
      if (idle <= 0 || total <= 0) { this.fired = total <= 0 ? "total" : "idle"; fire(); } else this.timer = setTimeout(arm, Math.min(idle, total));
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
