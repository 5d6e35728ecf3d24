import { useMemo } from "react";
import { Link, useParams } from "wouter";
import { apiTime } from "@/api/analytics";
import { useGet } from "@/api/hooks";
import type { LogPage } from "@/api/logs";
import { useWorkspaceParam } from "@/api/session";
import { count, money, UNKNOWN } from "@/format/number";
import { useText } from "@/i18n/language";
import { TraceList } from "@/pages/traces/list";
import { Page } from "@/ui/page";
import { RangePicker } from "@/ui/range-picker";
import { Await, Empty } from "@/ui/state";
import { Table } from "@/ui/table";
import { Tabs } from "@/ui/tabs";
import { Time } from "@/ui/time";
import { useRange } from "@/url/range";
import { useParam } from "@/url/view";
import { sessionsOf } from "./grouped";
import { text } from "./text";
import { Thread } from "./thread";
import "./sessions.css";

/** What belongs to one sitting of somebody: requests that share `_session` in their metadata. */
export default function Sessions() {
  const { id } = useParams<{ id?: string }>();
  return id ? <One key={id} id={id} /> : <Listed />;
}

/** Requests that are looked at. */
const MOST = 500;

function Listed() {
  const t = useText(text);
  const range = useRange("-24h");
  const workspace = useWorkspaceParam();
  const asked = useGet<LogPage>("/v1/logs", { ...workspace, page_size: MOST, time_of_generation_min: apiTime(range.from), time_of_generation_max: range.range.kind === "between" ? apiTime(range.to) : undefined });
  return (
    <Page title={t("title")} actions={<RangePicker range={range} />}>
      <Await of={asked} rows={10}>
        {(data) => {
          const sessions = sessionsOf(data.data);
          return sessions.length === 0 ? (
            <Empty title={t("empty")}>
              <p>{t("emptyDo")}</p>
            </Empty>
          ) : (
            <>
              <Table
                label={t("list")}
                rows={sessions}
                rowKey={(row) => row.id}
                isOld={asked.isPlaceholderData}
                columns={[
                  { id: "id", title: t("session"), cell: (row) => <Link href={`/sessions/${encodeURIComponent(row.id)}`}>{row.id}</Link> },
                  { id: "user", title: t("user"), cell: (row) => row.user ?? UNKNOWN },
                  { id: "requests", title: t("requests"), isNumber: true, cell: (row) => count(row.requests), sort: (row) => row.requests },
                  { id: "errors", title: t("errors"), isNumber: true, cell: (row) => count(row.errors), sort: (row) => row.errors },
                  { id: "tokens", title: t("tokens"), isNumber: true, cell: (row) => count(row.tokens), sort: (row) => row.tokens },
                  { id: "cost", title: t("cost"), isNumber: true, cell: (row) => money(row.cost), sort: (row) => row.cost },
                  { id: "models", title: t("models"), cell: (row) => row.models.join(", ") || UNKNOWN },
                  { id: "first", title: t("first"), cell: (row) => <Time at={row.first} /> },
                  { id: "last", title: t("last"), cell: (row) => <Time at={row.last} /> },
                ]}
              />
              {data.has_more && <p className="muted">{t("ofNewest", { n: count(data.data.length) })}</p>}
            </>
          );
        }}
      </Await>
    </Page>
  );
}

function One({ id }: { readonly id: string }) {
  const t = useText(text);
  const range = useRange("-7d");
  const workspace = useWorkspaceParam();
  const [view, setView] = useParam("view", "thread");
  const metadata = useMemo(() => JSON.stringify({ _session: id }), [id]);
  const to = range.range.kind === "between" ? range.to : null;
  const asked = useGet<LogPage>("/v1/logs", { ...workspace, metadata, page_size: 100, time_of_generation_min: apiTime(range.from), time_of_generation_max: to === null ? undefined : apiTime(to) });
  return (
    <Page
      title={t("one", { id })}
      actions={
        <>
          <Link className="button" href="/sessions">
            {t("back")}
          </Link>
          <RangePicker range={range} />
        </>
      }
    >
      <Tabs
        label={t("views")}
        tabs={[
          { id: "thread", title: t("thread") },
          { id: "traces", title: t("traces") },
        ]}
        chosen={view === "traces" ? "traces" : "thread"}
        onChoose={setView}
      >
        {view === "traces" ? (
          <TraceList from={range.from} to={to} session={id} />
        ) : (
          <Await of={asked}>
            {(data) =>
              data.data.length === 0 ? (
                <Empty title={t("missing")}>
                  <p>{t("missingDo")}</p>
                </Empty>
              ) : (
                <Thread rows={data.data} />
              )
            }
          </Await>
        )}
      </Tabs>
    </Page>
  );
}
