import type { Query } from "./client";
import { asking, useGet } from "./hooks";
import { useWorkspaceParam, type WorkspaceParam } from "./session";

/** A figure that the gateway can compute. Money is US dollars, times milliseconds, shares 0 to 100. */
export interface Metric {
  readonly id: string;
  readonly name: string;
  readonly name_zh: string;
  readonly unit: string;
  readonly kind: string;
  readonly definition: string;
  readonly better: "up" | "down" | "none";
}

export interface AnalyticsQuery {
  readonly metrics: readonly string[];
  /** `model`, `provider`, `api_key`, `user`, `status`, `metadata.<key>`, … */
  readonly group?: string | undefined;
  readonly bucket?: "auto" | "minute" | "hour" | "day" | "none";
  readonly from: number;
  readonly to: number;
  readonly top?: number;
  readonly compare?: boolean;
  /** Under the API's names. */
  readonly filters?: Readonly<Record<string, string>>;
}

type Figures = Readonly<Record<string, number | null>>;

export interface AnalyticsGroup {
  /** `null`: those without a value, or everything when nothing groups. */
  readonly key: string | null;
  readonly total: Figures;
  readonly points: readonly (Readonly<Record<string, number | string | null>> & { readonly timestamp: string | number })[];
}

export interface AnalyticsAnswer {
  readonly bucket: string;
  readonly from: string | number;
  readonly to: string | number;
  readonly exact: boolean;
  readonly groups: readonly AnalyticsGroup[];
  readonly previous: { readonly total: Figures } | null;
}

/** RFC 3339 in whole seconds, as the gateway reads times. */
export function apiTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

const PATH = "/v1/analytics/query";

function membersOf(workspace: WorkspaceParam, query: AnalyticsQuery): Query {
  return {
    ...workspace,
    ...query.filters,
    metrics: query.metrics,
    group: query.group,
    bucket: query.bucket ?? "auto",
    time_of_generation_min: apiTime(query.from),
    time_of_generation_max: apiTime(query.to),
    top: query.top,
    compare: query.compare ? "previous" : undefined,
  };
}

export function useAnalytics(query: AnalyticsQuery, options: { readonly enabled?: boolean; readonly every?: number | false } = {}) {
  return useGet<AnalyticsAnswer>(PATH, membersOf(useWorkspaceParam(), query), options);
}

/** As {@link useAnalytics} asks, for a page that is not drawn yet. */
export function askingAnalytics(workspace: WorkspaceParam, query: AnalyticsQuery) {
  return asking<AnalyticsAnswer>(PATH, membersOf(workspace, query));
}

export function useMetrics() {
  return useGet<{ readonly data: readonly Metric[] }>("/v1/analytics/metrics");
}

/** What charts draw: times that all groups share, and each group's figures at them. */
export interface Aligned {
  readonly times: readonly number[];
  readonly step: number;
  readonly of: (group: AnalyticsGroup, metric: string) => readonly (number | null)[];
}

const STEPS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export function aligned(answer: AnalyticsAnswer): Aligned {
  const time = (value: string | number) => new Date(value).getTime();
  const times = [...new Set(answer.groups.flatMap((group) => group.points.map((point) => time(point.timestamp))))].sort((a, b) => a - b);
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  const step = STEPS[answer.bucket] ?? (gaps.length > 0 ? Math.min(...gaps) : 60_000);
  const of = (group: AnalyticsGroup, metric: string) => {
    const known = new Map(group.points.map((point) => [time(point.timestamp), point[metric]]));
    return times.map((at) => {
      const value = known.get(at);
      return typeof value === "number" ? value : null;
    });
  };
  return { times, step, of };
}
