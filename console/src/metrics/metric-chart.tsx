import { useMemo } from "react";
import { useLocation } from "wouter";
import { aligned, useAnalytics } from "@/api/analytics";
import type { Kind } from "@/charts/plot";
import type { Series } from "@/charts/series";
import { TimeChart } from "@/charts/time-chart";
import { useText } from "@/i18n/language";
import { Failure, Loading } from "@/ui/state";
import { print, printTerm, type Term, withTerm } from "@/url/filter";
import { termOf, useGroupNames } from "./group";
import { text } from "./text";
import { inUnit, unitOf } from "./unit";

export interface MetricChartProps {
  readonly title: string;
  readonly metrics: readonly string[];
  /** What each metric is called in the legend; one metric needs none. */
  readonly names?: readonly string[];
  readonly colors?: Readonly<Record<string, string>>;
  readonly group?: string | undefined;
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
  readonly bucket?: "auto" | "minute" | "hour" | "day";
  readonly top?: number;
  readonly unit?: string;
  readonly isLog?: boolean;
  readonly isCumulative?: boolean;
  readonly filters: Readonly<Record<string, string>>;
  readonly terms: readonly Term[];
  readonly height?: number;
  readonly onBrush?: (from: number, to: number) => void;
  /** For what other parts of a page say when nothing is served. */
  readonly isQuiet?: boolean;
}

/** Metrics over time, one line each, or one metric by groups. A press on a group shows its requests. */
export function MetricChart(props: MetricChartProps) {
  const { title, metrics, group, from, to, filters, terms } = props;
  const t = useText(text);
  const nameOf = useGroupNames();
  const [, go] = useLocation();
  const asked = useAnalytics({ metrics, group, from, to, bucket: props.bucket ?? "auto", top: props.top ?? 8, filters });
  const drawn = useMemo(() => {
    if (!asked.data) return null;
    const { times, step, of } = aligned(asked.data);
    const one = metrics[0] ?? "";
    const series: Series[] = group
      ? asked.data.groups.map((found) => {
          const color = props.colors?.[found.key ?? ""] ?? (found.key === null ? "var(--other)" : undefined);
          return { id: found.key ?? "others", name: nameOf(group, found.key), points: of(found, one), ...(color ? { color } : {}) };
        })
      : metrics.map((metric, index) => {
          const found = asked.data.groups[0];
          return { id: metric, name: props.names?.[index] ?? title, points: found ? of(found, metric) : [] };
        });
    return { times, step, series: props.isCumulative ? series.map(cumulative) : series, isExact: asked.data.exact };
  }, [asked.data, metrics, group, nameOf, props.colors, props.names, props.isCumulative, title]);
  if (!drawn) {
    if (asked.error) return props.isQuiet && asked.error.isNotServed ? null : <Failure error={asked.error} onRetry={() => void asked.refetch()} />;
    return <Loading rows={7} />;
  }
  const choose = (series: Series) => {
    const term = termOf(group, series.id);
    if (term) go(`/logs?filter=${encodeURIComponent(print(withTerm(terms, term)))}&from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`);
  };
  return (
    <div className={asked.isPlaceholderData ? "is-old" : undefined}>
      <TimeChart
        title={title}
        kind={props.kind}
        times={drawn.times}
        step={drawn.step}
        series={drawn.series}
        format={inUnit(props.unit ?? unitOf(metrics[0] ?? ""))}
        height={props.height ?? 190}
        isLog={props.isLog ?? false}
        {...(props.onBrush ? { onBrush: props.onBrush } : {})}
        {...(group && termOf(group, "x") ? { onChoose: choose } : {})}
      />
      {!drawn.isExact && <p className="muted">{t("notExact")}</p>}
    </div>
  );
}

function cumulative(series: Series): Series {
  let sum = 0;
  return { ...series, points: series.points.map((value) => (sum += value ?? 0)) };
}

/** The address of the requests behind a figure. */
export function logsAddress(terms: readonly Term[], from: number, to: number): string {
  const filter = terms.map(printTerm).join(" ");
  return `/logs?${new URLSearchParams({ ...(filter ? { filter } : {}), from: new Date(from).toISOString(), to: new Date(to).toISOString() })}`;
}
