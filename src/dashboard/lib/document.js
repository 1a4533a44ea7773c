// The editor of one of the operator's documents: checked as it is typed, compared before it is saved, and revertible.
import { append, h, hidden, icon, replace, uid } from "./dom.js";
import { get, send } from "./api.js";
import { checker } from "./checks.js";
import { difference } from "./difference.js";
import { editor } from "./editor.js";
import { bytes, plural } from "./format.js";
import { format, parse } from "./jsontext.js";
import { extended, free, merge } from "./merge.js";
import { announce, badge, button, card, dialog, failed, notice, said, skeleton, toast } from "./ui.js";
import { lastChange, versions } from "./versions.js";

const MAX_SHOWN = 100;
/** Texts that were not saved, for as long as the dashboard is open: looking at another page loses nothing. */
const drafts = new Map();

/**
 * Draws the page of a document into `main`. `document`: its name; `path`: where it is read; `put`: where it is written;
 * `examples`: `[{name, about, key?, value}]`: what a beginner may insert; `after`: nodes below the editor, or a function of the
 * value in force; `help`: nodes above.
 */
export async function documentPage(main, { document, path = `/${document}`, put = `/${document}`, examples = [], help, after, signal }) {
  const place = h("div", { class: "stack" });
  append(main, place);
  const below = h("div", { class: "stack" });

  async function load() {
    replace(place, skeleton(8));
    try {
      const found = await read(path, signal);
      if (!signal.aborted) draw(found);
    } catch (error) {
      if (!signal.aborted) replace(place, failed(error, load));
    }
  }

  function draw(found) {
    const history = versions({ document, path, put, signal, current: () => form.etag(), onReverted: load });
    const form = documentForm({ document, path, put, found, examples, signal, onSaved: () => { history.again(); follow(); } });
    const follow = () => {
      if (after) replace(below, after(parse(form.saved()).value));
    };
    replace(place, help, form.node, below, history.node);
    follow();
  }
  await load();
}

/** `{text, etag, isNew}`: a document that is not there yet is an empty object. */
async function read(path, signal) {
  try {
    const { text, etag } = await get(path, { signal });
    return { text, etag, isNew: false };
  } catch (error) {
    if (error.status !== 404) throw error;
    return { text: "{}\n", etag: null, isNew: true };
  }
}

function documentForm({ document, path, put, found, examples, signal, onSaved }) {
  let { text: base, etag, isNew } = found;
  let last = { state: "asking", problems: [], warnings: [] };
  const draft = drafts.get(document);
  const status = h("div", { class: "checked", role: "status" });
  const list = h("ul", { class: "problems", "aria-label": "Problems" });
  const remark = h("div", { class: "stack" });
  const describedBy = uid("check");
  status.id = describedBy;

  const check = checker({ document, path: put, signal, etag: () => etag, onResult: shown });
  const edit = editor({
    value: draft?.text ?? base, label: `The document ${document}, JSON`, describedBy, onInput: changed, onSave: () => review(),
  });
  const saveButton = button("Review and save", { kind: "primary", onclick: () => review() });
  const dropButton = button("Discard changes", { sign: "undo", onclick: () => edit.set(base) });
  const formatButton = button("Format", { onclick: tidy });

  function changed(text) {
    if (text === base) drafts.delete(document);
    else drafts.set(document, { text, etag, base });
    saveButton.disabled = text === base && !isNew;
    dropButton.disabled = text === base;
    check.check(text);
  }

  function shown(result) {
    last = result;
    const { problems, warnings, state, error } = result;
    const rows = [...problems, ...warnings.map((message) => ({ message, by: "warning", path: "" }))];
    edit.mark(new Map(problems.filter(({ line }) => line).map(({ line }) => [line, "error"])));
    replace(status, standing(state, problems, warnings, error));
    replace(list, rows.slice(0, MAX_SHOWN).map(problemRow), rows.length > MAX_SHOWN && h("li", {}, `… and ${rows.length - MAX_SHOWN} more`));
    list.hidden = !rows.length;
  }

  function problemRow({ path: where, message, line, start, end, by }) {
    const words = [where && h("code", {}, where), where && " ", said(message)];
    if (by === "warning") return h("li", { class: "warn" }, icon("info", 14), h("span", {}, hidden("Warning: "), words));
    if (start === undefined) return h("li", {}, icon("alert", 14), h("span", {}, words));
    const go = () => edit.go(start, Math.min(end, firstLineEnd(edit.text(), start)));
    return h("li", {}, icon("alert", 14), h("button", { type: "button", class: "link", onclick: go }, `Line ${line}`), h("span", {}, words));
  }

  function tidy() {
    const { value, problems } = parse(edit.text());
    const [wrong] = problems;
    if (wrong) {
      toast(`Nothing was formatted: ${wrong.message}`, "bad");
      if (wrong.start !== undefined) edit.go(wrong.start, wrong.end);
      return;
    }
    const tidied = `${format(value)}\n`;
    if (tidied !== edit.text()) edit.insert(tidied, 0, edit.text().length);
    announce("Formatted.");
  }

  async function review() {
    const text = edit.text();
    if (text === base && !isNew) {
      toast("There is nothing to save: the text is what is in force.");
      return;
    }
    if (last.state === "wrong") {
      const [wrong] = last.problems;
      toast(`Nothing was written: ${plural(last.problems.length, "problem")} to mend first.`, "bad");
      if (wrong?.start !== undefined) edit.go(wrong.start, Math.min(wrong.end, firstLineEnd(text, wrong.start)));
      return;
    }
    let refusal;
    const answer = await dialog({
      title: isNew ? `Make the document ${document}` : `Save ${document}`,
      wide: true,
      body: [
        h("p", {}, isNew ? "There is none yet: the defaults hold. This is what would hold from now on." : "This is what would change. Every isolate follows within five seconds."),
        difference(isNew ? "" : base, text, { label: `Changes of ${document}` }),
        last.warnings.length ? notice("warn", h("ul", {}, last.warnings.map((warning) => h("li", {}, said(warning))))) : null,
      ],
      actions: [
        { label: "Cancel" },
        { label: "Save", kind: "primary", run: async () => {
          try {
            return await send("PUT", put, text, { ifMatch: etag });
          } catch (error) {
            if (error.status !== 412 && error.status !== 428 && !error.body?.problems) throw error;
            refusal = error;
            return { refused: true };
          }
        } },
      ],
    });
    if (!answer) return;
    if (!refusal) return written(answer, text);
    if (refusal.body?.problems) {
      check.check(text, { now: true });
      toast("Nothing was written: the gateway refuses this document. The problems are listed below it.", "bad");
      return;
    }
    await overtaken(text);
  }

  function written(answer, text) {
    [base, etag, isNew] = [text, answer.etag, false];
    drafts.delete(document);
    changed(edit.text());
    replace(remark, inForce(answer.body, document));
    toast(`Saved. ${document} is in force.`);
    onSaved();
  }

  /** Somebody else wrote it meanwhile. */
  async function overtaken(mine) {
    const [theirs, who] = await Promise.all([read(path, signal), lastChange(document, signal)]);
    const merged = merge(parse(base).value, parse(mine).value, parse(theirs.text).value);
    const choose = await dialog({
      title: `${document} was changed meanwhile`,
      wide: true,
      body: [
        h("p", {}, who ?? "Somebody saved another text since you read this one.", " Nothing of yours was written."),
        h("h3", {}, "What they changed"),
        difference(base, theirs.text, { label: "Their changes" }),
        merged.conflicts.length
          ? notice("warn", "Both of you changed ", merged.conflicts.map((at, index) => [index > 0 && ", ", h("code", {}, at)]), ": a merge keeps yours there.")
          : notice("info", "Your changes and theirs do not touch the same members: they can be merged."),
      ],
      actions: [
        { label: "Go on editing" },
        { label: "Reload theirs, drop mine", value: "theirs" },
        { label: "Merge mine into theirs", kind: "primary", value: "merge" },
      ],
    });
    if (!choose) return;
    ({ text: base, etag, isNew } = theirs);
    edit.set(choose === "theirs" ? base : `${format(merged.value)}\n`);
    if (choose === "merge") toast("Merged. Review and save it when it is right.");
  }

  function insertExample({ key, value, name }) {
    const { value: now, problems } = parse(edit.text());
    if (problems.length || now === null || typeof now !== "object" || Array.isArray(now)) {
      toast("Mend the JSON first, then insert the example.", "bad");
      return;
    }
    const more = typeof value === "function" ? value(now) : value;
    const whole = key ? { ...now, [free(key, now)]: more } : extended(now, more);
    const text = `${format(whole)}\n`;
    edit.insert(text, 0, edit.text().length);
    const { places } = parse(text);
    const at = places.get(`/${key ? Object.keys(whole).at(-1) : Object.keys(more)[0]}`);
    if (at) edit.go(at.start, at.end);
    announce(`Inserted: ${name}.`);
  }

  const leave = (event) => { if (edit.text() !== base) event.preventDefault(); };
  window.addEventListener("beforeunload", leave, { signal });
  if (draft && draft.text !== base) {
    const isOld = draft.etag !== etag;
    replace(remark, notice(isOld ? "warn" : "info", isOld
      ? "These are your unsaved changes of a text that somebody has changed since. Saving shows you both."
      : "These are your unsaved changes from before."));
    if (isOld) [base, etag] = [draft.base, draft.etag];
  } else if (isNew) {
    replace(remark, notice("info", `There is no document ${document} yet: the defaults hold. Saving makes it.`));
  }
  saveButton.disabled = edit.text() === base && !isNew;
  dropButton.disabled = edit.text() === base;
  check.check(edit.text(), { now: true });

  const node = card(`Edit ${document}`, { hint: "What you type is checked, and nothing is written before you have seen the difference." },
    remark,
    examples.length ? h("details", { class: "examples" }, h("summary", {}, "Insert an example"),
      h("ul", {}, examples.map((example) => h("li", {},
        button(example.name, { small: true, sign: "plus", onclick: () => insertExample(example) }), h("span", {}, example.about))))) : null,
    edit.node,
    status, list,
    h("div", { class: "actions" }, saveButton, dropButton, formatButton, h("span", { class: "muted" }, bytes(new Blob([base]).size), " in force")));
  return { node, etag: () => etag, saved: () => base };
}

function standing(state, problems, warnings, error) {
  if (state === "wrong") return badge("bad", plural(problems.length, "problem"), "bad");
  if (state === "asking") return badge("none", "Checking…", "none");
  if (state === "unasked") return badge("warn", error?.status === 412 ? "Changed by somebody else since you read it" : `Not checked by the gateway: ${error?.message ?? ""}`, "warn");
  return warnings.length ? badge("warn", `Valid, with ${plural(warnings.length, "warning")}`, "warn") : badge("ok", "Valid", "ok");
}

const firstLineEnd = (text, from) => {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
};

/** What a write came to. */
export function inForce(body, document) {
  const { within_ms: within = 5000, not_told: untold = [] } = body?.in_force ?? {};
  if (untold.length) {
    return notice("warn", `${document} is saved. It is in force within ${within / 1000} s, but ${untold.join(", ")} could not be told: `
      + "there it takes KV's own time, about a minute. Save again to tell them.");
  }
  return notice("ok", `${document} is saved, and in force everywhere within ${within / 1000} s`, body?.config ? [" (configuration ", h("code", {}, body.config), ")."] : ".");
}


