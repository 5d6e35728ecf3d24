import { Link } from "wouter";
import type { AnalyticsAnswer } from "@/api/analytics";
import { change, type Figure } from "@/format/number";
import { useText } from "@/i18n/language";
import { logsAddress } from "@/metrics/metric-chart";
import { inUnit, unitOf } from "@/metrics/unit";
import type { Term } from "@/url/filter";
import { text } from "./text";

interface Tile {
  readonly metric: string;
  readonly name: "requests" | "cost" | "errorRate" | "ttft" | "latency" | "saved" | "rescued" | "users" | "tokens" | "unpriced";
  readonly better: "up" | "down" | "none";
  /** What leads to the requests behind it. */
  readonly terms?: readonly Term[];
}

const TILES: readonly Tile[] = [
  { metric: "requests", name: "requests", better: "none" },
  { metric: "cost", name: "cost", better: "down" },
  { metric: "error_rate", name: "errorRate", better: "down", terms: [{ field: "status", value: "error" }] },
  { metric: "latency_p95", name: "latency", better: "down" },
  { metric: "ttft_p95", name: "ttft", better: "down" },
  { metric: "tokens", name: "tokens", better: "none" },
  { metric: "users", name: "users", better: "none" },
  { metric: "rescued_retry", name: "rescued", better: "none" },
  { metric: "cache_savings", name: "saved", better: "up" },
  { metric: "unpriced_requests", name: "unpriced", better: "down" },
];

export const TILE_METRICS: readonly string[] = [...TILES.map((tile) => tile.metric), "rescued_fallback"];

/** The figures of the whole time, each against the time before. */
export function Tiles({ answer, from, to }: { readonly answer: AnalyticsAnswer; readonly from: number; readonly to: number }) {
  const t = useText(text);
  const now = answer.groups[0]?.total ?? {};
  const before = answer.previous?.total ?? {};
  const figure = (totals: Readonly<Record<string, Figure>>, metric: string): Figure =>
    metric === "rescued_retry" ? (totals.rescued_retry ?? 0) + (totals.rescued_fallback ?? 0) : totals[metric];
  return (
    <ul className="tiles">
      {TILES.map((tile) => {
        const format = inUnit(unitOf(tile.metric));
        const moved = change(figure(now, tile.metric), figure(before, tile.metric));
        const isGood = moved && tile.better !== "none" && moved.direction !== 0 && (tile.better === "up") === (moved.direction > 0);
        const tone = moved && tile.better !== "none" && moved.direction !== 0 ? (isGood ? "good" : "bad") : "muted";
        return (
          <li key={tile.metric}>
            <Link href={logsAddress(tile.terms ?? [], from, to)} className="tile">
              <span className="muted">{t(tile.name)}</span>
              <strong>{format(figure(now, tile.metric))}</strong>
              <span className={tone} title={t("before", { value: format(figure(before, tile.metric)) })}>
                {moved?.text ?? " "}
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
