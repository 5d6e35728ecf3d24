import { BellRing, Columns3, Download, GitCompareArrows } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { apiTime } from "@/api/analytics";
import { type LogPage, type LogRow, MOST_COUNTED } from "@/api/logs";
import { useKeyNames } from "@/api/names";
import type { Problem } from "@/api/problem";
import { useWorkspaceParam, type WorkspaceParam } from "@/api/session";
import { download } from "@/charts/series";
import { count } from "@/format/number";
import { FilterBar } from "@/filters/filter-bar";
import type { Range } from "@/format/time";
import { useText } from "@/i18n/language";
import { useKeys } from "@/layout/keys";
import type { Ahead } from "@/pages";
import { Button } from "@/ui/button";
import { copyText, CopyButton } from "@/ui/copy";
import { CheckField } from "@/ui/field";
import { Menu } from "@/ui/menu";
import { Later } from "@/ui/later";
import { Page } from "@/ui/page";
import { RangePicker } from "@/ui/range-picker";
import { Empty, Failure, Loading } from "@/ui/state";
import { Table } from "@/ui/table";
import { parse, print, type Term, toApi, withTerm } from "@/url/filter";
import { rangeOf, useRange } from "@/url/range";
import { useView } from "@/url/view";
import { SavedViews } from "@/views/saved-views";
import { COLUMNS, columnsOf, tableColumns, USUAL } from "./columns";
import { asCsv, asJsonl, everyRow, MOST_EXPORTED, tableOf } from "./export";
import { Facets } from "./facets";
import { Histogram } from "./histogram";
import { text } from "./text";
import { pagesOf, useRows } from "./use-rows";
import "./logs.css";

const RANGE = "-24h";

/** What a list needs only when somebody looks closer. */
const LogSheet = lazy(async () => ({ default: (await import("./detail/sheet")).LogSheet }));
const Compare = lazy(async () => ({ default: (await import("./compare")).Compare }));

function questionOf(workspace: WorkspaceParam, filters: Readonly<Record<string, string>>, { range, from, to }: { readonly range: Range; readonly from: number; readonly to: number }) {
  return {
    ...workspace,
    ...filters,
    time_of_generation_min: apiTime(from),
    // Up to now there is no end, so that the list grows.
    time_of_generation_max: range.kind === "between" ? apiTime(to) : undefined,
  };
}

export const ahead: Ahead = (client, workspace, view) => {
  const filters = toApi(parse(view.get("filter") ?? "").terms);
  return client.prefetchInfiniteQuery<LogPage, Problem, LogPage, unknown[], string | null>(pagesOf(questionOf(workspace, filters, rangeOf(view, RANGE))));
};

/** Every request of the workspace. What is shown stands in the address: filters, time, columns, the open request. */
export default function Logs() {
  const t = useText(text);
  const { id: opened } = useParams<{ id?: string }>();
  const [, go] = useLocation();
  const view = useView();
  const range = useRange(RANGE);
  const workspace = useWorkspaceParam();
  const keyName = useKeyNames();
  const isLive = view.get("live") === "1";
  const columns = useMemo(() => columnsOf(view.get("columns") ?? ""), [view]);
  const filter = view.get("filter") ?? "";
  const terms = useMemo(() => parse(filter).terms, [filter]);
  const filters = useMemo(() => toApi(terms), [terms]);
  const isScrolled = useScrolled();
  const [marked, setMarked] = useState<readonly string[]>([]);
  const [isComparing, setComparing] = useState(false);
  const [at, setAt] = useState<string | null>(null);
  const query = useMemo(() => questionOf(workspace, filters, { range: range.range, from: range.from, to: range.to }), [workspace, filters, range.range, range.from, range.to]);
  const list = useRows(query, isLive, isLive && (isScrolled || opened !== undefined));
  const search = view.all.size > 0 ? `?${view.all}` : "";
  const open = useCallback((row: { readonly id: string } | null) => go(row ? `/logs/${row.id}${search}` : `/logs${search}`), [go, search]);
  const setTerms = useCallback((next: readonly Term[]) => view.set({ filter: print(next) }), [view]);
  const mark = useCallback((id: string) => setMarked((now) => (now.includes(id) ? now.filter((one) => one !== id) : [...now.slice(-1), id])), []);
  const step = useCallback(
    (by: number, from: string | null | undefined): LogRow | undefined => {
      const index = list.rows.findIndex((row) => row.id === from);
      return list.rows[Math.min(list.rows.length - 1, Math.max(0, index + by))];
    },
    [list.rows],
  );
  useKeys(
    useCallback(
      (event: KeyboardEvent) => {
        const by = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
        if (by !== 0) {
          const next = step(by, at);
          setAt(next?.id ?? null);
          document.querySelector(`[data-row="${next?.id}"]`)?.scrollIntoView({ block: "nearest" });
        } else if (event.key === "Enter" && at && event.target === document.body) open({ id: at });
        else if (event.key === "x" && at) mark(at);
        else if (event.key === "c" && at) void copyText(at);
        else if (event.key === ".") view.set({ live: isLive ? null : "1" });
      },
      [step, at, open, mark, view, isLive],
    ),
  );
  const shown = useMemo(() => {
    const all = tableColumns(columns, t, keyName, search);
    const marks = {
      id: "mark",
      title: <span className="unseen">{t("column_mark")}</span>,
      cell: (row: LogRow) => <input type="checkbox" aria-label={t("mark", { id: row.id })} checked={marked.includes(row.id)} onChange={() => mark(row.id)} />,
    };
    return [marks, ...all];
  }, [columns, t, keyName, search, marked, mark]);
  const isFiltered = terms.length > 0 || range.text !== RANGE;
  return (
    <Page
      title={t("title")}
      actions={
        <>
          <Button aria-pressed={isLive} label={t("liveOn")} onClick={() => view.set({ live: isLive ? null : "1" })}>
            <span className="live-dot" aria-hidden />
            {t("live")}
          </Button>
          <RangePicker range={range} />
          <SavedViews page="logs" />
          <CopyButton value={location.href} what={t("share")} />
        </>
      }
    >
      <FilterBar terms={terms} onChange={setTerms} />
      <div className="histogram">
        <Later instead={<div aria-busy />}>
          <Histogram filters={filters} from={range.from} to={range.to} rows={list.rows} onBrush={range.between} />
        </Later>
      </div>
      <div className="row">
        <span>{list.total >= MOST_COUNTED ? t("requestsMany", { n: count(MOST_COUNTED) }) : t("requests", { n: list.total })}</span>
        <span className="push" />
        <Button disabled={marked.length !== 2} title={t("compareHint")} onClick={() => setComparing(true)}>
          <GitCompareArrows aria-hidden />
          {t("compare")} {marked.length > 0 && `${marked.length}/2`}
        </Button>
        <Menu
          label={
            <>
              <Columns3 aria-hidden />
              {t("columns")}
            </>
          }
        >
          {COLUMNS.map((id) => (
            <CheckField
              key={id}
              label={t(`column_${id}`)}
              checked={columns.includes(id)}
              onChange={(event) => {
                const next = COLUMNS.filter((one) => (one === id ? event.target.checked : columns.includes(one)));
                view.set({ columns: next.join() === USUAL.join() ? null : next.join(",") }, "replace");
              }}
            />
          ))}
        </Menu>
        <ExportMenu query={query} columns={columns} />
        <Link className="button" href={`/alerts/new${filter ? `?${new URLSearchParams({ filter })}` : ""}`}>
          <BellRing aria-hidden />
          {t("alertOnThis")}
        </Link>
      </div>
      {list.held > 0 && (
        <Button kind="primary" className="newer" onClick={() => (opened ? open(null) : scrollTo({ top: 0 }))}>
          {t("newer", { n: list.held })}
        </Button>
      )}
      <div className="logs">
        <Later instead={<div aria-busy />}>
          <Facets rows={list.rows} keyName={keyName} onAdd={(term) => setTerms(withTerm(terms, term))} />
        </Later>
        <div className="stack">
          {list.error ? (
            <Failure error={list.error} onRetry={list.refetch} />
          ) : list.isPending ? (
            <Loading rows={14} />
          ) : list.rows.length === 0 ? (
            <Empty title={isFiltered ? t("emptyFiltered") : t("emptyNew")}>
              <p>{isFiltered ? t("emptyFilteredDo") : t("emptyNewDo")}</p>
              {isFiltered ? (
                <Button onClick={() => view.set({ filter: null, from: null, to: null })}>{t("clear")}</Button>
              ) : (
                <Link className="button button-primary" href="/start">
                  {t("getStarted")}
                </Link>
              )}
            </Empty>
          ) : (
            <>
              <Table label={t("list")} columns={shown} rows={list.rows} rowKey={(row) => row.id} onChoose={open} current={at} isOld={list.isOld} />
              {list.hasMore ? (
                <Button disabled={list.isLoadingMore} onClick={list.more}>
                  {t("more")}
                </Button>
              ) : (
                <p className="muted">{t("end")}</p>
              )}
            </>
          )}
        </div>
      </div>
      <Suspense>
        {opened && <LogSheet key="sheet" id={opened} onClose={() => open(null)} onStep={(by) => open(step(by, opened) ?? { id: opened })} />}
        {isComparing && marked[0] && marked[1] && <Compare ids={[marked[0], marked[1]]} onClose={() => setComparing(false)} />}
      </Suspense>
    </Page>
  );
}

function ExportMenu({ query, columns }: { readonly query: Readonly<Record<string, string | undefined>>; readonly columns: ReturnType<typeof columnsOf> }) {
  const t = useText(text);
  const [done, setDone] = useState<number | null>(null);
  const [note, setNote] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const run = async (kind: "csv" | "jsonl") => {
    setError(null);
    setDone(0);
    try {
      const { rows, isCut } = await everyRow(query, setDone);
      setNote(isCut ? t("exportCut", { n: count(MOST_EXPORTED) }) : null);
      if (kind === "csv") download("logs.csv", "text/csv", asCsv(columns, rows));
      else download("logs.jsonl", "application/jsonl", asJsonl(rows));
    } catch (caught) {
      setError(caught);
    } finally {
      setDone(null);
    }
  };
  const runTable = async () => {
    setError(null);
    setNote(null);
    setDone(0);
    try {
      location.assign(await tableOf(query));
    } catch (caught) {
      setError(caught);
    } finally {
      setDone(null);
    }
  };
  return (
    <Menu
      label={
        <>
          <Download aria-hidden />
          {done === null ? t("export") : t("exporting", { n: done })}
        </>
      }
    >
      <Button kind="plain" disabled={done !== null} onClick={() => void run("csv")}>
        {t("exportCsv")}
      </Button>
      <Button kind="plain" disabled={done !== null} onClick={() => void run("jsonl")}>
        {t("exportJsonl")}
      </Button>
      <Button kind="plain" disabled={done !== null} onClick={() => void runTable()}>
        {t("exportParquet")}
      </Button>
      {note && <p className="muted">{note}</p>}
      {error !== null && <Failure error={error} />}
    </Menu>
  );
}

/** Whether the page was scrolled away from its top. */
function useScrolled(): boolean {
  const [isScrolled, setScrolled] = useState(false);
  useEffect(() => {
    const listen = () => setScrolled(window.scrollY > 240);
    addEventListener("scroll", listen, { passive: true });
    return () => removeEventListener("scroll", listen);
  }, []);
  return isScrolled;
}
