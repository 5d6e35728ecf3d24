import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";

/**
 * Members of the address's query: the state of a view. `set` with `null` takes a member out. Typing replaces the entry of
 * the browser's history; choices push one, so that "back" goes back.
 */
export function useView(): {
  readonly get: (name: string) => string | null;
  readonly set: (changes: Readonly<Record<string, string | null>>, how?: "push" | "replace") => void;
  readonly all: URLSearchParams;
} {
  const [all, setAll] = useSearchParams();
  const get = useCallback((name: string) => all.get(name), [all]);
  const set = useCallback(
    (changes: Readonly<Record<string, string | null>>, how: "push" | "replace" = "push") => {
      setAll(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes)) {
            if (value === null || value === "") next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        { replace: how === "replace" },
      );
    },
    [setAll],
  );
  return useMemo(() => ({ get, set, all }), [get, set, all]);
}

/** One member with the value it has when the address does not say. */
export function useParam(name: string, otherwise = ""): readonly [string, (value: string) => void] {
  const { get, set } = useView();
  const put = useCallback((value: string) => set({ [name]: value === otherwise ? null : value }), [set, name, otherwise]);
  return [get(name) ?? otherwise, put];
}

/** Those of `names` that the address has. */
export function useFilters<Name extends string>(names: readonly Name[]): Readonly<Partial<Record<Name, string>>> {
  const { all } = useView();
  return useMemo(() => {
    const found: Partial<Record<Name, string>> = {};
    for (const name of names) {
      const value = all.get(name);
      if (value) found[name] = value;
    }
    return found;
  }, [all, names]);
}
