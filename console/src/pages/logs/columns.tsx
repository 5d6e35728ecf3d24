import { Link } from "wouter";
import { dollars, type LogRow, modelOf } from "@/api/logs";
import { count, duration, money, UNKNOWN } from "@/format/number";
import type { Translate } from "@/i18n/text";
import { StatusBadge } from "@/ui/badge";
import type { Column } from "@/ui/table";
import { Time } from "@/ui/time";
import { Flags } from "./flags";
import type { text } from "./text";

export const COLUMNS = [
  "time", "status", "model", "tokens", "cost", "latency", "flags", "user", "key", "provider", "trace", "session", "config", "vk", "cache", "attempts", "end", "error", "client", "id",
] as const;
export type ColumnId = (typeof COLUMNS)[number];
export const USUAL: readonly ColumnId[] = ["time", "status", "model", "tokens", "cost", "latency", "flags", "user", "key"];

/** Those of a list in the address, in the table's order. */
export function columnsOf(text: string): readonly ColumnId[] {
  const named = text.split(",");
  const known = COLUMNS.filter((id) => named.includes(id));
  return known.length > 0 ? known : USUAL;
}

/** A cell's text, for CSV: whole figures and ISO times. */
export function plain(id: ColumnId, row: LogRow): string {
  switch (id) {
    case "time":
      return row.created_at;
    case "status":
      return String(row.response_status_code);
    case "model":
      return row.ai_model;
    case "tokens":
      return String(row.total_units);
    case "cost":
      return row.cost === null ? "" : String(dollars(row.cost));
    case "latency":
      return String(row.response_time);
    case "flags":
      return [row.retry_success_count > 0 ? "retry" : "", row.last_used_option_index > 0 ? "fallback" : "", row.stream_mode ? "stream" : ""].filter(Boolean).join(" ");
    case "attempts":
      return String(row.attempts);
    default:
      return String(textOf(id, row) ?? "");
  }
}

function textOf(id: ColumnId, row: LogRow): string | null | undefined {
  const metadata = (key: string) => (typeof row.metadata[key] === "string" ? (row.metadata[key] as string) : null);
  switch (id) {
    case "user":
      return metadata("_user");
    case "session":
      return row.session_id;
    case "key":
      return row.api_key_id;
    case "provider":
      return row.ai_org;
    case "trace":
      return row.trace_id;
    case "config":
      return row.config;
    case "vk":
      return row.virtual_key && `@${row.virtual_key}`;
    case "cache":
      return row.cache_status;
    case "end":
      return row.end;
    case "error":
      return row.error;
    case "client":
      return row.sdk_version;
    case "id":
      return row.id;
    default:
      return null;
  }
}

export function tableColumns(ids: readonly ColumnId[], t: Translate<keyof typeof text.en>, keyName: (id: string) => string, search: string): readonly Column<LogRow>[] {
  return ids.map((id) => ({
    id,
    title: t(`column_${id}`),
    isNumber: ["tokens", "cost", "latency", "attempts"].includes(id),
    cell: (row: LogRow) => cell(id, row, t, keyName, search),
  }));
}

function cell(id: ColumnId, row: LogRow, t: Translate<keyof typeof text.en>, keyName: (id: string) => string, search: string) {
  switch (id) {
    case "time":
      return (
        <Link href={`/logs/${row.id}${search}`}>
          <Time at={row.created_at} />
        </Link>
      );
    case "status":
      return <StatusBadge status={row.response_status_code} />;
    case "model":
      return modelOf(row) ? (
        <span className="nowrap">
          <span className="muted">{row.ai_org}</span> {row.ai_model}
        </span>
      ) : (
        UNKNOWN
      );
    case "tokens":
      return `${count(row.req_units)} → ${count(row.res_units)}`;
    case "cost":
      return (
        <span title={row.unpriced ? t("unpriced") : row.cost_is_estimate ? t("estimated") : undefined}>
          {row.cost_is_estimate && row.cost !== null ? "≈ " : ""}
          {money(dollars(row.cost))}
        </span>
      );
    case "latency":
      return row.response_time === 0 ? "<1 ms" : duration(row.response_time);
    case "flags":
      return <Flags row={row} />;
    case "key":
      return <span className="nowrap">{keyName(row.api_key_id) || UNKNOWN}</span>;
    case "attempts":
      return row.attempts;
    case "trace":
      return row.trace_id ? (
        <Link className="mono" href={`/traces/${encodeURIComponent(row.trace_id)}`}>
          {row.trace_id.slice(0, 20)}
        </Link>
      ) : (
        UNKNOWN
      );
    case "session":
      return row.session_id ? <Link href={`/sessions/${encodeURIComponent(row.session_id)}`}>{row.session_id}</Link> : UNKNOWN;
    case "error":
      return (
        <span className="cell-error" title={row.error ?? undefined}>
          {row.error ?? ""}
        </span>
      );
    default:
      return <span className={id === "id" ? "mono nowrap" : "nowrap"}>{textOf(id, row) || UNKNOWN}</span>;
  }
}
