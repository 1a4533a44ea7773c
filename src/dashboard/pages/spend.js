// What was spent: by day, and by whatever one asks for.
import { get, query as asked, stream, token } from "../lib/api.js";
import { bars, meter } from "../lib/chart.js";
import { append, h, replace } from "../lib/dom.js";
import { money, number, percent, plural } from "../lib/format.js";
import { button, card, empty, failed, field, notice, segmented, select, skeleton, table, toast } from "../lib/ui.js";

export const title = "Spend";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const SPANS = [{ value: "1", label: "24 h" }, { value: "7", label: "7 d" }, { value: "30", label: "30 d" }, { value: "90", label: "90 d" }];
const BY = [["key", "Key"], ["route", "Route"], ["model", "Model"], ["provider", "Provider"], ["tenant", "Tenant"], ["tag", "Tag"]];
const FILTERS = ["tenant", "key", "tag", "route", "provider", "model"];
/** Series of their own in the chart; the others are one. */
const MOST_SERIES = 5;
/** Up to so many days the chart has a bar an hour. */
const BY_HOUR_DAYS = 2;

export function render(main, { query, actions, setQuery, signal }) {
  const state = { days: query.get("days") ?? "30", by: BY.some(([name]) => name === query.get("by")) ? query.get("by") : "model", ...Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""])) };
  if (!SPANS.some(({ value }) => value === state.days)) state.days = "30";
  const place = h("div", { class: "stack" });
  const only = h("div", { class: "chips" });
  let turn = 0;
  append(actions,
    segmented("Period", SPANS, { value: state.days, onchange: (days) => change({ days }) }),
    button("CSV", { sign: "down", "aria-label": "Download as CSV", onclick: download }));
  const by = select(BY.map(([value, label]) => ({ value, label })), { value: state.by, onchange: (event) => change({ by: event.target.value }) });
  append(main, h("div", { class: "row ask" }, field("By", by), only), place);
  load();

  function change(values) {
    Object.assign(state, values);
    setQuery({ ...state });
    load();
  }

  function isHourly() {
    return Number(state.days) <= BY_HOUR_DAYS;
  }

  function question(more) {
    const { days, by: _, ...filters } = state;
    const end = Math.ceil(Date.now() / HOUR) * HOUR;
    const from = isHourly() ? end - Number(days) * DAY : Math.floor(end / DAY) * DAY - (Number(days) - 1) * DAY;
    return { ...filters, from, to: end, ...more };
  }

  async function load() {
    const mine = (turn += 1);
    replace(only, FILTERS.filter((name) => state[name]).map((name) => button(`${name}: ${state[name]}`, { small: true, sign: "close", "aria-label": `Take the filter ${name} ${state[name]} away`, onclick: () => change({ [name]: "" }) })));
    replace(place, skeleton(8));
    try {
      const step = isHourly() ? "hour" : "day";
      const [sums, times] = await Promise.all([
        get(`/usage${asked(question({ group_by: state.by }))}`, { signal }),
        get(`/usage${asked(question({ group_by: `${step},${state.by}` }))}`, { signal }),
      ]);
      if (mine === turn && !signal.aborted) draw(sums.body, times.body, step);
    } catch (error) {
      if (mine === turn && !signal.aborted) replace(place, failed(error, load));
    }
  }

  function draw(sums, times, step) {
    const rows = sums.data.toSorted((a, b) => b.cost - a.cost || b.requests - a.requests);
    const label = BY.find(([name]) => name === state.by)[1];
    const warnings = [
      sums.unreachable?.length ? notice("warn", `Not reached, and not in these sums: ${sums.unreachable.join(", ")}.`) : null,
      sums.truncated || times.truncated ? notice("warn", "There are more rows than one report has: ask for a shorter time, or filter.") : null,
    ];
    if (!rows.length) {
      replace(place, warnings, empty("Nothing was spent in this time.", h("a", { class: "button", href: "#/playground" }, "Send a request from the playground")));
      return;
    }
    const whole = sums.total ?? null;
    const most = Math.max(...rows.map(({ cost }) => cost), 1);
    const total = whole?.cost ?? null;
    replace(place, warnings,
      whole ? h("dl", { class: "tiles" }, tile("Spend", money(whole.cost), `${money(whole.cost / Math.max(1, whole.requests))} a request`), tile("Requests", number(whole.requests), `${plural(whole.errors, "error")}, ${plural(whole.failovers, "failover")}`),
        tile("Input", number(whole.input + whole.cache_read + whole.cache_write), `${number(whole.cache_read)} read from cache`), tile("Output", number(whole.output), "tokens"),
        tile("Without a price", number(whole.unpriced), `${number(whole.estimated)} estimated`)) : notice("info", "A request with several tags counts for each of them: there is no sum of all."),
      card(`Spend by ${step}`, {}, chart(times, rows, step)),
      card(`By ${label.toLowerCase()}`, {}, table({
        caption: `Spend by ${label.toLowerCase()}`, rows, sort: { key: "cost", down: true },
        columns: [
          { key: state.by, label, sort: true, class: "wrap", render: (row) => name(row[state.by]) },
          { key: "cost", label: "Spend", align: "end", sort: true, render: (row) => [h("span", { title: `$${row.cost_usd}` }, money(row.cost)), meter(row.cost, most, { color: 5 })] },
          ...(total ? [{ key: "share", label: "Share", align: "end", render: (row) => percent(row.cost / total, 1) }] : []),
          { key: "requests", label: "Requests", align: "end", sort: true, render: (row) => number(row.requests) },
          { key: "errors", label: "Errors", align: "end", sort: true, render: (row) => number(row.errors) },
          { key: "input", label: "Input", align: "end", sort: true, value: (row) => row.input + row.cache_read + row.cache_write, render: (row) => number(row.input + row.cache_read + row.cache_write) },
          { key: "output", label: "Output", align: "end", sort: true, render: (row) => number(row.output) },
          { key: "unpriced", label: "Unpriced", align: "end", sort: true, render: (row) => number(row.unpriced) },
        ],
      })));
  }

  /** A name that narrows the page to it when pressed. */
  function name(value) {
    if (!value) return h("span", { class: "muted" }, "none");
    return h("button", { type: "button", class: "link", title: `Only ${state.by} ${value}`, onclick: () => change({ [state.by]: value, by: state.by === "model" ? "key" : "model" }) }, value);
  }

  function chart(times, rows, step) {
    const size = step === "hour" ? HOUR : DAY;
    const top = rows.slice(0, MOST_SERIES).map((row) => row[state.by]);
    const { from, to } = question({});
    const points = new Map();
    for (let at = Math.floor(from / size) * size; at < to; at += size) points.set(at, { at });
    for (const row of times.data) {
      const point = points.get(Date.parse(row[step]));
      const index = top.indexOf(row[state.by]);
      const series = index < 0 ? "rest" : `s${index}`;
      if (point) point[series] = (point[series] ?? 0) + row.cost;
    }
    const series = top.map((value, index) => ({ key: `s${index}`, name: value || "none", color: index + 1 }));
    if (rows.length > MOST_SERIES) series.push({ key: "rest", name: `${rows.length - MOST_SERIES} others`, color: "muted" });
    return bars({ points: [...points.values()], series, label: `Spend by ${step}`, format: money, step: size });
  }

  async function download() {
    const step = isHourly() ? "hour" : "day";
    try {
      const answer = await stream(`/admin/v1/usage${asked(question({ group_by: `${step},${state.by}`, format: "csv" }))}`, { headers: { authorization: `Bearer ${token()}` }, signal });
      if (!answer.ok) throw new Error(`The gateway answered ${answer.status}.`);
      const url = URL.createObjectURL(await answer.blob());
      const link = h("a", { href: url, download: `spend-by-${state.by}-${new Date().toISOString().slice(0, 10)}.csv` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      if (!signal.aborted) toast(error.message, "bad");
    }
  }
}

const tile = (name, value, more) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value), h("dd", { class: "small" }, more));
