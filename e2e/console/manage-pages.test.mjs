// The pages that connect, build and govern, in both languages and themes: they are there, nothing goes wrong in them,
// everybody can use them, on a phone too.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccessible, launch, open } from "./browser.mjs";
import { furnish } from "./furnish.mjs";
import { start } from "./gateway.mjs";

let gateway, browser, there;
before(async () => {
  gateway = await start();
  browser = await launch();
  there = await furnish(gateway);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const PAGES = [
  ["/keys", "API keys", "API 密钥"],
  ["/keys/new", "API keys", "API 密钥"],
  ["/keys/:key", "API keys", "API 密钥"],
  ["/providers", "Providers", "服务商"],
  ["/providers/new", "Providers", "服务商"],
  ["/providers/local", "Providers", "服务商"],
  ["/models", "Models & prices", "模型与价格"],
  ["/configs", "Configs", "配置"],
  ["/configs/new", "New config", "新建配置"],
  ["/configs/:config", "main", "main"],
  ["/configs/:config?tab=history", "main", "main"],
  ["/configs/:config?tab=use", "main", "main"],
  ["/limits", "Budgets & limits", "预算与限制"],
  ["/limits/workspace", "Budgets & limits", "预算与限制"],
  ["/limits/usage/new", "Budgets & limits", "预算与限制"],
  ["/limits/usage/:policy", "Budgets & limits", "预算与限制"],
  ["/limits/rate/new", "Budgets & limits", "预算与限制"],
  ["/alerts", "Alerts", "告警"],
  ["/alerts/new", "Alerts", "告警"],
  ["/alerts/:alert", "Alerts", "告警"],
  ["/members", "Members & roles", "成员与角色"],
  ["/members?invite=1", "Members & roles", "成员与角色"],
  ["/workspaces", "Workspaces", "工作区"],
  ["/workspaces/ws-default", "Workspaces", "工作区"],
  ["/audit", "Audit log", "审计日志"],
  ["/audit?entry=:entry", "Audit log", "审计日志"],
  ["/settings", "Settings", "设置"],
  ["/health", "System health", "系统状态"],
  ["/me", "My usage", "我的用量"],
];

const address = (path) => path.replace(/:(\w+)/g, (_, name) => there[name]);

for (const [language, theme] of [["en", "light"], ["en", "dark"], ["zh-CN", "light"], ["zh-CN", "dark"]]) {
  describe(`${language}, ${theme}`, () => {
    for (const [path, english, chinese] of PAGES) {
      test(path, async () => {
        const { page, mistakes, go, close } = await open(browser, gateway, { language, theme });
        try {
          await go(address(path));
          assert.equal(await page.locator("main h1").first().innerText(), language === "en" ? english : chinese);
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

test("on a phone nothing is cut off", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway, { width: 320, height: 640 });
  for (const [path] of PAGES) {
    await go(address(path));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${path} is ${wide} px too wide`);
  }
  assert.deepEqual(mistakes, []);
  await close();
});

test("a new gateway's pages say what will be there, and how", async () => {
  const fresh = await start();
  const { page, mistakes, close } = await open(browser, fresh);
  const visit = async (path, says) => {
    await page.goto(`${fresh.url}/console/w/ws-default${path}`);
    await page.getByText(says).first().waitFor();
  };
  await visit("/keys", "No API keys yet");
  await visit("/providers", "No providers yet");
  await visit("/configs", "No configs yet");
  await visit("/models", "No providers yet");
  await visit("/limits", "Nothing is limited yet");
  await visit("/alerts", "No alert rules yet");
  await visit("/alerts", "No budget gives notice yet");
  assert.deepEqual(mistakes, []);
  await close();
  await fresh.stop();
});

test("a search without a hit says so, and is cleared", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/keys");
  await page.keyboard.press("/");
  await page.keyboard.type("nobody");
  await page.getByText("Nothing has “nobody” in it").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("q"), "nobody");
  await page.getByRole("button", { name: "Clear the search" }).click();
  await page.getByRole("button", { name: "shop", exact: true }).waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("what the server refuses stands at its field, in the server's words", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/providers/new");
  const form = page.getByRole("dialog");
  await form.getByLabel(/^Provider/).fill("opennai");
  await form.getByLabel("Its key").fill("sk-0123456789");
  await form.getByRole("button", { name: "Add provider" }).click();
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").innerText(), /ai_provider_id|openai/);
  assert.ok(mistakes.every((one) => /400/.test(one)), mistakes.join("\n"));
  await close();
});
