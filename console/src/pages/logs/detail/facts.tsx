import type { ReactNode } from "react";
import { Link } from "wouter";
import { type Log, metadataOf, modelOf } from "@/api/logs";
import { useKeyNames } from "@/api/names";
import { bytes, count, duration } from "@/format/number";
import { both } from "@/format/time";
import { useLanguage, useText } from "@/i18n/language";
import { printTerm } from "@/url/filter";
import { text } from "./text";

/** Everything else that the record says; what can be filtered by leads to the list. */
export function Facts({ log }: { readonly log: Log }) {
  const t = useText(text);
  const { language } = useLanguage();
  const keyName = useKeyNames();
  const { metrics, tidegate } = log;
  const metadata = Object.entries(metadataOf(log));
  const filter = (field: Parameters<typeof printTerm>[0]["field"], value: string, shown = value): ReactNode =>
    value && <Link href={`/logs?filter=${encodeURIComponent(printTerm({ field, value }))}`}>{shown}</Link>;
  const rows: readonly (readonly [string, ReactNode])[] = [
    [t("fact_time"), both(log.created_at, language)],
    [t("fact_id"), <span className="mono">{log.id}</span>],
    [t("fact_internal"), <span className="mono">{metrics.internal_trace_id}</span>],
    [t("fact_trace"), metrics.trace_id && <Link className="mono" href={`/traces/${encodeURIComponent(metrics.trace_id)}`}>{metrics.trace_id}</Link>],
    [t("fact_span"), [metrics.span_name, metrics.span_id].filter(Boolean).join(" ")],
    [t("fact_model"), tidegate.asked_model],
    [t("fact_answered"), modelOf(metrics)],
    [t("fact_route"), `${tidegate.route} ${tidegate.path}`],
    [t("fact_end"), tidegate.end],
    [t("fact_finish"), tidegate.finish],
    [t("fact_tier"), tidegate.service_tier],
    [t("fact_key"), filter("key", metrics.api_key_id, keyName(metrics.api_key_id))],
    [t("fact_vk"), filter("vk", metrics.virtual_key)],
    [t("fact_config"), filter("config", metrics.config ?? "")],
    [t("fact_prompt"), metrics.prompt_slug],
    [t("fact_user"), filter("user", tidegate.user)],
    [t("fact_session"), tidegate.session && <Link href={`/sessions/${encodeURIComponent(tidegate.session)}`}>{tidegate.session}</Link>],
    [t("fact_cache"), metrics.cache_status],
    [t("fact_guardrail"), tidegate.guardrail],
    [t("fact_limit"), [tidegate.limit, tidegate.limit_outcome].filter(Boolean).join(" · ")],
    [t("fact_client"), metrics.sdk_version],
    [t("fact_bytes"), `${bytes(tidegate.request_bytes)}, ${bytes(tidegate.response_bytes)}`],
    [t("fact_stall"), tidegate.stall_us > 0 && duration(tidegate.stall_us / 1_000)],
    [t("fact_chunks"), tidegate.chunks > 0 && count(tidegate.chunks)],
  ];
  return (
    <div className="stack">
      <dl className="facts">
        {rows.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
      <section>
        <h3>{t("metadata")}</h3>
        {metadata.length === 0 ? (
          <p className="muted">{t("noMetadata")}</p>
        ) : (
          <dl className="facts">
            {metadata.map(([key, value]) => (
              <div key={key}>
                <dt className="mono">{key}</dt>
                <dd>{filter(`m.${key}`, value)}</dd>
              </div>
            ))}
          </dl>
        )}
      </section>
    </div>
  );
}
