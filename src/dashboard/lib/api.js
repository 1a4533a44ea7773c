// Calls to the gateway: the operator's with the admin token, others with a key that is given.

const ADMIN = "/admin/v1";
const TOKEN = "portolan.token";
/** A call that takes longer than this will not come. */
const PATIENCE_MS = 30_000;

export class ApiError extends Error {
  constructor(status, message, path, body) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    /** Where in the document that was sent, if the gateway says so. */
    this.path = path;
    this.body = body;
  }
}

/** The admin token, for as long as the tab is open. */
export const token = () => sessionStorage.getItem(TOKEN);

export function keepToken(value) {
  if (value) sessionStorage.setItem(TOKEN, value);
  else sessionStorage.removeItem(TOKEN);
}

/** `{status, etag, body, text}` of a path below `/admin/v1`. */
export const get = (path, options = {}) => call("GET", path, undefined, options);

/** The same with a body: an object becomes JSON, a text goes as it is. */
export const send = (method, path, body, options = {}) => call(method, path, body, options);

/** Whether this token is the right one: its error says why not. */
export const tryToken = (candidate) => call("GET", "/config", undefined, { as: candidate });

async function call(method, path, body, { ifMatch, signal, as } = {}) {
  const headers = { authorization: `Bearer ${as ?? token() ?? ""}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (ifMatch) headers["if-match"] = ifMatch;
  const limit = AbortSignal.timeout(PATIENCE_MS);
  let response;
  let text;
  try {
    response = await fetch(ADMIN + path, {
      method,
      headers,
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    if (limit.aborted) throw new ApiError(0, "The gateway did not answer within 30 seconds.");
    throw new ApiError(0, "The gateway cannot be reached. Is this device online?");
  }
  const value = parsed(text);
  if (!response.ok) {
    const said = value?.error ?? {};
    const message = said.message ?? (typeof value === "string" && value.length < 300 && value ? value : `The gateway answered ${response.status}.`);
    // A token that was changed meanwhile: whoever is signed in is told to sign in again.
    if (response.status === 401 && as === undefined) window.dispatchEvent(new CustomEvent("portolan:signed-out", { detail: message }));
    throw new ApiError(response.status, message, said.path, value);
  }
  return { status: response.status, etag: response.headers.get("etag"), body: value, text };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An answer as it comes, of a path from the root: `init` as for `fetch`, with the caller's own headers. */
export async function stream(path, init = {}) {
  try {
    return await fetch(path, { cache: "no-store", redirect: "error", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "The gateway cannot be reached. Is this device online?");
  }
}

/** The server-sent events of such an answer: `{event, data}`, as they come. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? "\n\n" : value;
      const blocks = rest.split(/\r\n\r\n|\n\n|\r\r/);
      rest = blocks.pop();
      for (const block of blocks) {
        const lines = block.split(/\r\n|\n|\r/);
        const of = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ""));
        const data = of("data");
        if (data.length) yield { event: of("event")[0], data: data.join("\n") };
      }
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** `?a=1&b=2` of an object: lists become commas; what is empty is left out. */
export function query(values) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    const text = Array.isArray(value) ? value.join(",") : value;
    if (text !== undefined && text !== null && text !== "" && text !== false) search.set(name, text);
  }
  const said = search.toString();
  return said ? `?${said}` : "";
}
