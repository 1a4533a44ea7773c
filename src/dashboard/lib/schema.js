// JSON Schemas of the documents, and what a value has against them, in words.
import { Validator } from "../vendor/cfworker-json-schema/index.js";
import { get } from "./api.js";

/** Errors of a schema that only say that some deeper one failed. */
const FRAMES = new Set(["$ref", "properties", "items", "prefixItems", "allOf", "anyOf", "oneOf"]);
const KINDS = { string: "a string", number: "a number", integer: "a whole number", boolean: "true or false", object: "an object", array: "an array", null: "null" };
const MAX_CHOICES = 12;
/** Errors that are about a member's name. */
const MEMBER = /^Property (?:name )?"(?<name>.*)" does not match (?:additional properties )?schema\.$/s;

const loaded = new Map();

/** The schema that the gateway serves for a document (`routes`, …, `key`). */
export async function load(document, { signal } = {}) {
  if (!loaded.has(document)) loaded.set(document, (await get(`/schema/${document}`, { signal })).body);
  return loaded.get(document);
}

/** What is wrong with a value: `{path, pointer, message}` each, the path as in `smart.targets[0].weight`. */
export function validate(schema, value) {
  const { valid, errors } = new Validator(schema, "2020-12", false).validate(value);
  return valid ? [] : tell(errors, schema);
}

function tell(errors, schema) {
  const out = [];
  const seen = new Set();
  for (const error of narrowed(errors)) {
    const member = MEMBER.exec(error.error)?.groups.name;
    const pointer = decoded(error.instanceLocation) + (member === undefined ? "" : `/${member.replaceAll("~", "~0").replaceAll("/", "~1")}`);
    const message = words(error, schema);
    if (!message || seen.has(`${pointer}\n${message}`)) continue;
    seen.add(`${pointer}\n${message}`);
    out.push({ path: dotted(pointer), pointer, message });
  }
  return out;
}

/** Of alternatives, only what is wrong with the one that was meant; where that is not clear, the choice as one error. */
function narrowed(errors) {
  const choices = errors.filter(({ keyword }) => keyword === "anyOf" || keyword === "oneOf");
  // What a name has against its form is said once, of the name.
  const hidden = new Set(errors.filter(({ keywordLocation }) => keywordLocation.includes("/propertyNames/")));
  for (const choice of choices) {
    const branches = new Map();
    for (const error of errors) {
      const under = error.keywordLocation.startsWith(`${choice.keywordLocation}/`);
      const at = error.instanceLocation;
      const within = at === choice.instanceLocation || at.startsWith(`${choice.instanceLocation}/`);
      if (!under || !within || error === choice) continue;
      const branch = error.keywordLocation.slice(choice.keywordLocation.length + 1).split("/")[0];
      if (!branches.has(branch)) branches.set(branch, []);
      branches.get(branch).push(error);
    }
    const isOther = (error) => error.keyword === "type" && error.instanceLocation === choice.instanceLocation;
    const meant = [...branches.values()].filter((list) => !list.some(isOther));
    const best = meant.length > 1 ? closest(meant, choice) : meant[0];
    for (const list of branches.values()) {
      if (list !== best) for (const error of list) hidden.add(error);
    }
    choice.meant = best;
    choice.branches = meant.length ? meant : [...branches.values()];
  }
  return errors.filter((error) => !hidden.has(error));
}

/** The alternative with the fewest members that are unknown or missing. */
function closest(branches, choice) {
  const here = (list) => list.filter(({ instanceLocation }) => instanceLocation === choice.instanceLocation).length;
  const real = (list) => list.filter(({ keyword }) => !FRAMES.has(keyword));
  if (branches.every((list) => real(list).every(({ keyword }) => keyword === "required"))) return undefined;
  const sorted = branches.toSorted((a, b) => here(a) - here(b));
  return here(sorted[0]) < here(sorted[1]) ? sorted[0] : undefined;
}

function words({ keyword, keywordLocation, error, meant, branches }, schema) {
  const part = at(schema, keywordLocation);
  switch (keyword) {
    case "type": return `This must be ${[part].flat().map((kind) => KINDS[kind] ?? kind).join(" or ")}.`;
    case "enum": return `This must be ${list(part)}.`;
    case "const": return `This must be ${JSON.stringify(part)}.`;
    case "required": {
      const name = /"(.*)"/.exec(error)?.[1];
      return `\`${name}\` is missing.`;
    }
    case "false": return undefined;
    case "propertyNames": {
      const name = MEMBER.exec(error)?.groups.name;
      return `\`${name}\` cannot be a name here${part?.pattern ? `: names have the form \`${part.pattern}\`` : ""}.`;
    }
    case "additionalProperties": {
      if (part !== false) return undefined;
      const name = MEMBER.exec(error)?.groups.name;
      const known = Object.keys(at(schema, keywordLocation.replace(/additionalProperties$/, "properties")) ?? {});
      const near = nearest(name, known);
      return `\`${name}\` is an unknown field. ${near ? `Did you mean \`${near}\`?` : known.length ? `The fields here are: ${known.join(", ")}.` : ""}`.trim();
    }
    case "anyOf":
    case "oneOf": {
      if (meant) return undefined;
      const real = branches.map((list) => list.filter((one) => !FRAMES.has(one.keyword)));
      if (real.every((list) => list.every((one) => one.keyword === "required"))) {
        const sets = real.map((list) => list.map((one) => `\`${/"(.*)"/.exec(one.error)?.[1]}\``).join(" with "));
        return `This needs ${sets.join(", or ")}.`;
      }
      if (real.every((list) => list.some((one) => one.keyword === "type"))) {
        const kinds = real.flatMap((list) => list.filter((one) => one.keyword === "type").flatMap((one) => at(schema, one.keywordLocation)));
        return `This must be ${[...new Set(kinds)].map((kind) => KINDS[kind] ?? kind).join(" or ")}.`;
      }
      return "This is none of the forms that it may have; see the documentation of this field.";
    }
    case "pattern": return `This does not have the form \`${part}\`.`;
    case "minimum": return `This must be at least ${part}.`;
    case "maximum": return `This must be at most ${part}.`;
    case "exclusiveMinimum": return `This must be more than ${part}.`;
    case "minItems": return `This must have at least ${part} ${part === 1 ? "item" : "items"}.`;
    case "maxItems": return `This must have at most ${part} items.`;
    case "minLength": return part === 1 ? "This must not be empty." : `This must have at least ${part} characters.`;
    case "maxLength": return `This must have at most ${part} characters.`;
    case "maxProperties": return `This must have at most ${part} members.`;
    case "minProperties": return `This must have at least ${part} members.`;
    default: return FRAMES.has(keyword) ? undefined : error;
  }
}

const list = (choices) => {
  const shown = choices.slice(0, MAX_CHOICES).map((choice) => JSON.stringify(choice)).join(", ");
  return choices.length === 1 ? shown : `one of ${shown}${choices.length > MAX_CHOICES ? ", …" : ""}`;
};

/** What stands at a keyword's place in a schema: its references are steps of the place. */
function at(schema, location) {
  let here = schema;
  for (const step of location.split("/").slice(1).map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"))) {
    here = step === "$ref" ? at(schema, here?.$ref ?? "#") : here?.[step];
    if (here === undefined) return undefined;
  }
  return here;
}

/** `#/a/b%20c` as a JSON pointer. */
const decoded = (location) => decodeURI(location.slice(1)).replaceAll("%23", "#");

/** A JSON pointer as the gateway writes paths. */
export const dotted = (pointer) => pointer.split("/").slice(1)
  .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
  .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path ? `${path}.${part}` : part), "");

function nearest(name, known) {
  const scored = known.map((other) => [distance(name, other), other]).toSorted(([a], [b]) => a - b);
  const [found] = scored;
  return found && found[0] <= Math.max(1, Math.floor(name.length / 3)) ? found[1] : undefined;
}

/** Insertions, deletions and replacements between two words. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
