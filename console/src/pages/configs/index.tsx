import { Plus } from "lucide-react";
import { useLocation, useParams } from "wouter";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ManageList, RowButton } from "@/manage/list";
import type { Config } from "@/manage/shapes";
import { State } from "@/manage/status";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/state";
import type { Column } from "@/ui/table";
import { Time } from "@/ui/time";
import { One } from "./one";
import { text } from "./text";

/** Saved configs: whom requests go to, and what happens when that fails. */
export default function Configs() {
  const { slug } = useParams<{ slug?: string }>();
  return slug ? <One key={slug} slug={slug} /> : <All />;
}

function All() {
  const t = useText(text);
  const m = useText(manage);
  const [, go] = useLocation();
  const configs = useAll<Config>("/v1/configs", useWorkspaceParam());
  const columns: readonly Column<Config>[] = [
    { id: "name", title: m("name"), sort: (row) => row.name, cell: (row) => <RowButton onClick={() => go(`/configs/${row.slug}`)}>{row.name}</RowButton> },
    { id: "slug", title: t("slug"), sort: (row) => row.slug, cell: (row) => <span className="mono">{row.slug}</span> },
    { id: "version", title: t("version"), isNumber: true, sort: (row) => row.version, cell: (row) => row.version },
    { id: "default", title: t("isDefault"), cell: (row) => (row.is_default === 1 ? t("yes") : "—") },
    { id: "status", title: m("status"), cell: (row) => <State of={row.status} /> },
    { id: "changed", title: m("changed"), sort: (row) => row.last_updated_at, cell: (row) => <Time at={row.last_updated_at} /> },
  ];
  const create = (
    <Button kind="primary" onClick={() => go("/configs/new")}>
      <Plus aria-hidden />
      {t("create")}
    </Button>
  );
  return (
    <Page title={t("title")} actions={create}>
      <ManageList
        of={configs}
        label={t("title")}
        columns={columns}
        rowKey={(row) => row.id}
        words={(row) => `${row.name} ${row.slug}`}
        onChoose={(row) => go(`/configs/${row.slug}`)}
        empty={
          <Empty title={t("emptyTitle")}>
            <p>{t("emptyDo")}</p>
            {create}
          </Empty>
        }
      />
    </Page>
  );
}
