// The price book in force, and the document that overrides it.
import { get } from "../lib/api.js";
import { append, h, replace } from "../lib/dom.js";
import { documentPage } from "../lib/document.js";
import { plural } from "../lib/format.js";
import { badge, card, debounce, failed, field, notice, skeleton, table } from "../lib/ui.js";

export const title = "Prices";

const MOST_ROWS = 100;
const EXAMPLES = [
  { name: "A contract", about: "What you pay for a model, US dollars per million tokens; it replaces the catalog's price whole.", value: { "openai/gpt-5.4": { input: 2.25, output: 13.5, cache_read: 0.225, source: "https://example.com/contract", date: "2026-11-01" } } },
  { name: "In another currency", about: "With what one of it is worth in dollars, and when.", value: { currencies: { CNY: { usd: 0.1402, date: "2026-11-01" } }, "qwen/qwen3.8-max": { input: 12, output: 36, currency: "CNY" } } },
  { name: "Long prompts", about: "Above so many tokens of prompt other rates hold, for the whole request.", value: { "google/gemini-2.5-pro": { input: 1.25, output: 10, above: { 200000: { input: 2.5, output: 15 } } } } },
];

export async function render(main, { signal }) {
  const book = h("div", { class: "stack" });
  const show = () => inForce(book, signal);
  append(main, card("Prices in force", { hint: "US dollars per million tokens, of the providers that are on." }, book));
  await Promise.all([show(), documentPage(main, { document: "prices", path: "/prices/document", put: "/prices", examples: EXAMPLES, signal, after: () => { show(); return null; } })]);
}

async function inForce(place, signal) {
  replace(place, skeleton(5));
  try {
    const { body } = await get("/prices", { signal });
    if (signal.aborted) return;
    const grid = table({ caption: "Prices in force", rows: [], empty: "No model is named like this.", columns: COLUMNS });
    const note = h("p", { class: "muted", role: "status" });
    const search = h("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    const draw = () => {
      const words = search.value.trim().toLowerCase();
      const found = body.data.filter(({ model }) => model.toLowerCase().includes(words));
      grid.update(found.slice(0, MOST_ROWS));
      replace(note, `${plural(found.length, "model")}${found.length > MOST_ROWS ? `, the first ${MOST_ROWS} shown` : ""}`);
    };
    search.addEventListener("input", debounce(draw, 100));
    draw();
    replace(place,
      body.stale ? notice("warn", `${plural(body.stale, "price")} older than ${body.stale_after_days} days. cargo xtask prices import makes a document of newer ones.`) : null,
      body.unpriced.length ? notice("info", `No price is known of ${body.unpriced.slice(0, 12).join(", ")}${body.unpriced.length > 12 ? ` and ${body.unpriced.length - 12} more` : ""}. Their cost is what the provider says, or unknown.`) : null,
      h("div", { class: "spread" }, field("Find a model", search), note), grid);
  } catch (error) {
    if (!signal.aborted) replace(place, failed(error, () => inForce(place, signal)));
  }
}

const rate = (name) => ({ price }) => (price[name] === undefined ? "–" : `${price[name]}`);
const COLUMNS = [
  { key: "model", label: "Model", sort: true, class: "wrap" },
  { key: "input", label: "Input", align: "end", sort: true, value: ({ price }) => price.input ?? null, render: rate("input") },
  { key: "output", label: "Output", align: "end", sort: true, value: ({ price }) => price.output ?? null, render: rate("output") },
  { key: "cache_read", label: "Cache read", align: "end", render: rate("cache_read") },
  { key: "by", label: "By", render: (row) => [badge(row.by, row.by, row.by === "operator" ? "info" : "none"), row.overrides_catalog ? h("span", { class: "muted" }, " overrides the catalog") : null] },
  { key: "date", label: "As of", sort: true, render: (row) => [row.date ?? "–", " ", row.stale ? badge("stale") : null] },
  { key: "source", label: "Source", class: "wrap", render: ({ source, url }) => (url?.startsWith("https://") ? h("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, source || url) : source || "–") },
];
