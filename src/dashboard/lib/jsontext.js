// JSON as text in an editor: where each member stands, what is wrong with it, and a form that is easy to read.

const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WIDTH = 120;

class Wrong extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

/**
 * Reads a text: `value`, `places` (by JSON pointer and by dotted path such as `smart.targets[0].model`: where it begins and
 * ends), and `problems`, each with a message and a place; a text that is no JSON has no value.
 */
export function parse(text) {
  const places = new Map();
  const problems = [];
  let at = 0;

  const fail = (message, where = at) => { throw new Wrong(message, where); };
  const space = () => { while (at < text.length && " \t\n\r".includes(text[at])) at += 1; };
  const named = () => (at >= text.length ? "the end of the text" : `\`${text[at]}\``);

  function string() {
    const start = at;
    let out = "";
    at += 1;
    for (;;) {
      const c = text[at];
      if (c === undefined || c === "\n") fail("This string has no end: a `\"` is missing.", start);
      at += 1;
      if (c === '"') return out;
      if (c < " ") fail("A control character cannot stand in a string: write it with `\\u`.", at - 1);
      if (c !== "\\") {
        out += c;
        continue;
      }
      const escaped = text[at];
      at += 1;
      if (escaped === "u" && /^[0-9a-fA-F]{4}$/.test(text.slice(at, at + 4))) {
        out += String.fromCharCode(Number.parseInt(text.slice(at, at + 4), 16));
        at += 4;
      } else if (Object.hasOwn(ESCAPES, escaped ?? "")) {
        out += ESCAPES[escaped];
      } else {
        fail("`\\` begins no escape here: `\\\\` is a backslash, `\\\"` a quotation mark.", at - 2);
      }
    }
  }

  function members(pointer, dotted) {
    const out = {};
    const seen = new Set();
    at += 1;
    space();
    if (text[at] === "}") {
      at += 1;
      return out;
    }
    for (;;) {
      space();
      if (text[at] === "}") fail("A comma too many before `}`.", text.lastIndexOf(",", at));
      if (text[at] !== '"') fail(`A member's name in \`"\` is expected, not ${named()}.`);
      const start = at;
      const key = string();
      const end = at;
      const path = dotted ? `${dotted}.${key}` : key;
      if (seen.has(key)) problems.push({ path, message: `\`${key}\` stands here twice: the later one would hold.`, start, end });
      seen.add(key);
      space();
      if (text[at] !== ":") fail(`\`:\` is expected after the name, not ${named()}.`);
      at += 1;
      // Not `out[key] =`, which `__proto__` would make something else of.
      const member = value(`${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, path, start);
      Object.defineProperty(out, key, { value: member, enumerable: true, configurable: true, writable: true });
      space();
      if (text[at] === ",") at += 1;
      else if (text[at] === "}") break;
      else fail(`\`,\` or \`}\` is expected, not ${named()}.`);
    }
    at += 1;
    return out;
  }

  function items(pointer, dotted) {
    const out = [];
    at += 1;
    space();
    if (text[at] === "]") {
      at += 1;
      return out;
    }
    for (;;) {
      space();
      if (text[at] === "]") fail("A comma too many before `]`.", text.lastIndexOf(",", at));
      out.push(value(`${pointer}/${out.length}`, `${dotted}[${out.length}]`));
      space();
      if (text[at] === ",") at += 1;
      else if (text[at] === "]") break;
      else fail(`\`,\` or \`]\` is expected, not ${named()}.`);
    }
    at += 1;
    return out;
  }

  function value(pointer, dotted, from) {
    space();
    const start = from ?? at;
    const found = any(pointer, dotted);
    const place = { start, end: at };
    places.set(pointer, place);
    if (dotted) places.set(dotted, place);
    return found;
  }

  function any(pointer, dotted) {
    const c = text[at];
    if (c === "{") return members(pointer, dotted);
    if (c === "[") return items(pointer, dotted);
    if (c === '"') return string();
    for (const [word, meaning] of [["true", true], ["false", false], ["null", null]]) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    NUMBER.lastIndex = at;
    const number = NUMBER.exec(text);
    if (!number) fail(c === "'" ? "Strings stand in `\"`, not in `'`." : `A value is expected, not ${named()}.`);
    at += number[0].length;
    return Number(number[0]);
  }

  try {
    const found = value("", "");
    space();
    if (at < text.length) fail(`Nothing may come after the document: ${named()} does.`);
    return { value: found, places, problems };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { value: undefined, places, problems: [{ path: "", message: error.message, start: error.at, end: error.at + 1 }] };
  }
}

/** Line and column of an offset, counted from 1. */
export function position(text, offset) {
  const before = text.slice(0, Math.max(0, offset));
  const line = before.split("\n").length;
  return { line, column: offset - (before.lastIndexOf("\n") + 1) + 1 };
}

/** Two spaces a level; what fits on a line stands on one, as in the documentation. */
export function format(value, indent = "") {
  const flat = onOneLine(value);
  if (value === null || typeof value !== "object" || (indent && indent.length + flat.length <= WIDTH - 40)) return flat;
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => `${inner}${format(item, inner)}`)
    : Object.entries(value).map(([key, member]) => `${inner}${JSON.stringify(key)}: ${format(member, inner)}`);
  if (!parts.length) return flat;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${parts.join(",\n")}\n${indent}${close}`;
}

function onOneLine(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(", ")}]`;
  const parts = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${onOneLine(member)}`);
  return parts.length ? `{ ${parts.join(", ")} }` : "{}";
}
