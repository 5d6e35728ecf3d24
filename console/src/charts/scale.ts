/** Where figures stand on an axis. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** 0 to 1 from the axis' beginning. */
  readonly at: (value: number) => number;
}

/** Ticks at 1, 2 or 5 times a power of ten; about `wanted` of them. */
export function linear(low: number, high: number, wanted = 4): Scale {
  const span = high > low ? high - low : Math.abs(high) || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const min = Math.floor(low / step + 1e-9) * step;
  const max = Math.max(min + step, Math.ceil(high / step - 1e-9) * step);
  const count = Math.round((max - min) / step);
  const ticks = Array.from({ length: count + 1 }, (_, index) => Number((min + index * step).toPrecision(12)));
  return { min, max, ticks, at: (value) => (value - min) / (max - min) };
}

/** A tick per power of ten, for figures above zero. */
export function logarithmic(low: number, high: number): Scale {
  const first = Math.floor(Math.log10(Math.max(low, 1e-9)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(high, 1e-9))));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  return {
    min: 10 ** first,
    max: 10 ** last,
    ticks,
    at: (value) => Math.max(0, (Math.log10(Math.max(value, 1e-9)) - first) / (last - first)),
  };
}

const STEPS = [10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600].map((s) => s * 1_000);

/** Marks of a time axis: whole minutes, hours or local days. */
export function timeTicks(from: number, to: number, wanted: number): { readonly step: number; readonly ticks: readonly number[] } {
  const step = STEPS.find((one) => (to - from) / one <= wanted) ?? STEPS.at(-1) ?? 86_400_000;
  // Days begin at the viewer's midnight.
  const shift = step >= 3_600_000 ? new Date(from).getTimezoneOffset() * 60_000 : 0;
  const ticks: number[] = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) ticks.push(at);
  return { step, ticks };
}
