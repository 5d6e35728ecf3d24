import { useEffect, useState } from "react";
import { both, relative } from "@/format/time";
import { useLanguage } from "@/i18n/language";

/** Now, told again every so often. */
export function useNow(everyMs = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** `12s ago`; the exact time, local and UTC, on hover. */
export function Time({ at }: { readonly at: string | number }) {
  const { language } = useLanguage();
  const now = useNow();
  return (
    <time className="nowrap" dateTime={new Date(at).toISOString()} title={both(at, language)}>
      {relative(at, now, language)}
    </time>
  );
}
