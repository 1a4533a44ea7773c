// Two texts, line by line.
import { h } from "./dom.js";

/** Lines of unchanged text shown around what changed. */
const AROUND = 3;
/** Beyond so many pairs of lines the middle is told as replaced: the table would be too large. */
const MAX_PAIRS = 4_000_000;

/** `[{op: "same" | "add" | "remove", text, was?, is?}]`: the shortest way from one text to another, with line numbers. */
export function compare(was, is) {
  const [a, b] = [was.split("\n"), is.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const out = [];
  for (let i = 0; i < head; i += 1) out.push({ op: "same", text: a[i], was: i + 1, is: i + 1 });
  out.push(...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail), head));
  for (let i = tail; i > 0; i -= 1) out.push({ op: "same", text: a[a.length - i], was: a.length - i + 1, is: b.length - i + 1 });
  return out;
}

function middle(a, b, head) {
  const removed = (i) => ({ op: "remove", text: a[i], was: head + i + 1 });
  const added = (j) => ({ op: "add", text: b[j], is: head + j + 1 });
  if (a.length * b.length > MAX_PAIRS) return [...a.map((_, i) => removed(i)), ...b.map((_, j) => added(j))];
  // The longest common subsequence of what is left, from the end.
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = a[i] === b[j]
        ? common[(i + 1) * width + j + 1] + 1
        : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  const out = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ op: "same", text: a[i], was: head + i + 1, is: head + j + 1 });
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      out.push(removed(i));
      i += 1;
    } else {
      out.push(added(j));
      j += 1;
    }
  }
  return out;
}

/** How many lines come and go. */
export const counts = (lines) => ({
  added: lines.filter(({ op }) => op === "add").length,
  removed: lines.filter(({ op }) => op === "remove").length,
});

const MARKS = { same: " ", add: "+", remove: "−" };
const WORDS = { add: "added: ", remove: "removed: " };

/** The difference as a node; long stretches without a change are folded. */
export function difference(was, is, { label = "Difference" } = {}) {
  const lines = compare(was, is);
  const { added, removed } = counts(lines);
  if (!added && !removed) return h("p", { class: "muted" }, "There is no difference.");
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ op }) => op !== "same"));
  const rows = [];
  let folded = 0;
  const fold = () => {
    if (folded) rows.push(h("div", { class: "diff-fold" }, `… ${folded} ${folded === 1 ? "line" : "lines"} without a change`));
    folded = 0;
  };
  lines.forEach(({ op, text, was: before, is: after }, at) => {
    if (!near[at]) {
      folded += 1;
      return;
    }
    fold();
    rows.push(h("div", { class: `diff-line diff-${op}` },
      h("span", { class: "diff-number", "aria-hidden": "true" }, before ? String(before) : ""),
      h("span", { class: "diff-number", "aria-hidden": "true" }, after ? String(after) : ""),
      h("span", { class: "diff-mark", "aria-hidden": "true" }, MARKS[op]),
      h("code", null, WORDS[op] ? h("span", { class: "sr" }, WORDS[op]) : null, text)));
  });
  fold();
  return h("figure", { class: "diff" },
    h("figcaption", null, `${added} ${added === 1 ? "line" : "lines"} added, ${removed} removed`),
    h("div", { class: "diff-lines", tabindex: "0", role: "region", "aria-label": label }, rows));
}
