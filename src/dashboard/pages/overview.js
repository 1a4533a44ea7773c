// How the gateway does: numbers of a time, what they were made of, and what wants attention.

import { get, query as asked } from "../lib/api.js";
import { bars, lines, meter, sparkline } from "../lib/chart.js";
import { h, replace } from "../lib/dom.js";
import { ago, compact, money, ms, number, percent, plural } from "../lib/format.js";
import { announce, button, card, empty, every, failed, notice, segmented, said, skeleton, table } from "../lib/ui.js";

export const title = "Overview";

const WINDOWS = [
  { value: "1h", label: "1 h", words: "the last hour", refresh: 15_000 },
  { value: "24h", label: "24 h", words: "the last 24 hours", refresh: 30_000 },
  { value: "7d", label: "7 d", words: "the last 7 days", refresh: 60_000 },
];
const GROUPS = [{ value: "route", label: "Routes" }, { value: "model", label: "Models" }, { value: "provider", label: "Providers" }];
/** Where the axis of availability may begin: the closest below what was seen. */
const FLOORS = [0.999, 0.99, 0.95, 0.9, 0.5, 0];

const tokens = (sums) => sums.input + sums.cache_read + sums.cache_write + sums.output;
const served = (sums) => Math.max(0, sums.requests - sums.errors - (sums.client_errors ?? 0));
const share = (part, whole) => (whole > 0 ? part / whole : null);

/** Numbers of the whole time, each with the line of its points. */
const TILES = [
  { name: "Requests", value: (sums) => number(sums.requests), more: (sums, window) => `${rate(sums.requests, window)}`, line: (point) => point.requests },
  { name: "Errors", value: (sums) => number(sums.errors), more: (sums) => `${percent(share(sums.errors, sums.requests) ?? 0)} of requests`, line: (point) => point.errors, color: "bad" },
  { name: "Failovers", value: (sums) => number(sums.failovers), more: (sums) => plural(sums.breaks ?? 0, "broken stream"), line: (point) => point.failovers, color: 2 },
  { name: "Availability", value: (sums) => percent(sums.availability), more: () => "without callers’ errors", line: (point) => point.availability, least: floor, color: "ok" },
  { name: "First token, p50", value: (sums) => ms(sums.first_ms?.p50), more: (sums) => `p95 ${ms(sums.first_ms?.p95)}`, line: (point) => point.first_ms?.p50 },
  { name: "Gateway adds, p50", value: (sums) => ms(sums.gateway_ms?.p50), more: (sums) => `p95 ${ms(sums.gateway_ms?.p95)}`, line: (point) => point.gateway_ms?.p50, color: 4 },
  { name: "Tokens", value: (sums) => compact(tokens(sums)), more: (sums) => `${compact(sums.input + sums.cache_read + sums.cache_write)} in, ${compact(sums.output)} out`, line: tokens, color: 3 },
  { name: "Spend", value: (sums) => money(sums.cost), more: (sums) => (sums.unpriced ? `${plural(sums.unpriced, "request")} without a price` : `${money(share(sums.cost, sums.requests) ?? 0)} a request`), line: (point) => point.cost, color: 5 },
];

const CHARTS = [
  { title: "Requests", kind: bars, format: number, axis: compact, series: [
    { name: "Served", value: served, color: 1 }, { name: "Callers’ errors", value: (point) => point.client_errors ?? 0, color: "warn" }, { name: "Errors", key: "errors", color: "bad" }] },
  { title: "Time to the first token", kind: lines, format: ms, axis: round, series: [
    { name: "p50", value: (point) => point.first_ms?.p50, color: 1 }, { name: "p95", value: (point) => point.first_ms?.p95, color: 4 }, { name: "p99", value: (point) => point.first_ms?.p99, color: "muted", dashed: true }] },
  { title: "Failovers", kind: bars, format: number, axis: compact, series: [
    { name: "Failed over", key: "failovers", color: 2 }, { name: "Streams broken", value: (point) => point.breaks ?? 0, color: "bad" }] },
  { title: "Availability", kind: lines, format: percent, axis: (value) => percent(value, 1), max: 1, min: floor, series: [{ name: "Availability", key: "availability", color: "ok" }] },
  { title: "Tokens", kind: bars, format: number, axis: compact, series: [
    { name: "Input", key: "input", color: 1 }, { name: "Read from cache", key: "cache_read", color: 3 }, { name: "Written to cache", key: "cache_write", color: 5 }, { name: "Output", key: "output", color: 4 }] },
  { title: "Spend", kind: bars, format: money, series: [{ name: "Spend", key: "cost", color: 5 }] },
];

function floor(points) {
  const lowest = Math.min(1, ...points.map((point) => point.availability ?? 1));
  return FLOORS.find((each) => each < lowest) ?? 0;
}

/** Of a round number of milliseconds. */
function round(value) {
  return value < 1_000 ? `${value} ms` : `${value / 1_000} s`;
}

const MINUTES = { "1h": 60, "24h": 1_440, "7d": 10_080 };

function rate(requests, window) {
  const each = requests / MINUTES[window];
  return each >= 1 || requests === 0 ? `${number(each)} a minute` : `${(each * 60).toLocaleString("en-US", { maximumFractionDigits: 1 })} an hour`;
}

export async function render(main, { query, signal, actions, setQuery }) {
  let window = WINDOWS.some(({ value }) => value === query.get("window")) ? query.get("window") : "24h";
  let by = GROUPS.some(({ value }) => value === query.get("by")) ? query.get("by") : "route";
  let shown = null;
  let turn = 0;

  const warnings = h("div", { class: "stack" });
  const figures = h("div", { class: "page" });
  const groups = h("div", { class: "flush" });
  const updated = h("span", { class: "hint num updated" });
  const top = card("Where it went", {
    actions: segmented("Group by", GROUPS, { value: by, onchange: (value) => { by = value; remember(); refresh({ bones: "groups" }); } }),
  }, groups);

  const remember = () => setQuery({ window: window === "24h" ? "" : window, by: by === "route" ? "" : by });

  /** Loads and shows. What was asked for by the reader shows bones first; a refresh changes numbers where they stand. */
  async function refresh({ bones } = {}) {
    const mine = (turn += 1);
    if (bones === "all") {
      shown = null;
      replace(figures, skeleton(8));
    }
    if (bones) replace(groups, skeleton(4));
    try {
      const { body } = await get(`/metrics${asked({ window, group_by: by })}`, { signal });
      if (signal.aborted || mine !== turn) return;
      draw(body);
      if (bones && !updated.dataset.first) updated.dataset.first = "done";
      else if (bones) announce(`${number(body.total.requests, { exact: true })} requests in ${words()}.`);
    } catch (error) {
      if (signal.aborted || mine !== turn) return;
      if (shown && !bones) {
        // The numbers that stand are still true of their time: they stay, and it is said how old they are.
        replace(updated, `Not updated: ${error.message}`);
        return;
      }
      shown = null;
      replace(figures, failed(error, () => refresh({ bones: "all" })));
      replace(groups, empty("Nothing to group."));
    }
  }

  const words = () => WINDOWS.find(({ value }) => value === window).words;

  function draw(body) {
    const { total, points, step_ms: step } = body;
    if (total.requests === 0) {
      shown = null;
      replace(figures, empty(`No requests in ${words()}.`, h("a", { class: "button", href: "#/playground" }, "Send one from the playground")));
    } else if (!shown || shown.window !== window) {
      shown = figure(body);
      replace(figures, shown.nodes);
    } else {
      shown.update(total, points, step);
    }
    drawGroups(body.groups);
    const at = Date.now();
    updated.dataset.at = at;
    replace(updated, "Updated now");
  }

  function figure({ total, points, step_ms: step }) {
    const tiles = h("dl", { class: "tiles eight" });
    const all = CHARTS.map(({ title: name, kind, ...options }) => kind({ ...options, points, step, label: `${name} in ${words()}` }));
    const update = (sums, next, newStep, isFirst = false) => {
      replace(tiles, TILES.map((tile) => h("div", { class: "tile" }, h("dt", {}, tile.name), h("dd", {}, tile.value(sums)), h("dd", { class: "small" }, tile.more(sums, window)),
        h("dd", { class: "line-of", "aria-hidden": "true" }, sparkline(next.map(tile.line), { color: tile.color ?? 1, min: tile.least?.(next) ?? 0 })))));
      if (!isFirst) all.forEach((each) => each.update(next, newStep));
    };
    update(total, points, step, true);
    return { window, update, nodes: [tiles, h("div", { class: "grid charts" }, CHARTS.map((each, index) => card(each.title, {}, all[index])))] };
  }

  function drawGroups(rows = []) {
    const most = { requests: Math.max(0, ...rows.map((row) => row.requests)), cost: Math.max(0, ...rows.map((row) => row.cost)) };
    const name = GROUPS.find(({ value }) => value === by).label.slice(0, -1);
    const columns = [
      { key: by, label: name, sort: true, class: "name", render: (row) => (row[by] ? h("a", { href: `#/requests${asked({ [by]: row[by] })}` }, row[by]) : h("span", { class: "muted" }, "none")) },
      { key: "requests", label: "Requests", align: "end", sort: true, render: (row) => [number(row.requests), meter(row.requests, most.requests)] },
      { key: "errors", label: "Errors", align: "end", sort: true, render: (row) => (row.errors ? h("span", { class: "bad-text" }, number(row.errors)) : "0") },
      { key: "availability", label: "Availability", align: "end", sort: true, render: (row) => percent(row.availability) },
      { key: "failovers", label: "Failovers", align: "end", sort: true, render: (row) => number(row.failovers) },
      { key: "p50", label: "First token p50", align: "end", sort: true, value: (row) => row.first_ms?.p50, render: (row) => ms(row.first_ms?.p50) },
      { key: "p95", label: "p95", align: "end", sort: true, value: (row) => row.first_ms?.p95, render: (row) => ms(row.first_ms?.p95) },
      { key: "tokens", label: "Tokens", align: "end", sort: true, value: tokens, render: (row) => compact(tokens(row)) },
      { key: "cost", label: "Spend", align: "end", sort: true, render: (row) => [money(row.cost), meter(row.cost, most.cost, { color: 5 })] },
    ];
    const old = groups.querySelector(".scroll");
    // The same columns: rows change beneath the reader's order.
    if (old?.dataset.by === by && old.update) {
      old.update(rows);
      return;
    }
    const node = table({ columns, rows, caption: `Requests by ${name.toLowerCase()} in ${words()}`, sort: { key: "requests", down: true }, empty: `No requests in ${words()}.` });
    node.dataset.by = by;
    replace(groups, node);
  }

  actions.append(updated, segmented("Time", WINDOWS, { value: window, onchange: (value) => { window = value; remember(); refresh({ bones: "all" }); } }));
  main.append(warnings, figures, top);

  const aged = () => {
    const at = Number(updated.dataset.at);
    if (at && !updated.textContent.startsWith("Not")) replace(updated, `Updated ${ago(at)}`);
  };

  await Promise.all([refresh({ bones: "all" }), attention(warnings, signal)]);
  every(5_000, async () => {
    aged();
    const period = WINDOWS.find(({ value }) => value === window).refresh;
    if (Date.now() - Number(updated.dataset.at ?? 0) >= period) await refresh();
  }, signal);
}

/** What the operator should know: documents that are not in force, and the gateway's own warnings. */
async function attention(place, signal) {
  try {
    const { body } = await get("/config", { signal });
    if (signal.aborted) return;
    const { problems = [], warnings = [] } = body;
    replace(place,
      problems.length ? notice("bad",
        h("strong", {}, `${plural(new Set(problems.map(({ document }) => document)).size, "document")} not in force`),
        h("p", {}, "What was last right is served in its place."),
        h("ul", {}, problems.map(({ document, path, message }) => h("li", {}, h("a", { href: `#/${document}` }, document), path ? h("code", {}, ` ${path}`) : null, ": ", said(message))))) : null,
      warnings.length ? notice("warn", warnings.length > 3 ? h("details", {}, h("summary", {}, plural(warnings.length, "warning")), listed(warnings)) : listed(warnings)) : null);
  } catch (error) {
    if (!signal.aborted) replace(place, notice("warn", `Whether the documents are in force could not be asked: ${error.message} `, button("Try again", { small: true, onclick: () => attention(place, signal) })));
  }
}

const listed = (words) => h("ul", {}, words.map((each) => h("li", {}, said(each))));
