// Distinctive words, one for every place where content can stand, and the search for them in whatever was stored.
//
// A canary is letters and digits only: no escape of JSON, of URLs or of base64 changes it. Its middle names its place.
import { readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";

const MARK = "QxKanarie";
const END = "Zz";
const PATTERN = new RegExp(`${MARK}([A-Za-z0-9]+?)${END}`, "gi");

/** The word of a place: `word("system")`. */
export const word = (place) => `${MARK}${place}${END}`;

/** A text with the word at both ends, so that neither half of it is innocent. */
export const text = (place) => `${word(place)} is what was said here, and ${word(place)}`;

/** Base64 of it: at each of the three ways its bytes may be aligned, what does not depend on its neighbours. */
const ENCODED = [0, 1, 2].map((shift) => {
  const bytes = Buffer.from(`${"\0".repeat(shift)}${MARK}`);
  const whole = bytes.toString("base64");
  return whole.slice(shift === 0 ? 0 : shift + 1, whole.length - 4);
});

/** The places whose words stand in a text or in bytes, also encoded. */
export function found(haystack) {
  const bytes = Buffer.isBuffer(haystack) ? haystack.toString("latin1") : String(haystack);
  const places = new Set();
  for (const [, place] of bytes.matchAll(PATTERN)) places.add(place);
  // A part of one, where the rest was cut off.
  const parts = bytes.split(new RegExp(MARK, "i")).length - 1;
  const whole = [...bytes.matchAll(PATTERN)].length;
  if (parts > whole) places.add("(cut)");
  if (ENCODED.some((encoded) => bytes.includes(encoded))) places.add("(base64)");
  if (bytes.toLowerCase().includes(Buffer.from(MARK).toString("hex"))) places.add("(hex)");
  return [...places];
}

/** Every file below a folder, with its bytes: databases, their logs, blobs. */
export function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    return statSync(file).isDirectory() ? files(file) : [{ file, bytes: readFileSync(file) }];
  });
}

/** `[path, place]` of every canary in a JSON value, in its names as in its values. */
export function within(value, at = "") {
  if (Array.isArray(value)) return value.flatMap((item) => within(item, `${at}[]`));
  if (value && typeof value === "object") {
    return Object.entries(value).flatMap(([key, inner]) => [
      ...found(key).map((place) => [`${at}.(name)`, place]),
      ...within(inner, `${at}.${key}`),
    ]);
  }
  return found(value).map((place) => [at, place]);
}
