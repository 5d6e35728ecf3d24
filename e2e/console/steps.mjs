// The steps of somebody new, counted, each with a picture in ../out/new-user.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../out/new-user/", import.meta.url));

const escape = (text) => text.replace(/[&<>]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[one]);

/** The pictures of a run, and the pages that name them. */
export function album(browser) {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const paths = [];
  const write = () => {
    const lines = paths.map(({ name, title, most, steps }) => {
      const rows = steps.map(({ what, kind, file }, at) => `${at + 1}. ${kind}: \`${what.replaceAll("\n", " ")}\`\n\n   ![${kind} ${at + 1}](${file})\n`);
      return `## ${title}\n\n${steps.length} of at most ${most} steps (${name}).\n\n${rows.join("\n")}`;
    });
    writeFileSync(`${FOLDER}index.md`, `# What somebody new sees\n\n${lines.join("\n")}`);
    const parts = paths.map(({ title, most, steps }) => {
      const rows = steps.map(({ what, kind, file }) => `<li><p>${kind}: <code>${escape(what)}</code></p><img src="${file}" alt="" width="800"></li>`);
      return `<h2>${escape(title)}</h2><p>${steps.length} of at most ${most} steps.</p><ol>${rows.join("")}</ol>`;
    });
    writeFileSync(`${FOLDER}index.html`, `<!doctype html><meta charset="utf-8"><title>What somebody new sees</title><h1>What somebody new sees</h1>${parts.join("")}`);
  };
  return {
    /** A way from nothing to something, which may have so many steps. */
    way: (name, title, most) => {
      const steps = [];
      const path = { name, title, most, steps };
      paths.push(path);
      const taken = (kind, what) => {
        const file = `${name}-${steps.length + 1}.png`;
        steps.push({ kind, what, file });
        write();
        return FOLDER + file;
      };
      return {
        count: () => steps.length,
        /** A command, and what it printed. */
        command: async (what, printed) => {
          const page = await browser.newPage({ viewport: { width: 1000, height: 400 } });
          const style = "margin:0;padding:16px;background:#111;color:#ddd;font:14px/1.5 monospace;white-space:pre-wrap;word-break:break-all";
          await page.setContent(`<body style="${style}"><b style="color:#6cf">$ ${escape(what)}</b>\n${escape(printed.trim())}</body>`);
          await page.screenshot({ path: taken("command", what), fullPage: true });
          await page.close();
        },
        /** Something done in the browser: a press, a text typed, an address opened. The picture is of what it led to. */
        press: async (page, what, kind = "press") => page.screenshot({ path: taken(kind, what) }),
      };
    },
  };
}
