import { useText } from "@/i18n/language";
import { errorOf } from "@/manage/form";
import type { RecordRules } from "@/manage/shapes";
import { SelectField, TextField } from "@/ui/field";
import { text } from "./text";

/** Members whose errors stand at these fields. */
export const RECORD_MEMBERS = ["records.retention_days", "records.bodies", "records.body_share"] as const;

/** What is being written. Empty: as the gateway's settings say. */
export interface RecordDraft {
  readonly days: string;
  readonly bodies: NonNullable<RecordRules["bodies"]> | "";
  /** Percent. */
  readonly share: string;
}

export function draftOfRecords(rules: RecordRules | undefined): RecordDraft {
  const share = rules?.body_share === undefined ? "" : String(Number((rules.body_share * 100).toFixed(4)));
  return { days: rules?.retention_days?.toString() ?? "", bodies: rules?.bodies ?? "", share };
}

/** The member of the request; nothing when nothing was changed, as not everybody may. */
export function recordsOf(draft: RecordDraft, before: RecordDraft): { readonly records?: object } {
  if (draft.days === before.days && draft.bodies === before.bodies && draft.share === before.share) return {};
  const share = draft.bodies === "sampled" ? { body_share: Number(draft.share) / 100 } : {};
  return { records: { retention_days: draft.days === "" ? null : Number(draft.days), bodies: draft.bodies || null, ...share } };
}

export function RecordFields({ draft, onChange, error }: { readonly draft: RecordDraft; readonly onChange: (draft: RecordDraft) => void; readonly error: unknown }) {
  const t = useText(text);
  const bodies = [
    { value: "", text: t("asSettings") },
    { value: "none", text: t("bodiesNone") },
    { value: "errors", text: t("bodiesErrors") },
    { value: "all", text: t("bodiesAll") },
    { value: "sampled", text: t("bodiesSampled") },
  ];
  return (
    <>
      <TextField
        label={t("days")}
        hint={t("daysHint")}
        type="number"
        min={1}
        step={1}
        value={draft.days}
        placeholder={t("asSettings")}
        error={errorOf(error, "records.retention_days")}
        onChange={(event) => onChange({ ...draft, days: event.target.value })}
      />
      <SelectField
        label={t("bodies")}
        options={bodies}
        value={draft.bodies}
        error={errorOf(error, "records.bodies")}
        onChange={(event) => onChange({ ...draft, bodies: event.target.value as RecordDraft["bodies"] })}
      />
      {draft.bodies === "sampled" && (
        <TextField
          label={t("share")}
          type="number"
          required
          min={0}
          max={100}
          step="any"
          value={draft.share}
          error={errorOf(error, "records.body_share")}
          onChange={(event) => onChange({ ...draft, share: event.target.value })}
        />
      )}
    </>
  );
}
