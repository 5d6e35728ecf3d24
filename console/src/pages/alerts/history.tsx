import { Send } from "lucide-react";
import { useMetrics } from "@/api/analytics";
import { useGet, useSend } from "@/api/hooks";
import { count, percent } from "@/format/number";
import { useText } from "@/i18n/language";
import { inUnit } from "@/metrics/unit";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Await, Failure } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import type { AlertEvent, AlertRule, Told } from "./shapes";
import { text } from "./text";

const EVERY_MS = 30_000;

const TONES: Readonly<Record<AlertEvent["what"], Tone>> = { fired: "danger", repeated: "danger", resolved: "success", faded: "plain" };

/** A test of the channels, and what the rule told. */
export function History({ of }: { readonly of: AlertRule }) {
  const t = useText(text);
  const metrics = useMetrics();
  const events = useGet<{ readonly data: readonly AlertEvent[] }>(`/v1/alerts/${of.id}/events`, { limit: 100 }, { every: EVERY_MS });
  const trial = useSend<null, { readonly results: readonly Told[] }>(() => ({ path: `/v1/alerts/${of.id}/test`, method: "POST", body: {} }));
  const unit = metrics.data?.data.find((one) => one.id === of.rule.metric)?.unit ?? "%";
  const figure = of.rule.condition?.type === "change" ? percent : inUnit(unit);
  return (
    <>
      <section className="stack-s">
        <h3>{t("test")}</h3>
        <p className="muted">{of.channels.length === 0 ? t("testNobody") : t("testHint")}</p>
        <div>
          <Button disabled={of.channels.length === 0 || trial.isPending} onClick={() => trial.mutate(null)}>
            <Send aria-hidden />
            {trial.isPending ? t("testing") : t("testNow")}
          </Button>
        </div>
        {trial.error && <Failure error={trial.error} />}
        <div role="status">{trial.data && <Outcomes of={trial.data.results} />}</div>
      </section>
      <section className="stack-s">
        <h3>{t("history")}</h3>
        <Await of={events} rows={2}>
          {({ data }) =>
            data.length === 0 ? (
              <p className="muted">{t("noHistory")}</p>
            ) : (
              <Table
                label={t("history")}
                rows={data}
                rowKey={(event) => event.id}
                columns={[
                  { id: "at", title: t("at"), cell: (event) => <Time at={event.at} /> },
                  { id: "what", title: t("what"), cell: (event) => <Badge tone={TONES[event.what]}>{t(`what_${event.what}`)}</Badge> },
                  { id: "group", title: t("group"), cell: (event) => <span className="mono">{event.group ?? "—"}</span> },
                  { id: "value", title: t("value"), isNumber: true, cell: (event) => figure(event.value) },
                  { id: "requests", title: t("requests"), isNumber: true, cell: (event) => count(event.requests) },
                  { id: "told", title: t("told"), cell: (event) => <Outcomes of={event.told} /> },
                ]}
              />
            )
          }
        </Await>
      </section>
    </>
  );
}

/** Channel by channel, how telling it went. */
function Outcomes({ of }: { readonly of: readonly Told[] }) {
  const t = useText(text);
  if (of.length === 0) return <>{t("nobody")}</>;
  return (
    <ul className="told">
      {of.map(({ channel, name, delivered, problem }) => (
        <li key={channel}>
          {delivered === null ? <Badge>{t("underWay")}</Badge> : delivered ? <Badge tone="success">✓ {t("delivered")}</Badge> : <Badge tone="danger">✕ {t("notDelivered")}</Badge>} {name}
          {problem && <span className="muted"> · {problem}</span>}
        </li>
      ))}
    </ul>
  );
}
