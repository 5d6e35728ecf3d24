import { type ReactNode, useEffect, useRef, useState } from "react";
import "./menu.css";

/** A button that opens a small panel. Closes on Escape and when something else is pressed. What is in it is made when it opens first. */
export function Menu({ label, children }: { readonly label: ReactNode; readonly children: ReactNode }) {
  const details = useRef<HTMLDetailsElement>(null);
  const [wasOpen, setWasOpen] = useState(false);
  useEffect(() => {
    const close = (event: Event) => {
      const element = details.current;
      if (!element?.open) return;
      const isEscape = event instanceof KeyboardEvent && event.key === "Escape";
      if (isEscape) element.querySelector("summary")?.focus();
      if (isEscape || (event.type === "pointerdown" && !element.contains(event.target as Node))) element.open = false;
    };
    document.addEventListener("keydown", close);
    document.addEventListener("pointerdown", close);
    return () => {
      document.removeEventListener("keydown", close);
      document.removeEventListener("pointerdown", close);
    };
  }, []);
  return (
    <details className="menu" ref={details} onToggle={(event) => event.currentTarget.open && setWasOpen(true)}>
      <summary className="button">{label}</summary>
      <div className="menu-body">{wasOpen && children}</div>
    </details>
  );
}
