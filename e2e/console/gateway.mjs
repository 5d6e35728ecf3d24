// The binary under test, with a data directory and a port of its own.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PATIENCE_MS = 120_000;

export function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const found = [process.env.TIDEGATE_BIN, join(target, "quick/tidegate"), join(target, "debug/tidegate")].find((path) => path && existsSync(path));
  if (!found) throw new Error("there is no tidegate binary: run `cargo build --profile quick -p tidegate`, or set TIDEGATE_BIN");
  return found;
}

/** Another binary of the workspace, from the same build. */
export function beside(name) {
  const path = join(dirname(binary()), name);
  if (!existsSync(path)) throw new Error(`there is no ${path}: run \`cargo build --profile quick -p tidegate -p tidegate-testkit\``);
  return path;
}

/** Starts a gateway and waits until it listens. `link` is the way in that its first start printed; `settings` are more of the file. */
export async function start(settings = "") {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-console-"));
  writeFileSync(join(folder, "tidegate.toml"), `[records]\nbodies = "all"\n${settings}`);
  const child = spawn(binary(), ["serve", "--port", "0", "--data-dir", folder, "--config", join(folder, "tidegate.toml")], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const said = (pattern) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the gateway printed no ${pattern}:\n${printed}`)), PATIENCE_MS);
      const look = () => {
        const match = pattern.exec(printed);
        if (!match) return;
        clearTimeout(late);
        resolve(match[1]);
      };
      child.stdout.on("data", look);
      child.on("exit", () => reject(new Error(`the gateway ended:\n${printed}`)));
      look();
    });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
  const url = await said(/listening on (http:\S+)/);
  const link = await said(/(http:\S+\/sign-in\?token=\S+)/);
  const admin = readFileSync(join(folder, "admin.key"), "utf8").trim();
  return {
    url,
    link,
    admin,
    ask: async (path, { method = "GET", body, key = admin, headers = {} } = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: { "x-portkey-api-key": key, "content-type": "application/json", ...headers },
        body: body && JSON.stringify(body),
      });
      return { status: response.status, body: await response.json().catch(() => null) };
    },
    stop: async () => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A key for applications of the default workspace. */
export async function makeKey(gateway) {
  const scopes = ["completions.write", "logs.view", "logs.list", "analytics.view"];
  const made = await gateway.ask("/v1/api-keys/workspace/service", { method: "POST", body: { name: "shop", workspace_id: "ws-default", scopes } });
  return made.body.key;
}

/** Requests as applications make them: answers, a stream, a fallback, a mistake. Waits until all are in the log. */
export async function seed(gateway, key, rounds = 3) {
  const chat = (body, headers = {}) => gateway.ask("/v1/chat/completions", { method: "POST", key, body: { model: "@demo/echo", ...body }, headers });
  const says = (content) => ({ messages: [{ role: "system", content: "You are terse." }, { role: "user", content }] });
  for (let round = 0; round < rounds; round++) {
    const metadata = (user) => ({ "x-portkey-metadata": JSON.stringify({ _user: user, _session: `sitting-${round % 2}`, team: "search" }) });
    await chat(says(`Summarise the refund policy, case ${round}`), { ...metadata("ada"), "x-portkey-trace-id": `agent-${round}` });
    await chat({ ...says("Translate: the tide turns at noon"), stream: true }, metadata("bo"));
    await chat(says("Who answers me?"), {
      ...metadata("cy"),
      "x-portkey-trace-id": `agent-${round}`,
      // Nobody listens at the first target's address.
      "x-portkey-config": JSON.stringify({
        strategy: { mode: "fallback" },
        targets: [{ provider: "openai", api_key: "sk-none", override_params: { model: "gpt-4o" } }, { provider: "demo", override_params: { model: "echo" } }],
      }),
    });
    await chat({ ...says("lost"), model: "@nope/none" }, metadata("ada"));
  }
  await until(async () => (await gateway.ask("/v1/logs?workspace_id=ws-default")).body.total >= rounds * 4);
}

/** Asks again until it is so; fails when it takes too long. */
export async function until(isSo) {
  const late = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > late) throw new Error(`it never came to be: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
