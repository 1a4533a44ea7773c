// What the regions know of targets, as tables want it, and the operator's word on one.

import { send } from "./api.js";
import { h } from "./dom.js";
import { ago, ms, percent, time } from "./format.js";
import { announce, badge, dialog, field, notice, select, toast } from "./ui.js";

export const REGIONS = {
  wnam: "North America, west", enam: "North America, east", sam: "South America", weur: "Europe, west", eeur: "Europe, east",
  apac: "Asia and Pacific", oc: "Oceania", afr: "Africa", me: "Middle East",
};

const HOUR_MS = 3_600_000;
const LASTS = [[5 * 60_000, "5 minutes"], [15 * 60_000, "15 minutes"], [HOUR_MS, "1 hour"], [6 * HOUR_MS, "6 hours"], [24 * HOUR_MS, "1 day"], [7 * 24 * HOUR_MS, "7 days"], [30 * 24 * HOUR_MS, "30 days"]];

/** What can be said of a target. */
export const WORDS = {
  drain: { label: "Drain", done: "drained", kind: "primary", what: "It gets no traffic while anything else is left: it goes behind every other target." },
  force_open: { label: "Force open", done: "forced open", kind: "danger", what: "It gets no traffic at all, even when everything else is out. Callers who have no other target are then answered with 503." },
  force_close: { label: "Force close", done: "forced closed", kind: "danger", what: "It gets its full traffic, whatever its breaker says, also while it fails." },
  reset: { label: "Reset", done: "reset", kind: "primary", what: "Forgets what was learned of it, and any word on it. A repaired credential is back at once." },
};

const PARTS = /^([^/#@]+)([/#@])?(.*)$/s;
const KINDS = { "/": "model", "#": "credential", "@": "place" };

/** The provider of a cell, and what of it the cell is. */
export function read(name) {
  const [, provider = name, mark, rest] = PARTS.exec(name) ?? [];
  return { name, provider, kind: KINDS[mark] ?? "provider", rest: rest ?? "" };
}

/** A cell in the operator's words. */
export function called({ kind, rest, name }) {
  return { model: rest, credential: `credential ${rest}`, place: `asked from ${rest}`, provider: name }[kind];
}

/** Every cell of every region as one row: `{name, region, standing, percent, until, p50_ms, …, provider, kind, rest}`. */
export function cells(regions) {
  return Object.entries(regions).flatMap(([region, { cells: all = {} }]) => Object.entries(all).map(([name, cell]) => ({ ...cell, ...read(name), region })));
}

/** The words in force: `{target, region, action, until}`. */
export function words(regions) {
  return Object.entries(regions).flatMap(([region, { operator = {} }]) => Object.entries(operator).map(([target, word]) => ({ target, region, ...word })));
}

/** Changes of state, newest first; `null` where the gateway keeps none. */
export function history(regions, keep = () => true) {
  if (!Object.values(regions).some((region) => region.history)) return null;
  return Object.entries(regions)
    .flatMap(([region, { history: all = [] }]) => all.map((change) => ({ ...change, region })))
    .filter(keep)
    .sort((one, other) => other.at - one.at);
}

/** A standing with its share of traffic or its end. */
export function standing({ standing: state, percent: part, until }, now = Date.now()) {
  const label = part === undefined ? state : `${state}, ${part} % of traffic`;
  return h("span", { class: "row" }, badge(state, label), until > now ? h("span", { class: "muted num", title: time(until, "full") }, ends(until, now)) : null);
}

/** `for 12 s more`. */
export function ends(until, now = Date.now()) {
  if (until <= now) return "ending";
  const seconds = Math.max(1, Math.floor((until - now) / 1_000));
  return `for ${seconds < 60 ? `${seconds} s` : ms(seconds * 1_000)} more`;
}

export const region = (name) => h("abbr", { title: REGIONS[name] ?? name }, name);

export const target = (name) => h("a", { href: `#/health/${encodeURIComponent(name)}`, class: "wrap" }, name);

export const failures = (permille) => (permille === undefined ? "–" : percent(permille / 1_000, 1));

/** Regions whose objects did not answer, or nothing. */
export function lost(unreachable) {
  if (!unreachable.length) return null;
  return notice("warn", `No answer from ${unreachable.join(", ")}: what is known there is not shown.`);
}

/** The columns of changes. */
export const CHANGES = [
  { key: "at", label: "When", class: "nowrap", render: (row) => h("span", { class: "num", title: time(row.at, "full") }, ago(row.at)) },
  { key: "cell", label: "Target", render: (row) => target(row.cell) },
  { key: "region", label: "Region", render: (row) => region(row.region) },
  { key: "to", label: "Change", class: "nowrap", render: (row) => [badge(row.from), h("span", { class: "muted", "aria-label": "to" }, " → "), badge(row.to)] },
  { key: "why", label: "Why", class: "words", render: (row) => row.why ?? h("span", { class: "muted" }, "–") },
];

export const changeKey = (row) => `${row.at} ${row.region} ${row.cell}`;

/** Asks where and for how long, then tells the regions. Resolves with what they answered, or `undefined`. */
export async function speak(name, action, { where = "", signal } = {}) {
  const word = WORDS[action];
  const place = select([{ value: "", label: "All regions" }, ...Object.entries(REGIONS).map(([value, label]) => ({ value, label: `${value} – ${label}` }))], { value: where });
  const last = select(LASTS.map(([value, label]) => ({ value: String(value), label })), { value: String(HOUR_MS) });
  const lasts = action !== "reset";
  const provider = read(name).kind === "provider";
  const answer = await dialog({
    title: `${word.label} ${name}`,
    body: [
      h("p", {}, word.what),
      provider ? notice("info", "It holds for all models, credentials and places of this provider. A word on one of them goes before it.") : null,
      field("Where", place),
      lasts ? field("For how long", last, { hint: "Then it ends by itself." }) : null,
    ],
    actions: [
      { label: "Cancel" },
      { label: word.label, kind: word.kind, run: async () => (await tell(name, action, { region: place.value, for_ms: lasts ? Number(last.value) : undefined, signal })) },
    ],
  });
  if (answer) {
    const at = place.value || "all regions";
    toast(`${name} is ${word.done} in ${at}${lasts ? ` for ${LASTS.find(([value]) => String(value) === last.value)[1]}` : ""}.`);
    if (answer.unreachable?.length) toast(`Not told: ${answer.unreachable.join(", ")}. Say it again for those regions.`, "bad");
  }
  return answer;
}

async function tell(name, action, { region: where, for_ms, signal }) {
  const path = name.split("/").map(encodeURIComponent).join("/");
  const { body } = await send("POST", `/health/${path}`, { action, ...(where && { region: where }), ...(for_ms && { for_ms }) }, { signal });
  return body;
}

/** What changed since the last look, for who does not see it. */
export function tellChanges(before, now) {
  if (!before) return;
  const old = new Map(before.map((cell) => [`${cell.region} ${cell.name}`, cell.standing]));
  const changed = now.filter((cell) => old.has(`${cell.region} ${cell.name}`) && old.get(`${cell.region} ${cell.name}`) !== cell.standing);
  if (changed.length) announce(changed.slice(0, 3).map((cell) => `${cell.name} in ${REGIONS[cell.region]} is now ${cell.standing}`).join(". "));
}
