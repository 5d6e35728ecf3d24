import { Link } from "wouter";
import { apiTime } from "@/api/analytics";
import { useGet } from "@/api/hooks";
import type { LogPage, LogRow } from "@/api/logs";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { StatusBadge } from "@/ui/badge";
import { Await } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { text } from "./text";

interface Kind {
  readonly message: string;
  readonly times: number;
  readonly last: LogRow;
}

/** The latest requests that failed, those with the same words together. */
export function Errors({ from, to }: { readonly from: number; readonly to: number }) {
  const t = useText(text);
  const workspace = useWorkspaceParam();
  const asked = useGet<LogPage>("/v1/logs", {
    ...workspace,
    page_size: 200,
    is_success: "false",
    time_of_generation_min: apiTime(from),
    time_of_generation_max: apiTime(to),
  });
  return (
    <section className="panel">
      <h2>{t("errors")}</h2>
      <Await of={asked}>
        {(data) =>
          data.data.length === 0 ? (
            <p className="muted">✓ {t("errorsNone")}</p>
          ) : (
            <Table
              label={t("errors")}
              rows={kinds(data.data)}
              rowKey={(row) => row.last.id}
              columns={[
                { id: "status", title: "", cell: (row) => <StatusBadge status={row.last.response_status_code} /> },
                { id: "times", title: t("times"), isNumber: true, cell: (row) => row.times, sort: (row) => row.times },
                { id: "last", title: t("last"), cell: (row) => <Time at={row.last.created_at} /> },
                { id: "message", title: t("error"), cell: (row) => <Link className="message" href={`/logs/${row.last.id}`}>{row.message}</Link> },
              ]}
            />
          )
        }
      </Await>
    </section>
  );
}

function kinds(rows: readonly LogRow[]): readonly Kind[] {
  const found = new Map<string, Kind>();
  for (const row of rows) {
    const message = row.error ?? row.limit ?? row.end;
    const key = `${row.response_status_code} ${message}`;
    const known = found.get(key);
    // Rows come with the newest first.
    found.set(key, known ? { ...known, times: known.times + 1 } : { message, times: 1, last: row });
  }
  return [...found.values()].sort((a, b) => b.times - a.times).slice(0, 8);
}
