import { describe, expect, it } from "vitest";
import { axisLabel, ends, parseRange, relative } from "./time";

const NOON = Date.UTC(2026, 0, 31, 12);

describe("time", () => {
  it("tells short times ago", () => {
    expect(relative(NOON - 12_000, NOON, "en")).toBe("12s ago");
    expect(relative(NOON - 7_200_000, NOON, "en")).toBe("2h ago");
    expect(relative(NOON - 120_000, NOON, "zh-CN")).toBe("2分钟前");
    expect(relative(NOON + 3_000, NOON, "en")).toBe("0s ago");
    expect(relative(NOON - 90_000_000, NOON, "en")).toContain("2026");
  });

  it("labels an axis by the distance of its marks", () => {
    const evening = new Date(2026, 10, 2, 18, 5, 9).getTime();
    const midnight = new Date(2026, 10, 2).getTime();
    expect(axisLabel(evening, 3_600_000, "en")).toBe("18:05");
    expect(axisLabel(evening, 5_000, "zh-CN")).toBe("18:05:09");
    expect(axisLabel(midnight, 3_600_000, "en")).toBe("Nov 2");
    expect(axisLabel(evening, 86_400_000, "zh-CN")).toBe("11月2日");
  });

  it("reads ranges, and falls back on nonsense", () => {
    expect(parseRange("-15m", null, "-24h")).toEqual({ kind: "last", ms: 900_000 });
    expect(parseRange(null, null, "-24h")).toEqual({ kind: "last", ms: 86_400_000 });
    expect(parseRange("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "-24h")).toEqual({
      kind: "between", from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 2),
    });
    expect(parseRange("yesterday", null, "-1h")).toEqual({ kind: "last", ms: 3_600_000 });
  });

  it("asks the same within a grain", () => {
    const range = parseRange("-1h", null, "-1h");
    expect(ends(range, NOON + 1_000)).toEqual(ends(range, NOON + 9_000));
  });
});
