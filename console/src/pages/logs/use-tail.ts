import { useEffect, useRef, useState } from "react";
import type { LogRow } from "@/api/logs";
import { Problem } from "@/api/problem";
import { watch } from "@/api/tail";

/** Rows of a busy gateway are shown together. */
const TOGETHER_MS = 200;
const AGAIN_MS = 5_000;

export interface TailWatcher {
  readonly onRows: (rows: readonly LogRow[]) => void;
  /** Something may be missing: the list has it. */
  readonly onGap: () => void;
}

/**
 * Whether rows come by themselves now. Where they do not, somebody else has to ask for them; the stream is tried again. While
 * nobody sees the page there is none: a browser has few connections to one address.
 */
export function useTail(query: Readonly<Record<string, string | undefined>>, isWanted: boolean, watcher: TailWatcher): boolean {
  const [isOpen, setOpen] = useState(false);
  const latest = useRef(watcher);
  latest.current = watcher;
  const key = JSON.stringify(query);
  useEffect(() => {
    if (!isWanted) return;
    let stop = new AbortController();
    let isOver = false;
    let waiting: LogRow[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      timer = undefined;
      if (isOver) return;
      const rows = waiting;
      waiting = [];
      latest.current.onRows(rows);
    };
    const run = async () => {
      again = undefined;
      const { signal } = (stop = new AbortController());
      let isRefused = false;
      try {
        await watch(
          JSON.parse(key) as Record<string, string>,
          {
            onOpen: () => {
              setOpen(true);
              latest.current.onGap();
            },
            onRow: (row) => {
              waiting.push(row);
              timer ??= setTimeout(show, TOGETHER_MS);
            },
            onSkipped: () => latest.current.onGap(),
          },
          signal,
        );
      } catch (error) {
        // Asked again it would be refused again; too many at once may be fewer later.
        isRefused = error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429;
      }
      if (isOver || signal.aborted) return;
      setOpen(false);
      if (!isRefused) again = setTimeout(() => void run(), AGAIN_MS);
    };
    const look = () => {
      if (document.hidden) {
        clearTimeout(again);
        again = undefined;
        stop.abort();
        setOpen(false);
      } else if (again === undefined && stop.signal.aborted) void run();
    };
    document.addEventListener("visibilitychange", look);
    if (document.hidden) stop.abort();
    else void run();
    return () => {
      isOver = true;
      document.removeEventListener("visibilitychange", look);
      clearTimeout(timer);
      clearTimeout(again);
      stop.abort();
      setOpen(false);
    };
  }, [key, isWanted]);
  return isOpen;
}
