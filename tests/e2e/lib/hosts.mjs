// What the clouds' own doors need: Amazon's framing and signature, and Google's service accounts, made and checked here.
import { createHash, createHmac, createPublicKey, generateKeyPairSync, verify } from "node:crypto";

// ---- Amazon's event stream: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const uint32 = (value) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value); return bytes; };

/** One message: `headers` are strings by name, `payload` is text or becomes JSON. */
export function message(headers, payload) {
  const fields = Object.entries(headers).flatMap(([name, value]) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(Buffer.byteLength(value));
    return [Buffer.of(Buffer.byteLength(name)), Buffer.from(name), Buffer.of(7), length, Buffer.from(value)];
  });
  const head = Buffer.concat(fields);
  const body = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
  const sizes = Buffer.concat([uint32(12 + head.length + body.length + 4), uint32(head.length)]);
  const all = Buffer.concat([sizes, uint32(crc32(sizes)), head, body]);
  return Buffer.concat([all, uint32(crc32(all))]);
}

const JSON_EVENT = { ":content-type": "application/json", ":message-type": "event" };
export const event = (name, payload) => message({ ":event-type": name, ...JSON_EVENT }, payload);
export const exception = (name, text) => message({ ":exception-type": name, ":content-type": "application/json", ":message-type": "exception" }, { message: text });
/** Another API's event, as Bedrock wraps it. */
export const chunk = (value) => event("chunk", { bytes: Buffer.from(JSON.stringify(value)).toString("base64"), p: "abcdefgh" });
export const EVENT_STREAM = { "content-type": "application/vnd.amazon.eventstream" };

// ---- Amazon's signature: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const strictly = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

/** Whether a request that arrived bears a signature over what arrived: `undefined`, or what is wrong. */
export function faultOfSignature({ method, provider, path, headers, body, at }, { id, secret, region, service }) {
  const [, proof, names, signature] = /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(headers.authorization) ?? [];
  if (!signature) return `authorization: ${headers.authorization}`;
  const stamp = headers["x-amz-date"];
  const date = stamp.slice(0, 8);
  const scope = [date, region, service, "aws4_request"];
  if (proof !== [id, ...scope].join("/")) return `credential: ${proof}`;
  const time = Date.parse(stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(at - time) < 60_000)) return `time: ${stamp}`;
  for (const needed of ["host", "x-amz-date"]) if (!names.split(";").includes(needed)) return `not signed: ${needed}`;
  const [pathname, query = ""] = `/${provider}${path}`.split("?");
  const signed = names.split(";").map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, " ")}\n`);
  const canonical = [method, pathname.split("/").map(strictly).join("/"), query, signed.join(""), names, sha256(body)].join("\n");
  const key = scope.reduce((secretSoFar, word) => hmac(secretSoFar, word), `AWS4${secret}`);
  const expected = hmac(key, ["AWS4-HMAC-SHA256", stamp, scope.join("/"), sha256(canonical)].join("\n")).toString("hex");
  return expected === signature ? undefined : `signature over:\n${canonical}`;
}

// ---- Google's service accounts: https://developers.google.com/identity/protocols/oauth2/service-account#httprest

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** Lines of the private key, none of which may be seen anywhere. */
export const KEY_LINES = privateKey.split("\n").filter((line) => line.length > 32);

/** The JSON key of an account whose tokens come from the scripted upstream `tokens`. */
export const serviceAccount = (origin, tokens, more = {}) => JSON.stringify({
  type: "service_account", project_id: "acme", private_key_id: "key-1", private_key: privateKey,
  client_email: `${tokens}@acme.iam.gserviceaccount.com`, client_id: "1", token_uri: `${origin}/${tokens}/token`, ...more,
});

/** What a request for a token claims, once its signature is proved. */
export function claimed({ method, headers, text }) {
  const form = new URLSearchParams(text);
  const [header, claims, signature] = form.get("assertion").split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
  const genuine = verify("RSA-SHA256", Buffer.from(`${header}.${claims}`), createPublicKey(publicKey), Buffer.from(signature, "base64url"));
  return { method, type: headers["content-type"], grant: form.get("grant_type"), genuine, header: read(header), claims: read(claims) };
}
