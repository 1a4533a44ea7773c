// Charts by hand: two kinds and a spark, as SVG, as wide as their place. Each has a read-out under the pointer and under the arrow
// keys, and a table that screen readers find.

import { h, replace, s } from "./dom.js";
import { number, time } from "./format.js";

const HEIGHT = 168;
const SPACE = { top: 10, right: 8, bottom: 22, left: 46 };
const TICKS = 4;
/** Of a scale whose ends are given: fifths of 1, 0.05 or 0.001 are round. */
const FIXED_TICKS = 5;
const MONTH_MS = 27 * 86_400_000;
const DAY_MS = 86_400_000;

/**
 * Lines over time. `points`: `[{at, …}]` in order; `series`: `[{key | value(point), name, color}]`, where a value may be `null`
 * (a gap); `color` 1 to 6, or `ok`, `warn`, `bad`. `format(value)` writes values, `axis(value)` those at the axis. `step`: the
 * milliseconds that a point stands for. `whole`: values are counted, so the axis has no fractions. The node's `update(points, step)` shows others.
 */
export const lines = (options) => chart({ ...options, kind: "lines" });

/** Bars over time, the series one upon the other. */
export const bars = (options) => chart({ ...options, kind: "bars" });

function chart({ points: given, series, label, kind, format = number, axis = format, height = HEIGHT, max, min: least = 0, unit, when = read, step, whole = format === number }) {
  const all = series.map((each, index) => ({ color: index + 1, ...each, of: each.value ?? ((point) => point[each.key]) }));
  const isBars = kind === "bars";
  const svg = s("svg", { class: "plot", height, role: "presentation", "aria-hidden": "true" });
  const readout = h("div", { class: "readout", hidden: true, "aria-hidden": "true" });
  const nothing = h("p", { class: "plot-empty" }, "Nothing in this time.");
  const legend = all.length > 1
    ? h("ul", { class: "legend", "aria-hidden": "true" }, all.map((each) => h("li", {}, h("i", { class: `swatch c-${each.color}` }), each.name)))
    : null;
  const pad = h("div", { class: "plot-box", "aria-label": label }, svg, readout, nothing);
  const figure = h("figure", { class: "chart" }, legend, pad);
  let table = null;
  let chosen = null;
  let width = 0;
  let points;
  let gap;
  let span;
  let ticks;
  let min;

  pad.addEventListener("pointermove", (event) => { if (points.length) choose(nearest(event)); });
  pad.addEventListener("pointerleave", () => { if (document.activeElement !== pad) choose(null); });
  pad.addEventListener("blur", () => choose(null));
  pad.addEventListener("keydown", (event) => {
    const now = chosen ?? points.length - 1;
    const far = Math.max(1, Math.round(points.length / 10));
    const next = {
      ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - far, PageUp: now + far,
      Home: 0, End: points.length - 1, Escape: null,
    }[event.key];
    if (next === undefined) return;
    if (next !== null) event.preventDefault();
    choose(next === null ? null : Math.max(0, Math.min(points.length - 1, next)));
  });
  update(given);

  const x = (at) => SPACE.left + ((at - span.from) / (span.to - span.from)) * Math.max(1, width - SPACE.left - SPACE.right);
  const y = (value) => height - SPACE.bottom - ((Math.max(min, Math.min(value, ticks.at(-1))) - min) / (ticks.at(-1) - min || 1)) * (height - SPACE.top - SPACE.bottom);

  /** Others in the place of those that are shown; where the reader stands stays. */
  function update(next, newStep = step) {
    points = next;
    step = newStep;
    if (chosen !== null && chosen >= points.length) chosen = null;
    nothing.hidden = points.some((point) => all.some((each) => each.of(point)));
    const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 1];
    gap = step ?? (points.length > 1 ? (last - first) / (points.length - 1) : 60_000);
    span = { from: first, to: isBars ? last + gap : Math.max(last, first + 1) };
    min = typeof least === "function" ? least(points) : least;
    const tops = points.map((point) => {
      const values = all.map((each) => each.of(point) ?? min);
      return isBars ? sum(values) : Math.max(...values);
    });
    ticks = scale(min, max ?? Math.max(...tops, min), { isFixed: max !== undefined, whole });
    const role = points.length
      ? { tabindex: "0", role: "slider", "aria-valuemin": "0", "aria-valuemax": points.length - 1, "aria-valuenow": chosen ?? points.length - 1, "aria-valuetext": spoken(chosen ?? points.length - 1) }
      : { role: "img" };
    for (const name of ["tabindex", "role", "aria-valuemin", "aria-valuemax", "aria-valuenow", "aria-valuetext"]) {
      if (role[name] === undefined) pad.removeAttribute(name);
      else pad.setAttribute(name, role[name]);
    }
    const nextTable = tabled();
    if (table) table.replaceWith(nextTable);
    else figure.append(nextTable);
    table = nextTable;
    if (width) {
      draw();
      if (chosen !== null) choose(chosen);
    }
  }
  figure.update = update;

  new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (now && now !== width) {
      width = now;
      draw();
    }
  }).observe(pad);

  function draw() {
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("width", width);
    replace(svg, grid(), isBars ? stacked() : drawn(), mark());
  }

  function grid() {
    const rules = ticks.map((value) => s("g", {},
      s("line", { class: value === min ? "base" : "rule", x1: SPACE.left, x2: width - SPACE.right, y1: crisp(y(value)), y2: crisp(y(value)) }),
      s("text", { x: SPACE.left - 6, y: y(value) + 3.5, "text-anchor": "end" }, axis(value))));
    const hours = moments(span.from, span.to, Math.max(2, Math.floor((width - SPACE.left) / 78))).map((at) => {
      const place = x(at);
      return s("text", { x: place, y: height - 6, "text-anchor": place > width - 26 ? "end" : place < SPACE.left + 14 ? "start" : "middle" }, tick(at, span.to - span.from));
    });
    return [rules, hours, unit ? s("text", { class: "unit", x: SPACE.left - 6, y: 8, "text-anchor": "end" }, unit) : null];
  }

  function stacked() {
    const room = (width - SPACE.left - SPACE.right) / Math.max(1, points.length);
    const thick = Math.max(1, room > 5 ? room - Math.min(3, room * 0.25) : room - 0.5);
    return points.map((point) => {
      let below = 0;
      return all.map((each) => {
        const value = each.of(point) ?? 0;
        if (value <= 0) return null;
        const [low, high] = [y(below), y((below += value))];
        // What happened is seen, however little it was.
        return s("rect", { class: `bar c-${each.color}`, x: x(point.at) + (room - thick) / 2, y: Math.min(high, low - 1), width: thick, height: Math.max(1, low - high) });
      });
    });
  }

  function drawn() {
    return all.map((each) => {
      const pieces = [];
      let open = false;
      const lone = [];
      points.forEach((point, index) => {
        const value = each.of(point);
        if (isNone(value)) { open = false; return; }
        const place = `${x(point.at).toFixed(1)} ${y(value).toFixed(1)}`;
        pieces.push(`${open ? "L" : "M"}${place}`);
        if (!open && isNone(points[index + 1] && each.of(points[index + 1]))) lone.push(point);
        open = true;
      });
      return [
        s("path", { class: `line c-${each.color}${each.dashed ? " dashed" : ""}`, d: pieces.join("") }),
        lone.map((point) => s("circle", { class: `dot c-${each.color}`, cx: x(point.at), cy: y(each.of(point)), r: 1.8 })),
      ];
    });
  }

  function mark() {
    if (chosen === null || !width) return null;
    const point = points[chosen];
    const place = x(point.at) + (isBars ? (x(point.at + gap) - x(point.at)) / 2 : 0);
    return s("g", {}, s("line", { class: "cross", x1: place, x2: place, y1: SPACE.top, y2: height - SPACE.bottom }),
      isBars ? null : all.map((each) => (isNone(each.of(point)) ? null : s("circle", { class: `dot c-${each.color}`, cx: place, cy: y(each.of(point)), r: 3 }))));
  }

  function choose(index) {
    chosen = index;
    readout.hidden = index === null;
    if (width) draw();
    if (index === null || !points.length) return;
    pad.setAttribute("aria-valuenow", index);
    pad.setAttribute("aria-valuetext", spoken(index));
    replace(readout, h("b", {}, when(points[index].at, gap)), all.map((each) => h("div", {},
      h("i", { class: `swatch c-${each.color}` }), h("span", {}, each.name), h("span", { class: "num" }, format(each.of(points[index]))))));
    const place = x(points[index].at);
    const size = readout.offsetWidth || 140;
    readout.style.setProperty("left", `${Math.max(0, place + size + 14 > width ? place - size - 10 : place + 12)}px`);
  }

  function nearest(event) {
    const at = event.clientX - pad.getBoundingClientRect().left;
    const share = (at - SPACE.left) / Math.max(1, width - SPACE.left - SPACE.right);
    const index = isBars ? Math.floor(share * points.length) : Math.round(share * (points.length - 1));
    return Math.max(0, Math.min(points.length - 1, index));
  }

  function spoken(index) {
    return `${when(points[index].at, gap)}: ${all.map((each) => `${each.name} ${format(each.of(points[index]))}`).join(", ")}`;
  }

  function tabled() {
    return h("div", { class: "sr" }, h("table", {}, h("caption", {}, label),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time"), all.map((each) => h("th", { scope: "col" }, each.name)))),
      h("tbody", {}, points.map((point) => h("tr", {}, h("th", { scope: "row" }, when(point.at, gap)), all.map((each) => h("td", {}, format(each.of(point)))))))));
  }

  return figure;
}

/** A line without axes, beside a number that says the rest. */
export function sparkline(values, { color = 1, width = 96, height = 24, min = 0 } = {}) {
  const top = Math.max(...values.filter((value) => !isNone(value)), 0) || 1;
  const across = (index) => (values.length > 1 ? (index / (values.length - 1)) * (width - 2) + 1 : width / 2);
  const up = (value) => height - 2 - ((value - min) / (top - min || 1)) * (height - 4);
  let open = false;
  const path = values.map((value, index) => {
    if (isNone(value)) { open = false; return ""; }
    // A line of no length has round ends: one value alone is a dot.
    const piece = `${open ? "L" : "M"}${across(index).toFixed(1)} ${up(value).toFixed(1)}${open ? "" : "h.01"}`;
    open = true;
    return piece;
  }).join("");
  return s("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    s("path", { class: `line c-${color}`, d: path }));
}

/** A share of the largest, as a bar behind a number in a table. */
export function meter(value, most, { color = 1 } = {}) {
  const bar = h("span", { class: `meter-fill c-${color}` });
  bar.style.setProperty("inline-size", `${most > 0 ? Math.max(value > 0 ? 1 : 0, Math.min(100, (value / most) * 100)) : 0}%`);
  return h("span", { class: "meter", "aria-hidden": "true" }, bar);
}

const isNone = (value) => value === null || value === undefined || Number.isNaN(value);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const crisp = (value) => Math.round(value) + 0.5;

/** Round numbers from `min` to at least `max`; there is no half of what is counted. */
export function scale(min, max, { isFixed = false, whole = false } = {}) {
  const range = max - min || 1;
  if (isFixed) return Array.from({ length: FIXED_TICKS + 1 }, (_, index) => min + (range * index) / FIXED_TICKS);
  const rough = range / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough - power * 1e-9 && (!whole || Number.isInteger(each))) ?? 1;
  const count = Math.max(1, Math.ceil(range / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => min + index * step);
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 7_200, 10_080].map((minutes) => minutes * 60_000);

/** Round times of this device's clock between two. */
function moments(from, to, most) {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? STEPS.at(-1);
  const shift = new Date(from).getTimezoneOffset() * 60_000;
  const start = Math.ceil((from - shift) / step) * step + shift;
  const found = [];
  for (let at = start; at <= to; at += step) found.push(at);
  return found;
}

const tick = (at, span) => (span > 2 * DAY_MS || (span > DAY_MS / 2 && time(at, "clock") === "00:00") ? time(at, "day") : time(at, "clock"));

function read(at, gap) {
  if (gap >= DAY_MS && gap < MONTH_MS) return time(at, "day");
  return new Date(at).toDateString() === new Date().toDateString() ? time(at, gap < 60_000 ? "seconds" : "clock") : `${time(at, "day")}, ${time(at, "clock")}`;
}
