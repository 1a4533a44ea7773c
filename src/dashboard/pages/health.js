// What is up, where, and what the operator said about it.

import { get } from "../lib/api.js";
import { h, hidden, replace } from "../lib/dom.js";
import { number, ms, plural, time } from "../lib/format.js";
import { called, cells, changeKey, CHANGES, ends, failures, history, lost, read, region, REGIONS, speak, standing, target, tellChanges, WORDS, words } from "../lib/health.js";
import { badge, button, card, empty, every, failed, notice, scrollbox, segmented, skeleton, table, tone } from "../lib/ui.js";
import { renderTarget } from "./health-target.js";

export const title = "Health";

const REFRESH_MS = 5_000;
/** Rows of changes on the list; a target's own page has all of them. */
const CHANGES_SHOWN = 50;
/** A target that is in one of these takes no traffic of its own. */
const OUT = new Set(["open", "cooling", "shut", "drained"]);
const SIGNS = { ok: "●", warn: "▲", bad: "■", info: "◆", none: "○" };

export async function render(main, page) {
  if (page.params.length) return renderTarget(main, page, page.params.join("/"));
  return renderAll(main, page);
}

async function renderAll(main, { query, signal, actions, setQuery }) {
  let show = query.get("show") === "ill" ? "ill" : "all";
  let before = null;
  let last = null;
  const updated = h("span", { class: "hint num" });
  const summary = h("div");
  const ill = table({ columns: ILL, rows: [], caption: "Targets that are not up", rowKey: (row) => `${row.region} ${row.name}` });
  const said = table({ columns: said_(again), rows: [], caption: "The operator’s words in force", rowKey: (row) => `${row.region} ${row.target}` });
  const changes = table({ columns: CHANGES, rows: [], caption: "Changes of state, newest first", empty: "Nothing has changed yet.", rowKey: changeKey });
  const grid = h("div", { class: "flush" });
  const parts = {
    ill: card("Not up", {}, ill),
    said: card("The operator’s word", { hint: "It wins over the breakers until it ends." }, said),
    grid: card("Targets by region", {
      hint: "Time to the first token (p50) of streams, or the state.",
      actions: segmented("Show", [{ value: "all", label: "All" }, { value: "ill", label: "Not up" }], { value: show, onchange: (value) => { show = value; setQuery({ show: show === "ill" ? "ill" : "" }); draw(last); } }),
    }, grid),
    changes: card("Changes", {}, changes),
  };
  actions.append(updated);
  replace(main, skeleton(8));
  let isDrawn = false;

  async function again() {
    try {
      const [{ body }, { body: config }] = await Promise.all([get("/health?history=1", { signal }), get("/config", { signal })]);
      if (signal.aborted) return;
      last = { ...body, providers: config.providers ?? [] };
      if (!isDrawn) replace(main, summary, parts.ill, parts.said, parts.grid, parts.changes);
      isDrawn = true;
      draw(last);
      replace(updated, `Updated ${time(Date.now(), "seconds")}`);
    } catch (error) {
      if (signal.aborted) return;
      // What stands is still true of its time.
      if (isDrawn) replace(updated, `Not updated: ${error.message}`);
      else replace(main, failed(error, () => { replace(main, skeleton(8)); again(); }));
    }
  }

  function draw({ regions, unreachable = [], providers }) {
    const all = cells(regions);
    const sick = all.filter((cell) => cell.standing !== "up");
    const spoken = words(regions);
    const past = history(regions);
    tellChanges(before, all);
    before = all;
    replace(summary, headline(all, sick, unreachable));
    parts.ill.hidden = !sick.length;
    parts.said.hidden = !spoken.length;
    parts.changes.hidden = past === null;
    ill.update(sick);
    said.update(spoken);
    changes.update((past ?? []).slice(0, CHANGES_SHOWN));
    drawGrid(grid, all, spoken, providers, show);
  }

  await again();
  every(REFRESH_MS, again, signal);
}

const ILL = [
  { key: "name", label: "Target", render: (row) => target(row.name) },
  { key: "region", label: "Region", render: (row) => region(row.region) },
  { key: "standing", label: "State", class: "nowrap", render: (row) => standing(row) },
  { key: "failed_permille", label: "Failures, 30 s", align: "end", render: (row) => failures(row.failed_permille) },
  { key: "p50_ms", label: "p50", align: "end", render: (row) => ms(row.p50_ms) },
  { key: "p95_ms", label: "p95", align: "end", render: (row) => ms(row.p95_ms) },
];

const said_ = (again) => [
  { key: "target", label: "Target", render: (row) => target(row.target) },
  { key: "region", label: "Region", render: (row) => region(row.region) },
  { key: "action", label: "Word", render: (row) => badge(row.action) },
  { key: "until", label: "Holds", class: "nowrap", render: (row) => h("span", { class: "num", title: time(row.until, "full") }, ends(row.until)) },
  { key: "take back", label: "", align: "end", render: (row) => button(WORDS.reset.label, { small: true, "aria-label": `Reset ${row.target} in ${row.region}`, onclick: async () => { if (await speak(row.target, "reset", { where: row.region })) again(); } }) },
];

function headline(all, sick, unreachable) {
  const out = sick.filter((cell) => OUT.has(cell.standing)).length;
  const weak = sick.length - out;
  if (!all.length) return lost(unreachable);
  const counted = [out ? `${number(out)} not taking traffic` : "", weak ? `${number(weak)} with less than usual` : ""].filter(Boolean).join(", ");
  return h("div", { class: "stack" },
    sick.length ? notice(out ? "bad" : "warn", h("strong", {}, counted), ` of ${number(all.length)}, each target in each region counted.`)
      : notice("ok", h("strong", {}, "Everything is up."), ` ${plural(new Set(all.map(({ name }) => name)).size, "target")} in ${plural(new Set(all.map((cell) => cell.region)).size, "region")}.`),
    lost(unreachable));
}

/** A row for each target below its provider, a column for each region that has seen any. */
function drawGrid(place, all, spoken, providers, show) {
  const seen = new Set([...all.map((cell) => cell.region), ...spoken.map((word) => word.region)]);
  const columns = Object.keys(REGIONS).filter((name) => seen.has(name));
  const rows = new Map();
  for (const cell of all) rows.set(cell.name, (rows.get(cell.name) ?? new Map()).set(cell.region, cell));
  const names = [...new Set([...providers, ...all.map((cell) => cell.provider), ...spoken.map((word) => read(word.target).provider)])].sort();
  if (!names.length) {
    replace(place, empty("No provider is configured.", h("a", { class: "button", href: "#/providers" }, "Add one")));
    return;
  }
  const isKept = (name) => show === "all" || [...rows.get(name).values()].some((cell) => cell.standing !== "up");
  const groups = names.map((provider) => {
    const own = [...rows.keys()].filter((name) => read(name).provider === provider).sort();
    const kept = own.filter(isKept);
    if (show === "ill" && !kept.length) return null;
    const word = (name) => spoken.find((each) => each.target === provider && each.region === name);
    return h("tbody", { dataset: { provider } },
      h("tr", { class: "group" }, h("th", { scope: "rowgroup" }, h("a", { href: `#/health/${encodeURIComponent(provider)}` }, provider), own.length ? null : h("span", { class: "muted" }, " no traffic yet")),
        columns.map((name) => h("td", {}, word(name) ? badge(word(name).action) : null))),
      kept.map((name) => h("tr", {}, h("th", { scope: "row", class: "inner" }, h("a", { href: `#/health/${encodeURIComponent(name)}` }, called(read(name)))),
        columns.map((column) => h("td", {}, mark(rows.get(name).get(column)))))));
  }).filter(Boolean);
  if (!groups.length) {
    replace(place, empty("Everything is up."));
    return;
  }
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const left = place.querySelector(".scroll")?.scrollLeft ?? 0;
  const silent = Object.keys(REGIONS).filter((name) => !seen.has(name));
  const box = scrollbox("Targets by region", h("table", { class: "matrix" }, h("caption", { class: "sr" }, "Targets by region"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Target"), columns.map((name) => h("th", { scope: "col" }, region(name))), columns.length ? null : h("th", { scope: "col" }, "Regions"))),
    groups));
  replace(place, box, silent.length ? h("p", { class: "hint foot" }, columns.length ? `No traffic seen in ${silent.join(", ")}.` : "No traffic seen in any region yet.") : null);
  box.scrollLeft = left;
  if (focused) place.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function mark(cell) {
  if (!cell) return h("span", { class: "muted" }, h("span", { "aria-hidden": "true" }, "·"), hidden("not seen"));
  const colour = tone(cell.standing);
  const words_ = cell.standing === "up" ? (cell.p50_ms ? ms(cell.p50_ms) : "up") : cell.percent !== undefined ? `${cell.percent} %` : cell.standing;
  const more = [cell.standing, cell.percent !== undefined && `${cell.percent} % of traffic`, cell.p50_ms && `p50 ${ms(cell.p50_ms)}`, cell.p95_ms && `p95 ${ms(cell.p95_ms)}`, `${failures(cell.failed_permille)} failures`].filter(Boolean).join(", ");
  return h("span", { class: `mark ${colour}`, title: more }, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[colour]), words_, cell.standing !== words_ ? hidden(` ${cell.standing}`) : null);
}
