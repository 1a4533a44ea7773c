// A request by hand: what would become of it, its answer as it comes, and what was decided.
import { events, get, send, stream } from "../lib/api.js";
import { append, h, replace } from "../lib/dom.js";
import { ms, number, plural } from "../lib/format.js";
import { cost, standing, verdict } from "../lib/record.js";
import { announce, badge, button, card, debounce, empty, facts, failed, field, notice, skeleton, table, tone } from "../lib/ui.js";

export const title = "Playground";

const PATH = "/v1/chat/completions";
/** A record is written within a second after its request. */
const RECORD_TRIES = 8;
const RECORD_PAUSE_MS = 500;
/** Of a body that is no answer, so much is shown. */
const MOST_SHOWN = 4_000;
/** Held while the dashboard is open, in memory and nowhere else. */
const kept = { key: "", model: "", system: "", message: "Say hello in one sentence.", max: "", temperature: "", more: "", stream: true };

export async function render(main, { signal }) {
  const keep = (name) => (event) => { kept[name] = event.target.type === "checkbox" ? event.target.checked : event.target.value; };
  const text = (name, attributes = {}) => h("input", { type: "text", autocomplete: "off", spellcheck: "false", value: kept[name], oninput: keep(name), ...attributes });
  const area = (name, rows, attributes = {}) => h("textarea", { rows: String(rows), value: kept[name], oninput: keep(name), ...attributes });
  const names = h("datalist", { id: "models" });
  const known = h("p", { class: "hint", role: "status" });
  // Not a password: browsers offer to store those.
  const key = text("key", { class: "secret", placeholder: "pk-…", autocapitalize: "off", "data-1p-ignore": "", "data-lpignore": "true" });
  key.addEventListener("input", debounce(models, 400));
  const model = text("model", { list: "models", placeholder: "a route, or provider/model" });
  const more = area("more", 3, { spellcheck: "false", placeholder: "{\"tools\": []}" });
  const keyField = field("Gateway key", key, { hint: "It stays in this page’s memory: a reload forgets it." });
  const modelField = field("Model or route", model);
  const moreField = field("More of the body, JSON", more, { optional: true });
  const plan = h("div", { class: "stack" });
  const result = h("div", { class: "stack" });
  const sendButton = button("Send", { kind: "primary", sign: "play", type: "submit" });
  const planButton = button("What would happen?", { sign: "info", onclick: explain });
  const cancelButton = button("Cancel", { sign: "close", disabled: true, onclick: () => running?.abort() });
  let running = null;

  const form = h("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); run(); } },
    keyField, modelField, known, names,
    field("System", area("system", 2), { optional: true }),
    field("Message", area("message", 4)),
    h("div", { class: "form-grid narrow" },
      field("Most tokens", text("max", { type: "number", min: "1", inputmode: "numeric" }), { optional: true }),
      field("Temperature", text("temperature", { type: "number", min: "0", max: "2", step: "0.1", inputmode: "decimal" }), { optional: true })),
    h("details", { open: Boolean(kept.more) }, h("summary", {}, "More"), moreField),
    h("label", { class: "check" }, h("input", { type: "checkbox", checked: kept.stream, onchange: keep("stream") }), "Stream the answer"),
    h("div", { class: "actions" }, sendButton, cancelButton, planButton));
  append(main, h("div", { class: "playground" },
    card("Request", { hint: `As OpenAI's chat, to ${PATH}. It is a real request: it costs what it costs.` }, form),
    h("div", { class: "stack" }, card("What would happen", { hint: "The plan, sent nowhere." }, plan), card("Answer", {}, result))));
  replace(plan, h("p", { class: "muted" }, "Ask before you send: which targets, in which order, and why."));
  replace(result, empty("Nothing was sent yet."));
  signal.addEventListener("abort", () => running?.abort());
  if (kept.key) models();

  async function models() {
    const holder = kept.key.trim();
    if (!holder) {
      replace(known);
      replace(names);
      return;
    }
    try {
      const answer = await stream("/v1/models", { headers: { authorization: `Bearer ${holder}` }, signal });
      const body = await answer.json();
      if (holder !== kept.key.trim()) return;
      if (!answer.ok) throw new Error(body.error?.message ?? `The gateway answered ${answer.status}.`);
      replace(names, body.data.map(({ id }) => h("option", { value: id })));
      keyField.setError(null);
      replace(known, `${plural(body.data.length, "name")} this key may ask for.`);
    } catch (error) {
      if (signal.aborted || holder !== kept.key.trim()) return;
      replace(known);
      keyField.setError(error.message);
    }
  }

  /** The request's body, or undefined where a field is wrong, which is said there. */
  function body() {
    let rest = {};
    moreField.setError(null);
    modelField.setError(null);
    try {
      rest = kept.more.trim() ? JSON.parse(kept.more) : {};
      if (rest === null || typeof rest !== "object" || Array.isArray(rest)) throw new Error("an object is expected.");
    } catch (error) {
      moreField.setError(`This is not a JSON object: ${error.message}`);
      return undefined;
    }
    if (!kept.model.trim()) {
      modelField.setError("Name a route or a model.");
      model.focus();
      return undefined;
    }
    const messages = [...(kept.system.trim() ? [{ role: "system", content: kept.system }] : []), { role: "user", content: kept.message }];
    return {
      model: kept.model.trim(), messages,
      ...(kept.max && { max_tokens: Number(kept.max) }), ...(kept.temperature !== "" && { temperature: Number(kept.temperature) }),
      ...(kept.stream && { stream: true, stream_options: { include_usage: true } }), ...rest,
    };
  }

  async function explain() {
    const asking = body();
    if (!asking) return;
    replace(plan, skeleton(3));
    try {
      const holder = await entryOf(kept.key.trim(), signal);
      const { body: told } = await send("POST", "/explain", { body: asking, path: PATH, ...(holder && { key: holder }) }, { signal });
      replace(plan, planned(told), holder ? h("p", { class: "hint" }, `As the holder of ${holder.name}.`) : null);
      announce(told.refused ? "It would be refused." : `${plural(told.attempts.length, "target")} would be tried.`);
    } catch (error) {
      if (!signal.aborted) replace(plan, failed(error, explain));
    }
  }

  async function run() {
    const asking = body();
    if (!asking) return;
    if (!kept.key.trim()) {
      keyField.setError("Paste a gateway key.");
      key.focus();
      return;
    }
    running?.abort();
    const mine = new AbortController();
    running = mine;
    sendButton.disabled = true;
    cancelButton.disabled = false;
    const out = h("div", { class: "answer", tabindex: "0", role: "region", "aria-label": "The answer's text", "aria-busy": "true" });
    const state = h("div", { class: "row" }, badge("none", "Sent", "none"));
    const after = h("div", { class: "stack" });
    replace(result, state, out, after);
    const began = performance.now();
    const seen = { first: null, end: null, status: 0, usage: null, wrong: null };
    let answer;
    try {
      answer = await stream(PATH, {
        method: "POST", headers: { authorization: `Bearer ${kept.key.trim()}`, "content-type": "application/json" },
        body: JSON.stringify(asking), signal: mine.signal,
      });
      seen.status = answer.status;
      show();
      if (answer.ok && answer.headers.get("content-type")?.startsWith("text/event-stream")) await streamed();
      else await whole();
    } catch (error) {
      seen.wrong = mine.signal.aborted ? "Cancelled." : error.message;
    } finally {
      seen.end = performance.now() - began;
      out.removeAttribute("aria-busy");
      if (running === mine) {
        running = null;
        sendButton.disabled = false;
        cancelButton.disabled = true;
      }
    }
    if (signal.aborted) return;
    show();
    announce(seen.wrong ?? (seen.status < 400 ? `The answer is complete, after ${ms(seen.end)}.` : `The answer is an error, ${seen.status}.`));
    if (answer) await decided(answer.headers, after, signal);

    function show() {
      replace(state,
        seen.status ? badge("status", String(seen.status), tone(seen.status)) : null,
        seen.wrong ? badge("bad", seen.wrong, seen.wrong === "Cancelled." ? "none" : "bad") : seen.end === null ? badge("none", "Coming…", "none") : null,
        h("span", {}, `First token ${ms(seen.first)}`), h("span", {}, `Whole ${ms(seen.end)}`),
        seen.usage ? h("span", {}, `${number(seen.usage.prompt_tokens)} → ${number(seen.usage.completion_tokens)} tokens`) : null);
    }

    function say(words, kind) {
      if (!words) return;
      if (seen.first === null) {
        seen.first = performance.now() - began;
        show();
      }
      const last = out.lastElementChild;
      if (last?.className === kind) last.append(words);
      else out.append(h("span", { class: kind }, words));
    }

    async function streamed() {
      for await (const { data } of events(answer)) {
        if (data === "[DONE]") continue;
        const frame = JSON.parse(data);
        if (frame.error) {
          seen.wrong = frame.error.message ?? "The stream broke.";
          continue;
        }
        if (frame.usage) seen.usage = frame.usage;
        for (const { delta = {} } of frame.choices ?? []) {
          say(delta.reasoning_content ?? delta.reasoning, "thought");
          say(delta.content, "said");
          for (const call of delta.tool_calls ?? []) say(`${call.function?.name ?? ""}${call.function?.arguments ?? ""}`, "call");
        }
      }
    }

    async function whole() {
      const raw = await answer.text();
      let value;
      try {
        value = JSON.parse(raw);
      } catch {
        value = null;
      }
      seen.usage = value?.usage ?? null;
      const message = value?.choices?.[0]?.message;
      if (!message) {
        out.append(h("span", { class: "wrong" }, value?.error?.message ?? raw.slice(0, MOST_SHOWN)));
        return;
      }
      say(message.reasoning_content, "thought");
      say(message.content, "said");
      for (const call of message.tool_calls ?? []) say(`${call.function.name}${call.function.arguments}`, "call");
    }
  }
}

/** The entry of a pasted key, so that the plan is its holder's; the gateway's own key has none. */
async function entryOf(key, signal) {
  if (!key || !globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  try {
    return (await get(`/keys/${[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`, { signal })).body.entry;
  } catch (error) {
    if (error.status === 404) return undefined;
    throw error;
  }
}

function planned(told) {
  if (told.refused) return notice("warn", h("b", {}, `It would be refused with ${told.refused.status}. `), told.refused.message);
  return [
    facts([["Route", told.route || "none: a model is named"], ["Rule", told.rule ?? "none"], ["Configuration", h("code", {}, told.config)]]),
    table({
      caption: "Targets in the order in which they would be tried", rows: told.attempts.map((one, index) => ({ ...one, index: index + 1 })), empty: "No target is left.",
      columns: [
        { key: "index", label: "No." }, { key: "target", label: "Target", class: "wrap" }, { key: "reason", label: "Why", class: "wrap" },
        { key: "body", label: "Body", class: "wrap", render: (one) => (one.cannot_be_sent ? badge("bad", one.cannot_be_sent) : [one.body, one.dropped?.length ? h("span", { class: "warn-text" }, ` without ${one.dropped.join(", ")}`) : null]) },
      ],
    }),
    told.skipped.length ? h("ul", { class: "plan" }, told.skipped.map(({ target, why }) => h("li", {}, h("b", {}, target), h("span", { class: "muted" }, ` left out: ${why}`)))) : null,
  ];
}

/** What the answer's headers say, and then its record. */
async function decided(headers, place, signal) {
  const all = [...headers].map(([name, value]) => ({ name, value }));
  const of = (name) => headers.get(`x-portolan-${name}`);
  const id = headers.get("x-request-id");
  const record = h("div", { class: "stack" }, id ? skeleton(2) : null);
  replace(place,
    h("h3", {}, "Decision"),
    facts([["Route", of("route")], ["Answered by", of("provider") ? `${of("provider")}/${of("model")}` : null], ["Why", of("reason")], ["Tries", of("attempts")], of("dropped") && ["Left out", of("dropped")], of("error") && ["Fault", of("error")]]),
    record,
    h("details", {}, h("summary", {}, `${all.length} headers`), table({ caption: "Headers of the answer", rows: all, columns: [{ key: "name", label: "Name", render: ({ name }) => h("code", {}, name) }, { key: "value", label: "Value", class: "wrap" }] })));
  if (!id) return;
  for (let turn = 0; turn < RECORD_TRIES && !signal.aborted; turn += 1) {
    await new Promise((resolve) => { setTimeout(resolve, RECORD_PAUSE_MS); });
    const found = await get(`/requests/${encodeURIComponent(id)}`, { signal }).then(({ body }) => body.data?.[0], () => undefined);
    if (!found) continue;
    const { title: words } = verdict(found);
    replace(record, h("p", {}, badge(found.outcome, found.outcome.replaceAll("_", " "), standing(found)), " ", words), h("p", {}, `Cost ${cost(found)}. `, h("a", { href: `#/requests/${encodeURIComponent(id)}` }, "Open its record")));
    return;
  }
  replace(record, h("p", { class: "muted" }, "Its record is not written yet. ", h("a", { href: `#/requests/${encodeURIComponent(id)}` }, "Look for it")));
}
