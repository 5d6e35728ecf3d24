import { useCallback, useMemo, useState } from "react";
import { ends, parseRange, type Range } from "@/format/time";
import { useView } from "./view";

export const RANGES = ["-15m", "-1h", "-6h", "-24h", "-7d", "-30d"] as const;

/** The range of time that an address says, with its ends if somebody asked now. */
export function rangeOf(view: Pick<URLSearchParams, "get">, otherwise: string): { readonly range: Range; readonly from: number; readonly to: number } {
  const range = parseRange(view.get("from"), view.get("to"), otherwise);
  return { range, ...ends(range, Date.now()) };
}

/**
 * The range of time in the address: `from=-24h`, or two times. Its ends move only when somebody asks for that, so that the
 * charts of a page show the same time.
 */
export function useRange(otherwise: string): {
  readonly range: Range;
  readonly from: number;
  readonly to: number;
  /** As in the address. */
  readonly text: string;
  readonly choose: (from: string) => void;
  readonly between: (from: number, to: number) => void;
  readonly refresh: () => void;
} {
  const { get, set } = useView();
  const [asked, setAsked] = useState(() => Date.now());
  const [from, to] = [get("from"), get("to")];
  const range = useMemo(() => parseRange(from, to, otherwise), [from, to, otherwise]);
  const both = useMemo(() => ends(range, asked), [range, asked]);
  const choose = useCallback(
    (next: string) => {
      setAsked(Date.now());
      set({ from: next === otherwise ? null : next, to: null });
    },
    [set, otherwise],
  );
  const between = useCallback(
    (begin: number, end: number) => set({ from: new Date(begin).toISOString(), to: new Date(end).toISOString() }),
    [set],
  );
  const refresh = useCallback(() => setAsked(Date.now()), []);
  const text = range.kind === "between" ? "between" : (from ?? otherwise);
  return { range, ...both, text, choose, between, refresh };
}
