/** The console's ways to write figures. In zh-CN too thousands are k and millions M, as everybody who pays for tokens counts. */

/** Where a figure is not known: never a zero. */
export const UNKNOWN = "—";

export type Figure = number | null | undefined;

function isKnown(value: Figure): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** With commas between thousands. By hand: a page's first `Intl.NumberFormat` takes longer to make than the page's tiles. */
function grouped(value: number, digits: 0 | 1 | 2): string {
  const [whole = "", part] = value.toFixed(digits).split(".");
  const thousands = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? thousands : `${thousands}.${part}`;
}

/** Exact below 10,000, then `12.4k`, `3.1M`, `2.0G`. */
export function count(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size < 10_000) return grouped(value, Number.isInteger(value) ? 0 : 1);
  if (size < 999_950) return `${grouped(value / 1e3, 1)}k`;
  if (size < 999_950_000) return `${grouped(value / 1e6, 1)}M`;
  return `${grouped(value / 1e9, 1)}G`;
}

/** US dollars: three significant digits below $1, cents below $1,000, whole dollars above. */
export function money(dollars: Figure): string {
  if (!isKnown(dollars)) return UNKNOWN;
  const sign = dollars < 0 ? "−" : "";
  const size = Math.abs(dollars);
  if (size === 0) return "$0";
  if (size < 0.000001) return `${sign}<$0.000001`;
  if (size < 0.9995) {
    const digits = Math.min(12, 2 - Math.floor(Math.log10(size)));
    return `${sign}$${size.toFixed(digits)}`;
  }
  return `${sign}$${grouped(size, size < 999.995 ? 2 : 0)}`;
}

/** Milliseconds: `480 ms`, `1.24 s`, `2 m 05 s`; below one, microseconds. */
export function duration(ms: Figure): string {
  if (!isKnown(ms)) return UNKNOWN;
  const size = Math.abs(ms);
  const sign = ms < 0 ? "−" : "";
  if (size === 0) return "0 ms";
  if (size < 0.9995) return `${sign}${Math.round(size * 1_000)} µs`;
  if (size < 9.995) return `${sign}${Number(size.toFixed(1))} ms`;
  if (size < 999.5) return `${sign}${Math.round(size)} ms`;
  if (size < 9_995) return `${sign}${(size / 1_000).toFixed(2)} s`;
  if (size < 59_950) return `${sign}${(size / 1_000).toFixed(1)} s`;
  const seconds = Math.round(size / 1_000);
  if (seconds < 3_600) return `${sign}${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  return `${sign}${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`;
}

/** Of a figure from 0 to 100. One decimal; two below 0.1 %. */
export function percent(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  const size = Math.abs(value);
  return `${value.toFixed(size !== 0 && size < 0.1 ? 2 : 1)} %`;
}

export function rate(perSecond: Figure): string {
  return isKnown(perSecond) ? `${perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond))}/s` : UNKNOWN;
}

export function bytes(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  if (value < 1_000) return `${value} B`;
  if (value < 999_950) return `${(value / 1e3).toFixed(1)} kB`;
  return value < 999_950_000 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

/** `▲ 12 %` against an earlier figure; `null` where there is nothing to compare with. */
export function change(now: Figure, before: Figure): { readonly text: string; readonly direction: -1 | 0 | 1 } | null {
  if (!isKnown(now) || !isKnown(before) || before === 0) return null;
  const share = ((now - before) / Math.abs(before)) * 100;
  const shown = Math.abs(share) < 10 ? Math.abs(share).toFixed(1) : grouped(Math.abs(share), 0);
  if (Number(shown.replaceAll(",", "")) === 0) return { text: "▬ 0 %", direction: 0 };
  return share > 0 ? { text: `▲ +${shown} %`, direction: 1 } : { text: `▼ −${shown} %`, direction: -1 };
}
