import { useMemo } from "react";
import { aligned, useAnalytics } from "@/api/analytics";
import type { LogRow } from "@/api/logs";
import { TimeChart } from "@/charts/time-chart";
import type { Series } from "@/charts/series";
import { count } from "@/format/number";
import { useText } from "@/i18n/language";
import { text } from "./text";

interface Props {
  readonly filters: Readonly<Record<string, string>>;
  readonly from: number;
  readonly to: number;
  /** Counted where the gateway has no figures of its own. */
  readonly rows: readonly LogRow[];
  readonly onBrush: (from: number, to: number) => void;
}

const CLASSES = [
  ["2xx", "var(--success)"],
  ["3xx", "var(--other)"],
  ["4xx", "var(--warning)"],
  ["5xx", "var(--danger)"],
] as const;

/** When the requests of the list came, and how they ended. */
export function Histogram({ filters, from, to, rows, onBrush }: Props) {
  const t = useText(text);
  const asked = useAnalytics({ metrics: ["requests"], group: "status", from, to, top: 50, filters });
  const counted = useMemo(() => {
    if (!asked.data) return loaded(rows, from, to);
    const { times, step, of } = aligned(asked.data);
    const groups = asked.data.groups;
    const series = CLASSES.map(([name, color]): Series => {
      const own = groups.filter((group) => group.key?.[0] === name[0]).map((group) => of(group, "requests"));
      return { id: name, name, color, points: times.map((_, index) => own.reduce((sum, points) => sum + (points[index] ?? 0), 0)) };
    });
    return { times, step, series };
  }, [asked.data, rows, from, to]);
  const series = counted.series.filter((one) => one.points.some((value) => (value ?? 0) > 0));
  return (
    <div title={t("histogramHint")}>
      <TimeChart
        title={asked.data ? t("histogram") : t("histogramLoaded", { n: rows.length })}
        kind="bar"
        height={110}
        times={counted.times}
        step={counted.step}
        series={series}
        format={(value) => count(value)}
        onBrush={onBrush}
      />
    </div>
  );
}

const MARKS = 60;

function loaded(rows: readonly LogRow[], from: number, to: number): { times: readonly number[]; step: number; series: readonly Series[] } {
  const step = Math.max(1_000, Math.ceil((to - from) / MARKS / 1_000) * 1_000);
  const times = Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);
  const series = CLASSES.map(([name, color]) => {
    const points = times.map(() => 0);
    for (const row of rows) {
      if (String(row.response_status_code)[0] !== name[0]) continue;
      const at = Math.floor((Date.parse(row.created_at) - from) / step);
      if (at >= 0 && at < points.length) points[at] = (points[at] ?? 0) + 1;
    }
    return { id: name, name, color, points };
  });
  return { times, step, series };
}
