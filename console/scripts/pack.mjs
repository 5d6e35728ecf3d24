// Compresses what `vite build` made and writes it, with its table, to where the gateway takes it from.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { hashOfSources, root } from "./sources.mjs";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Most of what is in the file that all pages share is called when it is loaded. A browser that is told so (a hint of V8's) compiles it
 * beside its main thread, while it comes; others read a comment.
 */
const CALLED = "//# allFunctionsCalledOnLoad\n";
const isFirst = (name) => /^assets\/shared-.*\.js$/.test(name);

const build = `${root}build/`;
const dist = fileURLToPath(new URL("../../crates/console/dist/", import.meta.url));
rmSync(dist, { recursive: true, force: true });

const names = readdirSync(build, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll("//", "/").slice(build.length))
  .sort();
const rows = names.map((name) => {
  const made = readFileSync(build + name);
  const content = isFirst(name) ? Buffer.concat([Buffer.from(CALLED), made]) : made;
  const type = TYPES[extname(name)];
  if (!type) throw new Error(`scripts/pack.mjs has no content type for ${name}`);
  mkdirSync(dirname(dist + name), { recursive: true });
  writeFileSync(`${dist}${name}.gz`, gzipSync(content, { level: 9 }));
  const etag = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return `    File { name: "${name}", content_type: "${type}", etag: "\\"${etag}\\"", gzip: include_bytes!("${name}.gz") },\n`;
});
writeFileSync(`${dist}files.rs`, `// Made by \`npm run build\` in console/.\n&[\n${rows.join("")}]\n`);
writeFileSync(`${dist}sources.sha256`, `${hashOfSources()}\n`);
console.log(`${names.length} files packed into crates/console/dist`);
