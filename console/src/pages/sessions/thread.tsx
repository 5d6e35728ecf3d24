import { useState } from "react";
import { Link } from "wouter";
import { useGet } from "@/api/hooks";
import type { Log, LogRow } from "@/api/logs";
import { duration } from "@/format/number";
import { useText } from "@/i18n/language";
import { Conversation } from "@/pages/logs/detail/conversation-view";
import { StatusBadge } from "@/ui/badge";
import { Await } from "@/ui/state";
import { Time } from "@/ui/time";
import { text } from "./text";
import "@/pages/logs/detail/detail.css";

/** The requests of a session, one after the other, the oldest first. Bodies come when they are opened. */
export function Thread({ rows }: { readonly rows: readonly LogRow[] }) {
  const ordered = [...rows].reverse();
  return (
    <ol className="thread">
      {ordered.map((row, index) => (
        <li key={row.id}>
          <Turn row={row} isOpen={index >= ordered.length - 3} />
        </li>
      ))}
    </ol>
  );
}

function Turn({ row, isOpen }: { readonly row: LogRow; readonly isOpen: boolean }) {
  const t = useText(text);
  const [wasOpened, setOpened] = useState(isOpen);
  return (
    <details className="panel" open={isOpen} onToggle={(event) => event.currentTarget.open && setOpened(true)}>
      <summary>
        <StatusBadge status={row.response_status_code} /> <Time at={row.created_at} /> · {row.ai_model} · {row.response_time === 0 ? "<1 ms" : duration(row.response_time)}
      </summary>
      {wasOpened && <Body id={row.id} />}
      <Link href={`/logs/${row.id}`}>{t("open")}</Link>
    </details>
  );
}

function Body({ id }: { readonly id: string }) {
  const log = useGet<Log>(`/v1/logs/${encodeURIComponent(id)}`);
  return <Await of={log}>{(data) => <Conversation log={data} />}</Await>;
}
