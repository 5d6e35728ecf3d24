import { useMemo } from "react";
import { Link } from "wouter";
import { useGet } from "@/api/hooks";
import { OWN_WORKSPACE, useHere, useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ManageList } from "@/manage/list";
import { Meter } from "@/manage/meter";
import type { ApiKey, RateLimit, Used, UsageLimit, WorkspaceRow } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { budgetWords, ratesWords } from "@/manage/words";
import { Empty } from "@/ui/state";
import type { Column } from "@/ui/table";
import { Time } from "@/ui/time";
import { text } from "./text";

interface Limited {
  readonly id: string;
  readonly kind: "workspace" | "key" | "provider";
  readonly name: string;
  readonly href: string;
  readonly budgets: readonly UsageLimit[];
  readonly used: readonly Used[];
  readonly rates: readonly RateLimit[];
}

interface VirtualKey {
  readonly id: string;
  readonly slug: string;
  readonly usage_limits: UsageLimit | null;
  readonly rate_limits: readonly RateLimit[];
  readonly current_usage: readonly Used[];
}

/** Everything that limits requests of the workspace, with what is nearest to its end on top. */
export function InForce() {
  const t = useText(text);
  const m = useText(manage);
  const place = useWorkspaceParam();
  const { workspace } = useHere();
  const keys = useAll<ApiKey>("/v1/api-keys", place);
  const providers = useAll<VirtualKey>("/v1/virtual-keys", place);
  // Who may not read the workspace sees the rest.
  const whole = useGet<WorkspaceRow>(`/v1/admin/workspaces/${workspace.slug}`, {}, { enabled: workspace.slug !== OWN_WORKSPACE });
  const rows = useMemo(() => {
    const all: Limited[] = [
      ...(whole.data ? [ofWorkspace(whole.data)] : []),
      ...(keys.data?.data ?? []).map(ofKey),
      ...(providers.data?.data ?? []).map(ofProvider),
    ];
    return all.filter(({ budgets, rates }) => budgets.length > 0 || rates.length > 0).sort((a, b) => nearest(b) - nearest(a));
  }, [whole.data, keys.data, providers.data]);
  const columns: readonly Column<Limited>[] = [
    { id: "kind", title: t("of"), sort: (row) => row.kind, cell: (row) => t(row.kind) },
    { id: "name", title: m("name"), sort: (row) => row.name, cell: (row) => <Link href={row.href}>{row.name}</Link> },
    { id: "budget", title: m("budget"), cell: (row) => row.budgets.map((budget) => budgetWords(budget, m)).join(", ") || "—" },
    {
      id: "standing",
      title: t("standing"),
      sort: (row) => nearest(row),
      cell: (row) => (row.used.length > 0 ? <span className="stack-s">{row.used.map((used) => <Meter key={used.type} of={used} />)}</span> : "—"),
    },
    {
      id: "resets",
      title: t("resets"),
      cell: (row) => {
        const at = row.used.find(({ next_usage_reset_at }) => next_usage_reset_at)?.next_usage_reset_at;
        return at ? <Time at={at} /> : "—";
      },
    },
    { id: "rates", title: t("rates"), cell: (row) => ratesWords(row.rates, m), className: "nowrap" },
  ];
  const asked = {
    data: keys.data && { object: "list" as const, data: rows },
    error: keys.error,
    isPending: keys.isPending,
    refetch: () => Promise.all([keys.refetch(), providers.refetch(), whole.refetch()]),
  };
  return (
    <ManageList
      of={asked}
      label={t("inForce")}
      columns={columns}
      rowKey={(row) => `${row.kind} ${row.id}`}
      words={(row) => `${row.name} ${t(row.kind)}`}
      empty={
        <Empty title={t("emptyTitle")}>
          <p>{t("emptyDo")}</p>
        </Empty>
      }
    />
  );
}

function nearest({ used }: Limited): number {
  return Math.max(0, ...used.map((one) => (one.current_usage + (one.reserved_usage ?? 0)) / one.credit_limit));
}

function ofWorkspace(row: WorkspaceRow): Limited {
  return { id: row.id, kind: "workspace", name: row.name, href: "/limits/workspace", budgets: row.usage_limits, used: row.current_usage, rates: row.rate_limits };
}

function ofKey(row: ApiKey): Limited {
  const budgets = row.usage_limits ? [row.usage_limits] : [];
  return { id: row.id, kind: "key", name: row.name, href: `/keys/${row.id}`, budgets, used: row.current_usage ?? [], rates: row.rate_limits };
}

function ofProvider(row: VirtualKey): Limited {
  const budgets = row.usage_limits ? [row.usage_limits] : [];
  return { id: row.id, kind: "provider", name: `@${row.slug}`, href: `/providers/${row.slug}`, budgets, used: row.current_usage, rates: row.rate_limits };
}
