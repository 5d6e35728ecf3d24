import { Plus, X } from "lucide-react";
import { useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { errorOf } from "./form";
import { type LimitDraft, type LimitMistake, type Period, type RateDraft } from "./limits";
import { text } from "./text";

interface Props {
  readonly draft: LimitDraft;
  readonly onChange: (draft: LimitDraft) => void;
  /** Shown when somebody has tried to send the form. */
  readonly mistakes: ReadonlySet<LimitMistake>;
  readonly error: unknown;
}

/** The members whose errors these fields show. */
export const LIMIT_MEMBERS = ["usage_limits", "rate_limits"] as const;

/** Budget and rate limits of a key, a provider or a workspace. */
export function LimitFields({ draft, onChange, mistakes, error }: Props) {
  const t = useText(text);
  const put = (change: Partial<LimitDraft>) => onChange({ ...draft, ...change });
  const periods: { value: string; text: string }[] = [
    { value: "monthly", text: t("monthly") },
    { value: "weekly", text: t("weekly") },
    { value: "daily", text: t("daily") },
    { value: "", text: t("noPeriod") },
  ];
  if (/^\d+$/.test(draft.period)) periods.push({ value: draft.period, text: t("everyDays", { days: draft.period }) });
  return (
    <>
      <fieldset>
        <legend>{t("budget")}</legend>
        <div className="row">
          <TextField
            label={t("budget")}
            inputMode="decimal"
            placeholder="5"
            value={draft.amount}
            error={mistakes.has("amount") ? t("amountFormat") : errorOf(error, "usage_limits")}
            onChange={(event) => put({ amount: event.target.value })}
          />
          <SelectField
            label={t("rateType")}
            value={draft.spent}
            options={[
              { value: "cost", text: t("dollars") },
              { value: "tokens", text: t("tokens") },
            ]}
            onChange={(event) => put({ spent: event.target.value as LimitDraft["spent"] })}
          />
          <SelectField label={t("period")} value={draft.period} options={periods} onChange={(event) => put({ period: event.target.value as Period })} />
          <TextField
            label={t("alertAt")}
            inputMode="decimal"
            value={draft.alert}
            error={mistakes.has("alert") ? t("alertHint") : null}
            onChange={(event) => put({ alert: event.target.value })}
          />
        </div>
        <span className="field-hint">{t("budgetHint")}</span>
      </fieldset>
      <RateFields rates={draft.rates} onChange={(rates) => put({ rates })} mistakes={mistakes} error={error} />
    </>
  );
}

function RateFields(props: {
  readonly rates: readonly RateDraft[];
  readonly onChange: (rates: readonly RateDraft[]) => void;
  readonly mistakes: ReadonlySet<LimitMistake>;
  readonly error: unknown;
}) {
  const t = useText(text);
  const { rates, onChange, mistakes } = props;
  const put = (index: number, change: Partial<RateDraft>) => onChange(rates.map((rate, at) => (at === index ? { ...rate, ...change } : rate)));
  const refused = errorOf(props.error, "rate_limits");
  return (
    <fieldset>
      <legend>{t("rateLimits")}</legend>
      {rates.map((rate, index) => (
        <div className="row" key={index}>
          <TextField
            label={t("rateValue")}
            inputMode="numeric"
            value={rate.value}
            error={mistakes.has(`rates.${index}`) ? t("wholeNumber") : null}
            onChange={(event) => put(index, { value: event.target.value })}
          />
          <SelectField
            label={t("rateType")}
            value={rate.type}
            options={(["requests", "tokens", "concurrency"] as const).map((value) => ({ value, text: t(value) }))}
            onChange={(event) => put(index, { type: event.target.value as RateDraft["type"] })}
          />
          {rate.type !== "concurrency" && <UnitField unit={rate.unit} onChange={(unit) => put(index, { unit })} />}
          <Button kind="plain" icon label={t("removeRate")} onClick={() => onChange(rates.filter((_, at) => at !== index))}>
            <X aria-hidden />
          </Button>
        </div>
      ))}
      {refused && (
        <p className="error-line" role="alert">
          {refused}
        </p>
      )}
      <div>
        <Button onClick={() => onChange([...rates, { type: "requests", value: "100", unit: "rpm" }])}>
          <Plus aria-hidden />
          {t("addRate")}
        </Button>
      </div>
      <span className="field-hint">{t("rateHint")}</span>
    </fieldset>
  );
}

const UNITS = ["rps", "rpm", "rph", "rpd", "rpw"] as const;

function UnitField({ unit, onChange }: { readonly unit: string; readonly onChange: (unit: string) => void }) {
  const t = useText(text);
  const options: { value: string; text: string }[] = UNITS.map((value) => ({ value, text: t(value) }));
  // Units with a number in them come from the command line.
  if (!options.some(({ value }) => value === unit)) options.push({ value: unit, text: unit });
  return <SelectField label={t("rateUnit")} value={unit} options={options} onChange={(event) => onChange(event.target.value)} />;
}
