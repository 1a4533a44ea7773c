// What is sealed before it is stored: AES-256-GCM under keys that HKDF-SHA-256 derives from a Worker secret, one a purpose.
// A sealed message is a version byte, the nonce, and the ciphertext with its tag. What fails rejects with one word.
const VERSION = 1;
const NONCE_BYTES = 12;
// Below this a secret was thought up, and could be guessed by whoever reads what is stored.
const LEAST_CHARACTERS = 32;
// A secret of the Secrets Store may change under a Worker that runs.
const STORE_MS = 60_000;
const CURRENT = "ENCRYPTION_SECRET";
const PREVIOUS = "ENCRYPTION_SECRET_PREVIOUS";

const utf8 = new TextEncoder();
const keys = new Map();

// Resolved before it is kept: no request may wait for a promise of another's.
async function keyOf(env, name, purpose) {
  const bound = env[name];
  const slot = `${name} ${purpose}`;
  const known = keys.get(slot);
  if (known && known.bound === bound && (typeof bound === "string" || Date.now() - known.at < STORE_MS)) return known.key;
  const secret = String((await (bound?.get ? bound.get() : bound)) ?? "").trim();
  if (secret.length < LEAST_CHARACTERS) return undefined;
  const root = await crypto.subtle.importKey("raw", utf8.encode(secret), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8.encode(`portolan ${purpose}`) };
  const key = await crypto.subtle.deriveKey(derivation, root, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  keys.set(slot, { bound, key, at: Date.now() });
  return key;
}

const algorithm = (iv, associated) => ({ name: "AES-GCM", iv, additionalData: utf8.encode(`${VERSION} ${associated}`) });

// Seals bytes so that they open only with the same purpose and the same associated text.
export async function seal(env, purpose, associated, bytes) {
  const key = await keyOf(env, CURRENT, purpose).catch(() => { throw "unreadable"; });
  if (!key) throw "missing";
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const text = await crypto.subtle.encrypt(algorithm(nonce, associated), key, bytes);
  const sealed = new Uint8Array(1 + NONCE_BYTES + text.byteLength);
  sealed[0] = VERSION;
  sealed.set(nonce, 1);
  sealed.set(new Uint8Array(text), 1 + NONCE_BYTES);
  return sealed;
}

// Opens what `seal` made, with today's secret or the one before it.
export async function open(env, purpose, associated, sealed) {
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  if (sealed[0] !== VERSION || nonce.length < NONCE_BYTES) throw "foreign";
  let any = false;
  for (const name of [CURRENT, PREVIOUS]) {
    const key = await keyOf(env, name, purpose).catch(() => { throw "unreadable"; });
    if (!key) continue;
    any = true;
    try {
      return new Uint8Array(await crypto.subtle.decrypt(algorithm(nonce, associated), key, sealed.subarray(1 + NONCE_BYTES)));
    } catch {
      // Another key sealed it, or somebody changed it: AES-GCM tells these two apart for nobody.
    }
  }
  throw any ? "foreign" : "missing";
}
