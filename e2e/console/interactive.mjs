// How soon the console can be used on a slow machine: `node interactive.mjs`. Prints a line per page, and fails when the script
// of the first load is too large. With `--bar` it fails too when half of the loads take longer than a second.
//
// The browser's processor is slowed four times, its cache is empty, and somebody is signed in. A page can be used when figures
// or rows of the log have been painted and a key that is pressed then has been heard, and painted after.

import { traffic } from "./traffic.mjs";
import { launch, open } from "./browser.mjs";
import { start } from "./gateway.mjs";

const LOADS = 5;
const SLOWED = 4;
const BAR_MS = 1_000;
const MOST_SCRIPT_KB = 250;
const PAGES = [
  ["Overview", "/", "main .tile strong"],
  ["Logs", "/logs", "main tbody tr"],
];

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds from the start of the navigation, and the size of the scripts. */
async function load(browser, gateway, path, selector) {
  const { page, mistakes, close } = await open(browser, gateway);
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
  await page.addInitScript((wanted) => {
    const afterPaint = (what) => requestAnimationFrame(() => setTimeout(what));
    globalThis.painted = new Promise((resolve) => {
      const look = () => (document.querySelector(wanted) ? afterPaint(() => resolve(performance.now())) : requestAnimationFrame(look));
      look();
    });
    globalThis.heard = new Promise((resolve) => addEventListener("keydown", () => afterPaint(() => resolve(performance.now())), { once: true }));
  }, selector);
  await page.goto(`${gateway.url}/console/w/ws-default${path}`, { waitUntil: "commit" });
  const painted = await page.evaluate(() => globalThis.painted);
  await page.keyboard.press("Shift");
  const usable = await page.evaluate(() => globalThis.heard);
  const bytes = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter(({ initiatorType, name }) => initiatorType === "script" || new URL(name).pathname.endsWith(".js"))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  );
  await close();
  if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
  return { painted, usable, bytes };
}

const gateway = await start();
const browser = await launch();
try {
  await traffic(gateway, { rounds: 3 });
  // The first load of a fresh browser process is about the process.
  await load(browser, gateway, ...PAGES[0].slice(1));
  for (const [name, path, selector] of PAGES) {
    const loads = [];
    for (let n = 0; n < LOADS; n++) loads.push(await load(browser, gateway, path, selector));
    const [painted, usable] = [loads.map((one) => one.painted), loads.map((one) => one.usable)].map(median);
    const all = loads.map((one) => Math.round(one.usable)).toSorted((a, b) => a - b);
    const kilobytes = Math.max(...loads.map((one) => one.bytes)) / 1_000;
    console.log(`${name}, CPU slowed ${SLOWED}x: painted after ${Math.round(painted)} ms, usable after ${Math.round(usable)} ms (median of ${all.join(", ")}); ${kilobytes.toFixed(0)} KB of script`);
    if (kilobytes > MOST_SCRIPT_KB) {
      console.error(`${name} loads more than ${MOST_SCRIPT_KB} KB of script`);
      process.exitCode = 1;
    }
    if (process.argv.includes("--bar") && usable > BAR_MS) {
      console.error(`${name} takes longer than ${BAR_MS} ms`);
      process.exitCode = 1;
    }
  }
} finally {
  await browser.close();
  await gateway.stop();
}
