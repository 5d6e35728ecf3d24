import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { ask } from "@/api/client";
import { useGet, useSend } from "@/api/hooks";
import type { Problem } from "@/api/problem";
import { useCan, useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useRefresh } from "@/manage/all";
import { errorOf, FormSheet } from "@/manage/form";
import { LIMIT_MEMBERS, LimitFields } from "@/manage/limit-fields";
import { draftOf, mistakesOf, ratesOf, usageOf } from "@/manage/limits";
import { Meter } from "@/manage/meter";
import type { IntegrationModels, WholeIntegration, WholeProvider } from "@/manage/shapes";
import { State } from "@/manage/status";
import { text as manage } from "@/manage/text";
import { ratesWords } from "@/manage/words";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Confirm, Sheet } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { Await, Failure } from "@/ui/state";
import { Time } from "@/ui/time";
import { Lending } from "./lending";
import { Pool } from "./pool";
import { TestCall } from "./test";
import { text } from "./text";

/** One provider: whether it works, its keys, its limits, its models. */
export function ProviderDetail({ slug, onClose }: { readonly slug: string; readonly onClose: () => void }) {
  const place = useWorkspaceParam();
  const provider = useGet<WholeProvider>(`/v1/providers/${slug}`, place);
  const [isEditing, setEditing] = useState(false);
  if (isEditing && provider.data) return <Edit of={provider.data} onClose={() => setEditing(false)} />;
  return (
    <Sheet title={`@${slug}`} onClose={onClose}>
      <Await of={provider}>{(found) => <Facts of={found} onEdit={() => setEditing(true)} onGone={onClose} />}</Await>
    </Sheet>
  );
}

function Facts({ of, onEdit, onGone }: { readonly of: WholeProvider; readonly onEdit: () => void; readonly onGone: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const [isDeleting, setDeleting] = useState(false);
  return (
    <div className="stack">
      <div className="row">
        <Button onClick={onEdit}>{t("edit")}</Button>
        <Link className="button" href={`/logs?filter=vk:${of.slug}`}>
          {t("logs")}
        </Link>
        <Button kind="danger" onClick={() => setDeleting(true)}>
          {m("delete")}
        </Button>
      </div>
      <dl className="facts">
        <dt>{m("status")}</dt>
        <dd>
          <State of={of.status} />
        </dd>
        <dt>{t("provider")}</dt>
        <dd>{of.ai_provider_name ?? "—"}</dd>
        <dt>{t("slug")}</dt>
        <dd className="row">
          <span className="mono">@{of.slug}</span>
          <CopyButton value={`@${of.slug}`} what={t("slug")} />
        </dd>
        <dt>{m("budget")}</dt>
        <dd>{of.current_usage.length > 0 ? of.current_usage.map((used) => <Meter key={used.type} of={used} />) : t("noUsage")}</dd>
        <dt>{m("rateLimits")}</dt>
        <dd>{ratesWords(of.rate_limits, m)}</dd>
        {of.expires_at && (
          <>
            <dt>{t("expires")}</dt>
            <dd>
              <Time at={of.expires_at} />
            </dd>
          </>
        )}
        <dt>{m("created")}</dt>
        <dd>
          <Time at={of.created_at} />
        </dd>
      </dl>
      <TestCall slug={of.slug} provider={of.ai_provider_name} />
      {of.integration_id ? <Backed id={of.integration_id} /> : <Pool path={`/v1/providers/${of.slug}`} name={of.name} keys={of.credentials} />}
      {isDeleting && <Delete of={of} onClose={() => setDeleting(false)} onGone={onGone} />}
    </div>
  );
}

/** What the integration behind a provider has: keys and models. Who may not see it still sees the provider. */
function Backed({ id }: { readonly id: string }) {
  const t = useText(text);
  const can = useCan();
  const place = useWorkspaceParam();
  const integration = useGet<WholeIntegration>(`/v1/integrations/${id}`, place);
  const models = useGet<IntegrationModels>(`/v1/integrations/${id}/models`, place);
  return (
    <>
      <Await of={integration} rows={3}>
        {(found) => (
          <>
            <Pool path={`/v1/integrations/${id}`} name={found.name} keys={found.credentials} />
            {found.type === "organisation" && can("organisation_integrations.update") && <Lending id={id} />}
          </>
        )}
      </Await>
      <section className="panel stack-s">
        <div className="row">
          <h2>{t("models")}</h2>
          <Link className="button push" href={`/models/${id}`}>
            {t("modelsChoose")}
          </Link>
        </div>
        <Await of={models} rows={1}>
          {(list) => <p className="muted">{t(list.allow_all_models ? "modelsAll" : "modelsListed")}</p>}
        </Await>
      </section>
    </>
  );
}

function Edit({ of, onClose }: { readonly of: WholeProvider; readonly onClose: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const place = useWorkspaceParam();
  const [name, setName] = useState(of.name);
  const [note, setNote] = useState(of.note ?? "");
  const [limits, setLimits] = useState(() => draftOf(of.usage_limits, of.rate_limits));
  const mistakes = mistakesOf(limits);
  const change = useSend<null>(
    () => ({
      path: `/v1/providers/${of.slug}`,
      method: "PUT",
      query: place,
      body: { name: name.trim(), note: note.trim() || null, usage_limits: usageOf(limits), rate_limits: ratesOf(limits) },
    }),
    ["/v1/providers"],
  );
  return (
    <FormSheet
      title={`@${of.slug}`}
      action={m("save")}
      isBusy={change.isPending}
      error={change.error}
      shown={["name", "note", ...LIMIT_MEMBERS]}
      onSubmit={() => mistakes.size === 0 && change.mutate(null, { onSuccess: onClose })}
      onClose={onClose}
    >
      <TextField label={m("name")} required value={name} error={errorOf(change.error, "name")} onChange={(event) => setName(event.target.value)} />
      <TextField label={t("note")} value={note} error={errorOf(change.error, "note")} onChange={(event) => setNote(event.target.value)} />
      <LimitFields draft={limits} onChange={setLimits} mistakes={mistakes} error={change.error} />
    </FormSheet>
  );
}

function Delete({ of, onClose, onGone }: { readonly of: WholeProvider; readonly onClose: () => void; readonly onGone: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const place = useWorkspaceParam();
  const refresh = useRefresh("/v1/providers");
  const remove = useMutation<void, Problem, null>({
    mutationFn: async () => {
      await ask(`/v1/providers/${of.slug}`, { method: "DELETE", query: place });
      const behind = of.integration_id && (await ask<WholeIntegration>(`/v1/integrations/${of.integration_id}`, { query: place }).catch(() => null));
      // The organisation's keys stay, and those that another provider uses: the server refuses then.
      if (behind && behind.type === "workspace") await ask(`/v1/integrations/${behind.id}`, { method: "DELETE", query: place }).catch(() => undefined);
    },
    onSuccess: () => {
      onGone();
      refresh();
    },
  });
  return (
    <Confirm
      title={t("deleteTitle", { name: of.name })}
      action={m("delete")}
      isDangerous
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate(null)}
    >
      <p>{t("deleteWords", { slug: of.slug })}</p>
      {remove.error && <Failure error={remove.error} />}
    </Confirm>
  );
}
