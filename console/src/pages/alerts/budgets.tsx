import { useMemo } from "react";
import { Link } from "wouter";
import { useGet } from "@/api/hooks";
import { OWN_WORKSPACE, useHere, useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ManageList } from "@/manage/list";
import { Meter } from "@/manage/meter";
import type { ApiKey, Used, UsageLimit, WorkspaceRow } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { amount } from "@/manage/words";
import { Badge } from "@/ui/badge";
import { Code } from "@/ui/code";
import { Empty } from "@/ui/state";
import { text } from "./text";

const SETTINGS = `[alerts]
webhook = "https://hooks.example.org/tidegate"
webhook_secret = "whsec_..."   # signs what is sent
webhook_form = "json"          # or "slack"
smtp_host = "mail.example.org"
mail_from = "tidegate@example.org"
mail_to = ["team@example.org"]
`;

interface Watched {
  readonly id: string;
  readonly kind: "key" | "provider" | "workspace";
  readonly name: string;
  readonly href: string;
  readonly limit: UsageLimit;
  readonly used: Used | undefined;
  readonly emails: readonly string[];
}

interface VirtualKey {
  readonly id: string;
  readonly slug: string;
  readonly usage_limits: UsageLimit | null;
  readonly current_usage: readonly Used[];
}

/** Which budgets tell somebody, whom, and which have reached their threshold. */
export function Budgets() {
  const t = useText(text);
  const m = useText(manage);
  const place = useWorkspaceParam();
  const { workspace } = useHere();
  const keys = useAll<ApiKey>("/v1/api-keys", place);
  const providers = useAll<VirtualKey>("/v1/virtual-keys", place);
  const whole = useGet<WorkspaceRow>(`/v1/admin/workspaces/${workspace.slug}`, {}, { enabled: workspace.slug !== OWN_WORKSPACE });
  const rows = useMemo(() => {
    const of = (limit: UsageLimit, used: readonly Used[]) => used.find(({ type }) => type === limit.type);
    const all: Watched[] = [];
    for (const limit of whole.data?.usage_limits ?? []) {
      all.push({ id: `${limit.type} ${workspace.slug}`, kind: "workspace", name: workspace.name, href: "/limits/workspace", limit, used: of(limit, whole.data?.current_usage ?? []), emails: [] });
    }
    for (const key of keys.data?.data ?? []) {
      if (!key.usage_limits) continue;
      all.push({ id: key.id, kind: "key", name: key.name, href: `/keys/${key.id}`, limit: key.usage_limits, used: of(key.usage_limits, key.current_usage ?? []), emails: key.alert_emails });
    }
    for (const { id, slug, usage_limits, current_usage } of providers.data?.data ?? []) {
      if (usage_limits) all.push({ id, kind: "provider", name: `@${slug}`, href: `/providers/${slug}`, limit: usage_limits, used: of(usage_limits, current_usage), emails: [] });
    }
    return all;
  }, [whole.data, keys.data, providers.data, workspace]);
  return (
    <>
      <h2>{t("thresholds")}</h2>
      <ManageList
        of={{ data: keys.data && { object: "list" as const, data: rows }, error: keys.error, isPending: keys.isPending, refetch: keys.refetch }}
        label={t("thresholds")}
        rowKey={(row) => row.id}
        words={(row) => `${row.name} ${t(row.kind)}`}
        columns={[
          { id: "kind", title: t("of"), sort: (row) => row.kind, cell: (row) => t(row.kind) },
          { id: "name", title: m("name"), sort: (row) => row.name, cell: (row) => <Link href={row.href}>{row.name}</Link> },
          { id: "notice", title: t("notice"), cell: (row) => amount(row.limit.type, row.limit.alert_threshold ?? row.limit.credit_limit, m) },
          { id: "used", title: m("used"), cell: (row) => (row.used ? <Meter of={row.used} /> : "—") },
          { id: "state", title: t("state"), cell: (row) => <Reached of={row} /> },
          { id: "emails", title: t("emails"), cell: (row) => [t("owners"), ...row.emails].join(", ") },
        ]}
        empty={
          <Empty title={t("emptyTitle")}>
            <p>{t("emptyDo")}</p>
            <Link className="button" href="/limits">
              {t("toLimits")}
            </Link>
          </Empty>
        }
      />
      <section className="panel stack-s">
        <h2>{t("where")}</h2>
        <p>{t("whereDo")}</p>
        <Code value={SETTINGS} label={t("settings")} />
      </section>
    </>
  );
}

function Reached({ of: { used, limit } }: { readonly of: Watched }) {
  const t = useText(text);
  if (!used) return "—";
  if (used.status === "exhausted") return <Badge tone="danger">✕ {t("usedUp")}</Badge>;
  const isReached = limit.alert_threshold ? used.current_usage >= limit.alert_threshold : false;
  return isReached ? <Badge tone="warning">▲ {t("reached")}</Badge> : <Badge tone="success">✓ {t("quiet")}</Badge>;
}
