// The document `budgets`, and what is spent of it.
import { get, query as asked } from "../lib/api.js";
import { append, h, replace } from "../lib/dom.js";
import { documentPage } from "../lib/document.js";
import { money, percent } from "../lib/format.js";
import { badge, card, empty, failed, notice, skeleton, table } from "../lib/ui.js";

export const title = "Budgets";

const DAY = 86_400_000;
/** As long as sums are kept. */
const KEPT_DAYS = 400;
const PICO = 1e12;
const KINDS = [["tenants", "tenant", "Tenant"], ["tags", "tag", "Tag"]];
const EXAMPLES = [
  { name: "A tenant's month", about: "Refused beyond $20 a month, by the calendar in UTC; the webhook hears at half, at 80 % and at the end.", value: { tenants: { acme: { budgets: [{ usd: 20, per: "month", alerts: [50, 80, 100] }] } } } },
  { name: "Everybody", about: "`*` is each tenant that is not named: so many requests a minute, so many at once.", value: { tenants: { "*": { limits: { requests_per_minute: 600, concurrent: 20 } } } } },
  { name: "A tag", about: "All keys with this tag together. `soft` is told of, and never refused.", value: { tags: { trial: { budgets: [{ usd: 5, per: "day", soft: true, alerts: [100] }] } } } },
  { name: "End users", about: "Each end user that a request names, within its tenant.", value: { users: { "*": { limits: { requests_per_minute: 30 } } } } },
];

export async function render(main, { signal }) {
  const spent = h("div", {});
  append(main, card("Spent", { hint: "What the ledger has counted in the current period, in UTC. What is under way is not in it yet." }, spent));
  await documentPage(main, { document: "budgets", examples: EXAMPLES, signal, after: (value) => { show(spent, value ?? {}, signal); return null; } });
}

/** When the current period began, in milliseconds. */
export function began(per, now = Date.now()) {
  const date = new Date(now);
  if (per === "total") return now - KEPT_DAYS * DAY;
  if (per === "month") return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const today = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  return per === "week" ? today - ((date.getUTCDay() + 6) % 7) * DAY : today;
}

async function show(place, value, signal) {
  const rules = KINDS.flatMap(([list, by, label]) => Object.entries(value[list] ?? {}).flatMap(([name, { budgets = [] }]) => budgets.map((budget) => ({ by, label, name, budget, named: Object.keys(value[list]) }))));
  const users = Object.values(value.users ?? {}).some(({ budgets }) => budgets?.length);
  if (!rules.length) {
    replace(place, empty(users ? "Budgets of end users are counted for each of them, and not listed." : "No tenant and no tag has a budget. Those of single keys are on the page of keys."));
    return;
  }
  replace(place, skeleton(3));
  try {
    const sums = new Map();
    await Promise.all([...new Set(rules.map(({ by, budget }) => `${by} ${budget.per}`))].map(async (which) => {
      const [by, per] = which.split(" ");
      sums.set(which, (await get(`/usage${asked({ group_by: by, from: began(per) })}`, { signal })).body);
    }));
    if (signal.aborted) return;
    const rows = rules.flatMap(({ by, label, name, budget, named }) => {
      const all = sums.get(`${by} ${budget.per}`).data;
      const of = name === "*" ? all.filter((row) => row[by] && !named.includes(row[by])) : all.filter((row) => row[by] === name);
      const whose = of.length ? of : name === "*" ? [] : [{ [by]: name, cost: 0 }];
      return whose.map((row) => ({ label, name: row[by], budget, spent: row.cost, share: budget.usd ? row.cost / (budget.usd * PICO) : row.cost ? Infinity : 0 }));
    });
    const missing = [...sums.values()].flatMap(({ unreachable = [] }) => unreachable);
    replace(place, missing.length ? notice("warn", `Not reached, and not counted: ${[...new Set(missing)].join(", ")}.`) : null, table({
      caption: "What is spent of each budget", rows, empty: "None of those that these budgets are for has called in this period.", sort: { key: "share", down: true },
      columns: [
        { key: "name", label: "Whose", render: ({ label, name }) => [h("span", { class: "muted" }, `${label} `), name] },
        { key: "per", label: "Budget", render: ({ budget }) => `$${budget.usd} ${budget.per === "total" ? "in total" : `a ${budget.per}`}${budget.soft ? ", soft" : ""}` },
        { key: "spent", label: "Spent", align: "end", sort: true, render: (row) => money(row.spent) },
        { key: "share", label: "Share", align: "end", sort: true, render: ({ share, budget }) => gauge(share, budget) },
      ],
    }), users ? h("p", { class: "hint" }, "Budgets of end users are counted for each of them, and not listed.") : null);
  } catch (error) {
    if (!signal.aborted) replace(place, failed(error, () => show(place, value, signal)));
  }
}

function gauge(share, budget) {
  const state = share >= 1 ? ["exhausted", budget.soft ? "over" : "used up"] : share >= 0.8 ? ["near", "near its end"] : null;
  const bar = h("progress", { max: "1", value: String(Math.min(1, share)), "aria-label": "Share that is spent" });
  return h("span", { class: "gauge" }, state && badge(...state, budget.soft && share >= 1 ? "warn" : undefined), bar, h("span", { class: "num" }, Number.isFinite(share) ? percent(share, share < 0.01 ? 2 : 1) : "–"));
}
