// Makes docs/console.png, from a gateway of its own: `node picture.mjs`.

import { fileURLToPath } from "node:url";
import { launch, open } from "./browser.mjs";
import { start } from "./gateway.mjs";
import { traffic } from "./traffic.mjs";

const gateway = await start();
const browser = await launch();
try {
  await traffic(gateway, { rounds: 2 });
  const { page, go } = await open(browser, gateway, { width: 1200, height: 720 });
  await go("/logs?from=-15m");
  await page.screenshot({ path: fileURLToPath(new URL("../../docs/console.png", import.meta.url)) });
} finally {
  await browser.close();
  await gateway.stop();
}
