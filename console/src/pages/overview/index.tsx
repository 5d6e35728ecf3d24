import { Link } from "wouter";
import { type AnalyticsQuery, apiTime, askingAnalytics, useAnalytics } from "@/api/analytics";
import { useGet } from "@/api/hooks";
import { type LogPage, modelOf } from "@/api/logs";
import { useWorkspaceParam } from "@/api/session";
import { count } from "@/format/number";
import { useText } from "@/i18n/language";
import { GroupTable } from "@/metrics/group-table";
import { MetricChart } from "@/metrics/metric-chart";
import { text as metricsText } from "@/metrics/text";
import type { Ahead } from "@/pages";
import { StatusBadge } from "@/ui/badge";
import { Later } from "@/ui/later";
import { Page } from "@/ui/page";
import { RangePicker } from "@/ui/range-picker";
import { Await, Empty, Failure, Loading } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { rangeOf, useRange } from "@/url/range";
import { Changed } from "./changed";
import { Errors } from "./errors";
import { Outage } from "./outage";
import { text } from "./text";
import { TILE_METRICS, Tiles } from "./tiles";
import "./overview.css";

const NO_FILTERS = {};
const RANGE = "-24h";

function totalsOf({ from, to }: { readonly from: number; readonly to: number }): AnalyticsQuery {
  return { metrics: TILE_METRICS, bucket: "none", from, to, compare: true };
}

export const ahead: Ahead = (client, workspace, view) => client.prefetchQuery(askingAnalytics(workspace, totalsOf(rangeOf(view, RANGE))));

/** How it goes: the figures of a time against the one before, what moved them, and what failed. */
export default function Overview() {
  const t = useText(text);
  const m = useText(metricsText);
  const range = useRange(RANGE);
  const { from, to } = range;
  const totals = useAnalytics(totalsOf(range));
  const shared = { from, to, filters: NO_FILTERS, terms: [], onBrush: range.between };
  return (
    <Page title={t("title")} actions={<RangePicker range={range} />}>
      <Outage />
      {totals.data ? (
        <>
          <Tiles answer={totals.data} from={from} to={to} />
          <Later>
            <div className="grid-2">
              <div className="panel">
                <MetricChart {...shared} title={t("byStatus")} metrics={["requests"]} group="status" kind="bar" colors={STATUS_COLORS} />
              </div>
              <div className="panel">
                <MetricChart {...shared} title={t("latencyChart")} metrics={["latency_p50", "latency_p95", "latency_p99"]} names={["p50", "p95", "p99"]} kind="line" />
              </div>
              <div className="panel">
                <MetricChart {...shared} title={t("costByModel")} metrics={["cost"]} group="model" kind="area" />
              </div>
              <div className="panel">
                <MetricChart {...shared} title={t("tokensChart")} metrics={["tokens_in", "tokens_out"]} names={[t("tokensIn"), t("tokensOut")]} kind="area" />
              </div>
              <Changed from={from} to={to} />
              <Errors from={from} to={to} />
            </div>
            <div className="grid-2">
              {(
                [
                  ["provider", t("providers")],
                  ["model", t("topModels")],
                  ["api_key", t("topKeys")],
                  ["user", t("topUsers")],
                ] as const
              ).map(([group, title]) => (
                <div className="panel" key={group}>
                  <GroupTable
                    {...shared}
                    title={title}
                    group={group}
                    groupName={m(`group_${group}`)}
                    top={6}
                    columns={[
                      ["requests", t("requests")],
                      ["cost", t("cost")],
                      ["success_rate", t("successRate")],
                      ["latency", t("latencyMean")],
                    ]}
                  />
                </div>
              ))}
            </div>
          </Later>
        </>
      ) : totals.error && !totals.error.isNotServed ? (
        <Failure error={totals.error} onRetry={() => void totals.refetch()} />
      ) : totals.error ? (
        <>
          <p className="muted">{t("noFigures")}</p>
          <div className="grid-2">
            <Errors from={from} to={to} />
            <Newest from={from} to={to} />
          </div>
        </>
      ) : (
        <Loading rows={12} />
      )}
    </Page>
  );
}

/** Errors are told apart from the rest by more than their place in the palette. */
const STATUS_COLORS: Readonly<Record<string, string>> = {
  "200": "var(--success)",
  "246": "var(--teal)",
  "400": "var(--warning)",
  "401": "var(--series-4)",
  "403": "var(--series-2)",
  "404": "var(--series-8)",
  "429": "var(--orange)",
  "446": "var(--purple)",
  "500": "var(--danger)",
  "502": "var(--series-6)",
  "503": "var(--series-7)",
};

function Newest({ from, to }: { readonly from: number; readonly to: number }) {
  const t = useText(text);
  const workspace = useWorkspaceParam();
  const asked = useGet<LogPage>("/v1/logs", { ...workspace, page_size: 10, time_of_generation_min: apiTime(from), time_of_generation_max: apiTime(to) });
  return (
    <section className="panel">
      <h2>{t("newest")}</h2>
      <Await of={asked}>
        {(data) =>
          data.data.length === 0 ? (
            <Empty title={t("none")}>
              <p>{t("noneDo")}</p>
              <Link className="button" href="/start">
                {t("start")}
              </Link>
            </Empty>
          ) : (
            <Table
              label={t("newest")}
              rows={data.data}
              rowKey={(row) => row.id}
              columns={[
                { id: "time", title: t("last"), cell: (row) => <Link href={`/logs/${row.id}`}><Time at={row.created_at} /></Link> },
                { id: "status", title: "", cell: (row) => <StatusBadge status={row.response_status_code} /> },
                { id: "model", title: t("topModels"), cell: (row) => modelOf(row) },
                { id: "tokens", title: t("tokens"), isNumber: true, cell: (row) => count(row.total_units) },
              ]}
            />
          )
        }
      </Await>
    </section>
  );
}
