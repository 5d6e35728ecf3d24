import type { ReactNode } from "react";
import "./badge.css";

export type Tone = "plain" | "success" | "warning" | "danger" | "info" | "purple" | "orange" | "teal";

export function Badge({ tone = "plain", title, children }: { readonly tone?: Tone; readonly title?: string; readonly children: ReactNode }) {
  return (
    <span className={tone === "plain" ? "badge" : `badge badge-${tone}`} title={title}>
      {children}
    </span>
  );
}

/** HTTP status of an answer, with a mark beside the colour. */
export function StatusBadge({ status }: { readonly status: number | null }) {
  if (status === null || status === 0) return <Badge>✕ —</Badge>;
  const mark = status < 300 ? "✓" : status === 499 ? "◌" : status < 400 ? "↪" : "✕";
  return (
    <Badge tone={toneOf(status)}>
      <span aria-hidden>{mark}</span> {status}
    </Badge>
  );
}

export function toneOf(status: number): Tone {
  if (status === 246) return "teal";
  if (status === 446) return "purple";
  if (status === 429) return "orange";
  if (status === 499 || (status >= 300 && status < 400)) return "plain";
  if (status < 300) return "success";
  return status >= 500 ? "danger" : "warning";
}
