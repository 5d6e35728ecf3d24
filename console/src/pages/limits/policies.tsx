import { Plus } from "lucide-react";
import { useLocation } from "wouter";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import type { Translate } from "@/i18n/text";
import { useAll } from "@/manage/all";
import { RowButton } from "@/manage/list";
import type { RatePolicy, UsagePolicy } from "@/manage/shapes";
import { State } from "@/manage/status";
import { type ManageKey, text as manage } from "@/manage/text";
import { amount, rateWords } from "@/manage/words";
import { Button } from "@/ui/button";
import { Await } from "@/ui/state";
import { Table } from "@/ui/table";
import { PolicyForm } from "./policy-form";
import { conditionsText } from "./rules";
import { text } from "./text";
import { UsageDetail } from "./usage-detail";

export type PolicyKind = "usage" | "rate";
type Row = (UsagePolicy | RatePolicy) & { readonly kind: PolicyKind };

export const POLICY_PATHS = { usage: "/v1/policies/usage-limits", rate: "/v1/policies/rate-limits" } as const;

/** Rules for requests that match: a budget or a rate limit for each value of something. */
export function Policies({ kind, id }: { readonly kind: string | undefined; readonly id: string | undefined }) {
  const t = useText(text);
  const m = useText(manage);
  const [, go] = useLocation();
  const place = useWorkspaceParam();
  const usage = useAll<UsagePolicy>(POLICY_PATHS.usage, { ...place, status: "active" });
  const rate = useAll<RatePolicy>(POLICY_PATHS.rate, { ...place, status: "active" });
  const close = () => go("/limits");
  const rows: Row[] = [
    ...(usage.data?.data ?? []).map((row) => ({ ...row, kind: "usage" as const })),
    ...(rate.data?.data ?? []).map((row) => ({ ...row, kind: "rate" as const })),
  ];
  const chosen = rows.find((row) => row.kind === kind && row.id === id);
  return (
    <section className="stack-s" aria-labelledby="policies">
      <div className="row">
        <h2 id="policies">{t("policies")}</h2>
        <span className="row push">
          <Button onClick={() => go("/limits/usage/new")}>
            <Plus aria-hidden />
            {t("newUsage")}
          </Button>
          <Button onClick={() => go("/limits/rate/new")}>
            <Plus aria-hidden />
            {t("newRate")}
          </Button>
        </span>
      </div>
      <p className="muted">{t("policyHint")}</p>
      <Await of={usage} rows={2}>
        {() =>
          rows.length === 0 ? (
            <p className="muted">{t("noPolicies")}</p>
          ) : (
            <Table
              label={t("policies")}
              rows={rows}
              rowKey={(row) => row.id}
              onChoose={(row) => go(`/limits/${row.kind}/${row.id}`)}
              columns={[
                { id: "name", title: m("name"), sort: (row) => row.name, cell: (row) => <RowButton onClick={() => go(`/limits/${row.kind}/${row.id}`)}>{row.name}</RowButton> },
                { id: "rule", title: t("rule"), cell: (row) => ruleWords(row, m) },
                { id: "group", title: t("groupBy"), cell: (row) => <span className="mono">{row.group_by.map(({ key }) => key).join(", ") || t("everyRequest")}</span> },
                { id: "conditions", title: t("conditions"), cell: (row) => <span className="mono">{conditionsText(row.conditions).replaceAll("\n", "; ")}</span> },
                { id: "status", title: m("status"), cell: (row) => <State of={row.status} /> },
              ]}
            />
          )
        }
      </Await>
      {id === "new" && (kind === "usage" || kind === "rate") && <PolicyForm kind={kind} onClose={close} />}
      {chosen?.kind === "usage" && <UsageDetail of={chosen as UsagePolicy} onClose={close} />}
      {chosen?.kind === "rate" && <PolicyForm kind="rate" of={chosen as RatePolicy} onClose={close} />}
    </section>
  );
}

function ruleWords(row: Row, m: Translate<ManageKey>): string {
  if (row.kind === "rate") {
    const { type, unit, value } = row as RatePolicy;
    return rateWords({ type, unit, value }, m);
  }
  const { type, credit_limit, periodic_reset, periodic_reset_days } = row as UsagePolicy;
  const size = amount(type, credit_limit, m);
  if (periodic_reset === "daily" || periodic_reset === "weekly" || periodic_reset === "monthly") return `${size}, ${m(periodic_reset)}`;
  return periodic_reset_days ? `${size}, ${m("everyDays", { days: periodic_reset_days })}` : size;
}
