// Debian's Chromium, and what is to be true of every page it shows.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const PATH = process.env.CHROMIUM ?? "/usr/bin/chromium";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function launch() {
  if (!existsSync(PATH)) throw new Error(`there is no ${PATH}: run \`apt-get install -y chromium\`, or set CHROMIUM`);
  return chromium.launch({ executablePath: PATH, args: ["--no-sandbox"] });
}

/** What the gateway does not serve (yet): its answer to the page is no mistake of the page. */
const OPTIONAL = ["/v1/analytics/query", "/v1/analytics/metrics", "/v1/traces", "/v1/feedback"];

function isOptional(gateway, url) {
  const { pathname } = new URL(url);
  const path = OPTIONAL.find((one) => pathname === one || pathname.startsWith(`${one}/`));
  return path !== undefined && !gateway.serves(path);
}

/**
 * A page of somebody who is signed in with the admin key, unless `key` is null. `mistakes` are everything that went wrong in it:
 * errors of scripts, answers from 400 on, requests that leave the gateway.
 */
export async function open(browser, gateway, { key = gateway.admin, language = "en", theme = "light", width = 1360, height = 900 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: language, acceptDownloads: true });
  await context.addInitScript(
    ([kept, chosen]) => {
      if (kept !== null && sessionStorage.getItem("tidegate.key") === null && !location.pathname.endsWith("/sign-in")) sessionStorage.setItem("tidegate.key", kept);
      localStorage.setItem("tidegate.theme", chosen);
    },
    [key, theme],
  );
  const page = await context.newPage();
  const mistakes = [];
  let excused = 0;
  page.on("pageerror", (error) => mistakes.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== gateway.url && !["data:", "blob:"].includes(protocol)) mistakes.push(`leaves the gateway: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() < 400) return;
    if (isOptional(gateway, response.url())) excused++;
    else mistakes.push(`${response.status()}: ${response.url()}`);
  });
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    // The browser's own line about an answer that was judged above.
    if (message.text().startsWith("Failed to load resource") && excused > 0) return;
    mistakes.push(`console: ${message.text()}`);
  });
  return {
    page,
    mistakes,
    /** Goes to a page of the console and waits until nothing is loading. */
    go: async (path) => {
      await page.goto(`${gateway.url}/console/w/ws-default${path}`);
      await settled(page);
    },
    close: () => context.close(),
  };
}

/** The page is there, and nothing in it is still coming. */
export async function settled(page) {
  await page.locator("main h1").waitFor();
  await page.waitForFunction(() => document.querySelector(".skeleton, .is-old") === null);
}

/** Nothing that keeps people out: axe's serious and critical findings, by WCAG 2.2 AA. */
export async function assertAccessible(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = grave.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(told, [], where);
}
