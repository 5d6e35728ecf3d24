import { useState } from "react";
import { useText } from "@/i18n/language";
import { ErrorLine, errorOf } from "@/manage/form";
import type { ModelRow } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { Confirm } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { configOf, pricesOf } from "./prices";
import { text } from "./text";

export interface NewModel {
  readonly slug: string;
  readonly enabled: boolean;
  readonly is_custom?: boolean;
  readonly base_model_slug?: string | null;
  readonly pricing_config?: unknown;
}

interface Props {
  /** Without it, a new one. */
  readonly of?: ModelRow;
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly onSave: (model: NewModel) => void;
  readonly onClose: () => void;
}

/** Prices of a model, or a model that the catalogue does not know. */
export function PriceForm({ of, isBusy, error, onSave, onClose }: Props) {
  const t = useText(text);
  const m = useText(manage);
  const own = pricesOf(of?.pricing_config);
  const [slug, setSlug] = useState("");
  const [base, setBase] = useState("");
  const [input, setInput] = useState(own?.input?.toString() ?? "");
  const [output, setOutput] = useState(own?.output?.toString() ?? "");
  const typed = [input.trim(), output.trim()];
  const isNone = typed.every((one) => one === "");
  const isRight = isNone || typed.every((one) => /^\d+(\.\d+)?$/.test(one));
  const name = of?.slug ?? slug.trim();
  const save = () =>
    onSave({
      slug: name,
      enabled: of?.enabled ?? true,
      ...(of ? {} : { is_custom: true, base_model_slug: base.trim() || null }),
      pricing_config: isNone ? null : configOf(Number(input), Number(output)),
    });
  return (
    <Confirm title={of ? t("priceTitle", { model: of.slug }) : t("addTitle")} action={m("save")} isBusy={isBusy || !isRight || name === ""} onClose={onClose} onConfirm={save}>
      <div className="form">
        {!of && (
          <>
            <TextField label={t("model")} hint={t("addHint")} required value={slug} error={errorOf(error, "models")} onChange={(event) => setSlug(event.target.value)} />
            <TextField label={t("base")} hint={t("baseHint")} value={base} onChange={(event) => setBase(event.target.value)} />
          </>
        )}
        <p className="muted">{t("priceHint")}</p>
        <div className="row">
          <TextField label={t("input")} inputMode="decimal" value={input} error={isRight ? null : t("priceFormat")} onChange={(event) => setInput(event.target.value)} />
          <TextField label={t("output")} inputMode="decimal" value={output} onChange={(event) => setOutput(event.target.value)} />
        </div>
        <ErrorLine error={error} shown={of ? [] : ["models"]} />
      </div>
    </Confirm>
  );
}
