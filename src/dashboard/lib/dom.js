// Nodes from plain descriptions. Nothing here takes HTML as text, so nothing that came from elsewhere can become markup.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "selected", "indeterminate", "open"]);

/**
 * An element. Attributes: `on<Event>` functions, booleans, `style` as an object of properties, `dataset` as an object; `null` and
 * `undefined` are left out. Children: nodes, texts, numbers, lists of those; `null`, `undefined` and `false` are left out.
 */
export function h(tag, attributes, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

function build(node, attributes, children) {
  if (attributes !== undefined && attributes !== null && !isAttributes(attributes)) {
    children.unshift(attributes);
  } else {
    // Attributes first: the value of a select needs its options, a range's its bounds.
    const late = [];
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (PROPERTIES.has(name) && name in node) late.push([name, value]);
      else set(node, name, value);
    }
    append(node, children);
    for (const [name, value] of late) if (value !== undefined && value !== null) node[name] = value;
    return node;
  }
  append(node, children);
  return node;
}

const isAttributes = (value) => typeof value === "object" && !(value instanceof Node) && !Array.isArray(value);

function set(node, name, value) {
  if (value === undefined || value === null) return;
  if (name.startsWith("on") && typeof value === "function") {
    node.addEventListener(name.slice(2).toLowerCase(), value);
  } else if (name === "style") {
    // Through the object model: the attribute is forbidden by the page's policy.
    for (const [property, text] of Object.entries(value)) node.style.setProperty(property, text);
  } else if (name === "dataset") {
    Object.assign(node.dataset, value);
  } else if (typeof value === "boolean" && !name.startsWith("aria-")) {
    node.toggleAttribute(name, value);
  } else {
    node.setAttribute(name, value);
  }
}

/** Adds children to a node. */
export function append(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/** Puts these children in the place of those that are there. */
export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, ...children);
}

/** A text node. */
export const text = (value) => document.createTextNode(String(value));

let ids = 0;

/** An id that no other element of the page has. */
export const uid = (stem = "id") => `${stem}-${(ids += 1)}`;

/** Text for screen readers only. */
export const hidden = (...children) => h("span", { class: "sr" }, ...children);

// Strokes in a square of 16.
const ICONS = {
  overview: "M2 14h12M4 11V7M8 11V3M12 11V5",
  health: "M1.5 8.5h3l2-5 3 9 2-4h3",
  requests: "M2.5 4h11M2.5 8h11M2.5 12h7",
  spend: "M8 1.5v13M11 4.5H6.7a2 2 0 0 0 0 3.8h2.6a2 2 0 0 1 0 3.9H4.5",
  keys: "M5.7 7.1a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4M8 8l5.5-5.5M11 5l2.2 2.2",
  budgets: "M8 2a6 6 0 1 0 6 6H8zM10.5 1.8a6 6 0 0 1 3.7 3.7h-3.7z",
  routes: "M3 13V9.5A2.5 2.5 0 0 1 5.5 7h5A2.5 2.5 0 0 0 13 4.5V3M11 5l2-2 2 2M3 13l-1.7-1.7M3 13l1.7-1.7",
  providers: "M4.5 12.5a3 3 0 0 1-.4-6 4 4 0 0 1 7.7-.6 3.3 3.3 0 0 1-.3 6.6z",
  settings: "M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7M10.5 3v3M5.5 10v3",
  prices: "M2 2h5.5l6.5 6.5-5.5 5.5L2 7.5zM5 5h.01",
  playground: "M4 2.5v11l9-5.5z",
  audit: "M4 1.5h5.5L13 5v9.5H4zM9.5 1.5V5H13M6.5 8.5h4M6.5 11.5h4",
  menu: "M2 4h12M2 8h12M2 12h12",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
  system: "M2 3h12v8H2zM5.5 14h5",
  out: "M6.5 2H3v12h3.5M10.5 5l3 3-3 3M13.5 8H6.5",
  check: "M3 8.5l3.5 3.5L13 4.5",
  alert: "M8 2L1.5 13.5h13zM8 6.5v3M8 11.6h.01",
  info: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 7.2v4M8 4.8h.01",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  refresh: "M13.5 8A5.5 5.5 0 1 1 11.7 4M12 1v3.3H8.7",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.7 3.7",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  trash: "M2.5 4.5h11M6 4.5V2.5h4v2M4 4.5l.7 9h6.6l.7-9",
  up: "M8 13V3.5M4 7.5l4-4 4 4",
  down: "M8 3v9.5M4 8.5l4 4 4-4",
  left: "M10 3L5 8l5 5",
  right: "M6 3l5 5-5 5",
  arrow: "M2.5 8h11M9.5 4l4 4-4 4",
  external: "M9 2.5h4.5V7M13.5 2.5L7 9M12 9.5v4H2.5V4h4",
  filter: "M2 3h12l-4.7 5.6V13l-2.6-1.3V8.6z",
  pause: "M5 3v10M11 3v10",
  play: "M5 3l8 5-8 5z",
  clock: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 4.5V8l2.5 1.5",
  edit: "M2.5 13.5l.7-3L10.7 3l2.3 2.3-7.5 7.5z",
  undo: "M3 6h7a3.5 3.5 0 0 1 0 7H6M5.5 3.5L3 6l2.5 2.5",
};

/** A sign beside words: it says nothing of its own, so it is hidden from screen readers. */
export function icon(name, size = 16) {
  const path = s("path", { d: ICONS[name] ?? ICONS.info });
  return s("svg", { class: "icon", viewBox: "0 0 16 16", width: size, height: size, "aria-hidden": "true", focusable: "false" }, path);
}
