// Signing in and out, and from nothing to the first request in sight.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, launch, open } from "./browser.mjs";
import { makeKey, start } from "./gateway.mjs";

const away = (address) => address.replace("127.0.0.1", "gate.test");

let gateway, browser;
before(async () => {
  gateway = await start();
  // A name that is not this machine's own; in clear, which the browser would complain of.
  browser = await launch("--host-resolver-rules=MAP gate.test 127.0.0.1", `--unsafely-treat-insecure-origin-as-secure=${away(gateway.url)}`);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

// On the gateway's own machine it is followed at once: see new-user.test.mjs.
test("elsewhere the link of the first start waits for a press, and leads to where one gets started", async () => {
  const there = { ...gateway, url: away(gateway.url) };
  const { page, mistakes, close } = await open(browser, there, { key: null });
  await page.goto(away(gateway.link));
  await page.waitForURL("**/console/sign-in");
  assert.ok(!page.url().includes("tgl_"), "the token stays in no history");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Get started", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Run it here" }).click();
  const request = page.getByRole("region", { name: "Newest requests" }).getByRole("link");
  await request.first().waitFor();
  // The key that was made stands in the snippets.
  assert.match(await page.getByRole("region", { name: "Client" }).innerText(), /tg-svc-\w{20,}/);
  await request.first().click();
  await page.getByText("You said: Hello, Tidegate!").waitFor();
  assert.deepEqual(mistakes, []);

  // The session is a cookie that no script reads; signing out ends it.
  assert.equal(await page.evaluate(() => document.cookie), "");
  await page.goto(`${there.url}/console/`);
  // Who was here before begins with the figures.
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/console/sign-in**");
  await page.goto(`${there.url}/console/w/ws-default/logs`);
  await page.waitForURL("**/sign-in?next=**");
  await close();
});

test("a link works once, and says so the second time", async () => {
  const { page, close } = await open(browser, gateway, { key: null });
  await page.goto(gateway.link);
  await page.getByText("ask for another one").waitFor();
  await assertAccessible(page, "sign-in");
  await close();
});

test("without an identity provider the way through one says so", async () => {
  const { page, close } = await open(browser, gateway, { key: null });
  await page.goto(`${gateway.url}/console/sign-in`);
  await page.getByRole("button", { name: "Sign in through your organisation" }).click();
  await page.getByRole("heading", { name: "There is nothing at this address" }).waitFor();
  assert.match(page.url(), /\/console\/sign-in$/);
  await close();
});

test("a key is enough, is kept in the tab only, and leads to where one wanted to go", async () => {
  const key = await makeKey(gateway);
  const { page, close } = await open(browser, gateway, { key: null });
  await page.goto(`${gateway.url}/console/w/ws-default/logs?filter=status%3A4xx`);
  await page.waitForURL("**/sign-in?next=**");
  await page.getByLabel("API key").fill("sk-of-somebody-else");
  await page.getByRole("button", { name: "Use this key" }).click();
  await page.getByText("begins with tg-").waitFor();
  await page.getByLabel("API key").fill("tg-svc-0000000000000000000000000000000000000000000000000");
  await page.getByRole("button", { name: "Use this key" }).click();
  await page.getByRole("alert").getByText(/Unauthorized/).waitFor();
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Use this key" }).click();
  await page.waitForURL("**/logs?filter=status%3A4xx");
  await page.getByRole("heading", { name: "Logs", level: 1 }).waitFor();
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(key));
  await close();
});
