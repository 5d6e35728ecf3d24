import { describe, expect, it } from "vitest";
import { ends, parseRange, relative } from "./time";

const NOON = Date.UTC(2026, 0, 31, 12);

describe("time", () => {
  it("tells short times ago", () => {
    expect(relative(NOON - 12_000, NOON, "en")).toBe("12s ago");
    expect(relative(NOON - 7_200_000, NOON, "en")).toBe("2h ago");
    expect(relative(NOON - 120_000, NOON, "zh-CN")).toBe("2分钟前");
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
