// Numbers, money and times as people read them. What is not there is a dash.

const NONE = "–";
const PICO = 1e12;
const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** `1,234`; from 100 000 on `123.5K`, unless `exact`. */
export function number(value, { exact = false } = {}) {
  if (isMissing(value)) return NONE;
  return exact || Math.abs(value) < 100_000 ? whole.format(value) : short.format(value);
}

/** At most four characters and a letter, for axes. */
export const compact = (value) => (isMissing(value) ? NONE : short.format(value));

/** Picodollars as dollars: two digits after the point, more where the amount is small. */
export function money(picodollars, { exact = false } = {}) {
  if (isMissing(picodollars)) return NONE;
  const dollars = Number(picodollars) / PICO;
  if (exact) return `$${trimmed(dollars.toFixed(12), 2)}`;
  const size = Math.abs(dollars);
  if (size === 0) return "$0.00";
  if (size < 0.000_001) return dollars < 0 ? "> −$0.000001" : "< $0.000001";
  if (size < 0.01) return `$${trimmed(dollars.toFixed(size < 0.0001 ? 6 : 4), 2)}`;
  return size < 100_000 ? `$${dollars.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}` : `$${short.format(dollars)}`;
}

const trimmed = (text, least) => {
  const [before, after = ""] = text.split(".");
  return `${before}.${after.replace(/0+$/, "").padEnd(least, "0")}`;
};

/** `850 ms`, `1.24 s`, `12.4 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function ms(value) {
  if (isMissing(value)) return NONE;
  if (value < 10 && value > 0 && !Number.isInteger(value)) return `${value.toFixed(value < 1 ? 2 : 1)} ms`;
  if (value < 999.5) return `${Math.round(value)} ms`;
  const seconds = value / 1000;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const units = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const total = Math.round(seconds);
  const first = units.findIndex(([size]) => total >= size);
  const [size, name] = units[first];
  const next = units[first + 1];
  const rest = next ? Math.floor((total % size) / next[0]) : 0;
  return `${Math.floor(total / size)} ${name}${rest ? ` ${rest} ${next[1]}` : ""}`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clockSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" });

/** `14:03`, `14:03:22`, `23 Nov`, or `23 Nov 14:03` in this device's time zone. */
export function time(at, style = "auto") {
  if (isMissing(at)) return NONE;
  const date = new Date(at);
  if (style === "clock") return clock.format(date);
  if (style === "seconds") return clockSeconds.format(date);
  if (style === "day") return day.format(date);
  if (style === "full") return full.format(date);
  return date.toDateString() === new Date().toDateString() ? clockSeconds.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** `12 s ago`, `in 3 min`. */
export function ago(at, now = Date.now()) {
  if (isMissing(at)) return NONE;
  const distance = now - at;
  const size = Math.abs(distance);
  if (size < 1_000) return "now";
  const said = size < 60_000 ? `${Math.floor(size / 1_000)} s` : ms(size < 3_600_000 ? Math.floor(size / 60_000) * 60_000 : size);
  return distance < 0 ? `in ${said}` : `${said} ago`;
}

/** `512 B`, `1.2 KB`, `3.4 MB`: thousands, as the documentation has them. */
export function bytes(value) {
  if (isMissing(value)) return NONE;
  if (value < 1_000) return `${Math.round(value)} B`;
  const power = Math.min(4, Math.floor(Math.log10(value) / 3));
  const amount = value / 1_000 ** power;
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${["B", "KB", "MB", "GB", "TB"][power]}`;
}

/** `99.93 %` of a share from 0 to 1; never rounded up to a hundred. */
export function percent(share, digits = 2) {
  if (isMissing(share)) return NONE;
  const scale = 10 ** digits;
  const value = share < 1 ? Math.floor(share * 100 * scale + 1e-6) / scale : share * 100;
  return `${trimmed(value.toFixed(digits), 0).replace(/\.$/, "")} %`;
}

/** `1 request`, `2 requests`. */
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
