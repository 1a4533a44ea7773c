// Two people's changes of one document, put together member by member.

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** `{value, conflicts}`: theirs, with my changes of `base` in it. Where both changed one thing mine stands, and it is a conflict. */
export function merge(base, mine, theirs, path = "") {
  if (same(mine, base) || same(mine, theirs)) return { value: theirs, conflicts: [] };
  if (same(theirs, base)) return { value: mine, conflicts: [] };
  if (!isObject(mine) || !isObject(theirs)) return { value: mine, conflicts: [path || "the whole document"] };
  const from = isObject(base) ? base : {};
  const out = {};
  const conflicts = [];
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const at = path ? `${path}.${key}` : key;
    const merged = merge(from[key], mine[key], theirs[key], at);
    conflicts.push(...merged.conflicts);
    if (merged.value !== undefined) out[key] = merged.value;
  }
  return { value: out, conflicts };
}

/** Adds members to an object, going into those that are objects on both sides. */
export function extended(value, more) {
  const out = { ...value };
  for (const [key, member] of Object.entries(more)) {
    out[key] = isObject(member) && isObject(out[key]) ? extended(out[key], member) : member;
  }
  return out;
}

/** A name that is not taken: `smart`, `smart-2`, … */
export function free(name, taken) {
  if (!Object.hasOwn(taken, name)) return name;
  for (let n = 2; ; n += 1) if (!Object.hasOwn(taken, `${name}-${n}`)) return `${name}-${n}`;
}
