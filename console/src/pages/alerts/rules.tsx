import { Plus } from "lucide-react";
import { useLocation, useParams } from "wouter";
import { useMetrics } from "@/api/analytics";
import { useCan, useWorkspaceParam } from "@/api/session";
import { useLanguage, useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { RowButton } from "@/manage/list";
import { text as manage } from "@/manage/text";
import { inUnit } from "@/metrics/unit";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Await, Empty } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { RuleForm } from "./rule-form";
import type { AlertRule, RuleState } from "./shapes";
import { text } from "./text";

const EVERY_MS = 30_000;

/** Rules about figures and providers: how they stand, and who is told. */
export function Rules() {
  const t = useText(text);
  const m = useText(manage);
  const { id } = useParams<{ id?: string }>();
  const [, go] = useLocation();
  const mayWrite = useCan()("policies.create");
  const place = useWorkspaceParam();
  const words = useRuleWords();
  const rules = useAll<AlertRule>("/v1/alerts", place, true, EVERY_MS);
  const chosen = rules.data?.data.find((rule) => rule.id === id);
  const close = () => go("/alerts");
  const add = (
    <Button kind="primary" disabled={!mayWrite} onClick={() => go("/alerts/new")}>
      <Plus aria-hidden />
      {t("newRule")}
    </Button>
  );
  return (
    <section className="stack-s" aria-labelledby="rules">
      <div className="row">
        <h2 id="rules">{t("rules")}</h2>
        <span className="row push">{add}</span>
      </div>
      <Await of={rules} rows={3}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t("noRules")}>
              <p>{t("noRulesDo")}</p>
            </Empty>
          ) : (
            <Table
              label={t("rules")}
              rows={data}
              rowKey={(rule) => rule.id}
              onChoose={(rule) => go(`/alerts/${rule.id}`)}
              columns={[
                { id: "state", title: t("state"), sort: (rule) => rule.state, cell: (rule) => <RuleBadge of={rule.state} /> },
                { id: "name", title: m("name"), sort: (rule) => rule.name, cell: (rule) => <RowButton onClick={() => go(`/alerts/${rule.id}`)}>{rule.name}</RowButton> },
                { id: "rule", title: t("firesWhen"), cell: words },
                { id: "since", title: t("since"), cell: (rule) => <Since of={rule} /> },
                { id: "channels", title: t("channels"), cell: (rule) => rule.channels.map(({ type, url, to }) => url ?? `${t(`channel_${type}`)}: ${to?.join(", ")}`).join("; ") || t("nobody") },
              ]}
            />
          )
        }
      </Await>
      {id === "new" && <RuleForm onClose={close} />}
      {chosen && <RuleForm key={chosen.id} of={chosen} onClose={close} />}
    </section>
  );
}

const TONES: Readonly<Record<RuleState, readonly [Tone, string]>> = {
  ok: ["success", "✓"],
  pending: ["warning", "◌"],
  firing: ["danger", "▲"],
  paused: ["plain", "‖"],
};

export function RuleBadge({ of }: { readonly of: RuleState }) {
  const t = useText(text);
  const [tone, mark] = TONES[of];
  return (
    <Badge tone={tone}>
      <span aria-hidden>{mark}</span> {t(`state_${of}`)}
    </Badge>
  );
}

function Since({ of }: { readonly of: AlertRule }) {
  const first = of.groups.map(({ since }) => since).sort()[0];
  if (!first) return "—";
  const keys = of.groups.flatMap(({ key }) => (key ? [key] : []));
  return (
    <>
      <Time at={first} /> {keys.length > 0 && <span className="mono">{keys.slice(0, 3).join(", ")}{keys.length > 3 && " …"}</span>}
    </>
  );
}

/** `Error rate above 5 %, in 5 minutes`. */
function useRuleWords(): (rule: AlertRule) => string {
  const t = useText(text);
  const { language } = useLanguage();
  const metrics = useMetrics();
  return ({ rule }) => {
    const minutes = Math.round(((rule.window_seconds ?? 300) / 60) * 10) / 10;
    if (rule.kind === "provider_outage") return t("whenOutage", { providers: rule.providers?.join(", ") || t("anyProvider"), minutes });
    const metric = metrics.data?.data.find((one) => one.id === rule.metric);
    const name = metric ? (language === "en" ? metric.name : metric.name_zh) : (rule.metric ?? "");
    const { condition } = rule;
    if (condition?.type === "change") return t("whenChange", { metric: name, percent: condition.percent ?? 0, minutes });
    const bound = inUnit(metric?.unit ?? "count")(condition?.threshold);
    return t(condition?.type === "below" ? "whenBelow" : "whenAbove", { metric: name, bound, minutes });
  };
}
