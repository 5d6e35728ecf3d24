import { describe, expect, it } from "vitest";
import { diff } from "./diff";

const before = (pieces: ReturnType<typeof diff>) => pieces.filter((piece) => piece.kind !== "added").map((piece) => piece.text).join("");
const after = (pieces: ReturnType<typeof diff>) => pieces.filter((piece) => piece.kind !== "removed").map((piece) => piece.text).join("");

describe("diff", () => {
  it("finds the words that changed", () => {
    expect(diff("the tide turns", "the tide goes out")).toEqual([
      { kind: "same", text: "the tide " },
      { kind: "removed", text: "turns" },
      { kind: "added", text: "goes out" },
    ]);
    expect(diff("same", "same")).toEqual([{ kind: "same", text: "same" }]);
    expect(diff("", "")).toEqual([]);
  });

  it("loses nothing of either text", () => {
    const words = ["a", "b", "c", " ", "\n"];
    for (let seed = 1; seed < 200; seed++) {
      const pick = (n: number) => words[(seed * n * 7919) % words.length] ?? "";
      const [x, y] = [Array.from({ length: 12 }, (_, i) => pick(i + 1)).join(" "), Array.from({ length: 9 }, (_, i) => pick(i * i + 2)).join(" ")];
      const pieces = diff(x, y);
      expect([before(pieces), after(pieces)]).toEqual([x, y]);
    }
  });

  it("stays quick on long texts", () => {
    const long = Array.from({ length: 30_000 }, (_, index) => `w${index}`).join(" ");
    expect(after(diff(long, `${long} end`))).toBe(`${long} end`);
  });
});
