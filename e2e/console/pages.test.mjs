// Every page, in both languages and themes: it is there, nothing goes wrong in it, everybody can use it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccessible, launch, open } from "./browser.mjs";
import { makeKey, seed, start } from "./gateway.mjs";

let gateway, browser, log;
before(async () => {
  gateway = await start();
  browser = await launch();
  await seed(gateway, await makeKey(gateway));
  const listed = await gateway.ask("/v1/logs?workspace_id=ws-default&page_size=50");
  log = listed.body.data.find(({ attempts }) => attempts === 2).id;
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const PAGES = [
  ["/", "Overview", "概览"],
  ["/start", "Get started", "快速开始"],
  ["/logs", "Logs", "日志"],
  ["/logs/:log", "Logs", "日志"],
  ["/logs/:log?pane=timeline", "Logs", "日志"],
  ["/logs/:log?pane=cost", "Logs", "日志"],
  ["/logs/:log?pane=raw", "Logs", "日志"],
  ["/logs/:log?pane=facts", "Logs", "日志"],
  ["/traces", "Traces", "链路"],
  ["/traces/agent-1", "Trace agent-1", "Trace agent-1"],
  ["/sessions", "Sessions", "会话"],
  ["/sessions/sitting-1", "Session sitting-1", "会话 sitting-1"],
  ["/analytics", "Analytics", "分析"],
  ["/analytics/latency", "Analytics", "分析"],
  ["/analytics/explore?metric=cost&group=provider", "Analytics", "分析"],
];

for (const [language, theme] of [["en", "light"], ["en", "dark"], ["zh-CN", "light"], ["zh-CN", "dark"]]) {
  describe(`${language}, ${theme}`, () => {
    for (const [path, english, chinese] of PAGES) {
      test(path, async () => {
        const { page, mistakes, go, close } = await open(browser, gateway, { language, theme });
        try {
          await go(path.replace(":log", log));
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

test("on a phone nothing is cut off, and the menu comes from the side", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway, { width: 320, height: 640 });
  for (const path of ["/", "/start", "/logs", `/logs/${log}`, "/sessions", "/analytics"]) {
    await go(path);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${path} is ${wide} px too wide`);
  }
  await go("/");
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("link", { name: "Logs" }).click();
  await page.waitForURL("**/logs");
  assert.deepEqual(mistakes, []);
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
