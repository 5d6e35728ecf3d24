import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { ask } from "@/api/client";
import { useGet } from "@/api/hooks";
import type { LogPage, LogRow } from "@/api/logs";
import type { Problem } from "@/api/problem";
import { useTail } from "./use-tail";

const PAGE = 50;
/** How often the list is asked for while it is live: where rows come by themselves, for those of other replicas. */
const LIVE_EVERY_MS = 2_000;
const BESIDE_TAIL_MS = 15_000;
/** Rows of the tail that are kept; older ones are a page away. */
const MOST_LIVE = 500;

export interface Rows {
  readonly rows: readonly LogRow[];
  /** Rows that came while the list was held. */
  readonly held: number;
  readonly total: number;
  readonly error: Problem | null;
  readonly isPending: boolean;
  readonly isOld: boolean;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly more: () => void;
  readonly refetch: () => void;
}

type Question = Readonly<Record<string, string | undefined>>;

/** The pages of a list, and the name under which they are kept. */
export function pagesOf(query: Question) {
  return {
    queryKey: ["/v1/logs", "pages", query] as unknown[],
    queryFn: ({ pageParam, signal }: { readonly pageParam: string | null; readonly signal: AbortSignal }) =>
      ask<LogPage>("/v1/logs", { query: { ...query, page_size: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null,
    getNextPageParam: (last: LogPage) => (last.has_more ? last.next_cursor : null),
  };
}

/**
 * Pages of the list, with the newest in front while it is live. `isHeld`: somebody reads; what comes is counted, and shown
 * when it is let go.
 */
export function useRows(query: Question, isLive: boolean, isHeld: boolean): Rows {
  const pages = useInfiniteQuery<LogPage, Problem, { pages: LogPage[] }, unknown[], string | null>({
    ...pagesOf(query),
    placeholderData: (before) => before,
    // A record is written a moment after its answer: whoever comes from there is not left with an empty list.
    refetchInterval: ({ state }) => (state.data?.pages[0]?.data.length === 0 ? LIVE_EVERY_MS : false),
  });
  const [live, setLive] = useState<readonly LogRow[]>([]);
  const newest = useRef<() => unknown>(() => undefined);
  const isTailed = useTail(query, isLive, {
    onRows: (rows) => setLive((known) => merged([rows, known]).slice(0, MOST_LIVE)),
    onGap: () => void newest.current(),
  });
  const tail = useGet<LogPage>("/v1/logs", { ...query, page_size: 100 }, { enabled: isLive, every: isTailed ? BESIDE_TAIL_MS : LIVE_EVERY_MS });
  newest.current = tail.refetch;
  const key = JSON.stringify(query);
  const before = useRef(key);
  useEffect(() => {
    if (before.current !== key || !isLive) {
      before.current = key;
      setLive([]);
    }
  }, [key, isLive]);
  useEffect(() => {
    if (isLive && tail.data && !tail.isPlaceholderData) setLive((known) => merged([tail.data.data, known]).slice(0, MOST_LIVE));
  }, [tail.data, tail.isPlaceholderData, isLive]);
  const old = useMemo(() => merged(pages.data?.pages.map((page) => page.data) ?? []), [pages.data]);
  const all = useMemo(() => (isLive ? merged([live, old]) : old), [live, old, isLive]);
  const [shown, setShown] = useState(all);
  useEffect(() => {
    if (!isHeld) setShown(all);
  }, [all, isHeld]);
  // Older rows join below even while the list is held.
  const rows = useMemo(() => (isHeld ? merged([shown, all.filter((row) => older(row, shown))]) : all), [isHeld, shown, all]);
  return {
    rows,
    held: isHeld ? all.length - rows.length : 0,
    total: (isLive && tail.data ? totalWith(tail.data, live) : undefined) ?? pages.data?.pages[0]?.total ?? 0,
    error: pages.data ? null : pages.error,
    isPending: pages.isPending,
    isOld: pages.isPlaceholderData,
    hasMore: pages.hasNextPage,
    isLoadingMore: pages.isFetchingNextPage,
    more: () => void pages.fetchNextPage(),
    refetch: () => void pages.refetch(),
  };
}

/** With the rows that came since. */
function totalWith(page: LogPage, live: readonly LogRow[]): number {
  const last = page.data[0]?.id ?? "";
  return page.total + live.filter((row) => row.id > last).length;
}

function older(row: LogRow, shown: readonly LogRow[]): boolean {
  const last = shown.at(-1);
  return last === undefined || row.created_at < last.created_at;
}

/** Each once, the newest first. Ids sort by time. */
function merged(lists: readonly (readonly LogRow[])[]): readonly LogRow[] {
  const known = new Map<string, LogRow>();
  for (const row of lists.flat()) if (!known.has(row.id)) known.set(row.id, row);
  return [...known.values()].sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0));
}
