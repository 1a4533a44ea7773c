// The dashboard's pages of requests, spending, keys, audit and the playground, against the built Worker.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ADMIN, KEY } from "../e2e/lib/gateway.mjs";
import { Stage, eventually, everywhere, settled, shoot, sound } from "./lib.mjs";

const ROUTES = {
  smart: { targets: ["mock/flaky", "mock/lorem"] },
  slow: { targets: ["mock/lorem?first_ms=1200&words=30"] },
};
const PRICES = { "mock/lorem": { input: 1, output: 10, date: "2026-11-01", source: "https://example.com/contract" } };
const PROMPT = "CANARY-PROMPT-6d1e";

let stage;
const ids = {};
before(async () => {
  stage = await Stage.start({ documents: () => ({ routes: ROUTES, prices: PRICES, settings: { timeouts: { first_token_ms: 4000 } } }) });
  ids.smart = await call("smart", { stream: true });
  ids.slow = await call("slow", { stream: true });
  ids.unknown = await call("nothing/here");
  ids.failed = await call("mock/flaky?fail=503");
  await Promise.all(Object.values(ids).map(recorded));
});
after(() => stage?.close());

async function call(model, more = {}, key = KEY) {
  const answer = await fetch(stage.gateway.url("/v1/chat/completions"), {
    method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: PROMPT }], ...more }),
  });
  await answer.text();
  return answer.headers.get("x-request-id");
}

/** Its record is in the journal. */
async function recorded(id) {
  for (let turn = 0; turn < 60; turn += 1) {
    const answer = await fetch(stage.gateway.url(`/admin/v1/requests/${id}`), { headers: { authorization: `Bearer ${ADMIN}` } });
    if (answer.ok && (await answer.json()).data?.length) return;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error(`no record of ${id}`);
}

const rows = (page) => page.locator("table.requests tbody tr");

describe("requests", () => {
  test("are listed with how they ended, and filtered by what is in the address", async () => {
    const page = await stage.open("requests");
    await settled(page, "Requests");
    assert.ok(await rows(page).count() >= 4);
    const smart = rows(page).filter({ hasText: "smart" });
    assert.match(await smart.innerText(), /200[^]*mock\/lorem[^]*1\s+failover/);
    await page.getByText("More filters").click();
    await page.getByLabel("Fault", { exact: true }).selectOption("caller");
    await page.waitForURL(/fault=caller/);
    await settled(page);
    await page.waitForFunction(() => document.querySelectorAll("table.requests tbody tr").length === 1);
    assert.match(await rows(page).innerText(), /404 refused[^]*nothing\/here/);
    await page.reload();
    await settled(page, "Requests");
    assert.equal(await rows(page).count(), 1);
    await page.getByLabel("Fault", { exact: true }).selectOption("");
    await page.getByLabel("Failed over only").check();
    await rows(page).filter({ hasText: "smart" }).first().waitFor();
    await eventually(async () => assert.equal(await rows(page).filter({ hasText: "nothing/here" }).count(), 0));
    await page.getByLabel("Id", { exact: true }).fill("nobody");
    await page.getByText("No request is like this.").waitFor();
    await stage.shut(page);
  });

  test("come by themselves, until it is paused", async () => {
    const page = await stage.open("requests?route=slow");
    await settled(page, "Requests");
    const had = await rows(page).count();
    await call("slow");
    await page.waitForFunction((count) => document.querySelectorAll("table.requests tbody tr").length > count, had);
    await page.waitForFunction(() => /1 new request/.test(document.getElementById("announcer").textContent));
    await page.getByRole("button", { name: "Live: pause" }).click();
    await recorded(await call("slow"));
    await page.waitForTimeout(2_500);
    assert.equal(await rows(page).count(), had + 1);
    await page.getByRole("button", { name: "Paused: go live" }).click();
    await page.waitForFunction((count) => document.querySelectorAll("table.requests tbody tr").length === count, had + 2);
    await stage.shut(page);
  });

  test("have older ones a page further on", async () => {
    const record = (n) => ({ time: Date.now() - n * 1000, id: `req_${n}`, key: "k", tenant: "default", asked: "m", route: "", tries: [], status: 200, outcome: "ok", total_ms: 5, first_ms: null, usage: null, cost: null });
    const asked = [];
    const routes = { "/requests?*": (request) => {
      const query = new URL(request.url()).searchParams;
      asked.push(query.get("before"));
      if (query.get("after")) return { body: { data: [], next: null, newest: query.get("after") } };
      return { body: query.get("before") ? { data: [record(51)], next: null, newest: "n" } : { data: Array.from({ length: 50 }, (_, n) => record(n)), next: "c50", newest: "n" } };
    } };
    const page = await stage.open("requests", { routes });
    await settled(page, "Requests");
    await page.getByRole("button", { name: "Older requests" }).click();
    await page.getByText("51 requests shown, the oldest included").waitFor();
    assert.ok(asked.includes("c50"), asked.join());
    assert.ok(!(await page.getByRole("button", { name: "Older requests" }).isVisible()));
    await stage.shut(page);
  });
});

describe("one request", () => {
  const opened = [
    ["smart", "a failover", /mock\/flaky failed, and mock\/lorem answered/],
    ["slow", "a slow first token", /mock\/lorem\?first_ms=1200&words=30 took \d+(\.\d+)? s to its first token/],
    ["unknown", "the caller's fault", /The caller: the gateway refused the request \(404\)/],
    ["failed", "the provider's fault", /1 provider target failed: the caller got 503/],
  ];
  for (const [name, what, verdict] of opened) {
    test(`tells of ${what}`, async () => {
      const page = await stage.open(`requests/${ids[name]}`);
      await page.locator(".verdict").waitFor();
      assert.match(await page.locator(".verdict").innerText(), verdict);
      await stage.shut(page);
    });
  }

  test("shows its tries, its decision made again, and its record", async () => {
    const page = await stage.open(`requests/${ids.smart}`);
    const tries = page.getByRole("region", { name: "Tries in the order in which they were sent" });
    await tries.waitFor();
    assert.match(await tries.innerText(), /mock\/flaky[^]*503 failed[^]*mock\/lorem[^]*200 answered/);
    assert.ok(await page.locator("svg.timeline rect").count() >= 3);
    await page.getByRole("button", { name: "Decide again" }).click();
    await page.getByText("The same decision").first().waitFor();
    await page.getByText("Show it as JSON").click();
    const raw = await page.getByLabel("The record as JSON", { exact: true }).innerText();
    assert.equal(JSON.parse(raw).id, ids.smart);
    assert.ok(!raw.includes(PROMPT));
    await stage.shut(page);
  });

  test("that nobody knows is said to be unknown", async () => {
    const page = await stage.open("requests/req_nobody", { routes: { "/requests/req_nobody": { status: 404, body: { error: { message: "none" } } } } });
    await page.getByText("There is no record of req_nobody").waitFor();
    await stage.shut(page);
  });
});

describe("spending", () => {
  test("is summed, narrowed and downloaded", async () => {
    const page = await stage.open("spend?by=route");
    await settled(page, "Spend");
    const table = page.getByRole("region", { name: "Spend by route" });
    assert.match(await table.innerText(), /slow[^]*\$0\.00\d/);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download as CSV" }).click()]);
    assert.match(download.suggestedFilename(), /^spend-by-route-.*\.csv$/);
    await table.getByRole("button", { name: "smart", exact: true }).click();
    await page.waitForURL(/route=smart/);
    await settled(page);
    await eventually(async () => assert.match(await page.getByRole("region", { name: "Spend by model" }).innerText(), /lorem/));
    await page.getByRole("button", { name: "Take the filter route smart away" }).click();
    await page.waitForFunction(() => !location.hash.includes("route=smart"));
    await stage.shut(page);
  });
});

describe("a key", () => {
  test("is made, used, changed, disabled and deleted", async () => {
    const page = await stage.open("keys");
    await settled(page, "Keys");
    await page.getByRole("button", { name: "New key" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("alice");
    await dialog.getByRole("textbox", { name: "Models" }).fill("mock/echo, mock/lorem");
    await dialog.getByLabel("Requests a minute").fill("100");
    await dialog.getByRole("button", { name: "Make the key" }).click();
    const shown = page.getByRole("dialog", { name: "Copy this key now" });
    const key = await shown.getByLabel("Gateway key").inputValue();
    assert.match(key, /^pk-v1_/);
    await sound(page, "a new key");
    await shoot(page, "key-dialog");
    await shown.getByRole("button", { name: "I have it" }).click();
    await settled(page, "alice");
    await shoot(page, "key");
    await eventually(async () => assert.ok(!(await page.content()).includes(key)));
    assert.ok(await call("mock/echo", {}, key));
    const status = async (model = "mock/echo") => (await stage.gateway.send("/v1/chat/completions", { key, body: { model, messages: [{ role: "user", content: "x" }] } })).status;
    assert.equal(await status(), 200);
    assert.equal(await status("mock/json"), 403);

    await page.getByRole("textbox", { name: "Models" }).fill("mock/*");
    await page.getByLabel("Requests a minute").fill("0");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: /requests_per_minute|at least|from 1|number/ }).or(page.locator("[aria-invalid=true]")).first().waitFor();
    assert.equal(await status("mock/json"), 403);
    await page.getByLabel("Requests a minute").fill("200");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved. It holds everywhere within 5 s.").waitFor();
    assert.equal(await status("mock/json"), 200);

    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await page.locator(".facts .badge", { hasText: "disabled" }).waitFor();
    assert.equal(await status(), 401);
    await page.getByRole("button", { name: "Enable" }).click();
    await page.locator(".facts .badge", { hasText: "active" }).waitFor();
    assert.equal(await status(), 200);

    await page.getByRole("button", { name: "Rotate" }).click();
    await page.getByLabel("The old key ends").selectOption("0");
    await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
    const next = page.getByRole("dialog", { name: "Copy this key now" });
    assert.notEqual(await next.getByLabel("Gateway key").inputValue(), key);
    await next.getByRole("button", { name: "I have it" }).click();
    await page.getByText("Replaces", { exact: true }).waitFor();
    assert.equal(await status(), 401);

    await page.getByRole("button", { name: "Delete" }).click();
    const last = page.getByRole("dialog");
    await last.getByRole("button", { name: "Delete" }).click();
    await last.getByText("This is not alice.").waitFor();
    await last.getByRole("textbox").fill("alice");
    await last.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 1, name: "Keys" }).waitFor();
    await stage.shut(page);
  });
});

describe("the playground", () => {
  test("tells what would happen, streams, and shows what was decided", async () => {
    const page = await stage.open("playground");
    await settled(page, "Playground");
    await page.getByLabel("Gateway key").fill(KEY);
    await page.getByText(/\d+ names this key may ask for/).waitFor();
    await page.getByLabel("Model or route").fill("smart");
    await page.getByRole("button", { name: "What would happen?" }).click();
    const plan = page.getByRole("region", { name: "Targets in the order in which they would be tried" });
    await plan.waitFor();
    assert.match(await plan.innerText(), /mock\/flaky[^]*priority 1[^]*mock\/lorem[^]*priority 2/);
    await page.getByRole("button", { name: "Send" }).click();
    await page.waitForFunction(() => document.querySelector(".answer[aria-busy]")?.textContent.length > 20);
    await page.waitForFunction(() => document.querySelector(".answer:not([aria-busy])"));
    assert.match(await page.locator(".answer").innerText(), /lorem/i);
    await page.getByText("mock/lorem", { exact: true }).first().waitFor();
    await page.getByRole("link", { name: "Open its record" }).waitFor();
    await page.getByText(/\d+ headers/).click();
    assert.match(await page.getByRole("region", { name: "Headers of the answer" }).innerText(), /x-portolan-attempts/);
    await sound(page, "an answer in the playground");
    await shoot(page, "playground-answer");
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    assert.ok(!kept.includes(KEY), kept);
    await stage.shut(page);
  });

  test("cancels, and shows a refusal", async () => {
    const page = await stage.open("playground");
    await settled(page, "Playground");
    await page.getByLabel("Gateway key").fill(KEY);
    await page.getByLabel("Model or route").fill("mock/lorem?pace_ms=500&words=100");
    await page.getByRole("button", { name: "Send" }).click();
    await page.waitForFunction(() => document.querySelector(".answer")?.textContent.length > 3);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.locator(".badge", { hasText: "Cancelled." }).waitFor();
    await page.getByLabel("Model or route").fill("nobody/knows");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator(".answer .wrong").waitFor();
    assert.match(await page.locator(".answer .wrong").innerText(), /nobody/);
    await page.getByLabel("Gateway key").fill("pk-wrong-key-of-nobody-here");
    await page.locator("[aria-invalid=true]").waitFor();
    await stage.shut(page);
  });
});

describe("audit", () => {
  test("has who changed what, and says whether the chain holds", async () => {
    const page = await stage.open("audit?tenant=default");
    await settled(page, "Audit");
    const entries = page.getByRole("region", { name: "Entries of default, newest first" });
    await entries.waitFor();
    await eventually(async () => assert.match(await entries.innerText(), /delete key/));
    await eventually(async () => assert.match(await entries.innerText(), /req_/));
    await page.getByLabel("Show").selectOption("change");
    await eventually(async () => assert.doesNotMatch(await entries.innerText(), /req_/));
    await page.getByRole("button", { name: "Verify the chain" }).click();
    await page.locator(".badge", { hasText: "The chain holds" }).waitFor();
    await stage.shut(page);
  });
});

describe("every page", () => {
  for (const [hash, heading] of [["requests", "Requests"], ["spend", "Spend"], ["keys", "Keys"], ["playground", "Playground"], ["audit?tenant=default", "Audit"]]) {
    test(`is sound at both widths in both themes: ${hash}`, () => everywhere(stage, hash, heading));
    test(`says what went wrong: ${hash}`, async () => {
      if (hash === "playground") return;
      const path = hash.split("?")[0];
      const called = { requests: "/requests*", spend: "/usage*", keys: "/keys*", audit: "/audit*" }[path];
      let broken = true;
      const page = await stage.open(hash, { routes: { [called]: () => (broken ? { status: 500, body: { error: { message: "KV does not answer." } } } : null) } });
      await page.getByText("KV does not answer.").first().waitFor();
      broken = false;
      await page.getByRole("button", { name: "Try again" }).first().click();
      await settled(page, heading);
      assert.equal(await page.getByText("KV does not answer.").count(), 0);
      await stage.shut(page);
    });
  }

  test("is sound: one request", () => everywhere(stage, `requests/${ids.smart}`, /Request of/, { name: "request" }));
});
