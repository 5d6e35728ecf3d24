import { describe, expect, it } from "vitest";
import { change, count, duration, money, percent, rate } from "./number";

describe("figures", () => {
  it.each([
    [null, "—"], [Number.NaN, "—"], [0, "0"], [8192, "8,192"], [9999, "9,999"], [12_400, "12.4k"], [3_140_000, "3.1M"],
    [999_999, "1.0M"], [2.5, "2.5"], [-8192, "-8,192"], [123_456_000_000_000, "123,456.0G"],
  ])("count %s", (value, text) => expect(count(value)).toBe(text));

  it.each([
    [null, "—"], [0, "$0"], [0.00412, "$0.00412"], [0.0000076, "$0.00000760"], [0.0000001, "<$0.000001"], [12.4, "$12.40"],
    [1204.4, "$1,204"], [0.9999, "$1.00"], [0.5, "$0.500"],
  ])("money %s", (value, text) => expect(money(value)).toBe(text));

  it.each([
    [undefined, "—"], [0.75, "750 µs"], [3.2, "3.2 ms"], [480, "480 ms"], [999.7, "1.00 s"], [1240, "1.24 s"], [30_000, "30.0 s"],
    [125_000, "2 m 05 s"], [59_990, "1 m 00 s"], [7_500_000, "2 h 05 m"],
  ])("duration %s", (value, text) => expect(duration(value)).toBe(text));

  it("percent and rate", () => {
    expect(percent(4.12)).toBe("4.1 %");
    expect(percent(0.042)).toBe("0.04 %");
    expect(percent(0)).toBe("0.0 %");
    expect(rate(12.3)).toBe("12/s");
  });

  it("change says where there is none to tell", () => {
    expect(change(112, 100)).toEqual({ text: "▲ +12 %", direction: 1 });
    expect(change(95, 100)).toEqual({ text: "▼ −5.0 %", direction: -1 });
    expect(change(1, 0)).toBeNull();
    expect(change(null, 3)).toBeNull();
  });
});
