import { Link } from "wouter";
import { useAnalytics } from "@/api/analytics";
import { change } from "@/format/number";
import { useText } from "@/i18n/language";
import { termOf, useGroupNames } from "@/metrics/group";
import { logsAddress } from "@/metrics/metric-chart";
import { text as metricsText } from "@/metrics/text";
import { inUnit, unitOf } from "@/metrics/unit";
import { text } from "./text";

const DIMENSIONS = ["model", "provider", "api_key"] as const;
const METRICS = ["cost", "errors", "requests"] as const;
const MOST = 8;

interface Mover {
  readonly group: (typeof DIMENSIONS)[number];
  readonly key: string;
  readonly metric: (typeof METRICS)[number];
  readonly now: number;
  readonly before: number;
  /** Of what the metric is in all, so that dollars and requests can be ordered together. */
  readonly weight: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Which models, providers and keys made the figures what they are, against the time before. */
export function Changed({ from, to }: Span) {
  const t = useText(text);
  const m = useText(metricsText);
  const nameOf = useGroupNames();
  const before = { from: from - (to - from), to: from };
  const movers = [useMovers("model", { from, to }, before), useMovers("provider", { from, to }, before), useMovers("api_key", { from, to }, before)].flat();
  const shown = movers.sort((a, b) => b.weight - a.weight).slice(0, MOST);
  const metricName = { cost: t("cost"), errors: t("errorRate"), requests: t("requests") };
  return (
    <section className="panel">
      <h2 title={t("changedHint")}>{t("changed")}</h2>
      {shown.length === 0 ? (
        <p className="muted">{t("changedNone")}</p>
      ) : (
        <ul className="movers">
          {shown.map((mover) => {
            const format = inUnit(unitOf(mover.metric));
            const term = termOf(mover.group, mover.key);
            const moved = change(mover.now, mover.before)?.text ?? `▲ +${format(mover.now)}`;
            return (
              <li key={`${mover.group} ${mover.key} ${mover.metric}`}>
                <Link href={logsAddress(term ? [term] : [], from, to)}>
                  {t("changedLine", { group: m(`group_${mover.group}`), name: nameOf(mover.group, mover.key), metric: metricName[mover.metric], change: moved, value: format(mover.now) })}
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function useMovers(group: Mover["group"], now: Span, before: Span): readonly Mover[] {
  const current = useAnalytics({ metrics: METRICS, group, bucket: "none", top: 50, ...now });
  const earlier = useAnalytics({ metrics: METRICS, group, bucket: "none", top: 50, ...before });
  if (!current.data || !earlier.data) return [];
  const old = new Map(earlier.data.groups.map((one) => [one.key, one.total]));
  const fresh = new Map(current.data.groups.map((one) => [one.key, one.total]));
  const keys = [...new Set([...old.keys(), ...fresh.keys()])].filter((key) => key !== null && key !== "");
  return METRICS.flatMap((metric) => {
    const all = [...fresh.values(), ...old.values()].reduce((sum, total) => sum + (total[metric] ?? 0), 0);
    return keys.flatMap((key): Mover[] => {
      const [a, b] = [fresh.get(key)?.[metric] ?? 0, old.get(key)?.[metric] ?? 0];
      const weight = all === 0 ? 0 : Math.abs(a - b) / all;
      return weight > 0.02 && key !== null ? [{ group, key, metric, now: a, before: b, weight }] : [];
    });
  });
}
