import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link, useParams } from "wouter";
import { apiTime } from "@/api/analytics";
import { ask } from "@/api/client";
import { useGet } from "@/api/hooks";
import type { LogPage } from "@/api/logs";
import type { Problem } from "@/api/problem";
import { useWorkspaceParam } from "@/api/session";
import type { SessionDetail, SessionPage, SessionRow } from "@/api/sessions";
import { count, money, UNKNOWN } from "@/format/number";
import { useText } from "@/i18n/language";
import { TraceTable } from "@/pages/traces/list";
import { Button } from "@/ui/button";
import { Page } from "@/ui/page";
import { RangePicker } from "@/ui/range-picker";
import { Await, Empty, Failure, Loading } from "@/ui/state";
import { Table } from "@/ui/table";
import { Tabs } from "@/ui/tabs";
import { Time } from "@/ui/time";
import { useRange } from "@/url/range";
import { useParam } from "@/url/view";
import { text } from "./text";
import { Thread } from "./thread";
import "./sessions.css";

/** What belongs to one sitting of somebody, or to one run of an agent: a list, or one with its requests and traces. */
export default function Sessions() {
  const { id } = useParams<{ id?: string }>();
  return id ? <One key={id} id={id} /> : <Listed />;
}

function Listed() {
  const t = useText(text);
  const range = useRange("-24h");
  return (
    <Page title={t("title")} actions={<RangePicker range={range} />}>
      <List from={range.from} to={range.range.kind === "between" ? range.to : null} />
    </Page>
  );
}

/** `to` is null: up to now. */
function List({ from, to }: { readonly from: number; readonly to: number | null }) {
  const t = useText(text);
  const workspace = useWorkspaceParam();
  const query = useMemo(
    () => ({ ...workspace, time_of_generation_min: apiTime(from), time_of_generation_max: to === null ? undefined : apiTime(to), page_size: 50 }),
    [workspace, from, to],
  );
  const asked = useInfiniteQuery<SessionPage, Problem, { pages: SessionPage[] }, unknown[], string | null>({
    queryKey: ["/v1/sessions", query],
    queryFn: ({ pageParam, signal }) => ask<SessionPage>("/v1/sessions", { query: { ...query, before: pageParam }, signal }),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
    placeholderData: (before) => before,
  });
  if (asked.isPending) return <Loading rows={10} />;
  if (!asked.data) return <Failure error={asked.error} onRetry={() => void asked.refetch()} />;
  const rows = asked.data.pages.flatMap((page) => page.data);
  if (rows.length === 0) {
    return (
      <Empty title={t("empty")}>
        <p>{t("emptyDo")}</p>
      </Empty>
    );
  }
  return (
    <div className="stack">
      <Table label={t("list")} rows={rows} rowKey={(row) => row.session_id} isOld={asked.isPlaceholderData} columns={columns(t)} />
      {asked.hasNextPage && (
        <Button disabled={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
    </div>
  );
}

function columns(t: (key: keyof typeof text.en) => string) {
  const cost = (row: SessionRow) => (row.cost === null ? null : Number(row.cost));
  return [
    { id: "id", title: t("session"), cell: (row: SessionRow) => <Link href={`/sessions/${encodeURIComponent(row.session_id)}`}>{row.session_id}</Link> },
    { id: "users", title: t("user"), cell: (row: SessionRow) => row.users.join(", ") || UNKNOWN },
    { id: "requests", title: t("requests"), isNumber: true, cell: (row: SessionRow) => count(row.requests), sort: (row: SessionRow) => row.requests },
    { id: "traces", title: t("traces"), isNumber: true, cell: (row: SessionRow) => count(row.traces), sort: (row: SessionRow) => row.traces },
    { id: "errors", title: t("errors"), isNumber: true, cell: (row: SessionRow) => count(row.errors), sort: (row: SessionRow) => row.errors },
    { id: "tokens", title: t("tokens"), isNumber: true, cell: (row: SessionRow) => `${count(row.input_tokens)} → ${count(row.output_tokens)}` },
    { id: "cost", title: t("cost"), isNumber: true, cell: (row: SessionRow) => money(cost(row)), sort: cost },
    { id: "models", title: t("models"), cell: (row: SessionRow) => row.models.join(", ") || UNKNOWN },
    { id: "first", title: t("first"), cell: (row: SessionRow) => <Time at={row.first_at} /> },
    { id: "last", title: t("last"), cell: (row: SessionRow) => <Time at={row.last_at} /> },
  ];
}

function One({ id }: { readonly id: string }) {
  const t = useText(text);
  const workspace = useWorkspaceParam();
  const [view, setView] = useParam("view", "thread");
  return (
    <Page
      title={t("one", { id })}
      actions={
        <Link className="button" href="/sessions">
          {t("back")}
        </Link>
      }
    >
      <Figures id={id} />
      <Tabs
        label={t("views")}
        tabs={[
          { id: "thread", title: t("thread") },
          { id: "traces", title: t("traces") },
        ]}
        chosen={view === "traces" ? "traces" : "thread"}
        onChoose={setView}
      >
        {view === "traces" ? <TracesOf id={id} workspace={workspace} /> : <ThreadOf id={id} workspace={workspace} />}
      </Tabs>
    </Page>
  );
}

type Workspace = ReturnType<typeof useWorkspaceParam>;

function useSession(id: string, workspace: Workspace) {
  return useGet<SessionDetail>(`/v1/sessions/${encodeURIComponent(id)}`, workspace);
}

function Figures({ id }: { readonly id: string }) {
  const t = useText(text);
  const { data } = useSession(id, useWorkspaceParam());
  if (!data) return null;
  return (
    <div className="row">
      <Time at={data.first_at} />
      <span>– <Time at={data.last_at} /></span>
      <span>{money(data.cost === null ? null : Number(data.cost))}</span>
      <span>
        {count(data.input_tokens)} → {count(data.output_tokens)}
      </span>
      <span className="muted">{t("total", { requests: data.requests, traces: data.traces.length, errors: data.errors })}</span>
      {data.users.length > 0 && <span>{data.users.join(", ")}</span>}
    </div>
  );
}

function TracesOf({ id, workspace }: { readonly id: string; readonly workspace: Workspace }) {
  const t = useText(text);
  const asked = useSession(id, workspace);
  return (
    <Await of={asked}>
      {(data) =>
        data.traces.length === 0 ? (
          <Empty title={t("noTraces")}>
            <p>{t("noTracesDo")}</p>
          </Empty>
        ) : (
          <TraceTable rows={data.traces} />
        )
      }
    </Await>
  );
}

/** Requests of the conversation, the newest of them. */
const MOST = 100;

function ThreadOf({ id, workspace }: { readonly id: string; readonly workspace: Workspace }) {
  const t = useText(text);
  const asked = useGet<LogPage>("/v1/logs", { ...workspace, session: id, page_size: MOST });
  return (
    <Await of={asked}>
      {(data) =>
        data.data.length === 0 ? (
          <Empty title={t("missing")}>
            <p>{t("missingDo")}</p>
          </Empty>
        ) : (
          <>
            {data.has_more && <p className="muted">{t("ofNewest", { n: count(data.data.length) })}</p>}
            <Thread rows={data.data} />
          </>
        )
      }
    </Await>
  );
}
