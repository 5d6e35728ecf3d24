import { useQuery } from "@tanstack/react-query";
import { send } from "@/api/client";
import { type Problem, problemOf } from "@/api/problem";
import { count } from "@/format/number";
import { useText } from "@/i18n/language";
import { Badge } from "@/ui/badge";
import { Code } from "@/ui/code";
import { Page } from "@/ui/page";
import { Await, Empty } from "@/ui/state";
import { Table } from "@/ui/table";
import { Providers } from "./providers";
import { by, type Sample, samplesOf, sum } from "./metrics";
import "@/manage/manage.css";
import { text } from "./text";

const EVERY_MS = 5_000;

function usePlain(path: string) {
  return useQuery<string, Problem>({
    queryKey: [path],
    queryFn: async ({ signal }) => (await send(path, { signal })).text(),
    refetchInterval: EVERY_MS,
    retry: false,
  });
}

/** Whether the gateway is well: what it does now, and what it has lost. */
export default function Health() {
  const t = useText(text);
  const ready = usePlain("/readyz");
  const metrics = usePlain("/metrics");
  return (
    <Page title={t("title")} actions={<Ready isReady={ready.isSuccess} error={ready.error} />}>
      {ready.error?.status === 503 && <p>{t("notReadyDo")}</p>}
      <Providers />
      {metrics.error && [401, 403, 404].includes(problemOf(metrics.error).status) ? (
        <Empty title={t("metricsHidden")}>
          <p>{t("metricsHiddenDo")}</p>
        </Empty>
      ) : (
        <Await of={metrics}>{(plain) => <Figures plain={plain} />}</Await>
      )}
    </Page>
  );
}

function Ready({ isReady, error }: { readonly isReady: boolean; readonly error: Problem | null }) {
  const t = useText(text);
  if (isReady) return <Badge tone="success">✓ {t("ready")}</Badge>;
  return error ? <Badge tone="danger">✕ {t("notReady")}</Badge> : <Badge>{t("unknown")}</Badge>;
}

function Figures({ plain }: { readonly plain: string }) {
  const t = useText(text);
  const samples = samplesOf(plain);
  const of = (name: string) => count(sum(samples, `tidegate_${name}`));
  const lost = (sum(samples, "tidegate_records_dropped_total") ?? 0) + (sum(samples, "tidegate_log_lines_dropped_total") ?? 0);
  return (
    <>
      <p className="muted">{t("sinceStart")}</p>
      <p role="status">{lost > 0 ? <Badge tone="danger">✕ {t("lost")}</Badge> : <Badge tone="success">✓ {t("noneLost")}</Badge>}</p>
      <div className="grid-2">
        <section className="panel">
          <h2>{t("now")}</h2>
          <dl className="facts">
            <Fact name={t("openRequests")} value={of("open_requests")} />
            <Fact name={t("openStreams")} value={of("open_streams")} />
            <Fact name={t("openConnections")} value={of("open_connections")} />
            <Fact name={t("upstream")} value={of("upstream_connections_open")} />
            <Fact name={t("waiting")} value={of("queue_waiting")} />
            <Fact name={t("circuits")} value={of("circuits")} />
          </dl>
          <p className="muted">{t("circuitsHint")}</p>
        </section>
        <section className="panel">
          <h2>{t("records")}</h2>
          <dl className="facts">
            <Fact name={t("accepted")} value={of("records_accepted_total")} />
            <Fact name={t("written")} value={of("records_written_total")} />
            <Fact name={t("dropped")} value={of("records_dropped_total")} />
            <Fact name={t("logDropped")} value={of("log_lines_dropped_total")} />
            <Fact name={t("reloads")} value={of("config_reloads_total")} />
            <Fact name={t("reloadFailures")} value={of("config_reload_failures_total")} />
          </dl>
        </section>
        <Counts title={t("byProvider")} first={t("provider")} rows={by(samples, "tidegate_attempts_total", "provider")} />
        <Counts title={t("attempts")} first={t("outcome")} rows={by(samples, "tidegate_attempts_total", "outcome")} />
        <Counts title={t("refusals")} first={t("reason")} rows={by(samples, "tidegate_refusals_total", "reason")} />
        <Counts title={t("ends")} first={t("outcome")} rows={by(samples, "tidegate_stream_ends_total", labelOf(samples, "tidegate_stream_ends_total"))} />
      </div>
      <details className="details">
        <summary>{t("raw")}</summary>
        <Code value={plain} label={t("raw")} />
      </details>
    </>
  );
}

/** The last label of a metric: what tells its samples apart. */
function labelOf(samples: readonly Sample[], name: string): string {
  const labels = Object.keys(samples.find((sample) => sample.name === name)?.labels ?? {});
  return labels.at(-1) ?? "";
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function Counts({ title, first, rows }: { readonly title: string; readonly first: string; readonly rows: readonly (readonly [string, number])[] }) {
  const t = useText(text);
  return (
    <section className="panel">
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p className="muted">{t("nothingYet")}</p>
      ) : (
        <Table
          label={title}
          rows={rows}
          rowKey={([name]) => name}
          columns={[
            { id: "name", title: first, cell: ([name]) => name || "—" },
            { id: "count", title: t("count"), isNumber: true, cell: ([, value]) => count(value) },
          ]}
        />
      )}
    </section>
  );
}
