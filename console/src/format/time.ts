import type { Language } from "@/i18n/text";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * One formatter per language, made when it is needed first: to make one takes longer than to draw a chart, so what every page
 * shows does without (`AGO`, `dayOf`, `clockOf`).
 */
function each(style: Intl.DateTimeFormatOptions): (language: Language) => Intl.DateTimeFormat {
  const made = new Map<Language, Intl.DateTimeFormat>();
  return (language) => {
    const format = made.get(language) ?? new Intl.DateTimeFormat(language, style);
    made.set(language, format);
    return format;
  };
}

const toSecond = each({ dateStyle: "medium", timeStyle: "medium" });
const toMinute = each({ dateStyle: "medium", timeStyle: "short" });

const AGO = {
  en: { second: "s ago", minute: "min ago", hour: "h ago" },
  "zh-CN": { second: "秒前", minute: "分钟前", hour: "小时前" },
} as const satisfies Record<Language, object>;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function dayOf(date: Date, language: Language): string {
  return language === "zh-CN" ? `${date.getMonth() + 1}月${date.getDate()}日` : `${MONTHS[date.getMonth()]} ${date.getDate()}`;
}

function clockOf(...parts: readonly number[]): string {
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** Local date and time to the second. */
export function exact(time: number | string, language: Language): string {
  return toSecond(language).format(new Date(time));
}

/** For tooltips: local time and UTC. */
export function both(time: number | string, language: Language): string {
  return `${exact(time, language)} · ${new Date(time).toISOString()}`;
}

/** `12 s ago` within a day, else date and time. */
export function relative(time: number | string, now: number, language: Language): string {
  const gone = now - new Date(time).getTime();
  if (gone >= DAY || gone < -MINUTE) {
    return toMinute(language).format(new Date(time));
  }
  const words = AGO[language];
  if (gone < MINUTE) return `${Math.max(0, Math.floor(gone / SECOND))}${words.second}`;
  if (gone < HOUR) return `${Math.floor(gone / MINUTE)}${words.minute}`;
  return `${Math.floor(gone / HOUR)}${words.hour}`;
}

/** A label for a time axis whose marks are `step` apart. */
export function axisLabel(time: number, step: number, language: Language): string {
  const date = new Date(time);
  const [hours, minutes] = [date.getHours(), date.getMinutes()];
  if (step >= DAY) return dayOf(date, language);
  if (step < MINUTE) return clockOf(hours, minutes, date.getSeconds());
  return hours === 0 && minutes === 0 ? dayOf(date, language) : clockOf(hours, minutes);
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
