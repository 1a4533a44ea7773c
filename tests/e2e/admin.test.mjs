// The admin API on the built Worker: versions of documents, writes that are only tried, and what is served beside the Worker.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";

import { send } from "./lib/client.mjs";
import { ADMIN, Gateway, SETTINGS, lanes } from "./lib/gateway.mjs";
import { SHAPES, speak } from "./lib/shapes.mjs";
import { forever, json, stream } from "./lib/upstream.mjs";

const gateway = await Gateway.start({
  assets: true,
  documents: (origin) => ({ settings: SETTINGS, ...lanes(origin, { one: ["openai"] }) }),
});
after(() => gateway.stop());
gateway.upstream.script("one-openai", forever(speak(SHAPES.openai, { text: "one" }, { json, stream })));

const call = (path, options = {}) => send(gateway.url(`/admin/v1/${path}`), { key: ADMIN, ...options });
const versions = async (document) => (await call(`config/versions?document=${document}`)).json.data;
const ask = (model) => gateway.send("/v1/chat/completions", { body: { model, messages: [{ role: "user", content: "Hello" }] } });

describe("versions", () => {
  const two = JSON.stringify({ one: { targets: ["one-openai/m"] }, two: { targets: ["one-openai/m"] } });

  test("what KV held at first is the first one", async () => {
    assert.equal((await ask("one")).status, 200);
    const [first, ...more] = await versions("routes");
    assert.deepEqual([first.document, first.by, first.current, more.length], ["routes", "kv", true, 0]);
    assert.ok(Math.abs(Date.now() - first.at) < 600_000, "when it was seen");
    const shown = await call(`config/versions/${first.version}?document=routes`);
    assert.equal(shown.text, await gateway.stored("routes"));
    assert.equal(shown.headers.etag, (await call("routes")).headers.etag);
  });

  test("a dry run says what would be, and writes nothing", async () => {
    const before = await gateway.stored("routes");
    const tried = await call("routes?dry_run=true", { method: "PUT", body: two });
    assert.deepEqual([tried.status, tried.json.document, tried.json.dry_run], [200, "routes", true], tried.text);
    assert.equal(tried.json.in_force, undefined);
    const bad = await call("routes?dry_run=true", { method: "PUT", body: '{"one":{"targets":["nobody/m"]}}' });
    assert.deepEqual([bad.status, bad.json.problems[0].path], [400, "one.targets[0]"], bad.text);
    assert.equal((await call("routes?dry_run=true", { method: "PUT", body: two, headers: { "if-match": '"other"' } })).status, 412);
    assert.equal((await call("routes?dryrun=true", { method: "PUT", body: two, headers: { "if-match": "*" } })).status, 400);
    assert.equal(await gateway.stored("routes"), before);
    assert.equal((await versions("routes")).length, 1);
    assert.equal((await ask("two")).status, 404);
  });

  test("a write makes one, says what it changed, and is taken back", async () => {
    const { etag } = (await call("routes")).headers;
    const written = await call("routes", { method: "PUT", body: two, headers: { "if-match": etag } });
    assert.equal(written.status, 200, written.text);
    assert.equal((await ask("two")).status, 200);
    const [second, first] = await versions("routes");
    assert.deepEqual([second.by, second.current, first.current], ["api", true, false]);
    const expected = [{ path: "/two", op: "add", is: { targets: ["one-openai/m"] } }];
    const diff = (await call(`config/versions/${second.version}/diff?document=routes`)).json;
    assert.deepEqual(diff, { document: "routes", from: first.version, to: second.version, changes: expected });
    const back = (await call(`config/versions/${first.version}/diff?document=routes&against=current`)).json;
    assert.deepEqual([back.from, back.changes.map(({ op, path }) => `${op} ${path}`)], ["current", ["remove /two"]]);

    const revert = (headers, query = "") => call(`config/versions/${first.version}/revert?document=routes${query}`, { method: "POST", headers });
    assert.equal((await revert({})).status, 428);
    assert.equal((await revert({ "if-match": etag })).status, 412);
    const headers = { "if-match": written.headers.etag };
    assert.equal((await revert(headers, "&dry_run=true")).json.dry_run, true);
    assert.equal((await ask("two")).status, 200);
    const reverted = await revert(headers);
    assert.deepEqual([reverted.status, reverted.headers.etag], [200, etag], reverted.text);
    assert.equal((await ask("two")).status, 404);
    assert.equal((await versions("routes")).length, 3);
    const { data } = (await call("audit?tenant=@operator")).json;
    assert.ok(JSON.stringify(data.at(-1)).includes("revert"), JSON.stringify(data.at(-1)));
  });

  test("an edit past the API is one too, and one that does not hold together is none", async () => {
    // Not a text that the API replaced: KV would be taken to lag behind.
    const three = JSON.stringify({ one: { targets: ["one-openai/m"] }, three: { targets: ["one-openai/m"] } });
    await gateway.restart({ routes: three });
    assert.equal((await ask("three")).status, 200);
    const [newest] = await versions("routes");
    assert.deepEqual([newest.by, newest.current, newest.bytes], ["kv", true, three.length]);
    const count = (await versions("routes")).length;
    await gateway.restart({ routes: "{" });
    assert.equal((await ask("three")).status, 200, "the last good one");
    assert.equal((await versions("routes")).length, count);
    await gateway.restart({ routes: three });
  });

  for (const [path, status] of [
    ["config/versions", 400],
    ["config/versions?document=keys", 400],
    ["config/versions?document=routes&limit=1", 400],
    ["config/versions/999?document=routes", 404],
    ["config/versions/999/diff?document=routes", 404],
    ["config/versions/1/diff?document=routes&against=yesterday", 400],
    ["config/versions/x?document=routes", 404],
  ]) {
    test(`${path}: ${status}`, async () => {
      const answer = await call(path);
      assert.equal(answer.status, status, answer.text);
      assert.ok(answer.json.error.message);
    });
  }
});

describe("files", () => {
  test("schemas and the API's description, for whoever holds the token", async () => {
    for (const name of ["routes", "providers", "settings", "prices", "budgets", "key"]) {
      const answer = await call(`schema/${name}`);
      assert.equal(answer.headers["content-type"], "application/schema+json");
      assert.deepEqual(answer.json, JSON.parse(readFileSync(new URL(`../../schema/${name}.json`, import.meta.url), "utf8")));
    }
    assert.equal((await call("schema/keys")).status, 404);
    assert.equal((await call("openapi.json")).json.openapi, "3.1.0");
    assert.equal((await send(gateway.url("/admin/v1/openapi.json"))).status, 401);
  });

  test("a wrong method is told the right ones", async () => {
    const answer = await call("routes", { method: "DELETE" });
    assert.deepEqual([answer.status, answer.headers.allow], [405, "GET, PUT"]);
  });

  test("the dashboard, with strict headers and without the Worker", async () => {
    const page = await send(gateway.url("/dashboard/"));
    assert.equal(page.status, 200);
    assert.match(page.headers["content-type"], /^text\/html/);
    assert.match(page.headers["content-security-policy"], /^default-src 'none'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'$/);
    for (const [name, value] of Object.entries({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    })) {
      assert.equal(page.headers[name], value, name);
    }
    assert.equal(page.headers["x-request-id"], undefined, "the Worker did not see it");
    const moved = await send(gateway.url("/dashboard"));
    assert.deepEqual([moved.status, moved.headers.location], [307, "/dashboard/"]);
    assert.equal((await send(gateway.url("/dashboard/schema/routes.json"))).status, 200);
    for (const path of ["/dashboard/nothing", "/_headers", "/openapi.json", "/schema/routes.json"]) {
      assert.equal((await send(gateway.url(path))).status, 404, path);
    }
  });

  test("its own page may call, and nobody else's", async () => {
    const { origin } = new URL(gateway.origin);
    const from = (site, origin) => call("config", { headers: { "sec-fetch-site": site, ...(origin && { origin }) } });
    assert.equal((await from("same-origin", origin)).status, 200);
    for (const [site, page] of [["cross-site", "https://evil.example"], ["same-site", `${origin}0`], ["none", "null"]]) {
      assert.equal((await from(site, page)).status, 403, page);
    }
  });
});
