import { useSyncExternalStore } from "react";

// The time that is pointed at, for all charts of the page.
let pointed: number | null = null;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function pointAt(time: number | null): void {
  if (time === pointed) return;
  pointed = time;
  for (const listener of listeners) listener();
}

export function usePointed(): number | null {
  return useSyncExternalStore(subscribe, () => pointed);
}
