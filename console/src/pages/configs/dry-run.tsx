import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "@/api/client";
import type { Problem } from "@/api/problem";
import { useWorkspaceParam } from "@/api/session";
import { duration, percent } from "@/format/number";
import { useText } from "@/i18n/language";
import { pairsOf } from "@/manage/pairs";
import { StatusBadge } from "@/ui/badge";
import { AreaField, SelectField, TextField } from "@/ui/field";
import { text } from "./text";

export interface DryRun {
  readonly targets: readonly { readonly path: string; readonly name: string | null; readonly provider: string; readonly model: string | null }[];
  readonly ways: readonly Way[];
}

interface Way {
  readonly share: number;
  readonly attempts: readonly { readonly target: string; readonly retry: number; readonly wait_ms: number; readonly status: number }[];
  readonly status: number;
  readonly error: string | null;
}

export interface Sample {
  readonly metadata: string;
  readonly model: string;
  /** By a target's path. */
  readonly statuses: Readonly<Record<string, string>>;
}

export const SAMPLE: Sample = { metadata: "", model: "gpt-4o", statuses: {} };

/** What the gateway says to a config and a sample request, a moment after the last key stroke. `null` asks nothing. */
export function useDryRun(config: string | null, sample: Sample) {
  const place = useWorkspaceParam();
  const settled = useSettled(JSON.stringify([config, sample]), 500);
  return useQuery<DryRun, Problem>({
    queryKey: ["/v1/configs/dry-run", place, settled],
    queryFn: ({ signal }) => {
      const [wanted, { metadata, model, statuses }] = JSON.parse(settled) as [string, Sample];
      const pairs = pairsOf(metadata);
      const told = Object.entries(statuses).filter(([, status]) => status !== "");
      return ask<DryRun>("/v1/configs/dry-run", {
        method: "POST",
        body: {
          ...place,
          config: wanted,
          request: { metadata: "pairs" in pairs ? pairs.pairs : {}, body: model ? { model } : {} },
          statuses: Object.fromEntries(told.map(([path, status]) => [path, Number(status)])),
        },
        signal,
      });
    },
    enabled: config !== null && settled.startsWith('["'),
    retry: false,
    placeholderData: keepPreviousData,
  });
}

function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

interface Props {
  readonly of: DryRun | undefined;
  readonly sample: Sample;
  readonly onChange: (sample: Sample) => void;
}

/** A sample request, and where it would go. */
export function DryRunPanel({ of, sample, onChange }: Props) {
  const t = useText(text);
  const pairs = pairsOf(sample.metadata);
  const put = (change: Partial<Sample>) => onChange({ ...sample, ...change });
  const nameOf = (path: string) => {
    const target = of?.targets.find((one) => one.path === path);
    return target ? `${path.replace(/^config\.?/, "") || "config"} ${[target.provider, target.model].filter(Boolean).join(" · ")}` : path;
  };
  return (
    <section className="panel stack-s" aria-labelledby="dry-run">
      <h2 id="dry-run">{t("dryRun")}</h2>
      <p className="muted">{t("dryRunHint")}</p>
      <div className="stack">
        <div className="form">
          <TextField label={t("model")} value={sample.model} onChange={(event) => put({ model: event.target.value.trim() })} />
          <AreaField
            label={t("metadata")}
            hint={t("metadataHint")}
            rows={2}
            value={sample.metadata}
            error={"wrong" in pairs ? t("metadataFormat", { line: pairs.wrong }) : null}
            onChange={(event) => put({ metadata: event.target.value })}
          />
          {of && of.targets.length > 0 && (
            <fieldset>
              <legend>{t("answers")}</legend>
              {of.targets.slice(0, 12).map(({ path }) => (
                <SelectField
                  key={path}
                  label={t("answersOf", { target: nameOf(path) })}
                  value={sample.statuses[path] ?? ""}
                  options={[
                    { value: "", text: t("ok") },
                    { value: "429", text: t("limited") },
                    { value: "503", text: t("broken") },
                    { value: "400", text: t("wrong") },
                  ]}
                  onChange={(event) => put({ statuses: { ...sample.statuses, [path]: event.target.value } })}
                />
              ))}
            </fieldset>
          )}
        </div>
        {of ? (
          <ul className="ways" aria-live="polite">
            {of.ways.map((way, index) => (
              <li key={index}>
                <b>{t("share", { share: percent(100 * way.share) })}</b>
                {way.attempts.map((attempt, at) => (
                  <span key={at} className="row">
                    {at > 0 && <span aria-hidden>→</span>}
                    <span className="mono">{nameOf(attempt.target)}</span>
                    <StatusBadge status={attempt.status} />
                    {attempt.retry > 0 && <span className="muted">{t("retried", { retry: attempt.retry, wait: duration(attempt.wait_ms) })}</span>}
                  </span>
                ))}
                {way.error && (
                  <span className="error-line">
                    {t("nowhere")} ({way.status}): {way.error}
                  </span>
                )}
              </li>
            ))}
          </ul>
        ) : (
          <p className="muted">{t("waiting")}</p>
        )}
      </div>
    </section>
  );
}

/** How many requests start at each target. */
export function sharesOf(run: DryRun | undefined): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  for (const way of run?.ways ?? []) {
    const first = way.attempts[0]?.target;
    if (first !== undefined) shares.set(first, (shares.get(first) ?? 0) + way.share);
  }
  return shares;
}
