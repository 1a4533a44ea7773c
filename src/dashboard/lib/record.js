// What a request's record says: where its time went, and whose doing it was.
import { money, ms, number, plural } from "./format.js";

/** Nobody calls an answer slow that was whole by then. */
const QUICK_MS = 1_000;
/** Slower than this a token, the provider is what was waited for, not the length of the answer. */
const SLOW_TOKENS_PER_S = 15;
/** A wait this much longer than usual is told as unusual. */
const UNUSUAL = 1.25;

export const target = ({ provider, model }) => (model ? `${provider}/${model}` : provider);

/** The try that served, or the last one. */
export const decisive = ({ tries }) => tries.findLast(({ outcome }) => outcome === "ok") ?? tries.at(-1);

/** How many targets were left for another one; a call that was cancelled because another answered is none. */
export const failovers = ({ tries }) => Math.max(0, new Set(tries.filter(({ outcome }) => outcome !== "hedged").map(target)).size - 1);

/** `{began, waited, lost, first, answering, gateway, whole}` in milliseconds; what is not known is null. */
export function times(record) {
  const { tries, total_ms: whole, stream } = record;
  const last = decisive(record);
  if (!last) return { began: null, lost: 0, waited: 0, first: null, answering: 0, gateway: whole, whole };
  const began = tries[0].at_ms;
  const served = last.outcome === "ok";
  const waited = served ? record.first_ms ?? last.ms : 0;
  const first = served ? last.at_ms + waited : null;
  const answering = served ? Math.max(0, whole - (stream ? first : last.at_ms + last.ms)) : 0;
  // Tries may overlap, as a hedge does.
  let [busy, end] = [0, 0];
  for (const { at_ms: at, ms: took } of tries) {
    busy += Math.max(0, at + took - Math.max(at, end));
    end = Math.max(end, at + took);
  }
  const lost = Math.max(0, busy - (served ? last.ms : 0));
  return { began, lost, waited: served ? last.ms : 0, first, answering, gateway: Math.max(0, whole - busy - answering), whole };
}

/** Tokens a second, from the first to the last. */
export function pace(record) {
  const { answering } = times(record);
  return record.stream && answering > 0 && record.usage?.output ? (record.usage.output * 1_000) / answering : null;
}

/**
 * Whose doing it was: `{who: "caller" | "gateway" | "provider" | "length" | "nobody", tone, title, reasons}`. `usual`: the p95 of the first
 * token at that target of late, where it is known.
 */
export function verdict(record, usual) {
  const found = record.outcome === "ok" || record.outcome === "forwarded" ? slowness(record, usual) : failure(record);
  return { ...found, reasons: found.reasons.filter(Boolean) };
}

function failure(record) {
  const { outcome, fault, status, tries } = record;
  const { whole } = times(record);
  if (outcome === "gone") return gone(record);
  const last = tries.at(-1);
  const refusal = (record.plan ?? []).find((line) => line.startsWith("refused: "));
  const words = refusal ? refusal.slice("refused: ".length) : null;
  const asked = tries.length ? `${plural(tries.length, "try", "tries")} at ${[...new Set(tries.map(target))].join(", ")}.` : "No provider was asked.";
  if (fault === "caller") {
    const title = tries.length
      ? `The caller: ${target(last)} refused what was sent (${status}).`
      : status === 429 ? "The caller: it is at one of its limits or budgets (429), and no provider was asked."
      : `The caller: the gateway refused the request (${status}) before any provider was asked.`;
    return { who: "caller", tone: "warn", title, reasons: [words, tries.length ? asked : null, `It was answered after ${ms(whole)}.`] };
  }
  if (fault === "gateway") {
    return { who: "gateway", tone: "bad", title: `The gateway: ${OUTCOMES[outcome] ?? outcome} (${status}).`, reasons: [words, record.detail, asked] };
  }
  const broke = status > 0 && status < 400;
  const title = broke
    ? `A provider: ${last ? target(last) : record.provider} broke the answer off after it had begun.`
    : tries.length
      ? `${plural(new Set(tries.map(target)).size, "provider target", "provider targets")} failed: the caller got ${status} after ${ms(whole)}.`
      : `The providers: none was in a state to be asked (${status}).`;
  return { who: "provider", tone: "bad", title, reasons: [words, ...tries.map(tried), record.skipped?.length ? `${plural(record.skipped.length, "candidate")} had been left out before.` : null] };
}

function gone(record) {
  const { whole } = times(record);
  const last = record.tries.at(-1);
  const begun = record.first_ms !== null && record.first_ms !== undefined;
  return {
    who: "caller",
    tone: "warn",
    title: `The caller left after ${ms(whole)}, ${begun ? "in the middle of the answer" : "before the answer began"}.`,
    reasons: [
      begun || !last ? null : `${target(last)} had said nothing for ${ms(whole - last.at_ms)}: the caller's own time limit may be shorter than that.`,
      ...record.tries.filter(({ outcome }) => outcome !== "ok" && outcome !== "gone").map(tried),
    ],
  };
}

const tried = (one) => `${target(one)}: ${OUTCOMES[one.outcome] ?? one.outcome}${one.status ? ` (${one.status})` : ""} after ${ms(one.ms)}.`;

function slowness(record, usual) {
  const parts = times(record);
  const { whole, lost, waited, answering, gateway } = parts;
  const last = decisive(record);
  const failed = record.tries.filter((one) => one !== last && one.outcome !== "hedged");
  const saved = failed.length ? `${[...new Set(failed.map(target))].join(", ")} failed, and ${target(last)} answered: the caller noticed ${ms(lost)} of it.` : null;
  if (record.cache === "hit") return { who: "nobody", tone: "ok", title: `Nobody: the answer came from the response cache in ${ms(whole)}.`, reasons: [] };
  if (!last) return { who: "nobody", tone: "ok", title: `Nobody: answered in ${ms(whole)}.`, reasons: [record.provider ? `It was passed on to ${record.provider} as it came.` : null] };
  const pieces = [
    [gateway, "gateway", `the gateway took ${ms(gateway)}: reading, planning, and pauses between tries`],
    [lost, "provider", `${ms(lost)} went by with tries that failed`],
    [waited, "provider", record.stream ? `${target(last)} took ${ms(waited)} to its first token` : `${target(last)} took ${ms(waited)} to answer`],
    [answering, "length", `the answer took ${ms(answering)} to come${speed(record)}`],
  ].toSorted(([a], [b]) => b - a);
  const [[most, whose, why]] = pieces;
  const rest = pieces.slice(1).filter(([size]) => size > whole / 20).map(([, , said]) => `${upper(said)}.`);
  const compared = usual && last && record.stream
    ? waited > usual * UNUSUAL ? `That is longer than usual: 95 of 100 first tokens there came within ${ms(usual)} in the last 24 hours.` : `The first token was as usual: 95 of 100 there came within ${ms(usual)} in the last 24 hours.`
    : null;
  if (whole < QUICK_MS) return { who: "nobody", tone: "ok", title: `Nobody was slow: the whole request took ${ms(whole)}.`, reasons: [saved, `${upper(why)}.`, ...rest, compared] };
  const share = `${Math.round((100 * most) / Math.max(1, whole))} % of ${ms(whole)}`;
  if (whose === "gateway") return { who: "gateway", tone: "warn", title: `The gateway: ${why} (${share}).`, reasons: [saved, ...rest] };
  if (whose === "provider") return { who: "provider", tone: "warn", title: `A provider: ${why} (${share}).`, reasons: [saved, compared, ...rest] };
  const tokens = pace(record);
  if (tokens !== null && tokens < SLOW_TOKENS_PER_S) return { who: "provider", tone: "warn", title: `A provider: ${why} (${share}).`, reasons: [saved, ...rest, compared, "Or the caller read it so slowly: what is not read is not asked for."] };
  return { who: "length", tone: "ok", title: `The length of the answer: ${why} (${share}).`, reasons: [saved, ...rest, compared, "A caller that wants it sooner asks for less, or for a faster model."] };
}

function speed(record) {
  const tokens = pace(record);
  return tokens === null ? "" : `, ${number(record.usage.output)} tokens at ${tokens < 10 ? tokens.toFixed(1) : Math.round(tokens)} a second`;
}

/** Names of targets keep their case. */
const upper = (words) => (/^\S*\//.test(words) ? words : words[0].toUpperCase() + words.slice(1));

/** Outcomes in words. */
export const OUTCOMES = {
  ok: "answered", forwarded: "passed on", refused: "refused", gone: "the caller left", caller: "the request was not right",
  model_gone: "the model is not there", too_long: "too long for its window", content_filter: "its content filter refused", limited: "rate limited",
  quota: "its quota is used up", credential: "it does not take the credential", no_token: "no token could be had", region_blocked: "does not serve this region",
  transient: "failed", silent: "said nothing in time", broken: "sent something broken", deadline: "took too long", hedged: "cancelled, another was faster",
  gateway: "the gateway failed", lost: "nothing was heard of its end",
};

/** Classes of tokens and other units in the order in which they are paid for. */
export const CLASSES = [
  ["input", "Input"], ["cache_read", "Read from cache"], ["cache_write", "Written to cache"], ["cache_write_1h", "of that for an hour"],
  ["input_audio", "of input: sound"], ["cache_read_audio", "of cache read: sound"], ["input_image", "of input: pictures"], ["output", "Output"],
  ["reasoning", "of output: reasoning"], ["output_audio", "of output: sound"], ["output_image", "of output: pictures"], ["searches", "Searches"],
  ["images", "Pictures made"], ["duration_ms", "Milliseconds of sound or film"], ["characters", "Characters"],
];

/** `$0.0012`, with a mark where it is a guess or nobody knows. */
export const cost = (record) => (record.cost === null || record.cost === undefined ? "–" : `${record.estimated ? "≈ " : ""}${money(record.cost)}`);

/** How a record shows in a list: a tone for its badge. */
export function standing({ status, outcome, fault }) {
  if (outcome === "ok" || outcome === "forwarded") return status >= 400 ? "warn" : "ok";
  if (outcome === "gone") return "none";
  return fault === "caller" ? "warn" : "bad";
}
