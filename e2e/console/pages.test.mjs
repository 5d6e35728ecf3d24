// Every page, in both languages and themes, and on a phone: it is there, nothing goes wrong in it, everybody can use it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inhabited, isOf, PAGES, routes } from "./addresses.mjs";
import { assertAccessible, launch, open } from "./browser.mjs";

let gateway, browser, address, requests;
before(async () => {
  ({ gateway, address, requests } = await inhabited());
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

test("no route of the router is left out", () => {
  const all = routes();
  assert.ok(all.length > 25 && all.includes("/logs/:id") && all.includes("/limits/:kind/:id"), all.join(" "));
  assert.deepEqual(all.filter((route) => !PAGES.some(([path]) => isOf(route, path))), []);
});

for (const [language, theme] of [["en", "light"], ["en", "dark"], ["zh-CN", "light"], ["zh-CN", "dark"]]) {
  describe(`${language}, ${theme}`, () => {
    for (const [path, english, chinese] of PAGES) {
      test(path, async () => {
        const { page, mistakes, go, close } = await open(browser, gateway, { language, theme });
        try {
          await go(address(path));
          assert.equal(await page.locator("main h1").first().innerText(), language === "en" ? english : chinese);
          assert.equal(await page.locator("html").getAttribute("lang"), language);
          assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
          // No text with a hole in it, and nothing that is no figure.
          const shown = await page.locator("body").innerText();
          for (const broken of [/\{[a-z]\w*\}/i, /\bNaN\b/, /\bundefined\b/, /Invalid Date/]) assert.doesNotMatch(shown, broken);
          await assertAccessible(page, `${path} ${language} ${theme}`);
          assert.deepEqual(mistakes, []);
        } finally {
          await close();
        }
      });
    }
  });
}

for (const [language, theme] of [["en", "dark"], ["zh-CN", "light"]]) {
  test(`on a phone nothing is cut off: ${language}`, async () => {
    const { page, mistakes, go, close } = await open(browser, gateway, { width: 320, height: 640, language, theme });
    for (const [path] of PAGES) {
      await go(address(path));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${path} is ${wide} px too wide`);
      await assertAccessible(page, `${path} on a phone, ${language}`);
    }
    assert.deepEqual(mistakes, []);
    await close();
  });
}

test("on a phone the menu comes from the side", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway, { width: 320, height: 640 });
  await go("/");
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("link", { name: "Logs" }).click();
  await page.waitForURL("**/logs");
  assert.deepEqual(mistakes, []);
  await close();
});

test("the figures are those of the calls", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  const { total } = (await gateway.ask("/v1/logs?workspace_id=ws-default")).body;
  assert.ok(total > requests);
  await go("/?from=-1h");
  const tile = (name) => page.locator(".tile", { hasText: name }).locator("strong").innerText();
  assert.equal(await tile("Requests"), String(total));
  assert.match(await tile("Cost"), /^\$0\.0*[1-9]/);
  assert.match(await tile("Users"), /^[1-9]/);
  assert.match(await tile("Rescued"), /^[1-9]/);
  // Of tables beside the charts: the models that were called.
  const models = page.getByRole("table", { name: /Models/ });
  for (const model of ["gpt-4o", "claude-sonnet-4-5"]) await models.getByText(model).first().waitFor();
  await go("/analytics/explore?metric=requests&group=provider&from=-1h");
  for (const provider of ["openai", "anthropic", "demo"]) await page.locator("main").getByText(provider, { exact: true }).first().waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("an address that is no page says so", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await page.goto(`${gateway.url}/console/w/ws-default/nothing`);
  await page.getByText("There is no such page").waitFor();
  await page.goto(`${gateway.url}/console/logs?filter=status%3A2xx`);
  await page.waitForURL("**/console/w/ws-default/logs?filter=status%3A2xx");
  assert.deepEqual(mistakes, []);
  await go("/");
  await close();
});

test("language and theme change without a reload, and stay", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/");
  await page.getByRole("button", { name: /Language/ }).click();
  await page.getByRole("heading", { name: "概览", level: 1 }).waitFor();
  await go("/logs");
  await page.getByRole("heading", { name: "日志", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("combobox").fill("sess");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sessions");
  assert.deepEqual(mistakes, []);
  await close();
});
