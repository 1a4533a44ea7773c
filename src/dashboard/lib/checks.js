// What is wrong with a document as it is typed: its JSON, its schema, and what only the gateway can say.
import { send } from "./api.js";
import { parse, position } from "./jsontext.js";
import { load, validate } from "./schema.js";

/** Long enough that nobody is asked between two strokes. */
const CALM_MS = 500;

/** Problems that a text has by itself, with their lines; `value` where it is JSON. */
export function look(text, schema) {
  const { value, places, problems } = parse(text);
  const found = problems.map((problem) => ({ ...problem, by: "json" }));
  if (value !== undefined && schema) {
    for (const { path, pointer, message } of validate(schema, value)) {
      found.push({ path, message, by: "schema", ...(places.get(pointer) ?? places.get("")) });
    }
  }
  return { value, places, problems: lined(found, text) };
}

/** The gateway's problems, with their lines. */
export function placed(problems, document, text) {
  const { places } = parse(text);
  return lined(problems.map(({ document: whose, path, message }) => {
    const here = whose === document;
    return { path: here ? path : `${whose}: ${path}`, message, by: "gateway", ...(here ? nearest(places, path) : {}) };
  }), text);
}

/** What stands at a path, or at the nearest part of it that there is. */
function nearest(places, path) {
  let part = path;
  while (part) {
    const place = places.get(part);
    if (place) return place;
    part = part.slice(0, Math.max(part.lastIndexOf("."), part.lastIndexOf("["), 0));
  }
  return places.get("") ?? {};
}

const lined = (problems, text) => problems.map((problem) => (
  problem.start === undefined ? problem : { ...problem, ...position(text, problem.start) }
));

/**
 * Looks at a text whenever it is told of one: `onResult({value, problems, warnings, state})` at once with what the text itself
 * shows (`state` is `wrong` or `asking`), and again with the gateway's word (`good`, `wrong`, `unasked`).
 */
export function checker({ document, path, signal, etag, onResult }) {
  let schema;
  let timer;
  let asked;
  let turn = 0;
  const ready = load(document, { signal }).then((loaded) => { schema = loaded; }, () => {});

  async function ask(text, seen) {
    asked?.abort();
    asked = new AbortController();
    const { signal: mine } = asked;
    try {
      const { body } = await send("PUT", `${path}?dry_run=true`, text, { ifMatch: etag(), signal: AbortSignal.any([signal, mine]) });
      onResult({ ...seen, state: "good", warnings: body.warnings ?? [] });
    } catch (error) {
      if (mine.aborted || signal.aborted) return;
      const problems = error.body?.problems;
      if (problems) onResult({ ...seen, state: "wrong", problems: placed(problems, document, text), warnings: [] });
      else onResult({ ...seen, state: "unasked", error, warnings: [] });
    }
  }

  return {
    async check(text, { now = false } = {}) {
      clearTimeout(timer);
      asked?.abort();
      const mine = (turn += 1);
      await ready;
      if (mine !== turn) return;
      const seen = look(text, schema);
      if (seen.problems.length) {
        onResult({ ...seen, state: "wrong", warnings: [] });
        return;
      }
      onResult({ ...seen, state: "asking", warnings: [] });
      timer = setTimeout(() => ask(text, seen), now ? 0 : CALM_MS);
    },
  };
}
