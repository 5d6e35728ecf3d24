// From nothing to a first answer, to the first request in sight, and to a key with limits: by hand, counted.
//
// A step is a command, an address opened, a press, or a text typed. What has to be waited for is none.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { constants, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { launch, open } from "./browser.mjs";
import { binary } from "./gateway.mjs";
import { album } from "./steps.mjs";

const README = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const PATIENCE_MS = 120_000;

let browser, pictures, machine;
before(async () => {
  browser = await launch();
  pictures = album(browser);
});
afterEach(() => machine?.end());
after(() => browser?.close());

/** A block of README.md that the tests run. */
function block(name) {
  const found = new RegExp(`<!-- e2e:${name} -->\\n\`\`\`\\w+\\n([^]*?)\`\`\``).exec(README);
  assert.ok(found, `README.md has no block ${name}`);
  return found[1].trim();
}

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return String(port);
}

/** An empty folder of somebody who has nothing yet; only the port is not the usual one. */
async function emptyFolder() {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-new-user-"));
  const port = await freePort();
  const env = { PATH: `${folder}:${process.env.PATH}`, TIDEGATE_PORT: port, NO_COLOR: "1" };
  let child;
  machine = {
    port,
    /** What the one file is fetched with does not matter: here it is copied from the build. */
    download: async (way) => {
      copyFileSync(binary(), join(folder, "tidegate"), constants.COPYFILE_FICLONE);
      const megabytes = Math.round(statSync(join(folder, "tidegate")).size / 1e6);
      await way.command("# download tidegate, one file", `tidegate  (${megabytes} MB; here copied from the build that is tested)`);
    },
    /** Starts the gateway; gives the link that it printed. */
    run: async (way) => {
      child = spawn("./tidegate", [], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
      let printed = "";
      const ready = new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`not ready:\n${printed}`)), PATIENCE_MS);
        const hear = (chunk) => {
          printed += chunk;
          const link = /Sign in +(http:\S+)/.exec(printed);
          if (!link) return;
          clearTimeout(late);
          resolve(link[1]);
        };
        child.stdout.on("data", hear);
        child.stderr.on("data", hear);
      });
      const link = await ready;
      await way.command("./tidegate", printed);
      return link;
    },
    /** A command in the folder, as it is written in a terminal. */
    shell: async (way, command) => {
      const ended = spawnSync("bash", ["-euo", "pipefail", "-c", command], { cwd: folder, env, encoding: "utf8", timeout: PATIENCE_MS });
      assert.equal(ended.status, 0, ended.stderr);
      await way.command(command, ended.stdout);
      return ended.stdout;
    },
    admin: () => readFileSync(join(folder, "tidegate-data/admin.key"), "utf8").trim(),
    end: async () => {
      if (child && child.exitCode === null) {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.kill();
        await gone;
      }
      rmSync(folder, { recursive: true, force: true });
      machine = null;
    },
  };
  return { ...machine, gateway: { url: `http://127.0.0.1:${port}`, admin: null } };
}

const requests = (page) => page.getByRole("region", { name: "Newest requests" }).getByRole("row");

test("a first answer after three steps, the request in sight after four", async () => {
  const { download, run, shell, port, gateway } = await emptyFolder();
  const way = pictures.way("first-request", "From nothing to the first request in sight", 4);
  await download(way);
  const link = await run(way);
  const said = await shell(way, block("curl").replaceAll("8787", port));
  assert.match(said, /data: \[DONE\]/);
  assert.ok(way.count() <= 3, `${way.count()} steps to the first answer`);

  const { page, mistakes, close } = await open(browser, gateway, { key: null });
  await page.goto(link);
  await page.getByRole("heading", { name: "Get started", level: 1 }).waitFor();
  await requests(page).filter({ hasText: "echo" }).waitFor();
  assert.ok(!page.url().includes("tgl_"), "the token stays in no history");
  await way.press(page, link.replace(/token=.*/, "token=…"), "address");
  assert.ok(way.count() <= 4, `${way.count()} steps to the first request in sight`);
  assert.deepEqual(mistakes, []);
  await close();
});

test("without a terminal beside it: four steps to the first request in sight", async () => {
  const { download, run, gateway } = await emptyFolder();
  const way = pictures.way("in-the-console", "The same, with the console only", 4);
  await download(way);
  const link = await run(way);
  const { page, mistakes, close } = await open(browser, gateway, { key: null });
  await page.goto(link);
  await page.getByRole("heading", { name: "Get started", level: 1 }).waitFor();
  await way.press(page, link.replace(/token=.*/, "token=…"), "address");
  await page.getByRole("button", { name: "Run it here" }).click();
  await requests(page).filter({ hasText: "echo" }).waitFor();
  await way.press(page, "Run it here");
  assert.ok(way.count() <= 4, `${way.count()} steps`);
  // It can be looked at; what was said is not kept unless somebody wants that.
  await page.getByRole("region", { name: "Newest requests" }).getByRole("link").first().click();
  await page.getByRole("dialog").getByText("demo echo").first().waitFor();
  assert.deepEqual(mistakes, []);
  await close();
});

/** Whether a key answers, and what holds it. */
async function judged(gateway, admin, key) {
  const body = JSON.stringify({ model: "@demo/echo", messages: [{ role: "user", content: "Hello!" }] });
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body });
  assert.equal(answer.status, 200, await answer.text());
  const listed = await (await fetch(`${gateway.url}/v1/api-keys?workspace_id=ws-default`, { headers: { "x-portkey-api-key": admin } })).json();
  const row = listed.data.find(({ name }) => name === "my-app");
  assert.deepEqual(row.rate_limits.map(({ type, unit, value }) => [type, unit, value]), [["requests", "rpm", 100]]);
  assert.deepEqual([row.usage_limits.type, row.usage_limits.credit_limit, row.usage_limits.periodic_reset], ["cost", 5, "monthly"]);
}

test("a key with limits is handed out after eight steps", async () => {
  const { download, run, gateway, admin } = await emptyFolder();
  const way = pictures.way("limited-key", "From nothing to a key with limits", 8);
  await download(way);
  const link = await run(way);
  const { page, mistakes, close } = await open(browser, gateway, { key: null });
  await page.goto(link);
  await page.getByRole("heading", { name: "Get started", level: 1 }).waitFor();
  await way.press(page, link.replace(/token=.*/, "token=…"), "address");
  await page.getByRole("link", { name: "Hand out a key with limits" }).click();
  const form = page.getByRole("dialog");
  await page.waitForFunction(() => document.activeElement?.tagName === "INPUT");
  await way.press(page, "Hand out a key with limits");
  await page.keyboard.type("my-app");
  await way.press(page, "my-app", "text");
  await form.getByRole("button", { name: "Create key" }).click();
  const shown = page.getByRole("dialog", { name: "The key my-app" });
  await shown.waitFor();
  await way.press(page, "Create key");
  await shown.getByRole("button", { name: "Copy: Key", exact: true }).click();
  await way.press(page, "Copy: Key");
  assert.ok(way.count() <= 8, `${way.count()} steps`);
  await judged(gateway, admin(), (await shown.getByRole("region", { name: "Key", exact: true }).innerText()).trim());
  assert.deepEqual(mistakes, []);
  await close();
});

test("by command it takes three", async () => {
  const { download, run, shell, gateway, admin } = await emptyFolder();
  const way = pictures.way("limited-key-by-command", "The same, by commands", 3);
  await download(way);
  await run(way);
  const create = block("keys").split("\n").find((line) => line.includes("keys create"));
  const said = await shell(way, create);
  assert.ok(way.count() <= 3, `${way.count()} steps`);
  await judged(gateway, admin(), /tg-svc-[\w-]+/.exec(said)[0]);
});
