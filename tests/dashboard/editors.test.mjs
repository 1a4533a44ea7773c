// The dashboard's editors of the operator's documents, against the built Worker: what is saved there holds here.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Stage, eventually, everywhere, settled, sound, shoot, WIDTHS } from "./lib.mjs";
import { ADMIN } from "../e2e/lib/gateway.mjs";

const text = (value) => `${JSON.stringify(value, null, 2)}\n`;
const ROUTES = text({ smart: { targets: ["mock/echo"] } });

let stage;
before(async () => {
  stage = await Stage.start({ documents: () => ({
    routes: ROUTES,
    prices: { "mock/lorem": { input: 1, output: 10, date: "2026-11-01" } },
    budgets: { tenants: { default: { budgets: [{ usd: 20, per: "month" }] } } },
    settings: { timeouts: { first_token_ms: 4000 } },
    providers: { "my-lab": { kind: "openai", base_url: "https://lab.example/v1", keys: ["${LAB_KEY}"] } },
  }) });
});
after(() => stage?.close());

/** Who answers a request for a route now. */
async function answeredBy(model) {
  const answer = await stage.gateway.send("/v1/chat/completions", { body: { model, messages: [{ role: "user", content: "Hello" }] } });
  return answer.status === 200 ? `${answer.headers["x-portolan-provider"]}/${answer.headers["x-portolan-model"]}` : answer.status;
}

const box = (page) => page.locator("textarea.editor-text");
const stored = async () => (await fetch(stage.gateway.url("/admin/v1/routes"), { headers: { authorization: `Bearer ${ADMIN}` } })).text();

async function type(page, value) {
  await box(page).fill(value);
}

async function save(page) {
  await page.locator(".checked", { hasText: "Valid" }).waitFor();
  await page.getByRole("button", { name: "Review and save" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
}

describe("routes", () => {
  test("an edit is compared, saved, and holds; reverting it brings the former back", async () => {
    const page = await stage.open("routes");
    await settled(page, "Routes");
    assert.equal(await box(page).inputValue(), ROUTES);
    assert.equal(await answeredBy("smart"), "mock/echo");
    await type(page, text({ smart: { targets: ["mock/lorem"] } }));
    await page.locator(".checked", { hasText: "Valid" }).waitFor();
    await page.getByRole("button", { name: "Review and save" }).click();
    const dialog = page.getByRole("dialog", { name: "Save routes" });
    const difference = dialog.getByRole("region", { name: "Changes of routes" });
    assert.match(await difference.innerText(), /mock\/echo[^]*mock\/lorem/);
    assert.match(await dialog.innerText(), /1 line added, 1 removed/);
    await shoot(page, "routes-review");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText(/routes is saved, and in force everywhere within 5 s/).waitFor();
    assert.equal(await answeredBy("smart"), "mock/lorem");
    assert.ok(await page.getByRole("button", { name: "Review and save" }).isDisabled());

    const versions = page.getByRole("region", { name: "Versions of routes, newest first" });
    const former = versions.getByRole("button", { name: /^Revert to version/ });
    await former.first().waitFor();
    await versions.getByRole("button", { name: /^Compare version/ }).first().click();
    await page.getByRole("region", { name: "Changes since that version" }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
    await former.first().click();
    const sure = page.getByRole("dialog");
    assert.match(await sure.innerText(), /mock\/echo/);
    await sure.getByRole("button", { name: "Revert" }).click();
    await page.waitForFunction((was) => document.querySelector("textarea.editor-text")?.value === was, ROUTES);
    assert.equal(await answeredBy("smart"), "mock/echo");
    assert.equal(await stored(), ROUTES);
    await stage.shut(page);
  });

  const bad = [
    ["no JSON", "{\n  \"smart\": { \"targets\": [\"mock/echo\"], }\n}\n", /Line 2[^]*A comma too many before }/],
    ["an unknown field", text({ smart: { targets: ["mock/echo"], strategie: "weighted" } }), /Line \d[^]*smart\.strategie[^]*Did you mean strategy\?/],
    ["what only the gateway knows", text({ smart: { targets: ["opnai/gpt-5.4"] } }), /smart\.targets\[0\][^]*Did you mean openai\?/],
    ["a name that stands twice", "{ \"smart\": { \"targets\": [\"mock/echo\"] },\n  \"smart\": { \"targets\": [\"mock/lorem\"] } }\n", /Line 2[^]*stands here twice/],
  ];
  for (const [what, value, problem] of bad) {
    test(`a bad edit is refused: ${what}`, async () => {
      const page = await stage.open("routes");
      await settled(page, "Routes");
      const before = await stored();
      await type(page, value);
      await page.locator(".checked", { hasText: /\d+ problem/ }).waitFor();
      const list = page.getByRole("list", { name: "Problems" });
      assert.match(await list.innerText(), problem);
      await page.getByRole("button", { name: "Review and save" }).click();
      await page.getByText(/Nothing was written/).waitFor();
      assert.equal(await page.getByRole("dialog").count(), 0);
      assert.equal(await stored(), before);
      await list.getByRole("button").first().click();
      assert.ok(await box(page).evaluate((node) => document.activeElement === node && node.selectionEnd > node.selectionStart));
      await stage.shut(page);
    });
  }

  test("somebody else's save is shown, and both are merged", async () => {
    const page = await stage.open("routes");
    await settled(page, "Routes");
    await type(page, text({ smart: { targets: ["mock/echo"] }, mine: { targets: ["mock/json"] } }));
    await page.locator(".checked", { hasText: "Valid" }).waitFor();
    const now = await fetch(stage.gateway.url("/admin/v1/routes"), { headers: { authorization: `Bearer ${ADMIN}` } });
    const theirs = await fetch(stage.gateway.url("/admin/v1/routes"), {
      method: "PUT", headers: { authorization: `Bearer ${ADMIN}`, "if-match": now.headers.get("etag"), "content-type": "application/json" },
      body: text({ smart: { targets: ["mock/echo"] }, theirs: { targets: ["mock/reason"] } }),
    });
    assert.equal(theirs.status, 200);
    await page.getByRole("button", { name: "Review and save" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "routes was changed meanwhile" });
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /The holder of admin token [0-9a-f]{8} saved it/);
    assert.match(await dialog.innerText(), /mock\/reason/);
    await dialog.getByRole("button", { name: "Merge mine into theirs" }).click();
    await eventually(async () => assert.deepEqual(Object.keys(JSON.parse(await box(page).inputValue())).sort(), ["mine", "smart", "theirs"]));
    await save(page);
    await page.getByText(/routes is saved/).waitFor();
    assert.equal(await answeredBy("mine"), "mock/json");
    assert.equal(await answeredBy("theirs"), "mock/reason");
    await stage.shut(page);
  });

  test("an example is inserted, undone, and a draft survives a look at another page", async () => {
    const page = await stage.open("routes");
    await settled(page, "Routes");
    const before = await box(page).inputValue();
    await page.getByText("Insert an example").click();
    await page.getByRole("button", { name: "Shares" }).click();
    assert.equal(JSON.parse(await box(page).inputValue()).split.strategy, "weighted");
    await page.getByRole("link", { name: "Settings" }).click();
    await settled(page, "Settings");
    await page.getByRole("link", { name: "Routes" }).click();
    await page.getByText("These are your unsaved changes from before.").waitFor();
    assert.equal(JSON.parse(await box(page).inputValue()).split.strategy, "weighted");
    await page.getByRole("button", { name: "Discard changes" }).click();
    assert.equal(await box(page).inputValue(), before);
    await stage.shut(page);
  });

  test("the editor can be used, and left, by keyboard", async () => {
    const page = await stage.open("routes");
    await settled(page, "Routes");
    await box(page).focus();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("{");
    await page.keyboard.press("Enter");
    await page.keyboard.type("\"a\": 1");
    assert.equal(await box(page).inputValue(), "{\n  \"a\": 1");
    await page.keyboard.press("Tab");
    assert.match(await box(page).inputValue(), / {2}$/);
    await page.keyboard.press("Shift+Tab");
    assert.match(await box(page).inputValue(), /\n"a"/);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    assert.ok(!(await box(page).evaluate((node) => document.activeElement === node)));
    await stage.shut(page);
  });
});

describe("every editor", () => {
  const pages = [["routes", "Routes"], ["providers", "Providers"], ["settings", "Settings"], ["prices", "Prices"], ["budgets", "Budgets"]];
  for (const [hash, heading] of pages) {
    test(`is sound at both widths in both themes: ${hash}`, () => everywhere(stage, hash, heading));
    test(`saves, and finds a field that there is not: ${hash}`, async () => {
      const page = await stage.open(hash);
      await settled(page, heading);
      const value = JSON.parse(await box(page).inputValue());
      await type(page, text({ ...value, "no such field!": { a: 1 } }));
      await page.locator(".checked", { hasText: /\d+ problem/ }).waitFor();
      await type(page, `${text(value)}\n`);
      await save(page);
      await page.getByText(new RegExp(`${hash} is saved`)).waitFor();
      await stage.shut(page);
    });
  }

  test("shows the problems and the difference at both widths", async () => {
    for (const width of WIDTHS) {
      for (const theme of ["light", "dark"]) {
        const page = await stage.open("routes", { width, theme });
        await settled(page, "Routes");
        await page.getByText("Insert an example").click();
        await type(page, text({ smart: { targets: ["mock/echo", 7], strategie: "weighted" } }));
        await page.locator(".checked", { hasText: /\d+ problem/ }).waitFor();
        await sound(page, `routes with problems at ${width} px, ${theme}`);
        await shoot(page, `routes-problems-${width}-${theme}`);
        await type(page, text({ smart: { targets: ["mock/echo", "mock/lorem"] } }));
        await page.locator(".checked", { hasText: "Valid" }).waitFor();
        await page.getByRole("button", { name: "Review and save" }).click();
        await page.getByRole("dialog").waitFor();
        await sound(page, `the difference at ${width} px, ${theme}`);
        await shoot(page, `routes-difference-${width}-${theme}`);
        await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
        await stage.shut(page);
      }
    }
  });
});
