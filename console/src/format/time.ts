import type { Language } from "@/i18n/text";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Local date and time to the second. */
export function exact(time: number | string, language: Language): string {
  return new Date(time).toLocaleString(language, { dateStyle: "medium", timeStyle: "medium" });
}

/** For tooltips: local time and UTC. */
export function both(time: number | string, language: Language): string {
  return `${exact(time, language)} · ${new Date(time).toISOString()}`;
}

/** `12 s ago` within a day, else date and time. */
export function relative(time: number | string, now: number, language: Language): string {
  const gone = now - new Date(time).getTime();
  if (gone >= DAY || gone < -MINUTE) {
    return new Date(time).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  }
  const format = new Intl.RelativeTimeFormat(language, { style: "narrow", numeric: "always" });
  if (gone < MINUTE) return format.format(-Math.max(0, Math.floor(gone / SECOND)), "second");
  if (gone < HOUR) return format.format(-Math.floor(gone / MINUTE), "minute");
  return format.format(-Math.floor(gone / HOUR), "hour");
}

/** A label for a time axis whose marks are `step` apart. */
export function axisLabel(time: number, step: number, language: Language): string {
  const date = new Date(time);
  if (step >= DAY) return date.toLocaleDateString(language, { month: "short", day: "numeric" });
  if (step < MINUTE) return date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  if (date.getHours() === 0 && date.getMinutes() === 0) return date.toLocaleDateString(language, { month: "short", day: "numeric" });
  return date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hour12: false });
}

/** A range of time as the address holds it: `-24h` up to now, or two times. */
export type Range = { readonly kind: "last"; readonly ms: number } | { readonly kind: "between"; readonly from: number; readonly to: number };

const UNITS: Readonly<Record<string, number>> = { m: MINUTE, h: HOUR, d: DAY };

export function parseRange(from: string | null, to: string | null, otherwise: string): Range {
  const last = /^-(\d{1,4})([mhd])$/.exec(from ?? otherwise);
  if (last) return { kind: "last", ms: Number(last[1]) * (UNITS[last[2] ?? "h"] ?? HOUR) };
  const [begin, end] = [Date.parse(from ?? ""), Date.parse(to ?? "")];
  if (Number.isFinite(begin) && Number.isFinite(end) && begin < end) return { kind: "between", from: begin, to: end };
  return from === null ? { kind: "last", ms: DAY } : parseRange(null, null, otherwise);
}

/** The ends of a range; those of one up to now are on whole `grain`s, so that the same question is asked the same way. */
export function ends(range: Range, now: number, grain = 10 * SECOND): { readonly from: number; readonly to: number } {
  if (range.kind === "between") return { from: range.from, to: range.to };
  const to = Math.ceil(now / grain) * grain;
  return { from: to - range.ms, to };
}

/** The bucket length that gives a chart 20 to 120 marks, in the API's words. */
export function bucketOf(ms: number): "minute" | "hour" | "day" {
  if (ms <= 3 * HOUR) return "minute";
  return ms <= 5 * DAY ? "hour" : "day";
}

export const LENGTHS = { minute: MINUTE, hour: HOUR, day: DAY } as const;
