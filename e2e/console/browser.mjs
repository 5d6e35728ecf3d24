// Debian's Chromium, and what is to be true of every page it shows.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const PATH = process.env.CHROMIUM ?? "/usr/bin/chromium";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** `more` are arguments of the browser. */
export async function launch(...more) {
  if (!existsSync(PATH)) throw new Error(`there is no ${PATH}: run \`apt-get install -y chromium\`, or set CHROMIUM`);
  return chromium.launch({ executablePath: PATH, args: ["--no-sandbox", ...more] });
}

/**
 * A page of somebody who is signed in with the admin key, unless `key` is null. `mistakes` are everything that went wrong in it:
 * errors of scripts, answers from 400 on, requests that leave the gateway.
 */
export async function open(browser, gateway, { key = gateway.admin, language = "en", theme = "light", width = 1360, height = 900 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: language, acceptDownloads: true });
  // Long, because only what is broken gets there.
  context.setDefaultTimeout(90_000);
  await context.addInitScript(
    ([kept, chosen]) => {
      if (kept !== null && sessionStorage.getItem("tidegate.key") === null && !location.pathname.endsWith("/sign-in")) sessionStorage.setItem("tidegate.key", kept);
      localStorage.setItem("tidegate.theme", chosen);
    },
    [key, theme],
  );
  const page = await context.newPage();
  const mistakes = [];
  const pending = new Set();
  underWay.set(page, pending);
  page.on("request", (request) => {
    // What is open for as long as the page is ends never.
    if (!request.url().includes("/tail")) pending.add(request);
  });
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => pending.delete(request));
  page.on("pageerror", (error) => mistakes.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== gateway.url && !["data:", "blob:"].includes(protocol)) mistakes.push(`leaves the gateway: ${request.url()}`);
  });
  page.on("requestfailed", (request) => {
    // What a page asked for and no longer needs, it takes back itself.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") mistakes.push(`${request.failure()?.errorText}: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() < 400) return;
    mistakes.push(`${response.status()}: ${response.url()}`);
  });
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
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

/** Requests of pages that are not answered yet. */
const underWay = new WeakMap();

/** The page is there, and nothing in it is still coming: parts that show nothing until they know something are there as well. */
export async function settled(page) {
  await page.locator("main h1").waitFor();
  const pending = underWay.get(page);
  for (let quiet = 0; quiet < 3; ) {
    await page.waitForFunction(() => document.querySelector(".skeleton, .is-old, [aria-busy=true]") === null);
    // What comes is drawn, and may ask for more.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 10))));
    quiet = pending.size === 0 ? quiet + 1 : 0;
  }
}

/** Nothing that keeps people out: axe's serious and critical findings, by WCAG 2.2 AA. */
export async function assertAccessible(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = grave.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(told, [], where);
}
