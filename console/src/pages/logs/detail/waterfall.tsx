import type { Attempt, Log } from "@/api/logs";
import { duration } from "@/format/number";
import type { Translate } from "@/i18n/text";
import { useText } from "@/i18n/language";
import { text } from "./text";

const LABEL = 190;
const ROW = 26;

interface Bar {
  readonly name: string;
  /** Microseconds. */
  readonly start: number;
  readonly length: number;
  readonly color: string;
  readonly note: string;
  readonly isHatched?: boolean;
}

/** Where the time went: waiting, each attempt, and what the gateway itself took. */
export function Waterfall({ log }: { readonly log: Log }) {
  const t = useText(text);
  const { tidegate } = log;
  const total = Math.max(1, tidegate.total_us, ...tidegate.attempts.map((one) => one.start_us + one.duration_us));
  const bars = barsOf(log, t);
  const width = 720;
  const x = (us: number) => LABEL + (us / total) * (width - LABEL - 90);
  const height = bars.length * ROW + 24;
  return (
    <div className="stack">
      <figure tabIndex={0} aria-label={t("waterfall", { total: duration(total / 1_000) })}>
        <svg className="waterfall" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t("waterfall", { total: duration(total / 1_000) })}>
          <defs>
            <pattern id="waterfall-failed" width="6" height="6" patternTransform="rotate(45)" patternUnits="userSpaceOnUse">
              <rect width="6" height="6" fill="var(--danger)" />
              <line x1="0" y1="0" x2="0" y2="6" stroke="var(--background)" strokeWidth="2" />
            </pattern>
          </defs>
          {[0, 0.25, 0.5, 0.75, 1].map((share) => (
            <g key={share}>
              <line className="grid" x1={x(total * share)} x2={x(total * share)} y1={18} y2={height} />
              <text x={x(total * share)} y={11} textAnchor="middle">
                {duration((total * share) / 1_000)}
              </text>
            </g>
          ))}
          {bars.map((bar, index) => (
            <g key={index}>
              <text className="name" x={0} y={24 + index * ROW + 13}>
                {bar.name.length > 30 ? `${bar.name.slice(0, 29)}…` : bar.name}
              </text>
              <rect x={x(bar.start)} y={24 + index * ROW} height={ROW - 8} width={Math.max(2, x(bar.start + bar.length) - x(bar.start))} rx={2} fill={bar.isHatched ? "url(#waterfall-failed)" : bar.color}>
                <title>{bar.note}</title>
              </rect>
              <text x={x(bar.start + bar.length) + 5} y={24 + index * ROW + 13}>
                {bar.note}
              </text>
            </g>
          ))}
          {tidegate.ttft_us !== null && (
            <line className="ttft" x1={x(tidegate.ttft_us)} x2={x(tidegate.ttft_us)} y1={18} y2={height}>
              <title>{t("firstContent", { time: duration(tidegate.ttft_us / 1_000) })}</title>
            </line>
          )}
        </svg>
      </figure>
      {tidegate.ttft_us !== null && <p className="muted">┆ {t("firstContent", { time: duration(tidegate.ttft_us / 1_000) })}</p>}
      <section>
        <h3>{t("timelineText")}</h3>
        {tidegate.attempts.length === 0 ? (
          <p className="muted">{t("noAttempts")}</p>
        ) : (
          <ol className="attempts">
            {tidegate.attempts.map((attempt, index) => (
              <li key={index}>
                {t("lineAttempt", {
                  n: index + 1,
                  target: targetOf(attempt),
                  outcome: outcome(attempt, t),
                  start: duration(attempt.start_us / 1_000),
                  length: duration(attempt.duration_us / 1_000),
                })}{" "}
                {[
                  attempt.hedge ? t("hedge") : "",
                  attempt.retry_after_ms === null ? "" : t("retryAfter", { time: duration(attempt.retry_after_ms) }),
                  attempt.circuit && attempt.circuit !== "closed" ? t("circuit", { state: attempt.circuit }) : "",
                  attempt.reason ? t("whyNext", { reason: attempt.reason }) : "",
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </li>
            ))}
          </ol>
        )}
      </section>
    </div>
  );
}

function barsOf(log: Log, t: Translate<keyof typeof text.en>): readonly Bar[] {
  const { tidegate } = log;
  const bars: Bar[] = [{ name: t("gateway"), start: 0, length: tidegate.total_us, color: "var(--other)", note: duration(tidegate.total_us / 1_000) }];
  if (tidegate.waited_us > 0) bars.push({ name: t("waited"), start: 0, length: tidegate.waited_us, color: "var(--warning)", note: duration(tidegate.waited_us / 1_000) });
  tidegate.attempts.forEach((attempt, index) => {
    const isGood = attempt.error === "" && attempt.status !== null && attempt.status < 400;
    bars.push({
      name: `${index + 1} ${targetOf(attempt)}`,
      start: attempt.start_us,
      length: attempt.duration_us,
      color: "var(--success)",
      isHatched: !isGood,
      note: `${outcome(attempt, t)} · ${duration(attempt.duration_us / 1_000)}`,
    });
  });
  return bars;
}

function targetOf(attempt: Attempt): string {
  return [attempt.virtual_key ? `@${attempt.virtual_key}` : attempt.provider, attempt.model].filter(Boolean).join(" ");
}

function outcome(attempt: Attempt, t: Translate<keyof typeof text.en>): string {
  const mark = attempt.error === "" ? "✓" : "✕";
  return [mark, attempt.status ?? t("noAnswer"), attempt.error].filter(Boolean).join(" ");
}
