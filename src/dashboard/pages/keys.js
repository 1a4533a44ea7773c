// Gateway keys: who may call, with what, and for how long.
import { get, query as asked, send } from "../lib/api.js";
import { append, h, replace } from "../lib/dom.js";
import { ago, money, number, plural, time } from "../lib/format.js";
import { keyForm } from "../lib/key_form.js";
import { badge, button, card, confirm, copyButton, dialog, empty, facts, failed, field, notice, select, skeleton, table, toast } from "../lib/ui.js";

export const title = "Keys";

const PAGE = 50;
const SOON_MS = 7 * 86_400_000;
const OVERLAPS = [{ value: "0", label: "at once" }, { value: "3600", label: "in an hour" }, { value: "86400", label: "in a day" }, { value: "604800", label: "in a week" }, { value: "2592000", label: "in 30 days" }];

export async function render(main, context) {
  if (context.params.length) await one(main, context);
  else list(main, context);
}

function list(main, { query, actions, setQuery, navigate, signal }) {
  let tenant = query.get("tenant") ?? "";
  let rows = [];
  let cursor = null;
  let turn = 0;
  const place = h("div", { class: "stack" });
  const search = h("input", { type: "text", value: tenant, autocomplete: "off", spellcheck: "false", onchange: (event) => { tenant = event.target.value.trim(); setQuery({ tenant }); load(); } });
  append(actions, button("New key", { kind: "primary", sign: "plus", onclick: () => create(navigate) }));
  append(main, h("div", { class: "row ask" }, field("Only of tenant", search)), place);
  load();

  async function load(from = "") {
    const mine = (turn += 1);
    if (!from) replace(place, skeleton(6));
    try {
      const { body } = await get(`/keys${asked({ tenant, limit: PAGE, cursor: from })}`, { signal });
      if (mine !== turn || signal.aborted) return;
      rows = from ? [...rows, ...body.data] : body.data;
      ({ cursor } = body);
      draw();
    } catch (error) {
      if (mine === turn && !signal.aborted) replace(place, failed(error, () => load(from)));
    }
  }

  function draw() {
    if (!rows.length && !cursor) {
      replace(place, empty(tenant ? `No key is of the tenant ${tenant}.` : "There is no key yet. Without one only the secret GATEWAY_KEY is let in.", button("Make one", { kind: "primary", onclick: () => create(navigate) })));
      return;
    }
    replace(place, h("div", { class: "card flush" }, table({ caption: "Gateway keys", rows, columns: COLUMNS, empty: "None of this page is of that tenant." })),
      h("div", { class: "spread" }, h("p", { class: "muted" }, `${plural(rows.length, "key")}${cursor ? " so far" : ""}. One that was just made may be missing for a minute.`), cursor ? button("More keys", { sign: "down", onclick: () => load(cursor) }) : null));
  }
}

const COLUMNS = [
  { key: "name", label: "Name", sort: true, class: "wrap", render: (row) => h("a", { href: `#/keys/${row.id}` }, row.name ?? `${row.id.slice(0, 12)}…`) },
  { key: "state", label: "State", sort: true, render: (row) => [badge(row.state, row.state, row.state === "disabled" ? "none" : row.state === "unreadable" ? "bad" : undefined), row.rotated_to ? h("span", { class: "muted" }, " rotated") : null] },
  { key: "tenant", label: "Tenant", sort: true, class: "wrap" },
  { key: "tags", label: "Tags", class: "wrap", render: ({ tags }) => (tags?.length ? tags.join(", ") : "–") },
  { key: "hint", label: "Ends with", render: ({ hint }) => (hint ? h("code", {}, `…${hint}`) : "–") },
  { key: "created", label: "Made", sort: true, class: "nowrap", render: ({ created }) => (created ? h("time", { datetime: created, title: time(Date.parse(created), "full") }, time(Date.parse(created), "day")) : "by hand") },
  { key: "expires", label: "Expires", sort: true, class: "nowrap", render: expiry },
];

function expiry({ expires, state }) {
  if (!expires) return "never";
  const at = Date.parse(expires);
  const node = h("time", { datetime: expires, title: time(at, "full") }, ago(at));
  return state === "active" && at - Date.now() < SOON_MS ? [node, " ", badge("expiring", "soon")] : node;
}

async function create(navigate) {
  const form = keyForm();
  const made = await dialog({
    title: "New key", wide: true, body: form.node,
    actions: [{ label: "Cancel" }, { label: "Make the key", kind: "primary", run: () => attempt(form, (entry) => send("POST", "/keys", entry)) }],
  });
  if (!made) return;
  await showOnce(made.body);
  navigate(`keys/${made.body.id}`);
}

/** What the form says, written; what is wrong with it is said at its field, and the dialog stays. */
async function attempt(form, write) {
  const entry = form.entry();
  if (!entry) return false;
  try {
    return await write(entry);
  } catch (error) {
    if (error.status === 400 && form.fail(error.path, error.message)) return false;
    throw error;
  }
}

/** The only time that a key is seen. */
async function showOnce({ key, replaces, in_force: force }) {
  const input = h("input", { type: "text", readonly: true, value: key, class: "mono", onfocus: (event) => event.target.select() });
  await dialog({
    title: "Copy this key now",
    body: [
      notice("warn", "It is shown this once: the gateway keeps only its digest. Whoever loses it rotates it."),
      h("div", { class: "with-button" }, field("Gateway key", input), copyButton(key, "Copy the key")),
      replaces?.entry?.expires ? h("p", {}, `The one it replaces goes on until ${time(Date.parse(replaces.entry.expires), "full")}.`) : null,
      force?.not_told?.length ? notice("warn", `Not told yet: ${force.not_told.join(", ")}. There it may take a minute.`) : null,
    ],
    actions: [{ label: "I have it", kind: "primary", value: true }],
  });
}

async function one(main, { params: [id], actions, setTitle, navigate, signal }) {
  const back = h("a", { href: "#/keys" }, "Keys");
  setTitle("Key", back);
  const place = h("div", { class: "stack" });
  append(main, place);
  await load();

  async function load() {
    replace(place, skeleton(8));
    try {
      const { body, etag } = await get(`/keys/${id}`, { signal });
      if (!signal.aborted) draw(body, etag);
    } catch (error) {
      if (!signal.aborted) replace(place, failed(error, load));
    }
  }

  function draw(key, etag) {
    const { entry, state } = key;
    setTitle(entry.name ?? "Key", back);
    const off = state === "disabled";
    replace(actions,
      state === "active" && !key.rotated_to ? button("Rotate", { sign: "refresh", onclick: () => rotate(key) }) : null,
      state === "unreadable" ? null : button(off ? "Enable" : "Disable", { sign: off ? "play" : "pause", onclick: () => turn(key, off ? "enable" : "disable") }),
      button("Delete", { kind: "danger", sign: "trash", onclick: () => remove(key) }));
    const form = keyForm(state === "unreadable" ? { name: entry.name ?? "" } : entry);
    const wrong = h("div", { role: "alert" });
    const save = button("Save", { kind: "primary", onclick: async () => {
      replace(wrong);
      save.disabled = true;
      try {
        const answer = await attempt(form, (next) => send("PUT", `/keys/${id}`, next, { ifMatch: etag, signal }));
        if (!answer) return;
        toast(`Saved. It holds everywhere within ${(answer.body.in_force?.within_ms ?? 5000) / 1000} s.`);
        draw(answer.body, answer.etag);
      } catch (error) {
        replace(wrong, error.status === 412
          ? notice("warn", "Somebody changed this key since you read it. ", button("Read it again", { small: true, onclick: load }))
          : notice("bad", error.path ? h("code", {}, `${error.path} `) : null, error.message));
      } finally {
        save.disabled = false;
      }
    } });
    replace(place,
      state === "unreadable" ? notice("bad", `Its entry cannot be read: ${key.problem} Saving replaces it whole.`) : null,
      card("Standing", {}, facts([
        ["State", badge(state, state, off ? "none" : state === "unreadable" ? "bad" : undefined)],
        ["Ends with", key.hint ? h("code", {}, `…${key.hint}`) : "–"],
        ["Made", key.created ? time(Date.parse(key.created), "full") : "by hand"],
        ["Expires", entry.expires ? time(new Date(entry.expires).getTime(), "full") : "never"],
        ["Id", [h("code", {}, id), copyButton(id, "Copy the id")]],
        key.account && key.account !== id ? ["Account", h("code", {}, key.account)] : null,
        key.rotated_from ? ["Replaces", h("a", { href: `#/keys/${key.rotated_from}` }, h("code", {}, `${key.rotated_from.slice(0, 16)}…`))] : null,
        key.rotated_to ? ["Replaced by", h("a", { href: `#/keys/${key.rotated_to}` }, h("code", {}, `${key.rotated_to.slice(0, 16)}…`))] : null,
      ])),
      spending(entry, signal),
      card("What it may do", { hint: "What is left empty is not restricted." }, form.node, wrong, h("div", { class: "actions" }, save)));
  }

  async function rotate(key) {
    const overlap = select(OVERLAPS, { value: "86400" });
    const made = await dialog({
      title: `Rotate ${key.entry.name}`,
      body: [h("p", {}, "A new key with the same entry, on the same account: limits and spending go on. The old one ends when you say."), field("The old key ends", overlap)],
      actions: [{ label: "Cancel" }, { label: "Rotate", kind: "primary", run: () => send("POST", `/keys/${id}/rotate`, { overlap_s: Number(overlap.value) }) }],
    });
    if (!made) return;
    await showOnce(made.body);
    navigate(`keys/${made.body.id}`);
  }

  async function turn(key, verb) {
    const isOff = verb === "disable";
    const run = async () => {
      const { body, etag } = await send("POST", `/keys/${id}/${verb}`, undefined, { signal });
      toast(`${key.entry.name} is ${isOff ? "disabled" : "enabled"}, everywhere within 5 s.`);
      draw(body, etag);
    };
    if (isOff) {
      await confirm({ title: `Disable ${key.entry.name}?`, body: "Its requests are refused within five seconds, until it is enabled again. What is under way goes on to its end.", action: "Disable", danger: true, run });
      return;
    }
    try {
      await run();
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async function remove(key) {
    const name = key.entry.name ?? id.slice(0, 12);
    const typed = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
    const box = field(`Type ${name} to delete it`, typed);
    const done = await dialog({
      title: `Delete ${name}?`,
      body: [h("p", {}, "Its holder is refused within five seconds, and it cannot be brought back. Its spending stays in the ledger. To stop it for a while, disable it."), box],
      actions: [{ label: "Cancel" }, { label: "Delete", kind: "danger", value: true, run: async () => {
        if (typed.value.trim() !== name) {
          box.setError(`This is not ${name}.`);
          return false;
        }
        await send("DELETE", `/keys/${id}`);
        return true;
      } }],
    });
    if (!done) return;
    toast(`${name} is deleted.`);
    navigate("keys");
  }
}

function spending(entry, signal) {
  const place = h("div", {}, skeleton(1));
  get(`/usage${asked({ key: entry.name, tenant: entry.tenant ?? "default", group_by: "key" })}`, { signal }).then(({ body }) => {
    const [row] = body.data;
    replace(place, row ? facts([
      ["Spend", money(row.cost)], ["Requests", number(row.requests)], ["Errors", number(row.errors)], ["Tokens", `${number(row.input + row.cache_read + row.cache_write)} in, ${number(row.output)} out`],
    ]) : h("p", { class: "muted" }, "Nothing was asked with it in this time."));
  }, (error) => { if (!signal.aborted) replace(place, failed(error)); });
  return card("Last 30 days", { actions: [h("a", { href: `#/spend${asked({ key: entry.name, by: "model" })}` }, "Spend"), h("a", { href: `#/requests${asked({ key: entry.name })}` }, "Requests")] }, place);
}
