import { useState } from "react";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { errorOf, FormSheet } from "@/manage/form";
import { LIMIT_MEMBERS, LimitFields } from "@/manage/limit-fields";
import { mistakesOf } from "@/manage/limits";
import type { Config, Member } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { AreaField, CheckField, SelectField, TextField } from "@/ui/field";
import { type KeyDraft, wrongLine } from "./draft";
import { PRESETS, type Preset, presetOf, SCOPES } from "./scopes";
import { text } from "./text";

interface Props {
  readonly title: string;
  readonly action: string;
  readonly start: KeyDraft;
  readonly isNew: boolean;
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly onSubmit: (draft: KeyDraft) => void;
  readonly onClose: () => void;
}

const SHOWN = ["name", "scopes", "user_id", "expires_at", "defaults", "alert_emails", ...LIMIT_MEMBERS];

/** Makes a key, or changes what it may do. */
export function KeyForm({ title, action, start, isNew, isBusy, error, onSubmit, onClose }: Props) {
  const t = useText(text);
  const m = useText(manage);
  const [draft, setDraft] = useState(start);
  const [isTried, setTried] = useState(false);
  const put = (change: Partial<KeyDraft>) => setDraft((before) => ({ ...before, ...change }));
  const mistakes = mistakesOf(draft.limits);
  const line = wrongLine(draft.metadata);
  const submit = () => {
    setTried(true);
    if (mistakes.size === 0 && line === null && draft.scopes.length > 0) onSubmit(draft);
  };
  return (
    <FormSheet title={title} action={action} isBusy={isBusy} error={error} shown={SHOWN} onSubmit={submit} onClose={onClose}>
      <TextField label={m("name")} hint={t("nameHint")} required value={draft.name} error={errorOf(error, "name")} onChange={(event) => put({ name: event.target.value })} />
      {isNew && <Owner user={draft.user} error={errorOf(error, "user_id")} onChange={(user) => put({ user })} />}
      <LimitFields draft={draft.limits} onChange={(limits) => put({ limits })} mistakes={isTried ? mistakes : new Set()} error={error} />
      <TextField
        label={t("expires")}
        hint={t("expiresHint")}
        type="date"
        value={draft.expires}
        error={errorOf(error, "expires_at")}
        onChange={(event) => put({ expires: event.target.value })}
      />
      <Scopes scopes={draft.scopes} error={isTried && draft.scopes.length === 0 ? t("noScope") : errorOf(error, "scopes")} onChange={(scopes) => put({ scopes })} />
      <details open={!isNew && Boolean(draft.config || draft.metadata || draft.emails)}>
        <summary>{t("moreTitle")}</summary>
        <Configs config={draft.config} onChange={(config) => put({ config })} />
        {draft.config && <CheckField label={t("mayOverride")} checked={draft.mayOverride} onChange={(event) => put({ mayOverride: event.target.checked })} />}
        <AreaField
          label={t("metadata")}
          hint={t("metadataHint")}
          rows={3}
          value={draft.metadata}
          error={isTried && line !== null ? t("metadataFormat", { line }) : errorOf(error, "defaults")}
          onChange={(event) => put({ metadata: event.target.value })}
        />
        <TextField
          label={t("emails")}
          hint={t("emailsHint")}
          value={draft.emails}
          error={errorOf(error, "alert_emails")}
          onChange={(event) => put({ emails: event.target.value })}
        />
      </details>
    </FormSheet>
  );
}

function Owner({ user, error, onChange }: { readonly user: string; readonly error: string | null; readonly onChange: (user: string) => void }) {
  const t = useText(text);
  const { workspace_id } = useWorkspaceParam();
  const members = useAll<Member>(`/v1/admin/workspaces/${workspace_id}/users`, {}, workspace_id !== undefined);
  // Who may not see the members makes keys for applications, or his own: the server says which.
  if (!members.data || members.data.data.length === 0) return null;
  const people = members.data.data.map(({ id, email }) => ({ value: id, text: email }));
  return (
    <SelectField
      label={t("whose")}
      value={user}
      error={error}
      options={[{ value: "", text: t("whoseService") }, ...people]}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Scopes(props: { readonly scopes: readonly string[]; readonly error: string | null; readonly onChange: (scopes: readonly string[]) => void }) {
  const t = useText(text);
  const { scopes, error, onChange } = props;
  const [preset, setPreset] = useState<Preset>(() => presetOf(scopes));
  const choose = (next: Preset) => {
    setPreset(next);
    if (next !== "custom") onChange(PRESETS[next]);
  };
  const all = [...SCOPES, ...scopes.filter((scope) => !SCOPES.includes(scope))];
  const flip = (scope: string) => onChange(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  return (
    <>
      <SelectField
        label={t("mayDo")}
        value={preset}
        error={error}
        options={[
          { value: "calls", text: t("presetCalls") },
          { value: "observe", text: t("presetObserve") },
          { value: "manage", text: t("presetManage") },
          { value: "custom", text: t("presetCustom") },
        ]}
        onChange={(event) => choose(event.target.value as Preset)}
      />
      {preset === "custom" && (
        <fieldset>
          <legend>{t("scopes")}</legend>
          <div className="scopes">
            {all.map((scope) => (
              <CheckField key={scope} label={<code>{scope}</code>} checked={scopes.includes(scope)} onChange={() => flip(scope)} />
            ))}
          </div>
        </fieldset>
      )}
    </>
  );
}

function Configs({ config, onChange }: { readonly config: string; readonly onChange: (config: string) => void }) {
  const t = useText(text);
  const configs = useAll<Config>("/v1/configs", useWorkspaceParam());
  const known = configs.data?.data ?? [];
  const options = [{ value: "", text: t("noConfig") }, ...known.map(({ slug, name }) => ({ value: slug, text: `${name} (${slug})` }))];
  if (config && !known.some(({ slug }) => slug === config)) options.push({ value: config, text: config });
  return <SelectField label={t("config")} value={config} options={options} onChange={(event) => onChange(event.target.value)} />;
}
