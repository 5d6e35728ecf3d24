import { Plus } from "lucide-react";
import { useLocation, useParams } from "wouter";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ManageList, RowButton } from "@/manage/list";
import type { Provider } from "@/manage/shapes";
import { State } from "@/manage/status";
import { text as manage } from "@/manage/text";
import { budgetWords } from "@/manage/words";
import { Button } from "@/ui/button";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/state";
import type { Column } from "@/ui/table";
import { Time } from "@/ui/time";
import { AddProvider } from "./add";
import { ProviderDetail } from "./detail";
import { text } from "./text";

/** The providers that a workspace calls, each with the keys that the gateway keeps. `/providers/new` adds one. */
export default function Providers() {
  const t = useText(text);
  const m = useText(manage);
  const { slug } = useParams<{ slug?: string }>();
  const [, go] = useLocation();
  const providers = useAll<Provider>("/v1/providers", useWorkspaceParam());
  const columns: readonly Column<Provider>[] = [
    { id: "slug", title: t("slug"), sort: (row) => row.slug, cell: (row) => <RowButton onClick={() => go(`/providers/${row.slug}`)}>@{row.slug}</RowButton> },
    { id: "name", title: m("name"), sort: (row) => row.name, cell: (row) => row.name },
    { id: "provider", title: t("provider"), sort: (row) => row.ai_provider_name, cell: (row) => row.ai_provider_name ?? "—" },
    { id: "status", title: m("status"), sort: (row) => row.status, cell: (row) => <State of={row.status} /> },
    { id: "budget", title: m("budget"), cell: (row) => (row.usage_limits ? budgetWords(row.usage_limits, m) : "—") },
    { id: "created", title: m("created"), sort: (row) => row.created_at, cell: (row) => <Time at={row.created_at} /> },
  ];
  const add = (
    <Button kind="primary" onClick={() => go("/providers/new")}>
      <Plus aria-hidden />
      {t("add")}
    </Button>
  );
  const close = () => go("/providers");
  return (
    <Page title={t("title")} actions={add}>
      <ManageList
        of={providers}
        label={t("title")}
        columns={columns}
        rowKey={(row) => row.id}
        words={(row) => `${row.slug} ${row.name} ${row.ai_provider_name ?? ""} ${row.note ?? ""}`}
        onChoose={(row) => go(`/providers/${row.slug}`)}
        empty={
          <Empty title={t("emptyTitle")}>
            <p>{t("emptyDo")}</p>
            {add}
          </Empty>
        }
      />
      {slug === "new" && <AddProvider onClose={close} onDone={(made) => go(`/providers/${made}`)} />}
      {slug && slug !== "new" && <ProviderDetail slug={slug} onClose={close} />}
    </Page>
  );
}
