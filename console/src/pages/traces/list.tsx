import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "wouter";
import { apiTime } from "@/api/analytics";
import { ask } from "@/api/client";
import type { Problem } from "@/api/problem";
import { useWorkspaceParam } from "@/api/session";
import type { TracePage, TraceRow } from "@/api/traces";
import { count, duration, money, UNKNOWN } from "@/format/number";
import { useText } from "@/i18n/language";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Empty, Failure, Loading } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { text } from "./text";

interface Props {
  readonly from: number;
  /** `null`: up to now. */
  readonly to: number | null;
  readonly user?: string;
  readonly session?: string;
}

/** Traces, the latest first. */
export function TraceList({ from, to, user, session }: Props) {
  const t = useText(text);
  const workspace = useWorkspaceParam();
  const query = useMemo(
    () => ({ ...workspace, time_of_generation_min: apiTime(from), time_of_generation_max: to === null ? undefined : apiTime(to), user, session, page_size: 50 }),
    [workspace, from, to, user, session],
  );
  const asked = useInfiniteQuery<TracePage, Problem, { pages: TracePage[] }, unknown[], string | null>({
    queryKey: ["/v1/traces", query],
    queryFn: ({ pageParam, signal }) => ask<TracePage>("/v1/traces", { query: { ...query, before: pageParam }, signal }),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
    placeholderData: (before) => before,
  });
  if (asked.isPending) return <Loading rows={10} />;
  if (!asked.data) return <Failure error={asked.error} onRetry={() => void asked.refetch()} />;
  const rows = asked.data.pages.flatMap((page) => page.data);
  if (rows.length === 0) {
    return (
      <Empty title={user || session ? t("emptyFiltered") : t("empty")}>
        <p>{user || session ? t("emptyFilteredDo") : t("emptyDo")}</p>
      </Empty>
    );
  }
  return (
    <div className="stack">
      <TraceTable rows={rows} isOld={asked.isPlaceholderData} />
      {asked.hasNextPage && (
        <Button disabled={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
    </div>
  );
}

interface TableProps {
  readonly rows: readonly TraceRow[];
  readonly isOld?: boolean;
}

export function TraceTable({ rows, isOld = false }: TableProps) {
  const t = useText(text);
  return <Table label={t("list")} rows={rows} rowKey={(row) => row.trace_id} columns={columns(t)} isOld={isOld} />;
}

function columns(t: (key: keyof typeof text.en) => string) {
  return [
    { id: "started", title: t("started"), cell: (row: TraceRow) => <Time at={row.started_at} /> },
    {
      id: "name",
      title: t("name"),
      cell: (row: TraceRow) => <Link href={`/traces/${encodeURIComponent(row.trace_id)}`}>{row.name || row.trace_id}</Link>,
    },
    { id: "duration", title: t("duration"), isNumber: true, cell: (row: TraceRow) => duration(row.duration_ms), sort: (row: TraceRow) => row.duration_ms },
    { id: "spans", title: t("spans"), isNumber: true, cell: (row: TraceRow) => count(row.spans), sort: (row: TraceRow) => row.spans },
    { id: "errors", title: t("errors"), isNumber: true, cell: (row: TraceRow) => (row.errors > 0 ? <Badge tone="danger">✕ {row.errors}</Badge> : "0"), sort: (row: TraceRow) => row.errors },
    { id: "tokens", title: t("tokens"), isNumber: true, cell: (row: TraceRow) => `${count(row.input_tokens)} → ${count(row.output_tokens)}` },
    { id: "cost", title: t("cost"), isNumber: true, cell: (row: TraceRow) => money(row.cost === null ? null : Number(row.cost)), sort: (row: TraceRow) => (row.cost === null ? null : Number(row.cost)) },
    { id: "models", title: t("models"), cell: (row: TraceRow) => row.models.join(", ") || UNKNOWN },
    { id: "user", title: t("user"), cell: (row: TraceRow) => row.user ?? UNKNOWN },
    {
      id: "session",
      title: t("session"),
      cell: (row: TraceRow) => (row.session ? <Link href={`/sessions/${encodeURIComponent(row.session)}`}>{row.session}</Link> : UNKNOWN),
    },
  ];
}
