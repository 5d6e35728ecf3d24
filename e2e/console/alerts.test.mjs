// Alert rules and saved views: made, tried, opened again and taken away, as people do it.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { assertAccessible, launch, open, settled } from "./browser.mjs";
import { makeKey, seed, start, until } from "./gateway.mjs";

let gateway, browser, hook;
const notices = [];
before(async () => {
  hook = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      notices.push({ headers: request.headers, body: JSON.parse(body) });
      response.writeHead(204).end();
    });
  });
  await new Promise((resolve) => hook.listen(0, "127.0.0.1", resolve));
  gateway = await start('[alerts]\nevery = "1s"\n[egress]\nallow_private = ["127.0.0.1"]\n');
  await seed(gateway, await makeKey(gateway), 2);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  hook?.close();
});

test("a rule is made, tried, fires and is deleted", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/alerts");
  await page.getByText("No alert rules yet").waitFor();
  await page.getByRole("button", { name: "New rule" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel(/^Name/).fill("Too many requests");
  await form.getByLabel("Metric").selectOption("requests");
  // What is wrong stands at its field.
  await form.getByLabel(/^Threshold/).fill("five");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByText("A number such as 5 or 0.5.").waitFor();
  await form.getByLabel(/^Threshold/).fill("1");
  await form.getByLabel("Looks at the last").selectOption("3600");
  await form.getByRole("button", { name: "Add a channel" }).click();
  await form.getByLabel(/^Address/).fill(`http://127.0.0.1:${hook.address().port}/secret-path`);
  await form.getByLabel("Secret that signs").fill("a secret of 16 characters or more");
  await assertAccessible(page, "the form of a rule");
  await form.getByRole("button", { name: "Save" }).click();
  await form.waitFor({ state: "detached" });
  await page.getByText("Requests above 1, in 60 min").waitFor();
  // The next look finds that it is so.
  await until(() => notices.length === 1);
  assert.equal(notices[0].body.event, "alert.fired");
  assert.match(notices[0].headers["webhook-signature"], /^v1,/);
  await page.reload();
  await page.getByRole("region", { name: "Rules" }).getByText(/firing/).waitFor();
  await page.getByRole("button", { name: "Too many requests" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByText(/arrived/).first().waitFor();
  assert.doesNotMatch(await sheet.innerText(), /secret-path/);
  await sheet.getByRole("button", { name: "Send a test" }).click();
  await until(() => notices.length === 2);
  assert.equal(notices[1].body.event, "alert.test");
  await sheet.getByRole("status").getByText(/arrived/).waitFor();
  await assertAccessible(page, "a rule with its history");
  await sheet.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete “Too many requests”?" }).getByRole("button", { name: "Delete" }).click();
  await page.getByText("No alert rules yet").waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("a question of the logs becomes a rule", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/logs?filter=model%3Aecho");
  await page.getByRole("link", { name: "Alert on this" }).click();
  const form = page.getByRole("dialog");
  assert.equal(await form.getByLabel("Only requests with").inputValue(), "model:echo");
  assert.deepEqual(mistakes, []);
  await close();
});

test("a view is saved, opened in another window and deleted", async () => {
  const first = await open(browser, gateway);
  await first.go("/logs?filter=status%3Aok&columns=time%2Cstatus");
  await first.page.getByText("Views", { exact: true }).click();
  await first.page.getByText("No saved views of this page yet.").waitFor();
  await first.page.getByLabel(/^Save this view as/).fill("Successes");
  await first.page.getByLabel("For everybody in the workspace").check();
  await first.page.getByRole("button", { name: "Save view" }).click();
  await first.page.getByRole("link", { name: "Successes" }).waitFor();
  assert.deepEqual(first.mistakes, []);
  await first.close();
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/logs");
  await page.getByText("Views", { exact: true }).click();
  await page.getByRole("link", { name: "Successes" }).click();
  await settled(page);
  assert.equal(new URL(page.url()).search, "?filter=status%3Aok&columns=time%2Cstatus");
  if (!(await page.getByRole("link", { name: "Successes" }).isVisible())) await page.getByText("Views", { exact: true }).click();
  await page.getByRole("button", { name: "Delete the view “Successes”" }).click();
  await page.getByText("No saved views of this page yet.").waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});
