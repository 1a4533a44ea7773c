// One request opened up: whose doing it was, what was decided, each try on a line of time, what it used and cost.
import { get, query as asked } from "./api.js";
import { append, h, replace, s } from "./dom.js";
import { ms, money, number, plural, time } from "./format.js";
import { CLASSES, cost, decisive, failovers, OUTCOMES, pace, standing, target, times, verdict } from "./record.js";
import { announce, badge, button, card, copyButton, empty, facts, failed, notice, skeleton, table } from "./ui.js";

/** A record is written within a second after its request: who comes from the answer may be earlier. */
const TRIES = 6;
const PAUSE_MS = 700;

export async function request(main, { params: [id], actions, setTitle, signal }) {
  const back = h("a", { href: "#/requests" }, "Requests");
  setTitle("Request", back);
  const place = h("div", { class: "stack" });
  append(main, place);
  await load();

  async function load() {
    replace(place, skeleton(8));
    try {
      const record = await find(id, signal);
      if (signal.aborted) return;
      if (!record) {
        replace(place, empty(`There is no record of ${id}: it may be older than the journal keeps, or not written yet.`, button("Look again", { sign: "refresh", onclick: load })));
        return;
      }
      setTitle(`Request of ${time(record.time)}`, back);
      replace(actions, copyButton(() => record.id, "Copy the id"));
      draw(record);
    } catch (error) {
      if (!signal.aborted) replace(place, failed(error, load));
    }
  }

  function draw(record) {
    const line = h("div", {});
    replace(place, line, h("div", { class: "grid" }, cardOfFacts(record), cardOfUse(record)), timeline(record), decision(record, signal), raw(record));
    const say = (usual) => replace(line, spoken(record, usual));
    say();
    usually(record, signal).then((usual) => { if (usual && !signal.aborted) say(usual); });
  }
}

async function find(id, signal) {
  for (let turn = 0; ; turn += 1) {
    try {
      const { body } = await get(`/requests/${encodeURIComponent(id)}`, { signal });
      if (body.data?.length) return body.data[0];
    } catch (error) {
      if (error.status !== 404) throw error;
    }
    if (turn >= TRIES || signal.aborted) return null;
    await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
  }
}

/** The p95 of first tokens at the target that served, for comparison; without metrics there is none. */
async function usually(record, signal) {
  const last = decisive(record);
  if (!last || !record.stream) return undefined;
  try {
    const { body } = await get(`/metrics${asked({ window: "24h", provider: last.provider, model: last.model })}`, { signal });
    return body.total?.first_ms?.p95;
  } catch {
    return undefined;
  }
}

function spoken(record, usual) {
  const { who, tone, title, reasons } = verdict(record, usual);
  const names = { caller: "Caller", gateway: "Gateway", provider: "Provider", length: "Length", nobody: "Nobody" };
  return h("section", { class: `verdict ${tone}`, "aria-label": "Verdict" },
    badge(who, names[who], tone),
    h("div", {}, h("p", { class: "verdict-title" }, title), reasons.length ? h("ul", {}, reasons.map((reason) => h("li", {}, reason))) : null));
}

function cardOfFacts(record) {
  const over = failovers(record);
  const version = (value) => (value ? h("code", {}, value) : "–");
  return card("Request", {}, facts([
    ["Id", h("code", {}, record.id)],
    record.client_request_id && ["The caller’s id", h("code", {}, record.client_request_id)],
    record.trace_id && ["Trace", [h("code", {}, record.trace_id), copyButton(record.trace_id, "Copy the trace id")]],
    ["Time", h("time", { datetime: new Date(record.time).toISOString() }, time(record.time, "full"))],
    ["Answer", badge(record.outcome, `${record.status || "no status"}, ${OUTCOMES[record.outcome] ?? record.outcome}`, standing(record))],
    ["Key", [record.key || "–", h("span", { class: "muted" }, ` · tenant ${record.tenant}`)]],
    ["Asked for", [record.asked || "–", h("span", { class: "muted" }, ` · ${record.dialect}${record.task ? `, ${record.task}` : ""}${record.stream ? ", stream" : ""}`)]],
    ["Answered by", record.provider ? [target(record), record.answered_by && record.answered_by !== record.model ? h("span", { class: "muted" }, ` · calls itself ${record.answered_by}`) : null] : "–"],
    record.response_id && ["The provider’s id", h("code", {}, record.response_id)],
    ["Tries", `${number(record.tries.length)}${over ? `, ${plural(over, "failover")}` : ""}`],
    ["Came in at", record.region || "–"],
    record.credential && ["Credential", "the tenant’s own"],
    record.cache && ["Response cache", record.cache],
    ["Configuration", version(record.config)],
    ["Health view", version(record.health ? String(record.health) : "")],
    record.malformed ? ["Malformed events", number(record.malformed)] : null,
    record.detail && ["Detail", record.detail],
  ]));
}

function cardOfUse(record) {
  const { usage } = record;
  const { first } = times(record);
  const rows = usage ? CLASSES.filter(([name]) => usage[name] > 0 || name === "input" || name === "output").map(([name, label]) => ({ name, label, count: usage[name] ?? 0 })) : [];
  const speed = pace(record);
  return card("Time, tokens and cost", {},
    h("dl", { class: "figures" },
      figure("First token", ms(record.first_ms), first !== null && record.first_ms !== null && first > record.first_ms + 5 ? `the caller waited ${ms(first)}` : null),
      figure("Whole", ms(record.total_ms), speed ? `${Math.round(speed)} tokens a second` : null),
      figure("Cost", cost(record), record.tier ? `rates of ${record.tier}` : record.cost === null || record.cost === undefined ? usage ? "no price is known" : null : money(record.cost, { exact: true }))),
    usage
      ? table({ caption: "Tokens by class", rows, columns: [{ key: "label", label: "Class", class: "class" }, { key: "count", label: "Count", align: "end", render: ({ count }) => number(count, { exact: true }) }] })
      : h("p", { class: "muted" }, "Nothing was used, or nobody counted it."),
    record.estimated ? h("p", { class: "hint" }, "The provider reported no usage: these counts are reckoned from sizes.") : null,
    record.dropped?.length ? notice("warn", `${plural(record.dropped.length, "field")} of the request could not be carried there: `, record.dropped.map((name, index) => [index > 0 && ", ", h("code", {}, name)])) : null);
}

const figure = (name, value, more) => h("div", {}, h("dt", {}, name), h("dd", {}, value, more ? h("span", { class: "muted" }, more) : null));

const WIDTH = 1000;
const LANE = 26;

/** Each try as a bar, from when it was sent: to the first content, and to the end. */
function timeline(record) {
  const { tries } = record;
  if (!tries.length) return card("Tries", {}, h("p", { class: "muted" }, record.cache === "hit" ? "The answer was in the response cache: nobody was asked." : "No provider was asked."));
  const { whole, first, answering } = times(record);
  const last = decisive(record);
  const end = Math.max(1, whole, ...tries.map(({ at_ms: at, ms: took }) => at + took));
  const x = (at) => (at / end) * WIDTH;
  const bar = (from, to, kind, lane) => s("rect", { x: x(from).toFixed(1), y: lane * LANE + 5, width: Math.max(2, x(to) - x(from)).toFixed(1), height: LANE - 10, rx: 2, class: kind });
  const height = tries.length * LANE;
  const shapes = tries.map((one, lane) => {
    const served = one === last && one.outcome === "ok";
    const kind = one.outcome === "ok" ? "t-wait" : one.outcome === "hedged" || one.outcome === "gone" ? "t-none" : "t-bad";
    return [
      one.at_ms > 0 ? bar(lane ? Math.min(one.at_ms, tries[lane - 1].at_ms + tries[lane - 1].ms) : 0, one.at_ms, "t-queue", lane) : null,
      bar(one.at_ms, one.at_ms + one.ms, kind, lane),
      served && record.stream && answering > 0 ? bar(first, whole, "t-stream", lane) : null,
    ];
  });
  const svg = s("svg", { class: "timeline", viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", height, "aria-hidden": "true" }, shapes);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => h("span", {}, ms(end * part)));
  const legend = [["t-queue", "in the gateway"], ["t-wait", record.stream ? "waiting for the first token" : "waiting for the answer"], ["t-stream", "the answer coming"], ["t-bad", "failed"], ["t-none", "cancelled"]];
  const used = new Set(shapes.flat().filter(Boolean).map((node) => node.getAttribute("class")));
  const rows = tries.map((one, index) => ({ ...one, index: index + 1 }));
  return card("Tries", { hint: "From when the request came in, to its end." },
    h("ul", { class: "legend", "aria-hidden": "true" }, legend.filter(([kind]) => used.has(kind)).map(([kind, words]) => h("li", {}, h("i", { class: `swatch ${kind}` }), words))),
    h("div", { class: "timeline-box" }, svg, h("div", { class: "timeline-ticks", "aria-hidden": "true" }, ticks)),
    table({
      caption: "Tries in the order in which they were sent",
      rows,
      columns: [
        { key: "index", label: "No." },
        { key: "target", label: "Target", render: (one) => [h("span", { class: "wrap" }, target(one)), one.credential ? h("span", { class: "muted" }, " · the tenant’s key") : null] },
        { key: "reason", label: "Why", class: "wrap" },
        { key: "outcome", label: "Outcome", render: (one) => badge(one.outcome, `${one.status ? `${one.status} ` : ""}${OUTCOMES[one.outcome] ?? one.outcome}`, one.outcome === "ok" ? "ok" : one.outcome === "hedged" || one.outcome === "gone" ? "none" : "bad") },
        { key: "at_ms", label: "Sent at", align: "end", render: (one) => ms(one.at_ms) },
        { key: "ms", label: record.stream ? "To first content" : "To the answer", align: "end", render: (one) => [ms(one.ms), one.wasted ? h("span", { class: "muted" }, ` · ${money(one.wasted)} wasted`) : null] },
      ],
    }));
}

function decision(record, signal) {
  const plan = (record.plan?.length ? record.plan : record.tries.slice(0, 1).map((one) => `${target(one)}: ${one.reason}`)).map(halves);
  const skipped = (record.skipped ?? []).map(halves);
  const told = h("div", { class: "stack" });
  const again = button("Decide again", { sign: "refresh", onclick: () => replay(record, told, again, signal) });
  return card("Decision", {
    hint: "Recomputed from what the record kept, on the configuration of then; nothing is sent.",
    actions: record.task ? again : null,
  },
  facts([["Route", record.route || "none: a model was named"], ["Rule", record.rule ?? "none held, or there are none"]]),
  plan.length ? [h("h3", {}, "In this order"), h("ol", { class: "plan" }, plan.map(([name, why]) => h("li", {}, h("b", {}, name), why && h("span", { class: "muted" }, ` ${why}`))))] : null,
  h("h3", {}, skipped.length ? `Left out (${skipped.length})` : "Left out"),
  skipped.length ? h("ul", { class: "plan" }, skipped.map(([name, why]) => h("li", {}, h("b", {}, name), h("span", { class: "muted" }, ` ${dated(why)}`)))) : h("p", { class: "muted" }, "No candidate was left out."),
  record.inputs ? h("details", {}, h("summary", {}, "What it was made of"), h("pre", { class: "raw", tabindex: "0" }, JSON.stringify(record.inputs, null, 2))) : null,
  told);
}

/** `openai/gpt-5.4: priority 1`. */
const halves = (line) => {
  const at = line.indexOf(": ");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 2)];
};
/** Milliseconds since 1970 within a sentence. */
const dated = (words) => words.replace(/\b1\d{12}\b/g, (at) => time(Number(at)));

async function replay(record, told, again, signal) {
  again.disabled = true;
  replace(told, skeleton(2));
  try {
    const { body } = await get(`/requests/${encodeURIComponent(record.id)}/replay`, { signal });
    replace(told, body.same
      ? notice("ok", `The same decision: on configuration ${body.config} it would be decided again as it was.`)
      : notice("warn", "Another decision than then.", h("ul", {}, body.differences.map(({ path, recorded, recomputed }) => h("li", {}, h("code", {}, path), `: was ${recorded ?? "nothing"}, would be ${recomputed ?? "nothing"}`)))),
    body.note ? h("p", { class: "hint" }, body.note) : null);
    announce(body.same ? "The same decision." : "Another decision than then.");
  } catch (error) {
    if (!signal.aborted) replace(told, notice("bad", error.message));
  } finally {
    again.disabled = false;
  }
}

function raw(record) {
  const text = JSON.stringify(record, null, 2);
  return card("Record", { hint: "As the journal keeps it: no prompt and no answer is in it.", actions: copyButton(text, "Copy the record as JSON") },
    h("details", {}, h("summary", {}, "Show it as JSON"), h("pre", { class: "raw", tabindex: "0", "aria-label": "The record as JSON" }, text)));
}
