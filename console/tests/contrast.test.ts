import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("../src/ui/tokens.css", import.meta.url), "utf8");

/** The colours of a theme: every `--name: #rrggbb` of the block that begins with `selector`. */
function theme(selector: string): Map<string, string> {
  const block = css.slice(css.indexOf(selector)).split("}")[0] ?? "";
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((match) => [match[1] ?? "", match[2] ?? ""]));
}

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const TEXTS = ["text", "muted", "accent", "success", "warning", "danger", "info", "purple", "teal", "orange"];
const SURFACES = ["background", "surface", "raised", "tint"];
const MARKS = ["control", "other", ...Array.from({ length: 8 }, (_, index) => `series-${index + 1}`)];

describe.each([["light", ':root[data-theme="light"]'], ["dark", ':root[data-theme="dark"]']])("%s", (_, selector) => {
  const colours = theme(selector);
  const of = (name: string) => colours.get(name) ?? "#000000";

  it.each(TEXTS.flatMap((one) => SURFACES.map((surface) => [one, surface] as const)))("%s on %s is 4.5:1", (one, surface) => {
    expect(contrast(of(one), of(surface))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(MARKS)("%s is 3:1 on the background", (mark) => {
    expect(contrast(of(mark), of("background"))).toBeGreaterThanOrEqual(3);
  });

  it("has a readable primary button", () => expect(contrast(of("on-accent"), of("accent"))).toBeGreaterThanOrEqual(4.5));
});

it("is the same whether the system or a person chose dark", () => {
  expect(theme(":root:not([data-theme])")).toEqual(theme(':root[data-theme="dark"]'));
});
