// The chains of audit entries: who changed what, and whether nothing is missing.
import { get, query as asked } from "../lib/api.js";
import { append, h, replace } from "../lib/dom.js";
import { number, plural, time } from "../lib/format.js";
import { announce, badge, button, card, copyButton, empty, facts, failed, field, notice, select, skeleton, table } from "../lib/ui.js";

export const title = "Audit";

const PAGE = 50;
const OPERATOR = "@operator";
const KINDS = { change: "info", request: "none", head: "ok", checkpoint: "warn" };
const BROKEN = {
  changed: "its contents are not what was written", missing: "entries before it are gone", out_of_order: "its number was there already", unlinked: "it does not follow the entry before it",
  foreign: "it is of another chain", beheaded: "the chain begins here without a word about the entries before", rewritten: "another entry was published under this number", truncated: "the chain ends before an entry that was published",
};

export async function render(main, { query, setQuery, signal }) {
  let tenant = query.get("tenant") || OPERATOR;
  let shown = query.get("kind") ?? "";
  let last = Number(query.get("up_to")) || null;
  const head = h("div", {});
  const entries = h("div", { class: "stack" });
  const verdict = h("div", { role: "status" });
  const names = h("datalist", { id: "audit-tenants" });
  const chain = h("input", { type: "text", value: tenant, list: "audit-tenants", autocomplete: "off", spellcheck: "false", onchange: (event) => choose(event.target.value.trim() || OPERATOR) });
  const kind = select([{ value: "", label: "All kinds" }, ...Object.keys(KINDS).map((value) => ({ value, label: value }))], { value: shown, onchange: (event) => { shown = event.target.value; keep(); page(); } });
  const check = button("Verify the chain", { kind: "primary", sign: "check", onclick: verify });
  append(main,
    h("div", { class: "row ask" }, field("Chain: a tenant, or @operator", chain), field("Show", kind), names),
    card("Head", { actions: check, hint: "Each entry carries the hash of the one before: the last one fixes them all." }, head, verdict),
    card("Entries", { hint: "Newest first." }, entries));
  suggest();
  await load();

  function keep() {
    setQuery({ tenant, kind: shown, up_to: last });
  }

  function choose(name) {
    tenant = name;
    last = null;
    keep();
    load();
  }

  async function suggest() {
    try {
      const { body } = await get(`/usage${asked({ group_by: "tenant" })}`, { signal });
      replace(names, [OPERATOR, "default", ...body.data.map((row) => row.tenant)].filter((name, at, all) => all.indexOf(name) === at).map((name) => h("option", { value: name })));
    } catch { /* names can be typed */ }
  }

  async function load() {
    replace(verdict);
    replace(head, skeleton(2));
    replace(entries, skeleton(6));
    try {
      const { body } = await get(`/audit/head${asked({ tenant })}`, { signal });
      if (signal.aborted) return;
      draw(body);
      last = Math.min(last ?? body.seq, body.seq);
      await page(body.seq);
    } catch (error) {
      if (signal.aborted) return;
      replace(head);
      replace(entries, failed(error, load));
    }
  }

  function draw({ seq, hash, published }) {
    replace(head, facts([
      ["Entries", number(seq, { exact: true })],
      ["Hash of the last", seq ? [h("code", {}, hash), copyButton(`${seq}-${hash}`, "Copy the head: number and hash")] : "–"],
      ["Published last", published?.date ? `${published.date}, up to entry ${published.seq}` : "not yet: bind a bucket AUDIT or name a webhook"],
    ]));
    check.disabled = seq === 0;
  }

  async function page(top) {
    if (!last) {
      replace(entries, empty(`Nothing is in the chain ${tenant} yet.`));
      return;
    }
    try {
      const after = Math.max(0, last - PAGE);
      const { body } = await get(`/audit${asked({ tenant, after, limit: last - after })}`, { signal });
      if (signal.aborted) return;
      const rows = body.data.map((entry) => ({ ...entry, said: parsed(entry.body) })).reverse();
      const older = button("Older", { sign: "down", disabled: after === 0 || (rows.length > 0 && rows.at(-1).seq > after + 1), onclick: () => { last = after; keep(); page(); } });
      const newest = button("Newest", { sign: "up", onclick: () => { last = null; keep(); load(); } });
      newest.disabled = top !== undefined && last === top;
      replace(entries, table({
        caption: `Entries of ${tenant}, newest first`,
        rows: rows.filter((row) => !shown || row.kind === shown),
        empty: rows.length ? `None of these ${rows.length} entries is of the kind ${shown}.` : "These entries are not kept any more.",
        columns: COLUMNS,
      }), h("div", { class: "spread" }, h("span", { class: "muted" }, `Entries ${after + 1} to ${last}`), h("div", { class: "actions" }, newest, older)));
    } catch (error) {
      if (!signal.aborted) replace(entries, failed(error, () => page(top)));
    }
  }

  async function verify() {
    check.disabled = true;
    replace(verdict, skeleton(1));
    try {
      const { body } = await get(`/audit/verify${asked({ tenant })}`, { signal });
      const { compared = 0, dropped = 0 } = body.published ?? {};
      const against = compared ? `, and ${plural(compared, "published head")} ${compared === 1 ? "stands" : "stand"} in it as published` : "; no head was published to compare it with";
      replace(verdict, body.ok
        ? notice("ok", badge("ok", "The chain holds"), ` ${plural(body.entries, "entry", "entries")} from ${body.first ?? 0} to ${body.last}${against}.${dropped ? ` ${dropped} published heads are of entries that are not kept any more.` : ""}`)
        : notice("bad", badge("broken", "The chain does not hold"), ` Entry ${body.broken.seq}: ${BROKEN[body.broken.what] ?? body.broken.what}. ${body.broken.message ?? ""}`));
      announce(body.ok ? "The chain holds." : "The chain does not hold.");
    } catch (error) {
      if (!signal.aborted) replace(verdict, notice("bad", error.message));
    } finally {
      check.disabled = false;
    }
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const COLUMNS = [
  { key: "seq", label: "No.", render: ({ seq }) => number(seq, { exact: true }) },
  { key: "time", label: "Time", class: "nowrap", render: (row) => h("time", { datetime: new Date(row.time).toISOString(), title: time(row.time, "full") }, time(row.time)) },
  { key: "kind", label: "Kind", render: ({ kind }) => badge(kind, kind, KINDS[kind] ?? "none") },
  { key: "what", label: "What", class: "wrap", render: words },
  { key: "by", label: "By", render: ({ said }) => (said.by ? h("code", { title: "Fingerprint of the admin token" }, said.by) : "–") },
  { key: "hash", label: "Hash", render: ({ hash }) => h("code", { title: hash }, hash.slice(0, 12)) },
];

function words({ kind, said }) {
  if (kind === "change") {
    return [h("b", {}, said.action), ` ${said.what} `, h("code", {}, short(said.name)), said.before || said.after ? h("span", { class: "muted" }, ` ${digest(said.before)} → ${digest(said.after)}`) : null];
  }
  if (kind === "request") return h("a", { href: `#/requests/${encodeURIComponent(said.request)}` }, said.request);
  if (kind === "head") return `published up to entry ${said.seq}${said.to ? ` to ${[said.to].flat().join(", ")}` : ""}`;
  if (kind === "checkpoint") return `entries before ${said.first} were dropped`;
  return h("code", {}, JSON.stringify(said));
}

const short = (name) => (/^[0-9a-f]{64}$/.test(name ?? "") ? `${name.slice(0, 12)}…` : name);
const digest = (value) => (value ? value.slice(0, 8) : "nothing");
