import { useCallback, useSyncExternalStore } from "react";
import { ask } from "./client";
import { typedKey, useWorkspaceParam } from "./session";

/** For this tab only, and gone with it. */
const KEPT_AS = "tidegate.call-key";
const DAY_MS = 86_400_000;

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * The API key with which the console calls models: requests to models are made with keys, not with a sign-in. It is made on
 * demand, works for a day, and may do nothing but call.
 */
export function useCallKey(): {
  readonly key: string | null;
  readonly make: () => Promise<string>;
  readonly keep: (key: string | null) => void;
} {
  const workspace = useWorkspaceParam();
  const key = useSyncExternalStore(subscribe, () => sessionStorage.getItem(KEPT_AS) ?? usable(typedKey()));
  const keep = useCallback((next: string | null) => {
    if (next === null) sessionStorage.removeItem(KEPT_AS);
    else sessionStorage.setItem(KEPT_AS, next);
    for (const listener of listeners) listener();
  }, []);
  const make = useCallback(async () => {
    const expires_at = new Date(Date.now() + DAY_MS).toISOString();
    const made = await ask<{ key: string }>("/v1/api-keys/workspace/service", {
      method: "POST",
      body: { ...workspace, name: `console ${expires_at.slice(0, 16)}`, scopes: ["completions.write"], expires_at },
    });
    keep(made.key);
    return made.key;
  }, [workspace, keep]);
  return { key, make, keep };
}

/** Keys that administer call no models. */
function usable(key: string | null): string | null {
  return key === null || key.startsWith("tg-adm-") ? null : key;
}
