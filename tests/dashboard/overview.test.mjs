// The overview: what it shows of the numbers, and how it does without them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { everywhere, settled, shoot, sound, Stage } from "./lib.mjs";
import { metrics, quiet } from "./figures.mjs";

const CONFIG = {
  ok: false, config: "v7", providers: ["openai"],
  problems: [{ document: "routes", path: "/default/targets/0", message: "`opnai` is no provider: is it `openai`?" }],
  warnings: ["The price book is 47 days old: run `cargo xtask prices`."],
};
const answered = (request) => ({ body: metrics(request.url()) });
const routes = { "/metrics*": answered, "/config": { body: CONFIG } };
let stage;
before(async () => { stage = await Stage.start(); });
after(() => stage?.close());

const tile = async (page, name) => {
  const all = await page.locator(".tile").evaluateAll((nodes) => nodes.map((node) => [...node.children].map((child) => child.textContent)));
  return all.find(([title]) => title === name);
};

test("the overview is sound at every width and in both themes", () => everywhere(stage, "overview", "Overview", { routes }));

test("numbers, their charts and what they were made of", async () => {
  const asked = [];
  const page = await stage.open("overview", { routes: { ...routes, "/metrics*": (request) => { asked.push(new URL(request.url()).search); return answered(request); } } });
  await settled(page, "Overview");
  const { total } = metrics("http://x/?window=24h&group_by=route");
  assert.equal((await tile(page, "Requests"))[1], total.requests.toLocaleString("en-US"));
  assert.equal((await tile(page, "Spend"))[1], `$${(total.cost / 1e12).toFixed(2)}`);
  assert.equal(await page.locator("figure.chart").count(), 6);
  await page.getByText("7 d", { exact: true }).click();
  await settled(page);
  assert.match(page.url(), /window=7d/);
  await page.getByText("Providers", { exact: true }).last().click();
  await page.getByRole("link", { name: "own-vllm" }).waitFor();
  assert.deepEqual(asked, ["?window=24h&group_by=route", "?window=7d&group_by=route", "?window=7d&group_by=provider"]);
  assert.equal(await page.getByRole("link", { name: "own-vllm" }).getAttribute("href"), "#/requests?provider=own-vllm");
  await page.reload();
  await settled(page, "Overview");
  assert.equal(asked.at(-1), "?window=7d&group_by=provider");
  await stage.shut(page);
});

test("tables are sorted by their heads", async () => {
  const page = await stage.open("overview", { routes });
  await settled(page, "Overview");
  const names = () => page.locator("main .flush tbody th").allTextContents();
  assert.equal((await names())[0], "default");
  await page.getByRole("button", { name: "Requests" }).click();
  assert.equal((await names())[0], "eu-only");
  assert.equal(await page.locator("[aria-sort]").getAttribute("aria-sort"), "ascending");
  await page.getByRole("button", { name: "Route" }).click();
  assert.equal((await names())[0], "batch-of-the-night");
  await stage.shut(page);
});

test("charts are read under the pointer, by the keyboard, and as tables", async () => {
  const page = await stage.open("overview", { routes });
  await settled(page, "Overview");
  const chart = page.getByRole("slider", { name: "Time to the first token in the last 24 hours" });
  await chart.focus();
  await page.keyboard.press("Home");
  const { points } = metrics("http://x/?window=24h");
  const [first] = points;
  assert.match(await chart.getAttribute("aria-valuetext"), new RegExp(`p50 ${first.first_ms.p50} ms, p95 ${first.first_ms.p95} ms`));
  assert.ok(await chart.locator(".readout").isVisible());
  await page.keyboard.press("ArrowRight");
  assert.equal(await chart.getAttribute("aria-valuenow"), "1");
  await page.keyboard.press("Escape");
  assert.equal(await chart.locator(".readout").isVisible(), false);
  await chart.hover({ position: { x: 300, y: 60 } });
  assert.ok(await chart.locator(".readout").isVisible());
  assert.equal(await page.getByRole("table", { name: "Requests in the last 24 hours", exact: true }).locator("tbody tr").count(), points.length);
  await stage.shut(page);
});

test("what is on its way, what did not come, and another try", async () => {
  let give;
  const slow = new Promise((resolve) => { give = resolve; });
  let isWell = false;
  const page = await stage.open("overview", { routes: { ...routes, "/metrics*": async (request) => { await slow; return isWell ? answered(request) : { status: 503, body: { error: { message: "The metrics object does not answer." } } }; } } });
  await page.locator(".skeleton").first().waitFor();
  await sound(page, "loading");
  give();
  await page.getByText("The metrics object does not answer.").waitFor();
  await sound(page, "failed");
  await shoot(page, "overview-failed");
  isWell = true;
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("figure.chart").first().waitFor();
  await stage.shut(page);
});

test("a refresh changes numbers where they stand, and keeps them when nothing comes", async () => {
  let count = 100;
  let isLost = false;
  const page = await stage.open("overview?window=1h", { routes: { ...routes, "/metrics*": (request) => (isLost ? "lost" : { body: { ...metrics(request.url()), total: { ...metrics(request.url()).total, requests: count } } }) } });
  await settled(page, "Overview");
  const chart = page.getByRole("slider").first();
  await chart.focus();
  await page.keyboard.press("Home");
  await page.clock.install();
  count = 200;
  // Who comes back to the tab sees what is.
  const again = async () => {
    await page.evaluate(() => { document.querySelector(".updated").dataset.at = "1"; document.dispatchEvent(new Event("visibilitychange")); });
  };
  await again();
  await page.locator(".tile dd", { hasText: /^200$/ }).waitFor();
  assert.equal(await chart.getAttribute("aria-valuenow"), "0");
  isLost = true;
  await again();
  await page.getByText(/Not updated/).waitFor();
  assert.equal((await tile(page, "Requests"))[1], "200");
  await stage.shut(page);
});

test("nothing served yet says so and shows the way", async () => {
  const page = await stage.open("overview", { routes: { ...routes, "/metrics*": (request) => ({ body: quiet(request.url()) }), "/config": { body: { ok: true, problems: [], warnings: [], providers: [] } } } });
  await settled(page, "Overview");
  await page.getByText("No requests in the last 24 hours.").first().waitFor();
  assert.equal(await page.getByRole("link", { name: "Send one from the playground" }).getAttribute("href"), "#/playground");
  assert.equal(await page.locator(".notice").count(), 0);
  await sound(page, "quiet");
  await shoot(page, "overview-quiet");
  await stage.shut(page);
});

test("documents that are not in force and warnings stand above all", async () => {
  const page = await stage.open("overview", { routes });
  await settled(page, "Overview");
  const bad = page.getByRole("alert");
  assert.match(await bad.textContent(), /1 document not in force.*routes \/default\/targets\/0: opnai is no provider/);
  assert.match(await page.locator(".notice.warn").textContent(), /The price book is 47 days old/);
  await stage.answer(page, { "/config": "lost" });
  await page.reload();
  await page.getByText(/could not be asked/).waitFor();
  await stage.shut(page);
});

test("the Worker's own numbers: what was served, failed over and failed, and what it cost", async () => {
  const served = await Stage.withTraffic();
  try {
    const deadline = Date.now() + 20_000;
    const told = async () => (await served.gateway.admin("/admin/v1/metrics?window=1h")).total;
    while ((await told()).requests < 10) {
      assert.ok(Date.now() < deadline, "the metrics never had all requests");
      await new Promise((resolve) => { setTimeout(resolve, 250); });
    }
    const page = await served.open("overview?window=1h");
    await settled(page, "Overview");
    const numbers = [];
    for (const name of ["Requests", "Errors", "Failovers", "Availability", "Tokens", "Spend"]) numbers.push((await tile(page, name))[1]);
    // Eight served at 1 200 + 400 in and 300 out: four at the prices of openai, four at those of openai2. One of ten is the caller's own fault.
    assert.deepEqual(numbers, ["10", "1", String((await told()).failovers), "88.88 %", "15.2K", "$0.05"]);
    assert.match(await page.getByRole("row").filter({ hasText: "shaky" }).textContent(), /^shaky4/);
    await sound(page, "the Worker's own numbers");
    await shoot(page, "overview-own");
    await served.shut(page);
  } finally {
    await served.close();
  }
});
