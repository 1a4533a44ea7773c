// The parts that pages are made of.

import { append, h, icon, replace, uid } from "./dom.js";

/**
 * A table that scrolls within its own box. `columns`: `{key, label, render(row), value(row), align: "end", sort: true, class}`;
 * without `render` the cell is `row[key]`. A column with `sort` is sorted by `value(row)` when its head is pressed.
 * `empty`: a text or node for no rows. The node's `update(rows)` puts others in, in the order that was chosen; `rowKey(row)` (the
 * first column's value, unless given) tells which row is the same one.
 */
export function table({ columns, rows, empty: nothing = "Nothing here yet.", caption, sort, rowClass, rowKey }) {
  let order = sort ?? null;
  let current = rows;
  const heads = columns.map((column) => head(column));
  const body = h("tbody");
  const grid = h("table", {}, h("caption", { class: "sr" }, caption), h("thead", {}, h("tr", {}, heads)), body);
  const box = scrollbox(caption, grid);

  function head(column) {
    const side = column.align === "end" ? "end" : null;
    if (!column.sort) return h("th", { scope: "col", class: side }, column.label || h("span", { class: "sr" }, "Actions"));
    const press = () => {
      const isSame = order?.key === column.key;
      order = { key: column.key, down: isSame ? !order.down : column.align === "end" };
      draw();
    };
    return h("th", { scope: "col", class: side }, h("button", { type: "button", class: "sort", onclick: press }, column.label, h("span", { class: "sort-sign", "aria-hidden": "true" })));
  }

  function draw() {
    const column = columns.find((each) => each.key === order?.key);
    const value = column?.value ?? ((row) => row[column.key]);
    const shown = column ? [...current].sort((one, other) => compare(value(one), value(other)) * (order.down ? -1 : 1)) : current;
    columns.forEach((each, index) => {
      if (!each.sort) return;
      if (each === column) heads[index].setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else heads[index].removeAttribute("aria-sort");
    });
    if (!shown.length) {
      replace(body, h("tr", {}, h("td", { colspan: columns.length, class: "nothing" }, nothing)));
      return;
    }
    replace(body, shown.map((row) => h("tr", { class: rowClass?.(row), dataset: { key: String(rowKey ? rowKey(row) : columns[0].value?.(row) ?? row[columns[0].key]) } }, columns.map((each, index) => {
      const side = [each.align === "end" && "end", each.class].filter(Boolean).join(" ") || null;
      const content = each.render ? each.render(row) : row[each.key];
      return index === 0 ? h("th", { scope: "row", class: side }, content) : h("td", { class: side }, content);
    }))));
  }

  draw();
  box.update = (next) => {
    current = next;
    keepFocus(body, draw);
  };
  return box;
}

/** Draws anew; who stood on a link or button of a row stands on the same one of the row with the same key afterwards. */
function keepFocus(body, draw) {
  const row = body.contains(document.activeElement) ? document.activeElement.closest("tr") : null;
  const index = row ? [...row.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement) : -1;
  const key = row?.dataset.key;
  draw();
  if (index < 0) return;
  const same = [...body.rows].find((each) => each.dataset.key === key);
  same?.querySelectorAll(FOCUSABLE)[index]?.focus({ preventScroll: true });
}

const FOCUSABLE = "a[href], button, input, select, textarea";

/** What is missing comes first, then numbers, then words. */
function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
}

const overflowing = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const box = target.closest(".scroll");
    if (!box) continue;
    // Who scrolls by keyboard must be able to stand on it; who needs not is not stopped by it.
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
});

/** A box that scrolls sideways, by keyboard too. */
export function scrollbox(label, content) {
  const box = h("div", { class: "scroll", role: "region", "aria-label": label }, content);
  overflowing.observe(box);
  overflowing.observe(content);
  return box;
}

/** A label, an input, a hint and a place for what is wrong. The node's `setError(message)` changes that. */
export function field(label, input, { hint, error, optional = false } = {}) {
  const id = (input.id ||= uid("field"));
  const hintNode = hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null;
  const errorNode = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const node = h("div", { class: "field" },
    h("label", { for: id }, label, optional && h("span", { class: "muted" }, " (optional)")),
    input, hintNode, errorNode);
  node.setError = (message) => {
    errorNode.hidden = !message;
    replace(errorNode, message ? [icon("alert", 14), message] : []);
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    const described = [hintNode?.id, message && errorNode.id].filter(Boolean).join(" ");
    if (described) input.setAttribute("aria-describedby", described);
    else input.removeAttribute("aria-describedby");
  };
  node.setError(error);
  return node;
}

/** A list to choose from: `options` are texts or `{value, label}`. */
export function select(options, { value, ...attributes } = {}) {
  const all = options.map((option) => (typeof option === "object" ? option : { value: option, label: option }));
  return h("select", { ...attributes, value: value ?? all[0]?.value }, all.map((option) => h("option", { value: option.value }, option.label)));
}

/** One of a few, side by side: `onchange(value)`. */
export function segmented(label, options, { value, onchange }) {
  const name = uid("choice");
  const choices = options.map((option) => {
    const id = uid(name);
    const input = h("input", { type: "radio", name, id, value: option.value, checked: option.value === value, onchange: () => onchange(option.value) });
    return [input, h("label", { for: id }, option.label)];
  });
  return h("fieldset", { class: "segmented" }, h("legend", { class: "sr" }, label), choices);
}

/** Tabs: `[{id, label, panel: node | () => node}]`; a function is called when its tab is first shown. */
export function tabs(list, { selected = list[0]?.id, label = "Sections", onselect } = {}) {
  const stem = uid("tabs");
  const shown = new Set();
  const buttons = list.map((tab) => h("button", {
    type: "button", role: "tab", id: `${stem}-${tab.id}`, "aria-controls": `${stem}-${tab.id}-panel`, onclick: () => choose(tab.id),
  }, tab.label));
  const panels = list.map((tab) => h("div", { role: "tabpanel", id: `${stem}-${tab.id}-panel`, "aria-labelledby": `${stem}-${tab.id}`, tabindex: "-1" }));
  const bar = h("div", {
    role: "tablist", class: "tablist", "aria-label": label,
    onkeydown: (event) => {
      const now = buttons.indexOf(document.activeElement);
      const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (next === undefined || now < 0) return;
      event.preventDefault();
      const index = (next + buttons.length) % buttons.length;
      choose(list[index].id);
      buttons[index].focus();
    },
  }, buttons);
  const node = h("div", { class: "tabs" }, bar, panels);

  function choose(id, isFirst = false) {
    list.forEach((tab, index) => {
      const isChosen = tab.id === id;
      buttons[index].setAttribute("aria-selected", String(isChosen));
      buttons[index].tabIndex = isChosen ? 0 : -1;
      panels[index].hidden = !isChosen;
      if (isChosen && !shown.has(id)) {
        shown.add(id);
        replace(panels[index], typeof tab.panel === "function" ? tab.panel() : tab.panel);
      }
    });
    if (!isFirst) onselect?.(id);
  }

  choose(selected, true);
  node.choose = choose;
  return node;
}

/** A button: `kind` is `primary`, `danger`, `plain` or nothing. */
export function button(label, { kind, sign, small, ...attributes } = {}) {
  const classes = ["button", kind, small && "small"].filter(Boolean).join(" ");
  return h("button", { type: "button", ...attributes, class: classes }, sign && icon(sign, 14), label);
}

/** A button that shows a sign only; its label is read and shown on hover. */
export function iconButton(label, sign, attributes = {}) {
  return h("button", { type: "button", ...attributes, class: `icon-button ${attributes.class ?? ""}`.trim(), "aria-label": label, title: label }, icon(sign));
}

/** Copies a text, and says so. */
export function copyButton(value, label = "Copy") {
  return iconButton(label, "copy", {
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(typeof value === "function" ? value() : value);
        toast("Copied.");
      } catch {
        toast("The browser does not let this page copy. Select the text instead.", "bad");
      }
    },
  });
}

/**
 * A question in a dialog. `actions`: `[{label, kind, value, run}]`; `run()` may be asynchronous, its error is shown and the dialog
 * stays. Resolves with the action's `value` (or what `run` returned), or with `undefined` when it is closed.
 */
export function dialog({ title, body, actions = [], wide = false }) {
  return new Promise((resolve) => {
    const id = uid("dialog");
    const wrong = h("div", { class: "dialog-error", role: "alert" });
    let answer;
    const node = h("dialog", { class: wide ? "wide" : null, "aria-labelledby": id });
    const buttons = actions.map((action, index) => {
      const isMain = action.kind === "primary" || action.kind === "danger";
      return h("button", { type: isMain ? "submit" : "button", class: ["button", action.kind].filter(Boolean).join(" "), dataset: { index: String(index) }, onclick: isMain ? null : () => act(action) }, action.label);
    });
    const main = actions.find((action) => action.kind === "primary" || action.kind === "danger");

    async function act(action) {
      replace(wrong);
      buttons.forEach((each) => { each.disabled = true; });
      try {
        const returned = action.run ? await action.run() : action.value;
        // Something in the body was not right, and has been said there.
        if (returned === false && action.run) return;
        answer = returned ?? action.value;
        node.close();
      } catch (error) {
        replace(wrong, icon("alert"), error.path ? `${error.path}: ${error.message}` : error.message);
      } finally {
        buttons.forEach((each) => { each.disabled = false; });
      }
    }

    append(node, h("form", {
      method: "dialog",
      onsubmit: (event) => {
        event.preventDefault();
        if (main) act(main);
      },
    },
    h("header", {}, h("h2", { id }, title), iconButton("Close", "close", { onclick: () => node.close() })),
    h("div", { class: "dialog-body" }, body, wrong),
    buttons.length ? h("footer", {}, buttons) : null));
    node.addEventListener("close", () => {
      node.remove();
      resolve(answer);
    });
    document.body.append(node);
    node.showModal();
  });
}

/** Whether the operator means it. */
export async function confirm({ title, body, action = "Confirm", danger = false, run }) {
  const said = await dialog({
    title,
    body: typeof body === "string" ? h("p", {}, body) : body,
    actions: [{ label: "Cancel", value: false }, { label: action, kind: danger ? "danger" : "primary", value: true, run: run && (async () => { await run(); return true; }) }],
  });
  return said === true;
}

/** A short word in the corner: `kind` is `ok` or `bad`. */
export function toast(message, kind = "ok") {
  const place = document.getElementById("toasts");
  if (!place) return;
  const node = h("div", { class: `toast ${kind}` }, icon(kind === "bad" ? "alert" : "check"), h("span", {}, message),
    iconButton("Dismiss", "close", { onclick: () => node.remove() }));
  place.append(node);
  // What went wrong stays until it has been read.
  if (kind !== "bad") setTimeout(() => node.remove(), 5_000);
}

/** Tells a screen reader, and nobody else. */
export function announce(message) {
  const place = document.getElementById("announcer");
  if (!place) return;
  place.textContent = "";
  setTimeout(() => { place.textContent = message; }, 50);
}

/** Grey lines while something is on its way. */
export function skeleton(lines = 4) {
  return h("div", { class: "skeleton", role: "status" }, h("span", { class: "sr" }, "Loading…"),
    Array.from({ length: lines }, (_, index) => h("div", { class: `bone w${index % 4}`, "aria-hidden": "true" })));
}

/** What went wrong, and a way to try again. */
export function failed(error, retry) {
  return h("div", { class: "state failed", role: "alert" }, icon("alert", 20),
    h("div", {}, h("strong", {}, error.status ? `That did not work (${error.status})` : "That did not work"), h("p", {}, said(error.message))),
    retry && button("Try again", { sign: "refresh", onclick: retry }));
}

/** Nothing is there yet: why, and what to do about it. */
export function empty(message, action) {
  return h("div", { class: "state empty" }, h("p", {}, message), action);
}

/** A remark: `kind` is `info`, `warn`, `bad` or `ok`. */
export function notice(kind, ...children) {
  return h("div", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : null }, icon(kind === "info" || kind === "ok" ? "info" : "alert"), h("div", {}, ...children));
}

// Which colour a state has, and its sign: never the colour alone.
const TONES = {
  ok: ["up", "ok", "active", "succeeded", "current", "fresh", "true", "good"],
  warn: ["degraded", "ramping", "cooling", "drained", "drain", "stale", "expiring", "partial", "probe", "warning", "near"],
  bad: ["open", "shut", "force_open", "failed", "error", "revoked", "expired", "broken", "exhausted", "blocked", "bad"],
  info: ["force_close", "new", "info", "changed"],
};
const SIGNS = { ok: "●", warn: "▲", bad: "■", info: "◆", none: "○" };

/** The tone of a state: `ok`, `warn`, `bad`, `info` or `none`. A number is a status code. */
export function tone(state) {
  if (typeof state === "number") return state >= 500 ? "bad" : state >= 400 ? "warn" : state >= 200 ? "ok" : "none";
  return Object.keys(TONES).find((each) => TONES[each].includes(state)) ?? "none";
}

/** A state in a word, with a sign and a colour. */
export function badge(state, label = String(state).replaceAll("_", " "), as = tone(state)) {
  return h("span", { class: `badge ${as}` }, h("span", { "aria-hidden": "true" }, SIGNS[as]), label);
}

/** A section with a heading. */
export function card(title, { actions, hint, class: more } = {}, ...children) {
  const id = uid("card");
  return h("section", { class: `card ${more ?? ""}`.trim(), "aria-labelledby": id },
    h("header", {}, h("div", {}, h("h2", { id }, title), hint && h("p", { class: "hint" }, hint)), actions && h("div", { class: "actions" }, actions)),
    children);
}

/** The gateway's words: what stands between backticks in them is code. */
export function said(words) {
  return String(words).split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

/** Names and values, in two columns. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value ?? "–"))));
}

/**
 * Shows what `load()` brings: bones first, then `draw(value)`, or what went wrong with a way to try again. Resolves when it is
 * drawn; what comes after the page was left is dropped. The returned `again()` loads anew without bones.
 */
export function loading(place, { load, draw, signal, bones = 4 }) {
  let turn = 0;
  async function again(isFirst = false) {
    const mine = (turn += 1);
    if (isFirst) replace(place, skeleton(bones));
    place.setAttribute("aria-busy", "true");
    try {
      const value = await load();
      if (!signal?.aborted && mine === turn) replace(place, draw(value));
    } catch (error) {
      if (!signal?.aborted && mine === turn && error.name !== "AbortError") replace(place, failed(error, () => again(true)));
    } finally {
      if (mine === turn) place.removeAttribute("aria-busy");
    }
  }
  const done = again(true);
  return { again: () => again(), done };
}

/** Calls again every so often, while the page is looked at. */
export function every(period, run, signal) {
  let timer;
  let isRunning = false;
  const next = () => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(turn, period);
  };
  async function turn() {
    if (signal.aborted || isRunning) return;
    if (document.hidden) return next();
    isRunning = true;
    try {
      await run();
    } finally {
      isRunning = false;
      next();
    }
  }
  // Who comes back wants to see what is, not what was.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) turn(); }, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  next();
}

/** Waits until nothing has been called for a while: for what is typed. */
export function debounce(run, wait = 250) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), wait);
  };
}
