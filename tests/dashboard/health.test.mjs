// Health: what the regions know, and the operator's word, with made-up regions and with the Worker's own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { everywhere, settled, shoot, sound, Stage } from "./lib.mjs";
import { health } from "./figures.mjs";

const config = { body: { ok: true, problems: [], warnings: [], providers: ["anthropic", "google", "openai", "own-vllm", "unused"] } };
const routes = { "/health**": (request) => (request.method() === "GET" ? { body: health() } : null), "/config": config };
let stage;
before(async () => { stage = await Stage.withTraffic(); });
after(() => stage?.close());

const until = async (what, look) => {
  const end = Date.now() + 15_000;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error(`never: ${what}`);
};
const row = (page, caption, words) => page.getByRole("table", { name: caption }).getByRole("row").filter({ hasText: words });

test("health is sound at every width and in both themes", () => everywhere(stage, "health", "Health", { routes }));

test("a target's page is sound at every width and in both themes", () => everywhere(stage, "health/openai%2Fgpt-5.4", "openai/gpt-5.4", { routes, name: "health-target" }));

test("what is not up comes first, with why and until when", async () => {
  const page = await stage.open("health", { routes });
  await settled(page, "Health");
  assert.match(await page.getByRole("alert").first().textContent(), /4 not taking traffic, 2 with less than usual/);
  assert.match(await row(page, "Targets that are not up", "openai/gpt-5.4").textContent(), /weur.*open.*for 1[0-9] s more.*72 %/);
  assert.match(await row(page, "Targets by region", "gpt-5.4").first().textContent(), /280 ms up.312 ms up.open$/);
  assert.match(await row(page, "Changes of state", "3 failures in a row").textContent(), /openai\/gpt-5.4.*weur.*up.*open/);
  assert.match(await page.locator(".notice.warn").textContent(), /No answer from afr/);
  await page.getByText("Not up", { exact: true }).last().click();
  await page.locator(".matrix tbody[data-provider=unused]").waitFor({ state: "detached" });
  assert.match(page.url(), /show=ill/);
  await stage.shut(page);
});

test("no traffic, no providers, an error and another try", async () => {
  let answer = { status: 500, body: { error: { message: "The regions cannot be asked." } } };
  const page = await stage.open("health", { routes: { "/health**": () => answer, "/config": { body: { ok: true, problems: [], warnings: [], providers: [] } } } });
  await page.getByText("The regions cannot be asked.").waitFor();
  await sound(page, "health failed");
  answer = { body: { regions: {} } };
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("No provider is configured.").waitFor();
  await sound(page, "health without providers");
  await shoot(page, "health-empty");
  await page.evaluate(() => { location.hash = "#/health/gone%2Fmodel"; });
  await page.getByText(/There is no target/).waitFor();
  await stage.shut(page);
});

test("a change of state is told to who does not see it, and focus stays", async () => {
  let now = health();
  const page = await stage.open("health", { routes: { ...routes, "/health**": () => ({ body: now }) } });
  await settled(page, "Health");
  const link = page.locator('.matrix a[href="#/health/openai%2Fgpt-5.4"]');
  await link.focus();
  now = health();
  now.regions.wnam.cells["openai/gpt-5.4"] = { standing: "open", until: Date.now() + 5_000, failed_permille: 900 };
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.getByText("openai/gpt-5.4 in North America, west is now open").waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), "#/health/openai%2Fgpt-5.4");
  await stage.shut(page);
});

test("the Worker's own breakers are shown, and the operator's word is said, holds and is taken back", async () => {
  const { gateway } = stage;
  const known = (test_) => until("what the regions know", async () => {
    const { regions } = await gateway.admin("/admin/v1/health");
    return Object.values(regions).some(test_);
  });
  await known(({ cells }) => cells["shaky-openai/m"]?.standing === "open" || cells["shaky-openai/m"]?.standing === "degraded");
  const page = await stage.open("health");
  await settled(page, "Health");
  await row(page, "Targets that are not up", "shaky-openai/m").waitFor();
  await row(page, "Changes of state", "shaky-openai/m").filter({ hasText: /up.*→.*open.*failures in a row/ }).waitFor();
  await page.getByRole("link", { name: "calm-openai", exact: true }).click();
  await settled(page, "calm-openai");
  await page.getByRole("button", { name: "Drain…" }).click();
  const dialog = page.getByRole("dialog", { name: "Drain calm-openai" });
  await dialog.getByLabel("For how long").selectOption("15 minutes");
  await sound(page, "the operator's dialog");
  await shoot(page, "health-dialog");
  await dialog.getByRole("button", { name: "Drain" }).click();
  await page.getByText("calm-openai is drained in all regions for 15 minutes.").waitFor();
  await known(({ operator }) => operator["calm-openai"]?.action === "drain" && operator["calm-openai"].until < Date.now() + 900_001);
  await row(page, "Words on calm-openai", "drain").first().waitFor();
  await page.getByRole("button", { name: "Reset…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Reset" }).click();
  await page.getByText("calm-openai is reset in all regions.").waitFor();
  await until("the word is taken back", async () => Object.values((await gateway.admin("/admin/v1/health")).regions).every(({ operator }) => !operator["calm-openai"]));
  await page.getByRole("table", { name: "Words on calm-openai" }).waitFor({ state: "hidden" });
  await stage.shut(page);
});

test("a word that is refused stays in its dialog, and one that some regions missed says which", async () => {
  let answer = { status: 400, body: { error: { message: "`for_ms` is too large.", path: "for_ms" } } };
  const page = await stage.open("health/openai", { routes: { "/config": config, "/health**": (request) => (request.method() === "POST" ? answer : { body: health() }) } });
  await settled(page, "openai");
  await page.getByRole("button", { name: "Force open…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Force open" }).click();
  await dialog.getByRole("alert").filter({ hasText: "for_ms" }).waitFor();
  answer = { body: { regions: {}, unreachable: ["afr", "oc"] } };
  await dialog.getByRole("button", { name: "Force open" }).click();
  await page.getByText("Not told: afr, oc.").waitFor();
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Drain…" }).click();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await stage.shut(page);
});
