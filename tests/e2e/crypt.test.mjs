// What is sealed before it is stored: only the same secret, purpose and owner open it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

// As text: without a `package.json` beside it, older Nodes would not take it for a module.
const source = readFileSync(new URL("../../src/shell/crypt.js", import.meta.url));
const load = (mark) => import(`data:text/javascript,${encodeURIComponent(`${source}\n// ${mark}`)}`);
const { seal, open } = await load("one isolate");

const OLD = "an-encryption-secret-of-forty-characters";
const NEW = "another-encryption-secret-of-43-characters!";
const CANARY = "sk-tenant-canary-3f81";
const bytes = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);
const env = { ENCRYPTION_SECRET: OLD };
const fails = (promise, word) => promise.then(() => assert.fail("it opened"), (error) => assert.equal(error, word));

describe("sealed messages", () => {
  test("come back whole, and show nothing", async () => {
    for (const message of ["", CANARY, "x".repeat(100_000), "grüße 🌍"]) {
      const sealed = await seal(env, "tenant-keys", "acme openai", bytes(message));
      assert.equal(sealed[0], 1);
      assert.equal(sealed.length, 1 + 12 + bytes(message).length + 16);
      if (message) assert.ok(!Buffer.from(sealed).includes(message));
      assert.equal(text(await open(env, "tenant-keys", "acme openai", sealed)), message);
    }
  });

  test("never look the same twice", async () => {
    const nonces = new Set();
    for (let i = 0; i < 200; i += 1) {
      const sealed = await seal(env, "cache", "a", bytes("the same"));
      nonces.add(Buffer.from(sealed.subarray(1, 13)).toString("hex"));
    }
    assert.equal(nonces.size, 200);
  });

  test("open for nobody else", async () => {
    const sealed = await seal(env, "tenant-keys", "acme openai", bytes(CANARY));
    await fails(open(env, "tenant-keys", "globex openai", sealed), "foreign");
    await fails(open(env, "tenant-keys", "acme anthropic", sealed), "foreign");
    await fails(open(env, "cache", "acme openai", sealed), "foreign");
    await fails(open({ ENCRYPTION_SECRET: NEW }, "tenant-keys", "acme openai", sealed), "foreign");
  });

  test("open no more when one bit is changed, wherever", async () => {
    const sealed = await seal(env, "tenant-keys", "acme openai", bytes(CANARY));
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Uint8Array.from(sealed);
      changed[at] ^= 1;
      await fails(open(env, "tenant-keys", "acme openai", changed), "foreign");
    }
    for (const length of [0, 1, 12, 13, 28, sealed.length - 1]) {
      await fails(open(env, "tenant-keys", "acme openai", sealed.subarray(0, length)), "foreign");
    }
  });
});

describe("the secret", () => {
  test("is replaced while the one before still opens", async () => {
    const sealed = await seal(env, "cache", "a", bytes("old"));
    const rotated = { ENCRYPTION_SECRET: NEW, ENCRYPTION_SECRET_PREVIOUS: OLD };
    assert.equal(text(await open(rotated, "cache", "a", sealed)), "old");
    const anew = await seal(rotated, "cache", "a", bytes("new"));
    assert.equal(text(await open({ ENCRYPTION_SECRET: NEW }, "cache", "a", anew)), "new");
    await fails(open(env, "cache", "a", anew), "foreign");
  });

  test("must be there, and long enough", async () => {
    for (const secret of [undefined, "", "short", "x".repeat(31), ` ${"x".repeat(31)} `]) {
      await fails(seal({ ENCRYPTION_SECRET: secret }, "cache", "a", bytes("text")), "missing");
      const sealed = await seal(env, "cache", "a", bytes("text"));
      await fails(open({ ENCRYPTION_SECRET: secret }, "cache", "a", sealed), "missing");
    }
    await seal({ ENCRYPTION_SECRET: "x".repeat(32) }, "cache", "a", bytes("text"));
  });

  test("may stand in the Secrets Store, which is not asked for each message", async () => {
    let asked = 0;
    const store = (value) => ({ get: async () => { asked += 1; return value; } });
    const stored = { ENCRYPTION_SECRET: store(OLD) };
    const sealed = await seal(stored, "cache", "a", bytes("text"));
    for (let i = 0; i < 10; i += 1) assert.equal(text(await open(stored, "cache", "a", sealed)), "text");
    assert.equal(asked, 1);
    assert.equal(text(await open(env, "cache", "a", sealed)), "text");
    const broken = { ENCRYPTION_SECRET: { get: async () => { throw new Error("the store is away"); } } };
    await fails(open(broken, "cache", "a", sealed), "unreadable");
    await fails(seal(broken, "cache", "a", bytes("text")), "unreadable");
  });

  test("opens in another isolate too", async () => {
    const other = await load("another isolate");
    const sealed = await seal(env, "cache", "a", bytes("text"));
    assert.equal(text(await other.open(env, "cache", "a", sealed)), "text");
  });
});
