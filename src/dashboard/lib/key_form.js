// The form of a gateway key's entry: each member a field, and what is not touched stays as it was.
import { h, replace } from "./dom.js";
import { button, field, iconButton, select } from "./ui.js";

const LISTS = [
  ["tags", "Tags", "For limits and reports, and for conditions of routes."],
  ["routes", "Routes", "Routes it may name; each covers its targets. Without these and models: all."],
  ["models", "Models", "Models it may name: openai/gpt-5.4, or openai/* for all of a provider."],
  ["providers", "Providers", "Providers that may serve it; a route’s other targets are left out."],
];
const DIALECTS = ["openai-chat", "openai-responses", "openai-completions", "anthropic", "gemini"];
const ENDPOINTS = ["chat", "responses", "completions", "messages", "generate_content", "embeddings", "rerank", "moderations", "count_tokens", "images", "videos", "models", "passthrough", "stored"];
const LIMITS = [["requests_per_minute", "Requests a minute"], ["tokens_per_minute", "Tokens a minute"], ["concurrent", "At once"]];
const PERIODS = [{ value: "day", label: "a day" }, { value: "week", label: "a week" }, { value: "month", label: "a month" }, { value: "total", label: "in total" }];

/** `{node, entry(), fail(path, message)}`; `entry()` returns undefined when a field is wrong, which is said there. */
export function keyForm(was = { name: "" }) {
  const fields = new Map();
  const put = (name, node) => { fields.set(name, node); return node; };
  const text = (value, attributes = {}) => h("input", { type: "text", autocomplete: "off", spellcheck: "false", value: value ?? "", ...attributes });

  const name = text(was.name, { required: true, maxlength: "200" });
  const tenant = text(was.tenant, { placeholder: "default", maxlength: "200" });
  const lists = new Map(LISTS.map(([member]) => [member, text((was[member] ?? []).join(", "))]));
  const expires = h("input", { type: "datetime-local", step: "1", value: local(was.expires) });
  const shownExpires = expires.value;
  const limits = new Map(LIMITS.map(([member]) => [member, h("input", { type: "number", min: "1", step: "1", inputmode: "numeric", value: was.limits?.[member] ?? "" })]));
  const flag = (checked) => h("input", { type: "checkbox", checked });
  const overrides = flag(was.overrides !== false);
  const zdr = flag(was.zdr === true || was.zdr === "required");
  const dialects = choices(DIALECTS, was.dialects);
  const endpoints = choices(ENDPOINTS, was.endpoints);
  const budgets = budgetRows(was.budgets ?? []);

  const node = h("div", { class: "stack key-form" },
    h("div", { class: "form-grid" },
      put("name", field("Name", name, { hint: "Stands in records, logs and reports." })),
      put("tenant", field("Tenant", tenant, { optional: true, hint: "Whose ledger and budgets its requests are on." })),
      LISTS.map(([member, label, hint]) => put(member, field(label, lists.get(member), { optional: true, hint: was[member]?.length === 0 ? `${hint} Now an empty list: nothing is allowed.` : `${hint} Several with commas.` }))),
      put("expires", field("Expires", expires, { optional: true, hint: "This device’s time; from then on it is refused." }))),
    h("fieldset", { class: "group" }, h("legend", {}, "Limits"), h("div", { class: "form-grid narrow" }, LIMITS.map(([member, label]) => put(`limits.${member}`, field(label, limits.get(member)))))),
    put("budgets", budgets.node),
    h("details", { open: Boolean(was.dialects || was.endpoints) }, h("summary", {}, "Dialects and endpoints"),
      put("dialects", dialects.node("It may speak", "All while none is chosen.")), put("endpoints", endpoints.node("It may call", "All while none is chosen."))),
    h("label", { class: "check" }, overrides, "Its requests may say how they are routed"),
    h("label", { class: "check" }, zdr, "Only providers that keep nothing may serve it"));

  function entry() {
    for (const one of fields.values()) one.setError?.(null);
    const out = { ...was };
    const set = (member, value) => {
      if (value === undefined) delete out[member];
      else out[member] = value;
    };
    set("name", name.value.trim());
    set("tenant", tenant.value.trim() || undefined);
    for (const [member, input] of lists) {
      if (input.value === (was[member] ?? []).join(", ")) continue;
      const items = input.value.split(/[,\n]/).map((item) => item.trim()).filter(Boolean);
      set(member, items.length ? items : undefined);
    }
    if (expires.value !== shownExpires) set("expires", expires.value ? new Date(expires.value).toISOString() : undefined);
    const bounds = Object.fromEntries([...limits].filter(([, input]) => input.value !== "").map(([member, input]) => [member, Number(input.value)]));
    set("limits", Object.keys(bounds).length ? bounds : undefined);
    set("dialects", dialects.value());
    set("endpoints", endpoints.value());
    const money = budgets.value();
    set("budgets", money.length ? money : undefined);
    set("overrides", overrides.checked ? (was.overrides === true ? true : undefined) : false);
    set("zdr", zdr.checked ? was.zdr || true : was.zdr === false ? false : undefined);
    if (out.name) return out;
    fail("name", "A key needs a name.");
    return undefined;
  }

  /** Shows the gateway's word at the field it is about; whether there is one. */
  function fail(path, message) {
    const member = [...fields.keys()].findLast((each) => path === each || path?.startsWith(`${each}[`) || path?.startsWith(`${each}.`));
    const place = fields.get(member);
    if (!place?.setError) return false;
    place.setError(message);
    place.querySelector("input")?.focus();
    return true;
  }

  return { node, entry, fail };
}

function choices(names, chosen) {
  const boxes = names.map((name) => [name, h("input", { type: "checkbox", checked: Boolean(chosen?.includes(name)) })]);
  const before = JSON.stringify(names.filter((name) => chosen?.includes(name)));
  return {
    node: (legend, hint) => h("fieldset", { class: "group" }, h("legend", {}, legend), h("p", { class: "hint" }, chosen?.length === 0 ? "Now an empty list: nothing is allowed." : hint),
      h("div", { class: "choices" }, boxes.map(([name, box]) => h("label", { class: "check" }, box, name)))),
    value: () => {
      const now = boxes.filter(([, box]) => box.checked).map(([name]) => name);
      if (JSON.stringify(now) === before) return chosen;
      return now.length ? now : undefined;
    },
  };
}

function budgetRows(was) {
  const rows = [];
  const list = h("div", { class: "stack" });
  const add = (budget) => {
    const usd = h("input", { type: "number", min: "0", step: "any", inputmode: "decimal", value: budget.usd ?? "" });
    const per = select(PERIODS, { value: budget.per ?? "month" });
    const alerts = h("input", { type: "text", inputmode: "numeric", autocomplete: "off", placeholder: "50, 80, 100", value: (budget.alerts ?? []).join(", ") });
    const soft = h("input", { type: "checkbox", checked: budget.soft === true });
    const row = { usd, per, alerts, soft, budget };
    rows.push(row);
    const node = h("div", { class: "budget-row" }, field("US dollars", usd), field("Period", per), field("Alerts, %", alerts, { optional: true }),
      h("label", { class: "check" }, soft, "Soft"), iconButton("Take this budget away", "trash", { onclick: () => { rows.splice(rows.indexOf(row), 1); node.remove(); } }));
    list.append(node);
    return usd;
  };
  was.forEach(add);
  const wrong = h("p", { class: "field-error", role: "alert" });
  const node = h("fieldset", { class: "group" }, h("legend", {}, "Budgets"), h("p", { class: "hint" }, "A soft one is told of, and never refused."), list, wrong,
    button("Add a budget", { small: true, sign: "plus", onclick: () => add({}).focus() }));
  node.setError = (message) => replace(wrong, message ?? []);
  return {
    node,
    value: () => rows.map(({ usd, per, alerts, soft, budget }) => {
      const out = { ...budget, usd: Number(usd.value), per: per.value };
      const at = alerts.value.split(",").map((one) => one.trim()).filter(Boolean).map(Number);
      if (at.length) out.alerts = at;
      else delete out.alerts;
      if (soft.checked) out.soft = true;
      else delete out.soft;
      return out;
    }),
  };
}

/** A time as an input of this device has it. */
function local(expires) {
  if (expires === undefined || expires === null) return "";
  const date = new Date(expires);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
