import { useGet } from "@/api/hooks";
import { dollars, type Log, modelOf } from "@/api/logs";
import { count, duration, money } from "@/format/number";
import { useText } from "@/i18n/language";
import { Sheet } from "@/ui/dialog";
import { Await } from "@/ui/state";
import { Table } from "@/ui/table";
import { answered, asked, plain } from "./detail/conversation";
import { DiffView } from "./detail/diff-view";
import { text } from "./detail/text";
import "./detail/detail.css";

/** Two requests: their figures side by side, and what differs in what was asked and answered. */
export function Compare({ ids, onClose }: { readonly ids: readonly [string, string]; readonly onClose: () => void }) {
  const t = useText(text);
  const first = useGet<Log>(`/v1/logs/${encodeURIComponent(ids[0])}`);
  const second = useGet<Log>(`/v1/logs/${encodeURIComponent(ids[1])}`);
  return (
    <Sheet title={t("compareTitle")} onClose={onClose}>
      <Await of={first}>{(a) => <Await of={second}>{(b) => <Compared a={a} b={b} />}</Await>}</Await>
    </Sheet>
  );
}

function Compared({ a, b }: { readonly a: Log; readonly b: Log }) {
  const t = useText(text);
  const rows: readonly { name: string; of: (log: Log) => string }[] = [
    { name: t("status"), of: (log) => String(log.metrics.response_status_code) },
    { name: t("model"), of: (log) => modelOf(log.metrics) },
    { name: t("tokens"), of: (log) => `${count(log.metrics.req_units)} → ${count(log.metrics.res_units)}` },
    { name: t("cost"), of: (log) => money(dollars(log.metrics.cost)) },
    { name: t("latency"), of: (log) => duration(log.tidegate.total_us / 1_000) },
    { name: t("ttft"), of: (log) => duration(log.tidegate.ttft_us === null ? null : log.tidegate.ttft_us / 1_000) },
    { name: t("attempts"), of: (log) => String(log.tidegate.attempts.length) },
  ];
  const hasBodies = a.request.body !== undefined && b.request.body !== undefined;
  return (
    <div className="stack">
      <p className="mono muted">{t("compareOf", { which: t("first"), id: a.id })}</p>
      <p className="mono muted">{t("compareOf", { which: t("second"), id: b.id })}</p>
      <Table
        label={t("compareTitle")}
        rows={rows}
        rowKey={(row) => row.name}
        columns={[
          { id: "name", title: t("figure"), cell: (row) => row.name },
          { id: "a", title: t("first"), isNumber: true, cell: (row) => row.of(a) },
          { id: "b", title: t("second"), isNumber: true, cell: (row) => (row.of(a) === row.of(b) ? <span className="muted">{row.of(b)}</span> : row.of(b)) },
        ]}
      />
      {hasBodies ? (
        <>
          <h2>{t("compareRequest")}</h2>
          <DiffView before={plain(asked(a.request.body))} after={plain(asked(b.request.body))} />
          <h2>{t("compareAnswer")}</h2>
          <DiffView before={plain(answered(a.response.body))} after={plain(answered(b.response.body))} />
        </>
      ) : (
        <p className="muted">{t("compareNoBodies")}</p>
      )}
    </div>
  );
}
