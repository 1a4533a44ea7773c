// FAILOVER's sixteen scenarios and Portolan's own: each a fault at the primary of two targets, and what must come of it.
//
// All waits of the rules are divided by SCALE; a `Retry-After` is in whole seconds and is not.
import { SHAPES, speak } from "../e2e/lib/shapes.mjs";
import { CUT, STALL, choose, drip, forever, gzipped, html, json, pause, reset, silence, stream } from "../e2e/lib/upstream.mjs";

export const SCALE = 5;
/** How late a machine with other things to do may be. */
export const SLACK_MS = 1500;
export const TIMEOUTS = { headers_ms: 30_000 / SCALE, first_token_ms: 12_000 / SCALE, idle_ms: 20_000 / SCALE, total_ms: 100_000 / SCALE };

export const TOKENS = Array.from({ length: 60 }, (_, n) => `tok${n} `);
const CUT_AFTER = 40;
export const WHOLE = TOKENS.join("");
export const PRIMARY_USAGE = { input: 100, output: 60 };
export const FALLBACK_USAGE = { input: 200, output: 30 };

/** The answer of either target, told apart by its usage and its provider. */
const whole = (shape, usage, gap = 0) => speak(shape, { text: TOKENS, usage }, { json, stream, gap });
/** The frames up to and with a number of tokens. */
const beginning = (shape, count = CUT_AFTER) => {
  const frames = shape.stream({ text: TOKENS, usage: PRIMARY_USAGE });
  return frames.slice(0, frames.findIndex((frame) => frame.includes(TOKENS[count - 1])) + 1);
};
const said = (entry) => {
  const at = TOKENS.findLastIndex((token) => entry.text.includes(token.trim()));
  return at + 1;
};
/** Whether the last turn of a request is the assistant's. */
const prefills = ({ json: body }) => ["assistant", "model"].includes((body?.messages ?? body?.contents ?? []).at(-1)?.role);

/** A fallback that understands what it is asked: the whole answer, or the rest of one that broke. */
const fallback = (shape) => choose((entry) => {
  const from = said(entry);
  return from > 0 && from < TOKENS.length
    ? speak(shape, { text: TOKENS.slice(from), usage: FALLBACK_USAGE }, { json, stream })
    : whole(shape, FALLBACK_USAGE);
});
const unwilling = (shape) => choose((entry) => (said(entry) > 0
  ? json(400, shape.error(400, prefills(entry) ? "This model does not support assistant message prefill." : "The conversation must not be continued."))
  : fallback(shape)));

const fails = (shape, status, message, more = {}, headers = {}) => json(status, shape.error(status, message, more), headers);

/**
 * `primary(shape)`: what the primary answers, try by try. `aim`: the least that each mode must reach. `tries`: how many
 * requests the primary may get, `served`: who must have served a whole answer, `withinMs`/`notBeforeMs`: for the answer, and
 * for the second try.
 */
export const SCENARIOS = [
  { id: "S01", fault: "429 `Retry-After: 2`, then fine", primary: (s) => [fails(s, 429, "Slow down.", { type: "rate_limit_error" }, { "retry-after": "2" }), whole(s, PRIMARY_USAGE)], tries: [2, 2], served: "primary", notBeforeMs: 1800, whole: true },
  { id: "S02", fault: "429 for ever", primary: (s) => [forever(fails(s, 429, "Slow down.", { type: "rate_limit_error" }, { "retry-after": "1" }))], tries: [1, 4], served: "fallback", withinMs: 3000 + SLACK_MS, whole: true },
  { id: "S03", fault: "500 once", primary: (s) => [fails(s, 500, "Oops."), whole(s, PRIMARY_USAGE)], tries: [2, 2], served: "primary", whole: true },
  { id: "S04", fault: "503 for ever", primary: (s) => [forever(fails(s, 503, "Down."))], tries: [1, 3], served: "fallback", withinMs: 2000 + SLACK_MS, whole: true },
  { id: "S05", fault: "reset before headers", primary: (s) => [reset(), whole(s, PRIMARY_USAGE)], tries: [1, 2], served: "any", whole: true },
  { id: "S06", fault: "silence", primary: () => [forever(silence())], tries: [1, 1], served: "fallback", withinMs: TIMEOUTS.headers_ms + SLACK_MS },
  { id: "S07", fault: "first token after 20 s", primary: (s) => [forever(stream([s.role(), pause(20_000 / SCALE), ...s.stream({ text: TOKENS }).slice(1)]))], tries: [1, 1], served: "fallback", withinMs: 15_000 / SCALE + SLACK_MS },
  { id: "S08", fault: "cut after 40 of 60 tokens", primary: (s) => [stream([...beginning(s), CUT], { gap: 5 })], tries: [1, 1], served: "any", broken: true },
  { id: "S09", fault: "30 s stall mid-stream", primary: (s) => [stream([...beginning(s), pause(30_000 / SCALE), ...s.stream({ text: TOKENS }).slice(beginning(s).length)], { gap: 5 })], tries: [1, 1], served: "any", broken: true, withinMs: TIMEOUTS.idle_ms + 2000 + SLACK_MS },
  { id: "S10", fault: "one malformed event", primary: (s) => [stream([...beginning(s), "data: {\"broken\": \n\n", ...s.stream({ text: TOKENS, usage: PRIMARY_USAGE }).slice(beginning(s).length)])], tries: [1, 1], served: "primary" },
  { id: "S11", fault: "no end mark, and the connection stays open", primary: (s) => [stream([...s.stream({ text: TOKENS, usage: PRIMARY_USAGE }, { usage: true }).filter((frame) => frame !== s.done()), STALL])], tries: [1, 1], served: "primary", withinMs: 8000 + SLACK_MS, usage: true },
  { id: "S12", fault: "400 context length", primary: (s) => [forever(tooLong(s))], tries: [1, 1], served: "fallback", whole: true },
  { id: "S13", fault: "400 content filter", primary: (s) => [forever(fails(s, 400, "The response was filtered due to the prompt triggering the content management policy.", { code: "content_filter" }))], tries: [1, 1], error: 400, whole: true },
  { id: "S14", fault: "cut, and the fallback refuses prefill", primary: (s) => [stream([...beginning(s), CUT], { gap: 5 })], other: unwilling, tries: [1, 1], served: "any", broken: true, safe: ["continue"] },
  { id: "S16", fault: "fallback served", primary: (s) => [forever(fails(s, 503, "Down."))], tries: [1, 3], served: "fallback", accounted: true, whole: true },
];

const tooLong = (s) => fails(s, 400, "prompt is too long: This model's maximum context length is 131072 tokens. However, your messages resulted in 150000 tokens.", { code: "context_length_exceeded" });
const errorFirst = (s) => [forever(stream([s.errorFrame("Overloaded.")]))];

export const OURS = [
  { id: "P01", fault: "an error as the first event of a 200", primary: errorFirst, tries: [1, 1], served: "fallback" },
  { id: "P02", fault: "metadata, then an error", primary: (s) => [forever(stream([s.role() || ": hello\n\n", s.errorFrame("Overloaded.")]))], tries: [1, 1], served: "fallback" },
  { id: "P03", fault: "HTML with status 200", primary: () => [forever(html(200))], tries: [1, 2], served: "fallback", whole: true },
  { id: "P04", fault: "503 with a gzip'd body", primary: (s) => [forever(gzipped(503, s.error(503, "Down.")))], tries: [1, 2], served: "fallback", whole: true },
  { id: "P05", fault: "a comment at one byte a second for ever", primary: () => [forever(stream([drip(`: ${"x".repeat(500)}`, 1000 / SCALE)]))], tries: [1, 1], served: "fallback", withinMs: TIMEOUTS.first_token_ms + SLACK_MS },
  { id: "P06", fault: "two credentials, one revoked", keys: ["${UP_KEY}", "${UP_KEY_2}"], primary: (s) => [forever(choose((entry) => (JSON.stringify(entry.headers).includes("second") ? whole(s, PRIMARY_USAGE) : fails(s, 401, "Invalid key.", { type: "authentication_error", code: "invalid_api_key" }))))], tries: [1, 2], served: "primary", whole: true },
  { id: "P07", fault: "one model gone", primary: (s) => [forever(fails(s, 404, "The model `m` does not exist.", { type: "not_found_error", code: "model_not_found" }))], tries: [1, 1], served: "fallback", whole: true },
  { id: "P08", fault: "402 and no money", primary: (s) => [forever(fails(s, 402, "Insufficient balance."))], tries: [1, 1], served: "fallback", whole: true },
  { id: "P09", fault: "a stream that ends before its first token", primary: () => [forever(stream([]))], tries: [1, 1], served: "fallback" },
  { id: "P10", fault: "closed politely in the middle", primary: (s) => [stream(beginning(s), { gap: 5 })], tries: [1, 1], served: "any", broken: true },
  { id: "P11", fault: "an error event in the middle", primary: (s) => [stream([...beginning(s), s.errorFrame("It broke.")], { gap: 5 })], tries: [1, 1], served: "any", broken: true },
  { id: "P12", fault: "headers, then an error's body that never ends", primary: () => [forever(stream(["{\"error\": ", STALL], { status: 503, headers: { "content-type": "application/json" } }))], tries: [1, 2], served: "fallback", withinMs: 2 * 2000 + 500 + SLACK_MS, whole: true },
];

/** Who asks whom. The same dialect passes as it is, any other is translated. */
export const WAYS = [
  { caller: "openai", upstream: "openai" },
  { caller: "anthropic", upstream: "anthropic" },
  { caller: "google", upstream: "google" },
  { caller: "responses", upstream: "openai" },
  { caller: "openai", upstream: "anthropic" },
  { caller: "anthropic", upstream: "google" },
  { caller: "google", upstream: "openai" },
  { caller: "responses", upstream: "anthropic" },
].map((way) => ({ ...way, name: `${way.caller} ← ${way.upstream}`, shape: SHAPES[way.upstream] }));

export const MODES = ["error", "continue", "atomic"];

/** What a mode must reach in a scenario. */
export const aim = (scenario, mode) => (scenario.broken && (mode === "error" || scenario.safe?.includes(mode)) ? "safe" : "pass");

export const fallbackOf = (scenario, shape) => forever((scenario.other ?? fallback)(shape));

