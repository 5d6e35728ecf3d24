import { type ReactNode, startTransition, useEffect, useState } from "react";
import { Loading } from "./state";

/** What may come after the rest has been painted, and is made in small steps, so that a key that is pressed meanwhile is heard. */
export function Later({ children, instead = <Loading rows={12} /> }: { readonly children: ReactNode; readonly instead?: ReactNode }) {
  const [isDue, setDue] = useState(false);
  useEffect(() => {
    const frame = requestAnimationFrame(() => startTransition(() => setDue(true)));
    return () => cancelAnimationFrame(frame);
  }, []);
  return isDue ? children : instead;
}
