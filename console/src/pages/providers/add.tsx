import { useId, useState } from "react";
import { ask } from "@/api/client";
import { useCan, useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { errorOf, FormSheet } from "@/manage/form";
import { LIMIT_MEMBERS, LimitFields } from "@/manage/limit-fields";
import { type LimitDraft, mistakesOf, NO_LIMITS, ratesOf, usageOf } from "@/manage/limits";
import { pairsOf } from "@/manage/pairs";
import type { Integration } from "@/manage/shapes";
import { AreaField, CheckField, SelectField, TextField } from "@/ui/field";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Problem } from "@/api/problem";
import { SUGGESTED } from "./known";
import { text } from "./text";

interface Draft {
  /** Of an integration that the workspace may use; empty for a key of its own. */
  readonly integration: string;
  readonly provider: string;
  readonly key: string;
  readonly slug: string;
  readonly baseUrl: string;
  readonly options: string;
  /** The organisation's: it can be lent to other workspaces. */
  readonly isShared: boolean;
  readonly limits: LimitDraft;
}

const SHOWN = ["integration_id", "ai_provider_id", "key", "slug", "default_provider_slug", "base_url", "configurations", ...LIMIT_MEMBERS];

/** Keeps a provider's key, under a name that requests use. */
export function AddProvider({ onDone, onClose }: { readonly onDone: (slug: string) => void; readonly onClose: () => void }) {
  const t = useText(text);
  const place = useWorkspaceParam();
  const can = useCan();
  const list = useId();
  const [draft, setDraft] = useState<Draft>({ integration: "", provider: "", key: "", slug: "", baseUrl: "", options: "", isShared: false, limits: NO_LIMITS });
  const [isTried, setTried] = useState(false);
  const put = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const client = useQueryClient();
  const add = useMutation<string, Problem, Draft>({
    mutationFn: (wanted) => keep(wanted, place),
    onSettled: () => client.invalidateQueries({ predicate: ({ queryKey: [path] }) => /^\/v1\/(providers|integrations)/.test(String(path)) }),
  });
  const mistakes = mistakesOf(draft.limits);
  const options = pairsOf(draft.options);
  const submit = () => {
    setTried(true);
    if (mistakes.size === 0 && !("wrong" in options)) add.mutate(draft, { onSuccess: onDone });
  };
  const lent = useAll<Integration>("/v1/integrations", { ...place, type: "organisation" }).data?.data ?? [];
  const chosen = lent.find(({ id }) => id === draft.integration);
  const slug = draft.slug || chosen?.slug || draft.provider || "slug";
  return (
    <FormSheet title={t("newTitle")} action={t("add")} isBusy={add.isPending} error={add.error} shown={SHOWN} onSubmit={submit} onClose={onClose}>
      {lent.length > 0 && (
        <SelectField
          label={t("whoseKey")}
          value={draft.integration}
          error={errorOf(add.error, "integration_id")}
          options={[{ value: "", text: t("ownKey") }, ...lent.map((one) => ({ value: one.id, text: t("lentKey", { name: one.name, provider: one.ai_provider_id }) }))]}
          onChange={(event) => put({ integration: event.target.value })}
        />
      )}
      {!chosen && (
        <>
          <TextField
            label={t("provider")}
            hint={t("providerHint")}
            required
            list={list}
            autoComplete="off"
            value={draft.provider}
            error={errorOf(add.error, "ai_provider_id")}
            onChange={(event) => put({ provider: event.target.value.trim() })}
          />
          <datalist id={list}>
            {SUGGESTED.map((id) => (
              <option key={id} value={id} />
            ))}
          </datalist>
          <TextField
            label={t("key")}
            hint={t("keyHint")}
            type="password"
            autoComplete="off"
            value={draft.key}
            error={errorOf(add.error, "key")}
            onChange={(event) => put({ key: event.target.value.trim() })}
          />
          {place.workspace_id && can("organisation_integrations.create") && (
            <CheckField label={t("shared")} checked={draft.isShared} onChange={(event) => put({ isShared: event.target.checked })} />
          )}
        </>
      )}
      <TextField
        label={t("slug")}
        hint={t("slugHint", { slug })}
        value={draft.slug}
        error={errorOf(add.error, "slug", "default_provider_slug")}
        onChange={(event) => put({ slug: event.target.value.trim().replace(/^@/, "") })}
      />
      {!chosen && (
        <details>
          <summary>{t("moreTitle")}</summary>
          <TextField
            label={t("baseUrl")}
            hint={t("baseUrlHint")}
            value={draft.baseUrl}
            error={errorOf(add.error, "base_url")}
            onChange={(event) => put({ baseUrl: event.target.value.trim() })}
          />
          <AreaField
            label={t("options")}
            hint={t("optionsHint")}
            rows={3}
            value={draft.options}
            error={isTried && "wrong" in options ? t("optionsFormat", { line: options.wrong }) : errorOf(add.error, "configurations")}
            onChange={(event) => put({ options: event.target.value })}
          />
        </details>
      )}
      <LimitFields draft={draft.limits} onChange={(limits) => put({ limits })} mistakes={isTried ? mistakes : new Set()} error={add.error} />
    </FormSheet>
  );
}

/** A provider that requests name, over an integration: one that is lent, or a new one of the workspace, which holds the key. */
async function keep(draft: Draft, place: { readonly workspace_id?: string }): Promise<string> {
  const options = pairsOf(draft.options);
  let slug = draft.slug || draft.provider;
  if (draft.integration) {
    const body = { ...place, integration_id: draft.integration, ...(draft.slug ? { slug: draft.slug } : {}) };
    slug = (await ask<{ readonly slug: string }>("/v1/providers", { method: "POST", body })).slug;
  } else {
    const made = await ask<{ readonly slug: string }>("/v1/integrations", {
      method: "POST",
      body: {
        // The organisation's has a name of its own there, by which workspaces that get it later call it.
        ...(draft.isShared ? { slug } : place),
        name: slug,
        ai_provider_id: draft.provider,
        ...(draft.key ? { key: draft.key } : {}),
        ...(draft.baseUrl ? { base_url: draft.baseUrl } : {}),
        configurations: "pairs" in options ? options.pairs : {},
        create_default_provider: !draft.isShared,
        default_provider_slug: slug,
      },
    });
    if (draft.isShared) {
      const here = { id: place.workspace_id, enabled: true, create_default_provider: true, default_provider_slug: slug };
      await ask(`/v1/integrations/${made.slug}/workspaces`, { method: "PUT", body: { workspaces: [here] } });
    }
  }
  const [usage, rates] = [usageOf(draft.limits), ratesOf(draft.limits)];
  if (usage || rates.length > 0) {
    await ask(`/v1/providers/${slug}`, { method: "PUT", query: place, body: { usage_limits: usage, rate_limits: rates } });
  }
  return slug;
}
