import { type PointerEvent, useSyncExternalStore } from "react";
import { both, relative } from "@/format/time";
import { useLanguage } from "@/i18n/language";

/** One clock for everything that tells how long ago something was: a list has a time in every row. */
const EVERY_MS = 10_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, EVERY_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function read(): number {
  // It stands still while nobody listens, and may be long behind.
  if (timer === undefined && Date.now() - now > EVERY_MS) now = Date.now();
  return now;
}

/** Now, told again every so often. */
function useNow(): number {
  return useSyncExternalStore(listen, read);
}

/** `12s ago`; the exact time, local and UTC, on hover. */
export function Time({ at }: { readonly at: string | number }) {
  const { language } = useLanguage();
  const now = useNow();
  // Written when it is to be read: a list would make one for every row.
  const tell = (event: PointerEvent<HTMLTimeElement>) => event.currentTarget.setAttribute("title", both(at, language));
  return (
    <time className="nowrap" dateTime={new Date(at).toISOString()} onPointerEnter={tell}>
      {relative(at, now, language)}
    </time>
  );
}
