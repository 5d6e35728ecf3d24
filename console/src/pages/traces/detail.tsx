import { useMemo } from "react";
import { Link } from "wouter";
import { useGet } from "@/api/hooks";
import type { Log } from "@/api/logs";
import { useWorkspaceParam } from "@/api/session";
import type { Span, TraceDetail } from "@/api/traces";
import { count, duration, money } from "@/format/number";
import { useText } from "@/i18n/language";
import { Panes } from "@/pages/logs/detail/panes";
import { StatusBadge } from "@/ui/badge";
import { Segments } from "@/ui/button";
import { Json } from "@/ui/code";
import { CheckField } from "@/ui/field";
import { Await } from "@/ui/state";
import { Time } from "@/ui/time";
import { useParam } from "@/url/view";
import { Marks } from "./feedback";
import { Spans } from "./spans";
import { text } from "./text";
import { treeOf } from "./tree";
import "./traces.css";

/** One trace: its spans on the left, what the chosen one was on the right. */
export function TraceView({ id }: { readonly id: string }) {
  const workspace = useWorkspaceParam();
  const asked = useGet<TraceDetail>(`/v1/traces/${encodeURIComponent(id)}`, workspace);
  const isThis = asked.data?.trace_id === id;
  return <Await of={{ ...asked, data: isThis ? asked.data : undefined }}>{(trace) => <Shown trace={trace} />}</Await>;
}

function Shown({ trace }: { readonly trace: TraceDetail }) {
  const t = useText(text);
  const [view, setView] = useParam("view", "tree");
  const [onlyErrors, setOnlyErrors] = useParam("errors");
  const [chosen, setChosen] = useParam("span");
  const tree = useMemo(() => treeOf(trace.spans), [trace.spans]);
  const span = trace.spans.find((one) => one.span_id === chosen) ?? null;
  return (
    <div className="stack">
      <div className="row">
        <strong>{trace.name}</strong>
        <Time at={trace.started_at} />
        <span>{duration(trace.duration_ms)}</span>
        <span>{money(trace.cost === null ? null : Number(trace.cost))}</span>
        <span>
          {count(trace.input_tokens)} → {count(trace.output_tokens)}
        </span>
        <span className="muted">{t("total", { requests: trace.requests, spans: trace.spans.length, errors: trace.errors })}</span>
        {trace.session && <Link href={`/sessions/${encodeURIComponent(trace.session)}`}>{t("session")}: {trace.session}</Link>}
      </div>
      <div className="row">
        <Segments
          label={t("view")}
          value={view === "waterfall" ? "waterfall" : "tree"}
          options={[
            { value: "tree", text: t("tree") },
            { value: "waterfall", text: t("waterfall") },
          ]}
          onChange={setView}
        />
        <CheckField label={t("onlyErrors")} checked={onlyErrors === "1"} onChange={(event) => setOnlyErrors(event.target.checked ? "1" : "")} />
      </div>
      <div className={view === "waterfall" ? "trace trace-wide" : "trace"}>
        <Spans tree={tree} total={trace.duration_ms} isWide={view === "waterfall"} onlyErrors={onlyErrors === "1"} chosen={chosen} onChoose={setChosen} />
        <section className="panel" aria-label={t("chosen")}>
          {span ? <Chosen key={span.span_id} span={span} /> : <p className="muted">{t("choose")}</p>}
        </section>
      </div>
      <Marks trace={trace.trace_id} marks={trace.feedback} />
    </div>
  );
}

function Chosen({ span }: { readonly span: Span }) {
  const t = useText(text);
  const attributes = span.attributes && Object.keys(span.attributes).length > 0 ? span.attributes : null;
  return (
    <div className="stack">
      <div className="row">
        <h2>{span.name}</h2>
        {span.status_code !== null && <StatusBadge status={span.status_code} />}
        {span.log_id && (
          <Link className="push" href={`/logs/${span.log_id}`}>
            {t("openLog")}
          </Link>
        )}
      </div>
      <dl className="facts">
        <div>
          <dt>{t("begin")}</dt>
          <dd>+{duration(span.offset_ms)}</dd>
        </div>
        <div>
          <dt>{t("duration")}</dt>
          <dd>{duration(span.duration_ms)}</dd>
        </div>
        {span.model && (
          <div>
            <dt>{t("model")}</dt>
            <dd>
              {span.provider} {span.model}
            </dd>
          </div>
        )}
        {span.reason && (
          <div>
            <dt>{t("reason")}</dt>
            <dd>{span.reason}</dd>
          </div>
        )}
        <div>
          <dt>{t("spanId")}</dt>
          <dd className="mono">{span.span_id}</dd>
        </div>
      </dl>
      {attributes && (
        <>
          <h3>{t("attributes")}</h3>
          <Json value={attributes} label={t("attributes")} />
        </>
      )}
      {span.log_id && <OfLog id={span.log_id} />}
    </div>
  );
}

function OfLog({ id }: { readonly id: string }) {
  const log = useGet<Log>(`/v1/logs/${encodeURIComponent(id)}`);
  return <Await of={log}>{(data) => <Panes log={data} />}</Await>;
}
