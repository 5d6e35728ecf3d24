// The hash of everything that a build reads. crates/console/src/files.rs computes the same to find a stale dist.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const SINGLE = ["index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"];

export function hashOfSources() {
  const names = ["public", "src"].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length)),
  );
  const hash = createHash("sha256");
  for (const name of [...names, ...SINGLE].filter((one) => !one.includes(".test.")).sort()) {
    const content = readFileSync(root + name);
    hash.update(`${name}\n${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}
