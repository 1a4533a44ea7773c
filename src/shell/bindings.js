// What the platform binds, asked in whole errands: one crossing each, and none of the crate's builders in the module.
// What fails rejects with its text.
const told = async (errand) => {
  try { return await errand(); } catch (error) { throw String(error); }
};

// Texts of the Secrets Store in the order of `names`, one a line: `=` and the text, or `!` and why there is none.
export function storeSecrets(env, names) {
  const one = async (name) => {
    try { return `=${await env[name].get()}`; } catch (error) { return `!${error?.message ?? error}`; }
  };
  return Promise.all(names.split("\n").map(one));
}

// Values of KV in the order of `keys`, one a line; undefined where there is none.
export function kvGet(env, keys, cacheTtl) {
  return told(async () => {
    if (!env.CONFIG) throw "the namespace `CONFIG` is not bound: see wrangler.toml";
    const values = await Promise.all(keys.split("\n").map((key) => env.CONFIG.get(key, { cacheTtl })));
    return values.map((value) => value ?? undefined);
  });
}

// For `seconds`, or for ever when they are 0.
export function kvPut(env, key, text, seconds) {
  return told(() => env.CONFIG.put(key, text, seconds ? { expirationTtl: seconds } : {}));
}

export function kvDelete(env, key) {
  return told(() => env.CONFIG.delete(key));
}

// A page of keys that begin with `prefix`: the cursor of the next one, and the keys, one a line.
export function kvList(env, prefix, limit, cursor) {
  return told(async () => {
    const page = await env.CONFIG.list({ prefix, limit, cursor: cursor || null });
    return [page.list_complete ? "" : page.cursor, ...page.keys.map(({ name }) => name)].join("\n");
  });
}

// Whether any key begins with `prefix`.
export function kvAny(env, prefix) {
  return told(async () => (await env.CONFIG.list({ prefix, limit: 1 })).keys.length > 0);
}

// The answers of several objects at once, one a line of `names`; undefined where there was none.
export function askAll(env, binding, names, path, message) {
  const one = (name) => ask(env, binding, name, name, path + name, message).catch(() => {});
  return Promise.all(names.split("\n").map(one));
}

// The answer of an object, asked by GET, or by POST when there is a message.
export function ask(env, binding, name, locationHint, path, message) {
  return told(async () => {
    const stub = env[binding].getByName(name, locationHint ? { locationHint } : {});
    const answer = await stub.fetch(`https://object/${path}`, message ? { method: "POST", body: message } : {});
    return answer.text();
  });
}

// For an object: what it kept under a key.
export function kept(state, key) {
  return told(() => state.storage.get(key));
}

// For an object: keeps a text and the name of its region, and is waked after `ms` at the latest.
export function keep(state, key, text, region, ms) {
  return told(async () => {
    await state.storage.put({ [key]: text, region });
    await wake(state, ms);
  });
}

// For an object: its alarm goes off after `ms` at the latest.
export async function wake(state, ms) {
  const [due, at] = [await state.storage.getAlarm(), Date.now() + ms];
  if (due === null || due > at) await state.storage.setAlarm(at);
}

// For an object: nothing is kept, and the alarm does not go off.
export function empty(state) {
  return told(() => state.storage.deleteAll());
}

// For an object: bytes of its database.
export function size(state) {
  return state.storage.sql.databaseSize;
}

// For an object: one statement; the first column of its rows, with commas between.
export function sql(state, statement, bindings) {
  return [...state.storage.sql.exec(statement, ...bindings).raw()].map(([first]) => first).join(",");
}

// A file served beside the Worker, as this; undefined where there is none.
export async function asset(env, path, type) {
  const file = await env.ASSETS?.fetch(`https://assets/${path}`);
  if (!file?.ok) return undefined;
  const etag = file.headers.get("etag");
  return new Response(file.body, { headers: { "content-type": type, "cache-control": "no-cache", ...(etag && { etag }) } });
}

// Sealed answers, in a namespace of their own.
export function cacheGet(env, name) {
  return told(async () => {
    const bytes = await env.CACHE.get(name, "arrayBuffer");
    return bytes ? new Uint8Array(bytes) : undefined;
  });
}

export function cachePut(env, name, bytes, seconds) {
  return told(() => env.CACHE.put(name, bytes, { expirationTtl: seconds }));
}

// For an object: its alarm goes off in `ms`, whenever it would have. Stored with what the same turn stores.
export function arm(state, ms) {
  state.storage.setAlarm(Date.now() + ms).catch(() => {});
}

// Writes a text under the first key of `keys`, one a line, that has none yet, and nothing when all have. What `mark` says
// can be listed.
export function writeOnce(env, binding, keys, text, mark) {
  return told(async () => {
    const options = { onlyIf: { etagDoesNotMatch: "*" }, customMetadata: { mark }, httpMetadata: { contentType: "application/json" } };
    for (const key of keys.split("\n")) if (await env[binding].put(key, text, options)) return;
  });
}

// The marks of what is below a folder of a bucket, one a line; nothing where no bucket is bound.
export function marks(env, binding, prefix) {
  return told(async () => {
    const found = [];
    for (let cursor, more = Boolean(env[binding]); more;) {
      const page = await env[binding].list({ prefix, cursor, include: ["customMetadata"] });
      found.push(...page.objects.map(({ customMetadata }) => customMetadata?.mark ?? ""));
      more = page.truncated;
      cursor = page.cursor;
    }
    return found.join("\n");
  });
}

// Writes points to Analytics Engine: nobody waits for that.
export function points(env, binding, points) {
  for (const point of JSON.parse(points)) env[binding].writeDataPoint(point);
}

// Bytes of an answer that are read: what a collector says of a part it did not take.
const MAX_WORDS = 4096;

// Posts JSON, with `headers` as `name: value` a line: the answer's status, when to come again and its beginning, each on a line of its own.
export function post(url, headers, body, ms) {
  return told(async () => {
    const pairs = headers.split("\n").filter(Boolean).map((line) => line.split(/: (.*)/, 2));
    const signal = AbortSignal.timeout(ms);
    const answer = await fetch(url, { method: "POST", headers: [["content-type", "application/json"], ...pairs], body, redirect: "manual", signal });
    let words = "";
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      words += decoder.decode(chunk, { stream: true });
      if (words.length > MAX_WORDS) break;
    }
    return `${answer.status}\n${answer.headers.get("retry-after") ?? ""}\n${words}`;
  });
}

// The lines that an object tells in pages, as a stream: a page is asked for by the `seq` of the line before it.
export function pages(env, binding, name, path, after, limit) {
  return new ReadableStream({
    async pull(controller) {
      const text = await ask(env, binding, name, "", path, `${after} ${limit}`);
      const lines = text.trimEnd().split("\n");
      if (!text) return controller.close();
      after = JSON.parse(lines.at(-1)).seq;
      controller.enqueue(new TextEncoder().encode(text));
      if (lines.length < limit) controller.close();
    },
  }, { highWaterMark: 0 });
}

// For an object: stores all that `work` does, or nothing when it says no.
export function together(state, work) {
  try {
    state.storage.transactionSync(() => { if (!work()) throw together; });
  } catch (error) {
    if (error !== together) throw error;
  }
}
