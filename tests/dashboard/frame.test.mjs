// The frame: signing in and out, the way about, and what holds on every page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ADMIN } from "../e2e/lib/gateway.mjs";
import { Stage, settled, shoot, sound, THEMES, walk, WIDTHS } from "./lib.mjs";
import { health, metrics } from "./figures.mjs";

const routes = { "/metrics*": (request) => ({ body: metrics(request.url()) }), "/health**": () => ({ body: health() }) };
let stage;
before(async () => { stage = await Stage.start(); });
after(() => stage?.close());

const stored = (page, kind) => page.evaluate((name) => Object.values(globalThis[name]).join(" "), kind);

test("a wrong token says so, the right one lets in, and is forgotten on signing out", async () => {
  const page = await stage.open("health", { token: null, routes });
  await page.getByLabel("Admin token").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText("This is not the admin token.").waitFor();
  assert.equal(await stored(page, "sessionStorage"), "");
  await page.getByLabel("Admin token").fill(` ${ADMIN} `);
  await page.getByRole("button", { name: "Sign in" }).click();
  await settled(page, "Health");
  assert.equal(await stored(page, "sessionStorage"), ADMIN);
  assert.equal(await stored(page, "localStorage"), "");
  assert.equal(await page.evaluate(() => document.cookie), "");
  await page.reload();
  await settled(page, "Health");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Admin token").waitFor();
  assert.equal(await stored(page, "sessionStorage"), "");
  await page.reload();
  await page.getByLabel("Admin token").waitFor();
  await stage.shut(page);
});

for (const [what, answer, words] of [
  ["no token is set", { status: 401, body: { error: { message: "No admin token is set: run `wrangler secret put ADMIN_TOKEN`." } } }, /No admin token is set/],
  ["it was tried too often", { status: 429, body: { error: { message: "Too many wrong tokens: try again in 60 seconds." } } }, /Too many wrong tokens/],
  ["nothing answers", "lost", /cannot be reached/],
]) {
  test(`signing in says that ${what}`, async () => {
    const page = await stage.open("", { token: null, routes: { "/config": answer } });
    await page.getByLabel("Admin token").fill("x");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: words }).waitFor();
    await stage.shut(page);
  });
}

test("a token that is changed meanwhile leads back to signing in", async () => {
  const page = await stage.open("overview", { routes });
  await settled(page, "Overview");
  await stage.answer(page, { "/metrics*": { status: 401, body: { error: { message: "Send the admin token." } } } });
  await page.getByText("1 h", { exact: true }).click();
  await page.getByText(/You were signed out/).waitFor();
  assert.equal(await stored(page, "sessionStorage"), "");
  await stage.shut(page);
});

test("signing in is sound at every width and in both themes", async () => {
  for (const width of WIDTHS) {
    for (const theme of THEMES) {
      const page = await stage.open("", { token: null, width, theme });
      await page.getByLabel("Admin token").waitFor();
      await sound(page, `sign-in at ${width} px, ${theme}`);
      await shoot(page, `sign-in-${width}-${theme}`);
      await stage.shut(page);
    }
  }
});

test("an address that leads nowhere says so, and a page that cannot be loaded can be tried again", async () => {
  const page = await stage.open("nowhere", { routes });
  await settled(page, "Not found");
  await sound(page, "not found");
  let isLost = true;
  await page.route("**/pages/health.js", (route) => (isLost ? route.abort("connectionfailed") : route.fallback()));
  await page.evaluate(() => { location.hash = "#/health"; });
  await page.getByText("That did not work").waitFor();
  // A module that failed once is failed for this document: the browser remembers it.
  isLost = false;
  await page.reload();
  await settled(page, "Health");
  await stage.shut(page);
});

test("everything is reached by the keyboard, in order, and is seen where it is", async () => {
  const page = await stage.open("overview", { routes });
  await settled(page, "Overview");
  const stops = await walk(page);
  assert.deepEqual(stops.filter((stop) => !stop.isSeen || !stop.visible || !stop.name), []);
  const names = stops.map(({ name }) => name);
  assert.equal(names[0], "Skip to content");
  for (const name of ["Overview", "Audit", "Sign out", "24 h", "Requests in the last 24 hours", "Spend in the last 24 hours"]) assert.ok(names.includes(name), `${name} is not among ${names.join(", ")}`);
  await page.keyboard.press("Home");
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await stage.shut(page);
});

test("Ctrl K jumps to a page by its name, and to a request by its id", async () => {
  const page = await stage.open("overview", { routes });
  await settled(page, "Overview");
  await page.keyboard.press("Control+k");
  await sound(page, "jump");
  await page.keyboard.type("heal");
  await page.keyboard.press("Enter");
  await settled(page, "Health");
  assert.equal(await page.title(), "Health · Portolan");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await stage.shut(page);
});

test("at 360 px the way about is a menu that Escape shuts", async () => {
  const page = await stage.open("overview", { routes, width: 360, theme: "dark" });
  await settled(page, "Overview");
  const opener = page.getByRole("button", { name: "Menu" });
  assert.equal(await page.getByRole("navigation").isVisible(), false);
  await opener.click();
  assert.equal(await opener.getAttribute("aria-expanded"), "true");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Overview");
  await sound(page, "the open menu");
  await shoot(page, "menu-360-dark");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("navigation").isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Menu");
  await opener.click();
  await page.getByRole("link", { name: "Health" }).click();
  await settled(page, "Health");
  await page.getByRole("navigation").waitFor({ state: "hidden" });
  await stage.shut(page);
});

test("the theme follows the system until another is chosen, which stays", async () => {
  const page = await stage.open("health", { routes, theme: "dark" });
  await settled(page, "Health");
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  await page.getByRole("button", { name: "Theme: System" }).click();
  const light = await ground();
  assert.notEqual(light, dark);
  await page.reload();
  await settled(page, "Health");
  assert.equal(await ground(), light);
  await page.getByRole("button", { name: "Theme: Light" }).click();
  assert.equal(await ground(), dark);
  await stage.shut(page);
});

test("the files come with a strict policy, and nothing else is among them", async () => {
  for (const file of ["", "app.js", "style.css", "lib/ui.js", "pages/overview.js", "icon.svg"]) {
    const answer = await fetch(`${stage.origin}/dashboard/${file}`);
    assert.equal(answer.status, 200, file);
    const policy = answer.headers.get("content-security-policy");
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) assert.ok(policy?.includes(rule), `${file}: ${policy}`);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff", file);
  }
  assert.equal((await fetch(`${stage.origin}/dashboard/lib/no-such.js`)).status, 404);
});

test("every page of the way about opens, and has its heading", async () => {
  const page = await stage.open("overview");
  await settled(page, "Overview");
  const links = await page.locator("#nav a").evaluateAll((nodes) => nodes.map((node) => [node.getAttribute("href"), node.textContent]));
  assert.equal(links.length, 12);
  for (const [href, name] of links) {
    await page.locator(`#nav a[href="${href}"]`).click();
    await settled(page, name);
    assert.deepEqual(await page.locator(".state.failed").allTextContents(), [], name);
    assert.equal(await page.locator("#nav [aria-current]").textContent(), name);
    assert.match(await page.title(), / · Portolan$/);
  }
  await stage.shut(page);
});
