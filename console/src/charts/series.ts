/** One line, area or kind of bar. `points` belong to the chart's times; `null` is a gap, not a zero. */
export interface Series {
  readonly id: string;
  readonly name: string;
  readonly points: readonly (number | null)[];
  /** A colour of the tokens, such as `var(--danger)`; else one of the palette by place. */
  readonly color?: string;
}

/** More series than this are folded into one. */
export const MOST_SERIES = 8;

export function colorOf(series: Series, index: number): string {
  return series.color ?? `var(--series-${(index % MOST_SERIES) + 1})`;
}

/** Dashes beside colours, so that lines can be told apart without seeing them. */
export const DASHES = ["", "6 3", "2 3", "8 3 2 3", "", "6 3", "2 3", "8 3 2 3"] as const;

export function total(series: Series): number {
  return series.points.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/** The largest, and the rest as one. */
export function folded(all: readonly Series[], other: string, most = MOST_SERIES): readonly Series[] {
  if (all.length <= most) return all;
  const ordered = [...all].sort((a, b) => total(b) - total(a));
  const rest = ordered.slice(most - 1);
  const points = (rest[0]?.points ?? []).map((_, index) => {
    const values = rest.map((one) => one.points[index] ?? null).filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((a, b) => a + b, 0);
  });
  return [...ordered.slice(0, most - 1), { id: "other", name: other, points, color: "var(--other)" }];
}

/** Each series' lower and upper edge when they stand on each other. */
export function stacked(all: readonly Series[]): readonly (readonly (readonly [number, number])[])[] {
  const floor: number[] = [];
  return all.map((series) =>
    series.points.map((value, index) => {
      const low = floor[index] ?? 0;
      const high = low + (value ?? 0);
      floor[index] = high;
      return [low, high] as const;
    }),
  );
}

/** As the CSV of spreadsheets: a row per time, ISO times, plain figures. */
export function csv(times: readonly number[], all: readonly Series[]): string {
  const head = ["time", ...all.map((series) => series.name)];
  const rows = times.map((time, index) => [new Date(time).toISOString(), ...all.map((series) => String(series.points[index] ?? ""))]);
  return [head, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n");
}

/** A cell that no spreadsheet takes for a formula. */
export function csvCell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hands a text to the browser as a file. */
export function download(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
