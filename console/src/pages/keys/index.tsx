import { Plus } from "lucide-react";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ManageList, RowButton } from "@/manage/list";
import { Meter } from "@/manage/meter";
import { State } from "@/manage/status";
import type { ApiKey, Provider } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { budgetWords, ratesWords } from "@/manage/words";
import { Button } from "@/ui/button";
import { CheckField } from "@/ui/field";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/state";
import type { Column } from "@/ui/table";
import { Time } from "@/ui/time";
import { useParam } from "@/url/view";
import { KeyDetail } from "./detail";
import { bodyOf, type KeyDraft, LIMITED_KEY, NEW_KEY } from "./draft";
import { KeyForm } from "./key-form";
import { Made } from "./made";
import { text } from "./text";

/** The keys that applications and people call the gateway with. `/keys/new` makes one. */
export default function Keys() {
  const t = useText(text);
  const m = useText(manage);
  const { id } = useParams<{ id?: string }>();
  const [, go] = useLocation();
  const place = useWorkspaceParam();
  const [onlyRevoked, setOnlyRevoked] = useParam("revoked");
  const [isLimited] = useParam("limited");
  const keys = useAll<ApiKey>("/v1/api-keys", { ...place, ...(onlyRevoked ? { status: "revoked" } : {}) });
  const [made, setMade] = useState<{ name: string; secret: string } | null>(null);
  const model = useTryModel();
  const close = () => go("/keys");
  const create = useSend<KeyDraft, { readonly key: string }>(
    (draft) => ({
      path: `/v1/api-keys/workspace/${draft.user ? "user" : "service"}`,
      method: "POST",
      body: { ...bodyOf(draft), ...place, ...(draft.user ? { user_id: draft.user } : {}) },
    }),
    ["/v1/api-keys"],
  );
  const columns: readonly Column<ApiKey>[] = [
    { id: "name", title: m("name"), sort: (row) => row.name, cell: (row) => (row.status === "revoked" ? row.name : <RowButton onClick={() => go(`/keys/${row.id}`)}>{row.name}</RowButton>) },
    { id: "key", title: t("key"), cell: (row) => <span className="mono nowrap">{row.key}</span> },
    { id: "kind", title: t("kind"), sort: (row) => row.type, cell: (row) => t(kindOf(row.type)) },
    { id: "status", title: m("status"), sort: (row) => row.status, cell: (row) => <State of={row.status} /> },
    { id: "limits", title: t("limits"), cell: (row) => ratesWords(row.rate_limits, m), className: "nowrap" },
    { id: "budget", title: m("budget"), sort: (row) => share(row), cell: (row) => <Budget of={row} /> },
    { id: "expires", title: t("expires"), sort: (row) => row.expires_at, cell: (row) => (row.expires_at ? <Time at={row.expires_at} /> : m("never")) },
    { id: "used", title: m("lastUsed"), sort: (row) => row.last_used_at, cell: (row) => (row.last_used_at ? <Time at={row.last_used_at} /> : m("never")) },
  ];
  const createButton = (
    <Button kind="primary" onClick={() => go("/keys/new")}>
      <Plus aria-hidden />
      {t("create")}
    </Button>
  );
  return (
    <Page title={t("title")} actions={createButton}>
      <ManageList
        of={keys}
        label={t("title")}
        columns={columns}
        rowKey={(row) => row.id}
        words={(row) => `${row.name} ${row.id} ${row.key} ${row.type} ${row.status} ${row.description ?? ""}`}
        filters={<CheckField label={t("onlyRevoked")} checked={onlyRevoked !== ""} onChange={(event) => setOnlyRevoked(event.target.checked ? "1" : "")} />}
        onChoose={(row) => row.status !== "revoked" && go(`/keys/${row.id}`)}
        empty={
          onlyRevoked ? (
            <Empty title={t("emptyRevoked")} />
          ) : (
            <Empty title={t("emptyTitle")}>
              <p>{t("emptyDo")}</p>
              {createButton}
            </Empty>
          )
        }
      />
      {id === "new" && !made && (
        <KeyForm
          title={t("newTitle")}
          action={t("create")}
          start={isLimited ? LIMITED_KEY : NEW_KEY}
          isNew
          isBusy={create.isPending}
          error={create.error}
          onSubmit={(draft) => create.mutate(draft, { onSuccess: ({ key }) => setMade({ name: draft.name.trim(), secret: key }) })}
          onClose={close}
        />
      )}
      {id && id !== "new" && !made && <KeyDetail id={id} onClose={close} onSecret={(name, secret) => setMade({ name, secret })} />}
      {made && (
        <Made
          {...made}
          model={model}
          onClose={() => {
            setMade(null);
            close();
          }}
        />
      )}
    </Page>
  );
}

function kindOf(type: string): "admin" | "user" | "service" {
  if (type.startsWith("organisation")) return "admin";
  return type.endsWith("user") ? "user" : "service";
}

function share(key: ApiKey): number | null {
  const used = key.current_usage?.[0];
  return used ? used.current_usage / used.credit_limit : null;
}

function Budget({ of }: { readonly of: ApiKey }) {
  const m = useText(manage);
  const used = of.current_usage?.[0];
  if (used) return <Meter of={used} />;
  return of.usage_limits ? budgetWords(of.usage_limits, m) : "—";
}

/** A model that the snippets name: one that this workspace can call. */
function useTryModel(): string {
  const providers = useAll<Provider>("/v1/providers", useWorkspaceParam());
  const openai = providers.data?.data.find((one) => one.ai_provider_name === "openai" && one.status === "active");
  return openai ? `@${openai.slug}/gpt-4o-mini` : "@demo/echo";
}
