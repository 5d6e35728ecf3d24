// The log as people use it: narrowing down, looking at one, comparing, sending again, watching.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, open, settled } from "./browser.mjs";
import { makeKey, seed, start } from "./gateway.mjs";

let gateway, browser, key, shown;
before(async () => {
  gateway = await start();
  browser = await launch();
  key = await makeKey(gateway);
  await seed(gateway, key);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function logs(path, options) {
  shown = await open(browser, gateway, options);
  await shown.go(path);
  return shown;
}

const rows = (page) => page.locator("tbody tr");

test("filters narrow the list, stand in the address, and go back", async () => {
  const { page, mistakes, close } = await logs("/logs");
  assert.equal(await rows(page).count(), 12);
  await page.keyboard.press("/");
  await page.keyboard.type("colour:red");
  await page.keyboard.press("Enter");
  await page.getByText("“colour” is no field").waitFor();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("status:4xx user:ada");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("filter") === "status:4xx user:ada");
  await page.getByText("3 requests", { exact: true }).waitFor();
  assert.equal(await rows(page).count(), 3);
  await page.getByRole("button", { name: "Remove the filter status:4xx" }).click();
  await page.getByText("6 requests", { exact: true }).waitFor();
  await page.goBack();
  await page.getByText("3 requests", { exact: true }).waitFor();
  // Somebody else opens the same address and sees the same.
  await page.reload();
  await page.getByText("3 requests", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Clear all" }).click();
  await page.keyboard.press("/");
  await page.keyboard.type("user:nobody");
  await page.keyboard.press("Enter");
  await page.getByText("No request matches").waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("words in bodies are looked for, in quotes or by name", async () => {
  const { page, mistakes, close } = await logs("/logs");
  await page.keyboard.press("/");
  await page.keyboard.type('"Refund POLICY"');
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("filter") === 'search:"Refund POLICY"');
  await page.getByText("3 requests", { exact: true }).waitFor();
  await page.keyboard.type("search:noon user:bo");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("filter") === "search:noon user:bo");
  await page.getByText("3 requests", { exact: true }).waitFor();
  await page.keyboard.type("search:refun");
  await page.keyboard.press("Enter");
  await page.getByText("No request matches").waitFor();
  await page.keyboard.type("search:?!");
  await page.keyboard.press("Enter");
  await page.getByText(/has a value that does not fit/).waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("by keyboard: down the list, into a request, through its panes, out again", async () => {
  const { page, mistakes, close } = await logs("/logs?filter=user:cy");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const sheet = page.getByRole("dialog");
  await sheet.getByText("You said: Who answers me?").waitFor();
  await page.keyboard.press("2");
  await sheet.getByRole("img", { name: /Timeline of/ }).waitFor();
  const told = await sheet.getByRole("listitem").allInnerTexts();
  assert.equal(told.length, 2);
  assert.match(told[0], /Attempt 1: openai gpt-4o, ✕ no answer network/);
  assert.match(told[1], /Attempt 2: demo echo, ✓ 200/);
  await page.keyboard.press("3");
  await sheet.getByText("No price is known for this model").waitFor();
  await page.keyboard.press("4");
  await sheet.getByText("Request as received").waitFor();
  assert.ok(!(await sheet.innerText()).includes(key), "no key in what is stored");
  const first = page.url();
  await page.keyboard.press("j");
  await page.waitForURL((url) => url.href !== first);
  await page.keyboard.press("Escape");
  await page.waitForURL((url) => url.pathname.endsWith("/logs"));
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.deepEqual(mistakes, []);
  await close();
});

test("two requests compared: what differs is marked", async () => {
  const { page, mistakes, close } = await logs("/logs?filter=user:ada status:2xx");
  const boxes = page.getByRole("checkbox", { name: /Mark/ });
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.getByRole("button", { name: /Compare/ }).click();
  const sheet = page.getByRole("dialog");
  await sheet.locator("ins").first().waitFor();
  assert.deepEqual(await sheet.locator("del").allInnerTexts(), ["2", "2"]);
  assert.deepEqual(await sheet.locator("ins").allInnerTexts(), ["1", "1"]);
  assert.deepEqual(mistakes, []);
  await close();
});

test("a request is sent again, changed, and found in the log", async () => {
  const { page, mistakes, close } = await logs("/logs?filter=user:ada status:2xx");
  await rows(page).first().getByRole("link").first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
  const dialog = page.getByRole("dialog", { name: "Replay the request" });
  const body = dialog.getByLabel("Body");
  await body.fill('{"model": ');
  await dialog.getByText(/This is no JSON/).waitFor();
  assert.ok(await dialog.getByRole("button", { name: "Send" }).isDisabled());
  await body.fill(JSON.stringify({ model: "@demo/echo", messages: [{ role: "user", content: "Something else" }] }));
  await dialog.getByRole("button", { name: "Send" }).click();
  await dialog.getByText(/200 after/).waitFor();
  await dialog.locator("ins").first().waitFor();
  assert.equal((await dialog.locator("ins").allInnerTexts()).join(" "), "Something else");
  const link = await dialog.getByRole("link", { name: "Open it in the logs" }).getAttribute("href");
  await page.goto(gateway.url + link);
  await page.getByText("1 request", { exact: true }).waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("live: a request appears by itself, and waits while somebody reads", async () => {
  const { page, mistakes, close } = await logs("/logs?live=1&filter=user:eve");
  await page.getByText("No request matches").waitFor();
  const ask = (text) => gateway.ask("/v1/chat/completions", { method: "POST", key, headers: { "x-portkey-metadata": '{"_user":"eve"}' }, body: { model: "@demo/echo", messages: [{ role: "user", content: text }] } });
  await ask("one");
  await rows(page).first().waitFor();
  await rows(page).first().getByRole("link").first().click();
  await page.getByRole("dialog").getByText("You said: one").waitFor();
  await ask("two");
  await page.getByText("1 new request").waitFor({ state: "attached" });
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 2);
  assert.deepEqual(mistakes, []);
  await close();
});

test("live: rows come through the stream, and by asking where there is none", async () => {
  const { page, mistakes, close } = await logs("/logs?filter=user:fay");
  const ask = (text) => gateway.ask("/v1/chat/completions", { method: "POST", key, headers: { "x-portkey-metadata": '{"_user":"fay"}' }, body: { model: "@demo/echo", messages: [{ role: "user", content: text }] } });
  await page.getByText("No request matches").waitFor();
  const opened = page.waitForResponse((response) => new URL(response.url()).pathname === "/v1/logs/tail");
  await page.getByRole("button", { name: /Live/ }).click();
  assert.equal((await opened).headers()["content-type"], "text/event-stream");
  // The list is asked for once when the stream begins; from then on nothing that is asked for has an answer.
  await page.waitForResponse((response) => new URL(response.url()).pathname === "/v1/logs");
  await page.route((url) => url.pathname === "/v1/logs", () => {});
  await ask("one");
  await rows(page).first().waitFor();
  await page.getByText("1 request", { exact: true }).waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  // Nobody streams now.
  await page.route((url) => url.pathname === "/v1/logs/tail", (route) => route.fulfill({ contentType: "text/event-stream", body: "" }));
  await page.reload();
  await page.getByText("1 request", { exact: true }).waitFor();
  await ask("two");
  await page.getByText("2 requests", { exact: true }).waitFor();
  assert.equal(await rows(page).count(), 2);
  assert.deepEqual(mistakes, []);
  await close();
});

test("columns are chosen, and the export has them", async () => {
  const { page, mistakes, close } = await logs("/logs?filter=user:bo&columns=time,status,model,tokens");
  assert.deepEqual((await page.locator("thead th").allInnerTexts()).slice(1), ["Time", "Status", "Model", "Tokens"]);
  await page.locator("summary", { hasText: "Columns" }).click();
  await page.getByLabel("User", { exact: true }).check();
  await page.waitForURL((url) => url.searchParams.get("columns") === "time,status,model,tokens,user");
  await page.keyboard.press("Escape");
  await page.locator("summary", { hasText: "Export" }).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV of the shown columns" }).click()]);
  const lines = readFileSync(await file.path(), "utf8").split("\r\n");
  assert.equal(lines[0], "time,status,model,tokens,user");
  assert.equal(lines.length, 4);
  assert.match(lines[1], /^\d{4}-\d\d-\d\dT[\d:.]+Z,200,echo,\d+,bo$/);
  assert.deepEqual(mistakes, []);
  await close();
});

test("a gateway that goes away is told, and what was shown stays", async () => {
  const { page, close, go } = await logs("/logs");
  const count = await rows(page).count();
  await page.route("**/v1/logs?**", (route) => route.abort());
  await page.getByRole("button", { name: "Refresh" }).click();
  assert.equal(await rows(page).count(), count);
  await page.unroute("**/v1/logs?**");
  await page.route("**/v1/logs?**", (route) => route.fulfill({ status: 403, headers: { "x-portkey-trace-id": "r-1" }, json: { error: { message: "no", param: "logs.list" } } }));
  await page.reload();
  await page.getByText("It takes the permission logs.list").waitFor();
  await page.unroute("**/v1/logs?**");
  await page.getByRole("button", { name: "Try again" }).first().click();
  await settled(page);
  assert.equal(await rows(page).count(), count);
  await go("/");
  await close();
});
