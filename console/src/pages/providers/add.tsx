import { useId, useState } from "react";
import { ask } from "@/api/client";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { errorOf, FormSheet } from "@/manage/form";
import { LIMIT_MEMBERS, LimitFields } from "@/manage/limit-fields";
import { type LimitDraft, mistakesOf, NO_LIMITS, ratesOf, usageOf } from "@/manage/limits";
import { pairsOf } from "@/manage/pairs";
import { AreaField, TextField } from "@/ui/field";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Problem } from "@/api/problem";
import { SUGGESTED } from "./known";
import { text } from "./text";

interface Draft {
  readonly provider: string;
  readonly key: string;
  readonly slug: string;
  readonly baseUrl: string;
  readonly options: string;
  readonly limits: LimitDraft;
}

const SHOWN = ["ai_provider_id", "key", "slug", "default_provider_slug", "base_url", "configurations", ...LIMIT_MEMBERS];

/** Keeps a provider's key, under a name that requests use. */
export function AddProvider({ onDone, onClose }: { readonly onDone: (slug: string) => void; readonly onClose: () => void }) {
  const t = useText(text);
  const place = useWorkspaceParam();
  const list = useId();
  const [draft, setDraft] = useState<Draft>({ provider: "", key: "", slug: "", baseUrl: "", options: "", limits: NO_LIMITS });
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
  const slug = draft.slug || draft.provider || "slug";
  return (
    <FormSheet title={t("newTitle")} action={t("add")} isBusy={add.isPending} error={add.error} shown={SHOWN} onSubmit={submit} onClose={onClose}>
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
      <TextField
        label={t("slug")}
        hint={t("slugHint", { slug })}
        value={draft.slug}
        error={errorOf(add.error, "slug", "default_provider_slug")}
        onChange={(event) => put({ slug: event.target.value.trim().replace(/^@/, "") })}
      />
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
      <LimitFields draft={draft.limits} onChange={(limits) => put({ limits })} mistakes={isTried ? mistakes : new Set()} error={add.error} />
    </FormSheet>
  );
}

/** An integration of the workspace, which holds the key and says which models; and the provider that requests name. */
async function keep(draft: Draft, place: { readonly workspace_id?: string }): Promise<string> {
  const slug = draft.slug || draft.provider;
  const options = pairsOf(draft.options);
  await ask("/v1/integrations", {
    method: "POST",
    body: {
      ...place,
      name: slug,
      ai_provider_id: draft.provider,
      ...(draft.key ? { key: draft.key } : {}),
      ...(draft.baseUrl ? { base_url: draft.baseUrl } : {}),
      configurations: "pairs" in options ? options.pairs : {},
      create_default_provider: true,
      default_provider_slug: slug,
    },
  });
  const [usage, rates] = [usageOf(draft.limits), ratesOf(draft.limits)];
  if (usage || rates.length > 0) {
    await ask(`/v1/providers/${slug}`, { method: "PUT", query: place, body: { usage_limits: usage, rate_limits: rates } });
  }
  return slug;
}
