import { describe, expect, it } from "vitest";
import { csv, csvCell, folded, type Series, stacked } from "./series";

const series = (id: string, ...points: (number | null)[]): Series => ({ id, name: id, points });

describe("series", () => {
  it("folds the small ones into one that keeps the sum", () => {
    const all = Array.from({ length: 12 }, (_, index) => series(`s${index}`, index, 1));
    const shown = folded(all, "Other", 8);
    expect(shown).toHaveLength(8);
    expect(shown[0]?.id).toBe("s11");
    expect(shown.at(-1)).toMatchObject({ id: "other", points: [0 + 1 + 2 + 3 + 4, 5] });
  });

  it("keeps gaps where nobody has a figure", () => {
    const all = Array.from({ length: 3 }, (_, index) => series(`s${index}`, null, index));
    expect(folded(all, "Other", 2).at(-1)?.points).toEqual([null, 1]);
  });

  it("stacks", () => {
    expect(stacked([series("a", 1, 2), series("b", 3, null)])).toEqual([
      [[0, 1], [0, 2]],
      [[1, 4], [2, 2]],
    ]);
  });

  it("writes CSV that spreadsheets do not run", () => {
    expect(csv([0], [series('a "b"', 1.5)])).toBe('time,"a ""b"""\r\n1970-01-01T00:00:00.000Z,1.5');
    expect(csvCell("=cmd()")).toBe("'=cmd()");
    expect(csvCell("-1.5")).toBe("-1.5");
  });
});
