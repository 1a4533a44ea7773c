// A text editor for JSON: line numbers, marks of lines, indentation. Tab indents; Esc, then Tab leaves.
import { h, replace, uid } from "./dom.js";

const STEP = "  ";
const LINE_PX = 19.5;
/** A short text needs no tall box, a long one scrolls in it. */
const HEIGHT_PX = { least: 220, most: 620 };

/**
 * `{node, textarea, text(), set(text), insert(text, from, to), go(offset, end?), mark(lines)}`. `mark` takes a map from line
 * numbers to `error` or `changed`.
 */
export function editor({ value = "", label, describedBy, onInput = () => {}, onSave = () => {} }) {
  const hint = uid("hint");
  const gutter = h("div", { class: "editor-gutter", "aria-hidden": "true" });
  const textarea = h("textarea", {
    class: "editor-text", wrap: "off", spellcheck: "false", autocomplete: "off", autocapitalize: "off", autocorrect: "off",
    "aria-label": label, "aria-describedby": [hint, describedBy].filter(Boolean).join(" "), value,
  });
  const node = h("div", { class: "editor" },
    h("div", { class: "editor-box" }, gutter, textarea),
    h("p", { class: "editor-hint muted", id: hint }, "Tab indents. To leave the editor by keyboard press Esc, then Tab. Ctrl+S reviews and saves."));
  const wanted = (value.split("\n").length + 3) * LINE_PX;
  node.firstElementChild.style.setProperty("height", `${Math.round(Math.min(HEIGHT_PX.most, Math.max(HEIGHT_PX.least, wanted)))}px`);
  let marks = new Map();
  let leaves = false;
  let count = 0;

  function number() {
    const lines = textarea.value.split("\n").length;
    if (lines !== count) {
      count = lines;
      replace(gutter, Array.from({ length: lines }, (_, at) => h("span", null, String(at + 1))));
      paint();
    }
    gutter.scrollTop = textarea.scrollTop;
  }

  function paint() {
    [...gutter.children].forEach((line, at) => {
      line.className = marks.has(at + 1) ? `editor-${marks.get(at + 1)}` : "";
    });
  }

  function insert(text, from = textarea.selectionStart, to = textarea.selectionEnd) {
    textarea.focus({ preventScroll: true });
    textarea.setSelectionRange(from, to);
    // The only way to change a text that can be undone; browsers that dropped it lose the undoing alone.
    const done = text === "" ? document.execCommand("delete") : document.execCommand("insertText", false, text);
    if (!done) {
      textarea.setRangeText(text, from, to, "end");
      changed();
    }
  }

  function changed() {
    number();
    onInput(textarea.value);
  }

  function indent(back) {
    const { selectionStart: from, selectionEnd: to, value: all } = textarea;
    if (from === to && !back) return insert(STEP);
    const start = all.lastIndexOf("\n", from - 1) + 1;
    const end = to > from && all[to - 1] === "\n" ? to - 1 : to;
    const lines = all.slice(start, end).split("\n");
    const moved = lines.map((line) => (back ? line.replace(/^ {1,2}/, "") : STEP + line)).join("\n");
    if (moved === lines.join("\n")) return undefined;
    insert(moved, start, end);
    textarea.setSelectionRange(start, start + moved.length);
    return undefined;
  }

  textarea.addEventListener("input", changed);
  textarea.addEventListener("scroll", () => { gutter.scrollTop = textarea.scrollTop; });
  textarea.addEventListener("blur", () => { leaves = false; });
  textarea.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      leaves = true;
      return;
    }
    if (event.key === "Tab" && !leaves && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      indent(event.shiftKey);
    } else if (event.key === "Enter" && !event.isComposing && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const before = textarea.value.slice(0, textarea.selectionStart);
      const margin = /[^\n]*$/.exec(before)[0].match(/^ */)[0];
      insert(`\n${margin}${/[{[]\s*$/.test(before) ? STEP : ""}`);
    } else if (event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onSave();
    }
    if (!["Shift", "Tab"].includes(event.key)) leaves = false;
  });
  number();

  return {
    node,
    textarea,
    insert,
    text: () => textarea.value,
    set(text) {
      textarea.value = text;
      changed();
    },
    /** Puts the cursor there and shows it. */
    go(offset, end = offset) {
      textarea.focus({ preventScroll: true });
      textarea.setSelectionRange(offset, end);
      const line = textarea.value.slice(0, offset).split("\n").length;
      const height = textarea.scrollHeight / Math.max(1, count);
      textarea.scrollTop = Math.max(0, (line - 4) * height);
      node.scrollIntoView({ block: "nearest" });
    },
    mark(lines) {
      marks = lines;
      paint();
    },
  };
}
