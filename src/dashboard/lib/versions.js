// Versions of a document: which there were, how they differ from what holds, and back to one.
import { h, replace } from "./dom.js";
import { get, query, send } from "./api.js";
import { difference } from "./difference.js";
import { ago, bytes, time } from "./format.js";
import { badge, button, card, confirm, dialog, empty, failed, skeleton, table, toast } from "./ui.js";

const NEWEST = 50;

/** `{node, again}`: the list of versions of `document`; `current()` is the tag of what is in force. */
export function versions({ document, path, put, signal, current, onReverted }) {
  const place = h("div");
  const of = (version, more = "") => `/config/versions/${encodeURIComponent(version)}${more}${query({ document })}`;

  async function again() {
    if (!place.hasChildNodes()) replace(place, skeleton(3));
    try {
      const { body } = await get(`/config/versions${query({ document })}`, { signal });
      if (!signal.aborted) replace(place, body.data.length ? rows(body.data) : empty("No version is kept yet: the first is kept when this document is saved."));
    } catch (error) {
      if (!signal.aborted) replace(place, failed(error, again));
    }
  }

  const rows = (data) => table({
    caption: `Versions of ${document}, newest first`,
    rows: data,
    columns: [
      { key: "at", label: "Saved", render: ({ at }) => h("time", { datetime: new Date(at).toISOString(), title: time(at, "full") }, time(at), " ", h("span", { class: "muted" }, ago(at))) },
      { key: "version", label: "Version", render: ({ version, current: now }) => [h("code", {}, version.slice(0, 12)), now && " ", now && badge("current", "in force")] },
      { key: "by", label: "By way of", render: ({ by }) => (by === "kv" ? "KV, by hand" : "admin API") },
      { key: "bytes", label: "Size", align: "end", render: (row) => bytes(row.bytes) },
      { key: "do", label: "", align: "end", render: (row) => (row.current ? null : h("div", { class: "row-actions" },
        button("Compare", { small: true, "aria-label": `Compare version ${row.version.slice(0, 12)} with what is in force`, onclick: () => compare(row) }),
        button("Revert", { small: true, sign: "undo", "aria-label": `Revert to version ${row.version.slice(0, 12)}`, onclick: () => revert(row) }))) },
    ],
  });

  async function both(row) {
    const [then, now] = await Promise.all([get(of(row.version), { signal }), get(path, { signal })]);
    return { then: then.text, now: now.text };
  }

  async function compare(row) {
    try {
      const { then, now } = await both(row);
      await dialog({
        title: `From ${time(row.at)} to what is in force`, wide: true,
        body: difference(then, now, { label: "Changes since that version" }), actions: [{ label: "Close" }],
      });
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async function revert(row) {
    let texts;
    try {
      texts = await both(row);
    } catch (error) {
      toast(error.message, "bad");
      return;
    }
    const done = await confirm({
      title: `Revert ${document} to ${time(row.at)}`,
      body: [
        h("p", {}, "The text of that version is saved anew: what holds now stays in the list. This is what would change."),
        difference(texts.now, texts.then, { label: "What reverting changes" }),
      ],
      action: "Revert",
      run: () => send("POST", of(row.version, "/revert"), undefined, { ifMatch: current(), signal }),
    });
    if (!done || signal.aborted) return;
    toast(`Reverted. ${document} of ${time(row.at)} is in force.`);
    onReverted();
  }

  again();
  return {
    node: card("Versions", { hint: "Every text that was saved, and what was written into KV by hand as far as the gateway saw it." }, place),
    again,
  };
}

/** Who changed a document last, in words; `undefined` where nobody knows. */
export async function lastChange(document, signal) {
  try {
    const tenant = "@operator";
    const { body: head } = await get(`/audit/head${query({ tenant })}`, { signal });
    const { body } = await get(`/audit${query({ tenant, after: Math.max(0, head.seq - NEWEST), limit: NEWEST })}`, { signal });
    const changes = body.data.map((entry) => ({ ...entry, body: JSON.parse(entry.body) }));
    const last = changes.findLast((entry) => entry.kind === "change" && entry.body.what === "document" && entry.body.name === document);
    return last && `The holder of admin token ${last.body.by.replace("token:", "")} saved it ${ago(last.time)} (${time(last.time)}).`;
  } catch {
    return undefined;
  }
}
