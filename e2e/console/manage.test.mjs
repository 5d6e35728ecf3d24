// What people do with keys, providers, configs and limits, from the first press to what the gateway does afterwards.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, launch, open, settled } from "./browser.mjs";
import { start } from "./gateway.mjs";

let gateway, browser;
before(async () => {
  gateway = await start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const PLACE = "workspace_id=ws-default";
const HELLO = { model: "@demo/echo", messages: [{ role: "user", content: "Hello!" }] };

const chat = (key, body = HELLO, headers = {}) => gateway.ask("/v1/chat/completions", { method: "POST", key, body, headers });

test("a limited key is handed out in at most eight presses", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  let presses = 0;
  const press = async (target) => {
    presses += 1;
    await target.click();
  };
  await go("/");
  await press(page.getByRole("link", { name: "API keys" }));
  await settled(page);
  await press(page.getByRole("button", { name: "Create key" }).first());
  // The form begins at the name.
  const form = page.getByRole("dialog");
  await form.getByLabel(/^Name/).waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === "INPUT");
  await page.keyboard.type("shop");
  await press(form.getByLabel("Budget", { exact: true }));
  await page.keyboard.type("5");
  await press(form.getByRole("button", { name: "Add a rate limit" }));
  await press(form.getByLabel("At most"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("2");
  await press(form.getByRole("button", { name: "Create key" }));
  const shown = page.getByRole("dialog", { name: "The key shop" });
  await shown.waitFor();
  await assertAccessible(page, "the new key");
  await press(shown.getByRole("button", { name: "Copy: Key", exact: true }));
  assert.ok(presses <= 8, `${presses} presses`);
  const secret = (await shown.getByRole("region", { name: "Key", exact: true }).innerText()).trim();
  assert.match(secret, /^tg-svc-\w{40,}$/);
  assert.match(await shown.getByRole("region", { name: "Try it" }).innerText(), new RegExp(`Bearer ${secret}`));

  // It does what it says: two requests a minute, of five dollars a month.
  const answers = [];
  for (let request = 0; request < 3; request++) answers.push((await chat(secret)).status);
  assert.deepEqual(answers, [200, 200, 429]);
  await shown.getByRole("button", { name: "Done" }).click();
  await page.getByText("2 requests/minute").waitFor();
  await page.getByText("/ $5.00").waitFor();
  assert.ok(!(await page.content()).includes(secret), "the key is not shown again");
  assert.deepEqual(mistakes, []);
  await close();
});

test("a key is changed, replaced and revoked", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  const made = await gateway.ask("/v1/api-keys/workspace/service", {
    method: "POST",
    body: { name: "worker", workspace_id: "ws-default", scopes: ["completions.write"] },
  });
  await go(`/keys/${made.body.id}`);
  const sheet = page.getByRole("dialog", { name: "worker" });
  await sheet.getByRole("button", { name: "Edit" }).click();
  await page.getByText("Config, metadata, notices").click();
  await page.getByLabel("Metadata of its requests").fill("team=search\nwrong");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Line 2 is not name=value.").waitFor();
  await page.getByLabel("Metadata of its requests").fill("team=search");
  await page.getByRole("button", { name: "Save" }).click();
  await sheet.getByRole("definition").getByText("team=search").waitFor();

  await page.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("dialog", { name: "Rotate worker?" }).getByRole("button", { name: "Rotate" }).click();
  const shown = page.getByRole("dialog", { name: "The key worker" });
  const secret = (await shown.getByRole("region", { name: "Key", exact: true }).innerText()).trim();
  assert.notEqual(secret, made.body.key);
  assert.equal((await chat(secret)).status, 200);
  await shown.getByRole("button", { name: "Done" }).click();

  await page.getByRole("button", { name: "worker", exact: true }).click();
  await page.getByRole("button", { name: "Revoke" }).click();
  const sure = page.getByRole("dialog", { name: "Revoke worker?" });
  await sure.getByText("refused at once").waitFor();
  await sure.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("button", { name: "worker", exact: true }).waitFor({ state: "detached" });
  await page.getByLabel("Revoked keys").click();
  await page.getByRole("row", { name: /worker/ }).getByText("revoked").waitFor();
  assert.equal((await chat(secret)).status, 401);
  assert.deepEqual(mistakes, []);
  await close();
});

test("a provider is added, tried, given a second key, and deleted", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  // The gateway itself is the provider: it answers as OpenAI does.
  const own = await gateway.ask("/v1/api-keys/workspace/service", {
    method: "POST",
    body: { name: "loop", workspace_id: "ws-default", scopes: ["completions.write"] },
  });
  await go("/providers/new");
  const form = page.getByRole("dialog");
  await form.getByLabel(/^Provider/).fill("openai");
  await form.getByLabel("Its key").fill(own.body.key);
  await form.getByLabel("Called as").fill("@near");
  await form.getByText("Address, options").click();
  await form.getByLabel("Address", { exact: true }).fill(`${gateway.url}/v1`);
  await form.getByRole("button", { name: "Add provider" }).click();
  const sheet = page.getByRole("dialog", { name: "@near" });
  await sheet.getByLabel(/^Model/).fill("@demo/echo");
  await sheet.getByRole("button", { name: "Make a call" }).click();
  await sheet.getByText("Answered after").waitFor();
  await sheet.getByText("You said: Say hello.").waitFor();
  assert.ok(!(await page.content()).includes(own.body.key), "a provider's key is not shown");

  await sheet.getByRole("button", { name: "Add a key" }).click();
  const more = page.getByRole("dialog", { name: "Another key of near" });
  await more.getByLabel(/^New key/).fill("sk-second-0123456789");
  await more.getByLabel("Weight").fill("0");
  await more.getByRole("button", { name: "Save" }).click();
  await sheet.getByRole("table", { name: "Keys" }).getByRole("row").nth(2).waitFor();
  await sheet.getByRole("button", { name: "Remove this key" }).nth(1).click();
  await page.getByText("1 key is left").waitFor();
  await page.getByRole("dialog").last().getByRole("button", { name: "Remove" }).click();
  await sheet.getByRole("button", { name: "Replace the key" }).waitFor();

  await sheet.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete near?" }).getByRole("button", { name: "Delete" }).click();
  await page.getByText("No providers yet").waitFor();
  const kept = await gateway.ask(`/v1/integrations?${PLACE}`);
  assert.deepEqual(kept.body.data, [], "the key is forgotten too");
  assert.deepEqual(mistakes, []);
  await close();
});

test("a provider over a key that the organisation lends", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  const lent = await gateway.ask("/v1/integrations", {
    method: "POST",
    body: { name: "Shared", ai_provider_id: "openai", key: "sk-shared-0123456789", create_default_provider: false },
  });
  const everywhere = { workspaces: [], global_workspace_access: { enabled: true } };
  const shared = await gateway.ask(`/v1/integrations/${lent.body.slug}/workspaces`, { method: "PUT", body: everywhere });
  assert.equal(shared.status, 200, JSON.stringify(shared.body));
  await go("/providers/new");
  const form = page.getByRole("dialog");
  await form.getByLabel("Whose key").selectOption({ label: "The organisation's: Shared (openai)" });
  assert.equal(await form.getByLabel("Its key").count(), 0);
  await form.getByLabel("Called as").fill("shared");
  await form.getByRole("button", { name: "Add provider" }).click();
  const sheet = page.getByRole("dialog", { name: "@shared" });
  await sheet.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete Shared?" }).getByRole("button", { name: "Delete" }).click();
  await sheet.waitFor({ state: "detached" });
  // What the organisation lends stays.
  assert.equal((await gateway.ask(`/v1/integrations/${lent.body.slug}`)).status, 200);
  assert.deepEqual(mistakes, []);
  await close();
});

test("a key that is kept for the organisation is lent to other workspaces, and taken back", async () => {
  const harbour = await gateway.ask("/v1/admin/workspaces", { method: "POST", body: { name: "Harbour" } });
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/providers/new");
  const form = page.getByRole("dialog");
  await form.getByLabel(/^Provider/).fill("openai");
  await form.getByLabel("Its key").fill("sk-common-0123456789");
  await form.getByLabel("Called as").fill("common");
  await form.getByLabel(/^Keep it for the organisation/).check();
  await form.getByRole("button", { name: "Add provider" }).click();
  const sheet = page.getByRole("dialog", { name: "@common" });
  await assertAccessible(page, "lending");
  const theirs = async () => (await gateway.ask(`/v1/providers?workspace_id=${harbour.body.slug}`)).body.data.map(({ slug, status }) => [slug, status]);
  assert.deepEqual(await theirs(), []);
  const lend = async (isLent) => {
    await sheet.getByLabel("Harbour").setChecked(isLent);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === "PUT" && response.url().endsWith("/workspaces")),
      sheet.getByRole("button", { name: "Save" }).click(),
    ]);
    assert.equal(answer.status(), 200);
    await settled(page);
  };
  await lend(true);
  assert.deepEqual((await theirs()).map(([slug]) => slug), ["common"]);
  await lend(false);
  const { body } = await gateway.ask(`/v1/integrations/common/workspaces`);
  assert.equal(body.workspaces.find(({ id }) => id === harbour.body.id).enabled, false);
  assert.deepEqual(mistakes, []);
  await gateway.ask(`/v1/admin/workspaces/${harbour.body.slug}`, { method: "DELETE", body: { name: "Harbour", force_delete: true } });
  await close();
});

test("a config: completed while typing, judged at its line, drawn, tried, saved, and taken back", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/configs/new");
  const editor = page.getByRole("textbox", { name: "Config as JSON" });
  await page.getByLabel(/^Name/).fill("ways");
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.type('{"strategy": {"mode": "fa');
  await page.getByRole("option", { name: "fallback" }).waitFor();
  await page.keyboard.press("Enter");
  assert.equal(await editor.inputValue(), '{"strategy": {"mode": "fallback"');
  await page.getByText(/Line 1, column/).waitFor();
  assert.ok(await page.getByRole("button", { name: "Save", exact: true }).isDisabled());

  const target = (name, more = "") => `\n    {"provider": "demo", "api_key": "none", "name": "${name}"${more}, "override_params": {"model": "echo"}}`;
  const config = (first) => `{\n  "strategy": {"mode": "fallback"},\n  "targets": [${target("one", first)},${target("two")}\n  ]\n}\n`;
  await editor.fill(config(', "weight": "heavy"'));
  await page.getByText(/^Line 4: config\.targets\[0\]\.weight/).waitFor();
  // What was refused is what was to be refused.
  assert.ok(mistakes.every((one) => /400/.test(one)), mistakes.join("\n"));
  mistakes.length = 0;

  await editor.fill(config(""));
  await page.getByRole("img", { name: "fallback (demo · echo, demo · echo)" }).waitFor();
  await page.getByText("100.0 % of requests:").waitFor();
  await page.getByLabel(/^targets\[0\].* answers$/).selectOption("503");
  await page.getByText("✕ 503").waitFor();
  await page.getByText("targets[1] demo · echo").last().waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(/configs\/pc-/);
  const slug = new URL(page.url()).pathname.split("/").pop();

  await editor.fill(config(', "weight": 2'));
  await page.getByRole("button", { name: "Save version 2" }).click();
  await page.getByText("Version 2", { exact: true }).waitFor();
  await page.getByRole("button", { name: "History" }).click();
  await page.getByRole("button", { name: "Compare with the one before" }).click();
  const diff = page.getByRole("dialog", { name: "From version 1 to 2" });
  await diff.getByText("targets[0].weight").waitFor();
  await diff.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Go back to it" }).click();
  await page.getByRole("dialog", { name: "Go back to version 1?" }).getByRole("button", { name: "Go back to it" }).click();
  await page.getByText("Version 3", { exact: true }).waitFor();
  const saved = await gateway.ask(`/v1/configs/${slug}?${PLACE}`);
  assert.equal(JSON.parse(saved.body.config).targets[0].weight, undefined);

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete ways?" }).getByRole("button", { name: "Delete" }).click();
  await page.getByText("No configs yet").waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("limits: of the workspace, and a policy for each user", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/limits/workspace");
  const form = page.getByRole("dialog", { name: "Limits of the workspace" });
  await form.getByLabel("Budget", { exact: true }).fill("100");
  await form.getByLabel("Notice at").fill("200");
  await form.getByText("An amount below the budget").waitFor();
  await form.getByLabel("Notice at").fill("80");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText("$100.00 a month").waitFor();

  await page.getByRole("button", { name: "New rate policy" }).click();
  const policy = page.getByRole("dialog");
  await policy.getByLabel(/^Name/).fill("each user");
  await policy.getByLabel(/^Amount/).fill("1");
  await policy.getByRole("button", { name: "Save" }).click();
  await page.getByText("1 requests/minute").waitFor();
  const made = await gateway.ask("/v1/api-keys/workspace/service", {
    method: "POST",
    body: { name: "policed", workspace_id: "ws-default", scopes: ["completions.write"] },
  });
  const as = (user) => chat(made.body.key, HELLO, { "x-portkey-metadata": JSON.stringify({ _user: user }) });
  assert.deepEqual([(await as("ada")).status, (await as("ada")).status, (await as("bo")).status], [200, 429, 200]);

  await page.getByRole("button", { name: "each user" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete the policy each user?" }).getByRole("button", { name: "Delete" }).click();
  await page.getByText("No policies in this workspace.").waitFor();
  assert.equal((await as("ada")).status, 200);

  await page.getByRole("link", { name: "Alerts" }).click();
  await page.getByRole("row", { name: /Default/ }).getByText("$80.00").waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("an invitation is a link; a switch is a change in the audit log, with what was before", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/members");
  await page.getByRole("button", { name: "Invite", exact: true }).first().click();
  const form = page.getByRole("dialog", { name: "Invite somebody" });
  await form.getByLabel(/^Mail address/).fill("mei@example.org");
  await form.getByRole("button", { name: "Invite" }).click();
  const made = page.getByRole("dialog", { name: "Invitation for mei@example.org" });
  assert.match(await made.getByRole("region", { name: "Link" }).innerText(), /sign-in\?token=tgl_/);
  await made.getByRole("button", { name: "Close" }).click();
  await page.getByRole("row", { name: /mei@example.org/ }).getByText("pending").waitFor();

  await go("/settings");
  const box = page.getByLabel("Members change prompts and configs");
  assert.equal(await box.isChecked(), false);
  await box.click();
  await page.waitForFunction(() => [...document.querySelectorAll("input:checked")].some((one) => one.parentElement.textContent === "Members change prompts and configs" && !one.disabled));
  const { body } = await gateway.ask("/v1/admin/organisation");
  assert.equal(body.settings.membersWritePrompts, true);

  await go("/audit?resource=organization&action=update");
  await page.getByRole("button", { name: "update" }).first().click();
  const entry = page.getByRole("dialog");
  await entry.getByText("settings.membersWritePrompts").waitFor();
  await entry.getByText("+ true").waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("a model that is switched off is not called", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  const own = await gateway.ask("/v1/api-keys/workspace/service", {
    method: "POST",
    body: { name: "models", workspace_id: "ws-default", scopes: ["completions.write"] },
  });
  await gateway.ask("/v1/integrations", {
    method: "POST",
    body: { workspace_id: "ws-default", name: "near", ai_provider_id: "openai", key: own.body.key, base_url: `${gateway.url}/v1`, create_default_provider: true, default_provider_slug: "near" },
  });
  await go("/models?q=gpt-4o-mini");
  const box = page.getByRole("checkbox", { name: "gpt-4o-mini may be called", exact: true });
  await box.click();
  await page.waitForFunction(() => document.querySelector('[aria-label="gpt-4o-mini may be called"]:not(:checked):not(:disabled)'));
  const refused = await chat(own.body.key, { ...HELLO, model: "@near/gpt-4o-mini" });
  assert.ok(refused.status >= 400 && refused.status < 500, `${refused.status}`);
  assert.match(JSON.stringify(refused.body), /gpt-4o-mini/);

  await page.getByRole("button", { name: "Set prices: gpt-4o-mini", exact: true }).click();
  const prices = page.getByRole("dialog", { name: "Prices of gpt-4o-mini" });
  await prices.getByLabel("Input").fill("0.2");
  await prices.getByText("A number from 0 on").waitFor();
  await prices.getByLabel("Output").fill("0.8");
  await prices.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /gpt-4o-mini may be called/ }).first().getByText("$0.800").waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

test("somebody's own page: a key of one's own, and what it was used for", async () => {
  const { page, mistakes, close } = await open(browser, gateway, { key: null });
  await page.goto(gateway.link);
  await page.getByRole("link", { name: "My usage" }).click();
  await page.getByRole("button", { name: "Make a key" }).click();
  const shown = page.getByRole("dialog", { name: "Your new key" });
  const secret = (await shown.getByRole("region", { name: "Key", exact: true }).innerText()).trim();
  assert.equal((await chat(secret)).status, 200);
  await shown.getByRole("button", { name: "Close" }).click();
  await page.getByRole("table", { name: "My keys" }).waitFor();
  await page.reload();
  await page.getByRole("table", { name: "My requests" }).getByText("echo").waitFor();
  assert.deepEqual(mistakes.filter((one) => !one.includes("/v1/session") && !one.includes("401")), []);
  await close();
});

test("how the gateway is", async () => {
  const { page, mistakes, go, close } = await open(browser, gateway);
  await go("/health");
  await page.getByText("It takes requests").waitFor();
  await page.getByText("Nothing was dropped since the start.").waitFor();
  await page.getByRole("table", { name: "Calls, by provider" }).getByText("demo").waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});
