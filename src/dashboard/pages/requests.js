// Requests as they come, and those that were: filters, older ones, and one of them opened up.
import { get, query as asked } from "../lib/api.js";
import { append, h, hidden, icon, replace } from "../lib/dom.js";
import { ms, number, plural, time } from "../lib/format.js";
import { cost, failovers, OUTCOMES, standing, target } from "../lib/record.js";
import { announce, badge, button, debounce, empty, every, failed, field, scrollbox, select, skeleton } from "../lib/ui.js";
import { request } from "../lib/request.js";

export const title = "Requests";

const PAGE = 50;
const TAIL_MS = 2_000;
/** What a tail keeps on the page: more would only be scrolled past. */
const MOST_ROWS = 500;
/** A screen reader hears of new ones no oftener. */
const SPEAK_MS = 10_000;
const HOUR = 3_600_000;
const SPANS = [
  { value: "", label: "Any time" }, { value: String(HOUR / 4), label: "Last 15 minutes" }, { value: String(HOUR), label: "Last hour" },
  { value: String(24 * HOUR), label: "Last 24 hours" }, { value: String(168 * HOUR), label: "Last 7 days" }, { value: "own", label: "From … to …" },
];
const FAULTS = [{ value: "", label: "Anybody’s or none" }, { value: "caller", label: "Caller" }, { value: "gateway", label: "Gateway" }, { value: "provider", label: "Provider" }];
const TEXTS = [
  ["key", "Key", "its name"], ["tenant", "Tenant", "default"], ["route", "Route", "smart"], ["provider", "Provider", "openai"], ["model", "Model", "gpt-5.4"],
  ["status", "Status", "200, 4xx, 500-599"], ["min_first_ms", "First token from, ms", "2000", "number"], ["min_ms", "Whole from, ms", "10000", "number"],
  ["min_cost_usd", "Cost from, $", "0.01", "decimal"],
];
const FILTERS = ["id", "span", "from", "to", "outcome", "fault", "failover", ...TEXTS.map(([name]) => name)];

export async function render(main, context) {
  if (context.params.length) {
    await request(main, context);
    return;
  }
  list(main, context);
}

function list(main, { query, actions, setQuery, signal }) {
  const state = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  let turn = 0;
  let next = null;
  let newest = null;
  let isLive = !state.to;
  let rows = [];
  let spoken = 0;
  let heard = 0;

  const place = h("div", { class: "stack" });
  const body = h("tbody");
  const note = h("p", { class: "muted", role: "status" });
  const older = button("Older requests", { sign: "down", onclick: () => more() });
  const live = button("Live", { "aria-pressed": String(isLive), onclick: () => tail(!isLive) });
  live.classList.add("live");
  append(actions, live);
  showLive();

  const form = filters(state, debounce(changed, 300));
  append(main, form, place);
  load();
  every(TAIL_MS, poll, signal);

  function changed() {
    setQuery(state);
    load();
  }

  /** The filters as the gateway takes them. */
  function question(extra) {
    const { span, from, to, failover, ...rest } = state;
    const own = span === "own";
    const since = span && !own ? Date.now() - Number(span) : own && from ? Date.parse(from) : null;
    return asked({ ...rest, failover: failover ? "true" : "", from: since, to: own && to ? Date.parse(to) : null, limit: PAGE, ...extra });
  }

  async function load() {
    const mine = (turn += 1);
    replace(place, skeleton(8));
    try {
      const { body: found } = await get(`/requests${question()}`, { signal });
      if (mine !== turn || signal.aborted) return;
      rows = found.data;
      ({ next = null, newest = null } = found);
      draw(found.unreachable);
    } catch (error) {
      if (mine === turn && !signal.aborted) replace(place, failed(error, load));
    }
  }

  function draw(unreachable = []) {
    const filtered = FILTERS.some((name) => state[name]);
    const untold = unreachable.length ? h("p", { class: "warn-text" }, icon("alert", 14), ` Not reached: ${unreachable.join(", ")}. Their requests are missing here.`) : null;
    if (!rows.length) {
      replace(place, untold, empty(filtered ? "No request is like this." : "No request has come yet. This page shows it when one does.",
        filtered ? button("Clear the filters", { onclick: () => { location.hash = "#/requests"; } }) : h("a", { class: "button", href: "#/playground" }, "Send one from the playground")));
      return;
    }
    replace(body, rows.map((record) => line(record)));
    const heads = ["Time", "Status", "Asked for", "Answered by", "Key", "First token", "Whole", "Tokens", "Cost"];
    const grid = h("table", { class: "requests" }, h("caption", { class: "sr" }, "Requests, newest first"),
      h("thead", {}, h("tr", {}, heads.map((head, index) => h("th", { scope: "col", class: index > 4 ? "end" : null }, head)))), body);
    replace(place, untold, h("div", { class: "card flush" }, scrollbox("Requests, newest first", grid)), h("div", { class: "spread" }, note, older));
    tell();
  }

  function tell() {
    replace(note, `${plural(rows.length, "request")} shown${next ? "" : ", the oldest included"}`);
    older.hidden = !next;
  }

  async function more() {
    const mine = turn;
    older.disabled = true;
    try {
      const { body: found } = await get(`/requests${question({ before: next })}`, { signal });
      if (mine !== turn || signal.aborted) return;
      next = found.next ?? null;
      rows = [...rows, ...found.data];
      append(body, found.data.map((record) => line(record)));
      announce(`${plural(found.data.length, "older request")} added.`);
      tell();
    } catch (error) {
      if (mine === turn && !signal.aborted) replace(note, `Older ones could not be read: ${error.message}`);
    } finally {
      older.disabled = false;
    }
  }

  async function poll() {
    if (!isLive || place.querySelector(".skeleton, .failed")) return;
    const mine = turn;
    try {
      const { body: found } = await get(`/requests${question({ after: newest, limit: 100 })}`, { signal });
      if (mine !== turn || signal.aborted || !isLive) return;
      newest = found.newest ?? newest;
      live.classList.remove("stuck");
      const known = new Set(rows.map(({ id }) => id));
      const fresh = found.data.filter(({ id }) => !known.has(id));
      if (fresh.length) add(fresh);
    } catch {
      if (!signal.aborted) live.classList.add("stuck");
    }
  }

  function add(fresh) {
    const isFirst = !rows.length;
    rows = [...fresh, ...rows];
    if (rows.length > MOST_ROWS) {
      rows.length = MOST_ROWS;
      // What was cut off is found again by asking for older ones than the last that is shown.
      next = null;
    }
    if (isFirst) {
      draw();
    } else {
      body.prepend(...fresh.map((record) => line(record, true)));
      while (body.children.length > MOST_ROWS) body.lastElementChild.remove();
      tell();
    }
    heard += fresh.length;
    if (Date.now() - spoken > SPEAK_MS) {
      announce(`${plural(heard, "new request")}.`);
      [spoken, heard] = [Date.now(), 0];
    }
  }

  function tail(on) {
    isLive = on;
    showLive();
    announce(on ? "New requests appear as they come." : "New requests are held back.");
    if (on) poll();
  }

  function showLive() {
    live.setAttribute("aria-pressed", String(isLive));
    replace(live, icon(isLive ? "pause" : "play", 14), isLive ? "Live: pause" : "Paused: go live");
    live.classList.toggle("on", isLive);
  }
}

function line(record, isNew = false) {
  const over = failovers(record);
  const tokens = record.usage;
  const prompt = tokens ? tokens.input + tokens.cache_read + tokens.cache_write : null;
  return h("tr", { class: isNew ? "fresh" : null },
    h("th", { scope: "row", class: "nowrap" }, h("a", { href: `#/requests/${encodeURIComponent(record.id)}`, title: time(record.time, "full") }, time(record.time))),
    h("td", {}, state(record)),
    h("td", { class: "wrap" }, record.asked || record.route || "–", record.asked && record.route && record.route !== record.asked ? h("span", { class: "muted" }, ` → ${record.route}`) : null),
    h("td", { class: "wrap" }, record.provider ? target(record) : "–",
      over ? [" ", h("span", { class: "failover", title: `Failed over: ${record.tries.map((one) => `${target(one)} ${one.outcome}`).join(", ")}` }, icon("arrow", 12), `${over}`, hidden(over === 1 ? " failover" : " failovers"))] : null,
      record.cache === "hit" ? [" ", badge("cache", "cache", "info")] : null),
    h("td", { class: "wrap" }, record.key || "–", record.tenant && record.tenant !== "default" ? h("span", { class: "muted" }, ` · ${record.tenant}`) : null),
    h("td", { class: "end" }, ms(record.first_ms)),
    h("td", { class: "end" }, ms(record.total_ms)),
    h("td", { class: "end" }, tokens ? `${number(prompt)} → ${number(tokens.output)}` : "–"),
    h("td", { class: "end" }, cost(record)));
}

function state(record) {
  const words = record.outcome === "ok" ? String(record.status) : `${record.status || "–"} ${record.outcome.replaceAll("_", " ")}`;
  const node = badge(record.outcome, words, standing(record));
  node.title = OUTCOMES[record.outcome] ?? record.outcome;
  return node;
}

function filters(state, changed) {
  const set = (name) => (event) => {
    state[name] = event.target.type === "checkbox" ? (event.target.checked ? "true" : "") : event.target.value.trim();
    own.hidden = state.span !== "own";
    count();
    changed();
  };
  const input = (name, attributes = {}) => h("input", { type: "text", autocomplete: "off", spellcheck: "false", value: state[name], oninput: set(name), ...attributes });
  const outcomes = [{ value: "", label: "Any" }, ...Object.entries(OUTCOMES).map(([value, words]) => ({ value, label: value === words ? value : `${value.replaceAll("_", " ")}: ${words}` }))];
  const own = h("div", { class: "filter-own", hidden: state.span !== "own" },
    field("From", h("input", { type: "datetime-local", value: state.from, onchange: set("from") })),
    field("To", h("input", { type: "datetime-local", value: state.to, onchange: set("to") })));
  const summary = h("summary", {});
  const inMore = ["outcome", "fault", "failover", ...TEXTS.map(([name]) => name)];
  const count = () => {
    const set = inMore.filter((name) => state[name]).length;
    replace(summary, icon("filter", 14), set ? ` ${plural(set, "filter")} in use` : " More filters");
  };
  count();
  const more = h("details", { class: "filter-more", open: inMore.some((name) => state[name]) }, summary,
    h("div", { class: "filter-grid" },
      TEXTS.map(([name, label, placeholder, mode]) => field(label, input(name, { placeholder, inputmode: mode === "number" ? "numeric" : mode }))),
      field("Outcome", select(outcomes, { value: state.outcome, onchange: set("outcome") })),
      field("Fault", select(FAULTS, { value: state.fault, onchange: set("fault") })),
      h("label", { class: "check" }, h("input", { type: "checkbox", checked: state.failover === "true", onchange: set("failover") }), "Failed over only")));
  return h("form", { class: "card filters", role: "search", "aria-label": "Filter requests", onsubmit: (event) => event.preventDefault() },
    h("div", { class: "filter-main" },
      field("Id", input("id", { type: "search", placeholder: "of the gateway, the caller or the provider" })),
      field("Time", select(SPANS, { value: state.span, onchange: set("span") })), own),
    more);
}
