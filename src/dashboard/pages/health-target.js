// One target in all regions: a provider, a model of it, a credential.

import { get } from "../lib/api.js";
import { h, replace } from "../lib/dom.js";
import { ms, number, time } from "../lib/format.js";
import { called, cells, changeKey, CHANGES, ends, failures, history, lost, read, region, REGIONS, speak, standing, tellChanges, WORDS, words } from "../lib/health.js";
import { badge, button, card, empty, every, failed, skeleton, table } from "../lib/ui.js";

const REFRESH_MS = 5_000;

export async function renderTarget(main, { signal, actions, setTitle }, name) {
  const { kind, provider } = read(name);
  setTitle(name, h("a", { href: "#/health" }, "Health"), kind === "provider" ? "" : [" / ", h("a", { href: `#/health/${encodeURIComponent(provider)}` }, provider)], " /");
  let before = null;
  let isDrawn = false;
  const updated = h("p", { class: "hint num" });
  const note = h("div");
  const isOwn = (cell) => cell === name || (kind === "provider" && read(cell).provider === name);
  // A place is not the operator's to speak of: it is learned from the provider's own refusals.
  const maySpeak = kind !== "place";
  if (maySpeak) {
    actions.append(...Object.entries(WORDS).map(([action, word]) => button(`${word.label}…`, { kind: action === "drain" ? null : "plain", onclick: async () => { if (await speak(name, action)) again(); } })));
  }
  const states = table({ columns: columns(kind), rows: [], caption: `States of ${name}`, empty: "No region has sent anything to it since it was last forgotten.", rowKey: (row) => `${row.region} ${row.name}` });
  const said = table({ columns: SAID, rows: [], caption: `Words on ${name}`, rowKey: (row) => `${row.region} ${row.target}` });
  const changes = table({ columns: CHANGES, rows: [], caption: `Changes of ${name}, newest first`, empty: "Nothing has changed yet.", rowKey: changeKey });
  const parts = { said: card("The operator’s word", {}, said), states: card("By region", { actions: updated }, states), changes: card("Changes", {}, changes) };
  replace(main, skeleton(6));

  async function again() {
    try {
      const [{ body }, { body: config }] = await Promise.all([get("/health?history=1", { signal }), get("/config", { signal })]);
      if (signal.aborted) return;
      draw(body, config.providers ?? []);
      replace(updated, `Updated ${time(Date.now(), "seconds")}`);
    } catch (error) {
      if (signal.aborted) return;
      if (isDrawn) replace(updated, `Not updated: ${error.message}`);
      else replace(main, failed(error, () => { replace(main, skeleton(6)); again(); }));
    }
  }

  function draw({ regions, unreachable = [] }, providers) {
    const all = cells(regions).filter((cell) => isOwn(cell.name));
    const spoken = words(regions).filter((word) => word.target === name || word.target === provider || isOwn(word.target));
    const past = history(regions, (change) => isOwn(change.cell));
    tellChanges(before, all);
    before = all;
    if (!all.length && !spoken.length && !providers.includes(provider)) {
      isDrawn = false;
      actions.replaceChildren();
      replace(main, empty(`There is no target “${name}”: no provider of that name is configured, and no region knows it.`, h("a", { class: "button", href: "#/health" }, "All targets")));
      return;
    }
    if (!isDrawn) replace(main, note, parts.said, parts.states, parts.changes, h("p", {}, h("a", { href: requests(name) }, "Requests that it served")));
    isDrawn = true;
    replace(note, lost(unreachable));
    note.hidden = !unreachable.length;
    parts.said.hidden = !spoken.length;
    parts.changes.hidden = past === null;
    states.update(sorted(all));
    said.update(spoken);
    changes.update(past ?? []);
  }

  await again();
  every(REFRESH_MS, again, signal);
}

const ORDER = Object.keys(REGIONS);
const sorted = (all) => [...all].sort((one, other) => one.name.localeCompare(other.name) || ORDER.indexOf(one.region) - ORDER.indexOf(other.region));

function requests(name) {
  const { kind, provider, rest } = read(name);
  return `#/requests?${new URLSearchParams({ provider, ...(kind === "model" && { model: rest }) })}`;
}

const columns = (kind) => [
  ...(kind === "provider" ? [{ key: "name", label: "Target", render: (row) => h("a", { href: `#/health/${encodeURIComponent(row.name)}`, class: "wrap" }, called(row)) }] : []),
  { key: "region", label: "Region", render: (row) => h("span", {}, region(row.region), h("span", { class: "muted wide-only" }, ` ${REGIONS[row.region] ?? ""}`)) },
  { key: "standing", label: "State", class: "nowrap", render: (row) => standing(row) },
  { key: "p50_ms", label: "First token p50", align: "end", render: (row) => ms(row.p50_ms) },
  { key: "p95_ms", label: "p95", align: "end", render: (row) => ms(row.p95_ms) },
  { key: "failed_permille", label: "Failures, 30 s", align: "end", render: (row) => failures(row.failed_permille) },
  { key: "samples", label: "Samples", align: "end", render: (row) => number(row.samples ?? 0) },
];

const SAID = [
  { key: "target", label: "Target", render: (row) => row.target },
  { key: "region", label: "Region", render: (row) => region(row.region) },
  { key: "action", label: "Word", render: (row) => badge(row.action) },
  { key: "until", label: "Holds", class: "nowrap", render: (row) => h("span", { class: "num", title: time(row.until, "full") }, ends(row.until)) },
];
