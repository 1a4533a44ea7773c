// Requests that are wrong: bodies nobody can read, and good bodies of which one place is not what it should be.
import { CALLERS, operations } from "./canary_bodies.mjs";
import { word } from "./canaries.mjs";

/** What each error must look like to the caller of a dialect. */
export const DIALECTS = {
  openai: ({ error }) => typeof error?.message === "string" && typeof error.type === "string" && "code" in error && "param" in error && error.message,
  anthropic: (body) => body?.type === "error" && typeof body.error?.type === "string" && typeof body.request_id === "string" && body.error.message,
  google: ({ error }) => Number.isInteger(error?.code) && typeof error.status === "string" && error.message,
};

/** Endpoints that take a JSON body: `[path, dialect, a good body]`, for a model. */
export const endpoints = (model) => [
  [CALLERS.chat.path({}), "openai", CALLERS.chat.body({ model })],
  [CALLERS.chat.path({}), "openai", CALLERS.chat.body({ model, stream: true })],
  [CALLERS.responses.path({}), "openai", CALLERS.responses.body({ model })],
  [CALLERS.completions.path({}), "openai", CALLERS.completions.body({ model })],
  [CALLERS.anthropic.path({}), "anthropic", CALLERS.anthropic.body({ model })],
  [CALLERS.google.path({ model }), "google", CALLERS.google.body({})],
  ["/v1/responses/input_tokens", "openai", { model, input: "count" }],
  ...operations(model).map(([path, body]) => [path, path.includes("/v1beta/") ? "google" : path.includes("/messages") ? "anthropic" : "openai", body]),
];

const DEEP = 40_000;
const text = (value) => Buffer.from(value);
/** Bodies that no endpoint can read, for which nobody is asked. Each has a canary, which nothing may keep. */
export const UNREADABLE = {
  "nothing": text(""),
  "white space": text(" \r\n\t "),
  "no JSON": text(`{"model": "o", "${word("badKey")}": `),
  "words": text(`please answer ${word("badWords")}`),
  "a form's text": text(`model=o&prompt=${word("badForm")}`),
  "an array": text(`[{"model": "o", "a": "${word("badArray")}"}]`),
  "a string": text(`"${word("badString")}"`),
  "a number": text("17"),
  "null": text("null"),
  "two values": text(`{"model": "o", "messages": []} {"${word("badSecond")}": 1}`),
  "a comment": text(`{"model": "o", /* ${word("badComment")} */ "messages": []}`),
  "a trailing comma": text(`{"model": "o", "${word("badComma")}": 1,}`),
  "single quotes": text(`{'model': '${word("badQuotes")}'}`),
  "a bare word": text(`{"model": "o", "x": ${word("badBare")}}`),
  "NaN": text('{"model": "o", "temperature": NaN}'),
  "a number with a leading zero": text('{"model": "o", "temperature": 01}'),
  "a control character in a string": Buffer.from(`{"model": "o", "x": "${word("badControl")}\u0001"}`),
  "a line feed in a string": text(`{"model": "o", "x": "a\nb"}`),
  "an escape that is none": text('{"model": "o", "x": "\\q"}'),
  "half of an escape": text('{"model": "o", "x": "\\u12"}'),
  "bytes that are not UTF-8": Buffer.concat([text(`{"model": "o", "x": "${word("badBytes")}`), Buffer.of(0xff, 0xfe, 0xc0, 0x80), text('"}')]),
  "UTF-16": Buffer.from(`{"model": "o", "x": "${word("badWide")}"}`, "utf16le"),
  "a zero byte": Buffer.from('{"model": "o"\0}'),
  "a member twice": text(`{"model": "o", "${word("badTwice")}": 1, "${word("badTwice")}": 2}`),
  "the model twice, once in escapes": text('{"model": "o", "\\u006dodel": "g"}'),
  "arrays without end": text("[".repeat(DEEP)),
  "objects without end": text('{"a":'.repeat(DEEP)),
  "a depth nobody reads": text(`{"model": "o", "messages": ${"[".repeat(DEEP)}${"]".repeat(DEEP)}}`),
};

/** What stands where something else should. */
const WRONG = {
  "null": null,
  "true": true,
  "a number": 17,
  "a negative number": -1,
  "a number beyond all bounds": 1e308,
  "an empty text": "",
  "a text": word("badValue"),
  "half a surrogate": "\ud800",
  "an empty array": [],
  "an array of null": [null],
  "an empty object": {},
  "an object": { [word("badMember")]: word("badValue") },
};

/** Every place of a value, deep first: how to come to it. */
function places(value, at = []) {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((name) => [...places(value[name], [...at, name]), [...at, name]]);
}

function changed(value, at, change) {
  const copy = structuredClone(value);
  const holder = at.slice(0, -1).reduce((inner, name) => inner[name], copy);
  change(holder, at.at(-1));
  return copy;
}

/** A good body with one place wrong: what was done, and the body. */
export function* mutants(body) {
  for (const at of places(body)) {
    const where = at.join(".");
    yield [`no ${where}`, changed(body, at, (holder, name) => (Array.isArray(holder) ? holder.splice(Number(name), 1) : delete holder[name]))];
    for (const [what, wrong] of Object.entries(WRONG)) yield [`${what} as ${where}`, changed(body, at, (holder, name) => { holder[name] = wrong; })];
  }
}
