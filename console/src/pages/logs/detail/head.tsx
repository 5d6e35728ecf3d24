import { dollars, type Log, modelOf } from "@/api/logs";
import { count, duration, money } from "@/format/number";
import { StatusBadge } from "@/ui/badge";
import { Time } from "@/ui/time";

/** The figures of a request in a line. */
export function Head({ log }: { readonly log: Log }) {
  const { metrics, tidegate } = log;
  return (
    <div className="row">
      <StatusBadge status={metrics.response_status_code} />
      <strong>{modelOf(metrics) || tidegate.asked_model}</strong>
      <Time at={log.created_at} />
      <span>{duration(tidegate.total_us / 1_000)}</span>
      <span>
        {count(metrics.req_units)} → {count(metrics.res_units)}
      </span>
      <span>{money(dollars(metrics.cost))}</span>
    </div>
  );
}
