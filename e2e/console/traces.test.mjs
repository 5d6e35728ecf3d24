// What an agent did, as its libraries' own handlers told it: found in the list, and read as a tree.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { assertAccessible, launch, open, settled } from "./browser.mjs";
import { start, until } from "./gateway.mjs";
import { fakes } from "./traffic.mjs";

const E2E = fileURLToPath(new URL("../", import.meta.url));
const PYTHON = `${E2E}.cache/venv/bin/python`;

let gateway, browser, traces;
before(async () => {
  gateway = await start();
  browser = await launch();
  traces = await run();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** Runs both agents; their traces, when all of them is written. */
async function run() {
  if (!existsSync(PYTHON)) throw new Error(`there is no ${PYTHON}: run e2e/setup.py, which installs the agents' libraries`);
  const scopes = ["completions.write", "logs.write"];
  const made = await gateway.ask("/v1/api-keys/workspace/service", { method: "POST", body: { name: "agent", workspace_id: "ws-default", scopes } });
  const { urls, stop } = await fakes();
  try {
    const { stdout } = await promisify(execFile)(PYTHON, ["-m", "harness.agents", gateway.url, made.body.key, urls.openai], { cwd: E2E });
    const ids = JSON.parse(stdout);
    for (const id of Object.values(ids)) {
      // The agent, and below it its tools and its calls, each with an attempt.
      await until(async () => {
        const spans = (await gateway.ask(`/v1/traces/${id}?workspace_id=ws-default`)).body.spans ?? [];
        return spans.length === 12 && spans.filter((span) => span.parent_span_id === null).length === 1;
      });
    }
    return ids;
  } finally {
    stop();
  }
}

const KINDS = { en: ["request", "attempt", "span"], "zh-CN": ["请求", "尝试", "span"] };
const SEEN = [
  ["langchain", "agent", "ChatOpenAI"],
  ["llama_index", "query", "llm"],
];

for (const [agent, root, model] of SEEN) {
  test(`${agent}: three calls of a tool, and each call of the model once`, async () => {
    const { page, mistakes, go, close } = await open(browser, gateway);
    await go("/traces");
    const rows = page.locator("tbody tr");
    assert.equal(await rows.count(), 2);
    await rows.locator(`a[href$="/traces/${traces[agent]}"]`).click();
    await settled(page);
    const items = await page.getByRole("treeitem").evaluateAll((all) =>
      all.map((item) => [Number(item.getAttribute("aria-level")), item.querySelector(".clip").textContent]),
    );
    const call = [
      [2, model],
      [3, "attempt 1: openai"],
    ];
    assert.deepEqual(items, [[1, root], ...[1, 2, 3].flatMap(() => [...call, [2, "tide"]]), ...call]);
    await page.getByText("4 requests").waitFor();
    // By keyboard: down to the first call, whose request and answer stand beside the tree.
    await page.getByRole("tree").focus();
    await page.getByRole("treeitem").first().click();
    await page.keyboard.press("ArrowDown");
    await page.getByRole("link", { name: "Open the request" }).waitFor();
    await assertAccessible(page, agent);
    assert.deepEqual(mistakes, []);
    await close();
  });
}

for (const language of ["en", "zh-CN"]) {
  test(`the same tree in ${language}, and as a waterfall`, async () => {
    const { page, mistakes, go, close } = await open(browser, gateway, { language });
    for (const view of ["", "?view=waterfall"]) {
      await go(`/traces/${traces.llama_index}${view}`);
      const items = page.getByRole("treeitem");
      assert.equal(await items.count(), 12);
      const shown = (await items.allInnerTexts()).map((text) => text.toLowerCase());
      for (const kind of KINDS[language]) assert.ok(shown.some((text) => text.includes(kind)), `${kind}: ${shown.join("; ")}`);
    }
    assert.deepEqual(mistakes, []);
    await close();
  });
}
