import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Catalogue } from "@/i18n/text";

const SOURCES = fileURLToPath(new URL("../src", import.meta.url));

function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesIn(path) : [path];
  });
}

const files = filesIn(SOURCES);
const catalogues = import.meta.glob<{ readonly text: Catalogue<string> }>("../src/**/text.ts", { eager: true });
const own = Object.entries(catalogues).filter(([path, module]) => !path.endsWith("i18n/text.ts") && "text" in module);

/** `{name}`s of a text. */
function names(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? ""))].sort();
}

/** The file behind an import. */
function resolved(from: string, wanted: string): string {
  return `${wanted.startsWith("@/") ? join(SOURCES, wanted.slice(2)) : join(dirname(from), wanted)}.ts`;
}

describe.each(own)("%s", (path, { text }) => {
  const file = join(dirname(fileURLToPath(import.meta.url)), path);
  const importers = files
    .filter((one) => /\.tsx?$/.test(one) && one !== file)
    .map((one) => ({ one, source: readFileSync(one, "utf8") }))
    .filter(({ one, source }) => [...source.matchAll(/from "([^"]*\/text)"/g)].some((match) => resolved(one, match[1] ?? "") === file))
    .map(({ source }) => source);

  it("has the same keys in both languages", () => {
    expect(Object.keys(text["zh-CN"]).sort()).toEqual(Object.keys(text.en).sort());
  });

  it("leaves no text empty or untranslated", () => {
    for (const [key, chinese] of Object.entries(text["zh-CN"])) {
      const english = text.en[key] ?? "";
      expect(english.trim(), key).not.toBe("");
      expect(chinese.trim(), key).not.toBe("");
      // Names and technical terms are the same in both; a sentence is not.
      if (english.replaceAll(/\{[^}]*\}/g, "").split(" ").filter((word) => /[a-z]/i.test(word)).length > 3) expect(chinese, key).toMatch(/[\u4e00-\u9fff]/);
      expect(names(chinese), key).toEqual(names(english));
    }
  });

  it("has no text that nobody shows", () => {
    const unused = Object.keys(text.en).filter((key) => {
      const group = key.replace(/_.*$/, "_");
      // `t("key")`, or a key that is put together from `prefix_` and a word of a closed set.
      return !importers.some((source) => source.includes(`"${key}"`) || (group !== key && source.includes(`\`${group}$`)));
    });
    expect(unused).toEqual([]);
  });
});

it("finds the catalogues, and pages hold no text of their own", () => {
  expect(own.length).toBeGreaterThan(1);
  for (const file of files.filter((one) => one.endsWith(".tsx"))) {
    const source = readFileSync(file, "utf8");
    const chinese = source.replaceAll("中文", "");
    expect(/[\u4e00-\u9fff]/.test(chinese), relative(SOURCES, file)).toBe(false);
    const loose = [...source.matchAll(/>\s*([A-Z][a-z]+(?: [a-z]+)+)\s*</g)].map((match) => match[1]);
    expect(loose, relative(SOURCES, file)).toEqual([]);
  }
});
