// The pages that connect, build and govern, where there is nothing yet, and where something is wrong.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open } from "./browser.mjs";
import { furnish } from "./furnish.mjs";
import { start } from "./gateway.mjs";

let gateway, browser;
before(async () => {
  gateway = await start();
  browser = await launch();
  await furnish(gateway);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
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
