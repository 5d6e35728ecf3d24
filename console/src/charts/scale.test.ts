import { describe, expect, it } from "vitest";
import { linear, logarithmic, timeTicks } from "./scale";

describe("scales", () => {
  it("have round ticks that hold every figure", () => {
    expect(linear(0, 37).ticks).toEqual([0, 10, 20, 30, 40]);
    expect(linear(0, 0.0041).ticks).toEqual([0, 0.002, 0.004, 0.006]);
    expect(linear(0, 0).ticks.length).toBeGreaterThan(1);
    expect(linear(0, 40).at(10)).toBe(0.25);
  });

  it("have a tick per power of ten", () => {
    expect(logarithmic(12, 4_000).ticks).toEqual([10, 100, 1_000, 10_000]);
    expect(logarithmic(10, 1_000).at(100)).toBe(0.5);
  });

  it("put marks on whole steps of time", () => {
    const from = Date.UTC(2026, 0, 1, 0, 7);
    const { step, ticks } = timeTicks(from, from + 3_600_000, 6);
    expect(step).toBe(900_000);
    expect(ticks.map((at) => new Date(at).getUTCMinutes())).toEqual([15, 30, 45, 0]);
  });
});
