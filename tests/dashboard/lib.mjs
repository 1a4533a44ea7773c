// The dashboard in real Chromium, before the built Worker in workerd with scripted upstreams.
//
// `start()` gives a stage: a gateway, a browser, and pages that are watched. What a page must never do (an error in the console, a
// breach of its policy, a request to another origin) is noted, and `stage.close()` throws it.
//
// CHROMIUM names another browser than /usr/bin/chromium; SHOTS a folder that keeps the pictures of `shoot`.
import assert from "node:assert/strict";
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

import { CALLERS, ask } from "../e2e/lib/callers.mjs";
import { ADMIN, Gateway, SETTINGS, lanes } from "../e2e/lib/gateway.mjs";
import { SHAPES, speak } from "../e2e/lib/shapes.mjs";
import { forever, json, stream } from "../e2e/lib/upstream.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const SHOTS = process.env.SHOTS ?? path.join(tmpdir(), "portolan-shots");
/** Narrow and wide: the smallest telephone, and a laptop. */
export const WIDTHS = [360, 1280];
export const THEMES = ["light", "dark"];
/** How long a page may take for anything: a busy machine is no fault of its. */
const PATIENCE_MS = 30_000;
/** The two that no page may have. */
const GRAVE = new Set(["serious", "critical"]);

export class Stage {
  #contexts = [];
  /** What no page may do, in words. */
  wrongs = [];

  /** A stage whose gateway has served something: `traffic`. */
  static async withTraffic({ documents = () => ({}), ...options } = {}) {
    const stage = await Stage.start({ ...options, documents: (origin) => world(origin, documents(origin)) });
    await traffic(stage.gateway);
    return stage;
  }

  /** Options are those of `Gateway.start`; `gateway` takes one that is there already. */
  static async start({ gateway, ...options } = {}) {
    const stage = new Stage();
    stage.gateway = gateway ?? await Gateway.start({ assets: true, ...options });
    stage.origin = new URL(stage.gateway.origin).origin;
    stage.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // The sandbox needs rights that a container's root does not have.
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
    });
    return stage;
  }

  /**
   * A page at `hash` (`"requests?route=a"`), signed in unless `token` is null. `routes`: `{"/health**": (request) => answer | null}`
   * stands in for paths below /admin/v1 (`*` ends at a slash, `**` does not); an answer is `{status, body}`, `"lost"`, or a promise of one; `null` lets it through.
   */
  async open(hash = "", { token = ADMIN, width = 1280, height = 900, theme = "light", routes = {}, reducedMotion = "reduce", expected = [] } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion, locale: "en-GB", timezoneId: "Europe/Berlin" });
    this.#contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    // The browser's own pages, such as that of a connection that failed, have no storage.
    if (token) await context.addInitScript((value) => { if (location.protocol === "http:") sessionStorage.setItem("portolan.token", value); }, token);
    const page = await context.newPage();
    const note = (words) => { if (!expected.some((pattern) => pattern.test(words))) this.wrongs.push(`#/${hash}: ${words}`); };
    page.on("console", (message) => {
      // What the network refuses is the page's to show: the tests look at that.
      if (message.type() === "error" && !/Failed to load resource/.test(message.text())) note(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => note(`error: ${error.message}`));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.origin) && !url.startsWith("data:") && !url.startsWith("blob:")) note(`a request to ${url}`);
    });
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => { console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`); });
    });
    await this.answer(page, routes);
    await page.goto(`${this.origin}/dashboard/${hash === "" ? "" : `#/${hash}`}`);
    return page;
  }

  /** Stands in for paths below /admin/v1 from now on. */
  async answer(page, routes) {
    for (const [pattern, give] of Object.entries(routes)) {
      await page.route(`${this.origin}/admin/v1${pattern}`, async (route) => {
        const answer = await (typeof give === "function" ? give(route.request()) : give);
        if (answer === null || answer === undefined) return route.fallback();
        if (answer === "lost") return route.abort("connectionfailed");
        const { status = 200, body = {}, headers = {} } = answer;
        return route.fulfill({ status, headers: { "content-type": "application/json", ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) }).catch(() => {});
      });
    }
  }

  /** Ends one page, and says what it did that no page may. */
  async shut(page) {
    await page.context().close();
    this.#contexts = this.#contexts.filter((each) => each !== page.context());
    const wrongs = this.wrongs.splice(0);
    assert.deepEqual(wrongs, []);
  }

  async close() {
    for (const context of this.#contexts) await context.close().catch(() => {});
    await this.browser?.close();
    await this.gateway?.stop();
    assert.deepEqual(this.wrongs, []);
  }
}

const LANES = { calm: ["openai", "anthropic"], shaky: ["openai", "openai2"], down: ["openai"] };

/** Three routes: one that serves, one that fails over, one that has nothing left. */
export function world(origin, more = {}) {
  const { providers, routes } = lanes(origin, LANES);
  return { settings: SETTINGS, ...more, providers: { ...providers, ...more.providers }, routes: { ...routes, ...more.routes } };
}

/** Whole answers and streams, a failover, an error of the providers and one of the caller. */
export async function traffic(gateway) {
  const fine = (text) => forever(speak(SHAPES.openai, { text, usage: { input: 1_200, output: 300, cached: 400 } }, { json, stream }));
  const broken = forever(json(503, SHAPES.openai.error(503, "down")));
  gateway.upstream.script("calm-openai", fine(["All ", "is ", "calm."]));
  gateway.upstream.script("shaky-openai", broken);
  gateway.upstream.script("shaky-openai2", fine("The second one serves."));
  gateway.upstream.script("down-openai", broken);
  for (let count = 0; count < 4; count += 1) await ask(gateway, CALLERS.openai, { model: "calm", stream: count % 2 === 0 });
  for (let count = 0; count < 4; count += 1) await ask(gateway, CALLERS.openai, { model: "shaky" });
  await ask(gateway, CALLERS.openai, { model: "down" });
  await ask(gateway, CALLERS.openai, { model: "nobody-has-this" });
  await gateway.recorded("shaky");
}

/** Waits until an assertion holds: what follows a click may be a turn of the page's own away. The last refusal is thrown. */
export async function eventually(check) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (error.name !== "AssertionError" || Date.now() > end) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }
}

/** A page is there: its heading is, and nothing is on its way any more. */
export async function settled(page, heading) {
  if (heading) await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  await page.waitForFunction(() => !document.querySelector(".skeleton, [aria-busy=true]"));
}

/** No serious or critical finding of axe, nothing wider than the window. */
export async function sound(page, what = "") {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = found.violations.filter(({ impact }) => GRAVE.has(impact)).map(({ id, impact, nodes }) => ({
    id, impact, nodes: nodes.slice(0, 4).map((node) => `${node.target.join(" ")}: ${node.failureSummary.split("\n").slice(1, 2).join("").trim()}`),
  }));
  assert.deepEqual(grave, [], `axe: ${what}`);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(beyond <= 0, `${what} is ${beyond} px wider than its window`);
}

/** A picture of the whole page, for eyes. */
export async function shoot(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

/** Opens a page, and at both widths in both themes looks whether it is sound, and takes its picture. */
export async function everywhere(stage, hash, heading, { name = hash.replace(/\W+/g, "-"), prepare, ...options } = {}) {
  const page = await stage.open(hash, { ...options, width: WIDTHS[0] });
  await settled(page, heading);
  await prepare?.(page);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme });
      // Charts are drawn anew for their new width.
      await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
      await settled(page);
      await sound(page, `${hash} at ${width} px, ${theme}`);
      await shoot(page, `${name}-${width}-${theme}`);
    }
  }
  await stage.shut(page);
}

/** What the tab key reaches, in order, until it comes round: `role "name"` of each. */
export async function walk(page, most = 80) {
  await page.evaluate(() => { document.activeElement?.blur(); window.getSelection()?.removeAllRanges(); });
  const found = [];
  for (let count = 0; count < most; count += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const node = document.activeElement;
      if (!node || node === document.body) return null;
      const style = getComputedStyle(node);
      const label = node.matches("input") ? document.querySelector(`label[for="${node.id}"]`) : null;
      const seen = [node, label].some((each) => each && getComputedStyle(each).outlineStyle !== "none" && getComputedStyle(each).outlineWidth !== "0px");
      const name = node.getAttribute("aria-label") ?? label?.textContent ?? node.textContent;
      return { tag: node.tagName.toLowerCase(), name: name.trim().replace(/\s+/g, " ").slice(0, 60), isSeen: seen, visible: style.visibility !== "hidden" && node.getClientRects().length > 0 };
    });
    if (!stop) break;
    found.push(stop);
  }
  return found;
}
