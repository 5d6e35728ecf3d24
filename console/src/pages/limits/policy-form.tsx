import { useState } from "react";
import { useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { errorOf, FormSheet } from "@/manage/form";
import type { RatePolicy, UsagePolicy } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { AreaField, SelectField, TextField } from "@/ui/field";
import { Failure } from "@/ui/state";
import { conditionsOf, conditionsText, keysOf } from "./rules";
import { POLICY_PATHS, type PolicyKind } from "./policies";
import { text } from "./text";

interface Props {
  readonly kind: PolicyKind;
  /** Without it, a new one. */
  readonly of?: UsagePolicy | RatePolicy;
  readonly onClose: () => void;
}

const SHOWN = ["name", "conditions", "group_by", "credit_limit", "value", "type", "unit", "periodic_reset"];

export function PolicyForm({ kind, of, onClose }: Props) {
  const t = useText(text);
  const m = useText(manage);
  const place = useWorkspaceParam();
  const isUsage = kind === "usage";
  const usage = isUsage ? (of as UsagePolicy | undefined) : undefined;
  const rate = isUsage ? undefined : (of as RatePolicy | undefined);
  const [name, setName] = useState(of?.name ?? "");
  const [type, setType] = useState<string>(of?.type ?? (isUsage ? "cost" : "requests"));
  const [amount, setAmount] = useState(String(usage?.credit_limit ?? rate?.value ?? ""));
  const [period, setPeriod] = useState(usage ? (usage.periodic_reset ?? (usage.periodic_reset_days ? String(usage.periodic_reset_days) : "")) : "monthly");
  const [unit, setUnit] = useState(rate?.unit ?? "rpm");
  const [conditions, setConditions] = useState(of ? conditionsText(of.conditions) : "metadata._user=*");
  const [group, setGroup] = useState(of ? of.group_by.map(({ key }) => key).join(", ") : "metadata._user");
  const [isTried, setTried] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const read = conditionsOf(conditions);
  const keys = keysOf(group);
  const isAmount = isUsage ? /^\d+(\.\d+)?$/.test(amount.trim()) && Number(amount) > 0 : /^\d+$/.test(amount.trim());
  const path = of ? `${POLICY_PATHS[kind]}/${of.id}` : POLICY_PATHS[kind];
  const save = useSend<null>(() => {
    const days = /^\d+$/.test(period) ? { periodic_reset_days: Number(period) } : period ? { periodic_reset: period } : {};
    const common = { name: name.trim(), conditions: "conditions" in read ? read.conditions : [] };
    // What a policy counts and by what cannot change: another one counts something else.
    const fixed = of ? {} : { ...place, group_by: keys, type };
    const rule = isUsage ? { credit_limit: Number(amount), ...days } : { value: Number(amount), unit };
    return { path, method: of ? "PUT" : "POST", body: { ...common, ...fixed, ...rule } };
  }, ["/v1/policies"]);
  const remove = useSend<null>(() => ({ path, method: "DELETE" }), ["/v1/policies"]);
  const submit = () => {
    setTried(true);
    if (isAmount && "conditions" in read && read.conditions.length > 0 && keys.length > 0) save.mutate(null, { onSuccess: onClose });
  };
  const conditionsMistake = "wrong" in read ? t("conditionsFormat", { line: read.wrong }) : read.conditions.length === 0 ? t("conditionsMissing") : null;
  const types = isUsage ? (["cost", "tokens", "requests"] as const) : (["requests", "tokens"] as const);
  return (
    <FormSheet
      title={of?.name ?? t(isUsage ? "usageTitle" : "rateTitle")}
      action={m("save")}
      isBusy={save.isPending}
      error={save.error}
      shown={SHOWN}
      onSubmit={submit}
      onClose={onClose}
    >
      <p className="muted">{t("policyHint")}</p>
      <TextField label={m("name")} required value={name} error={errorOf(save.error, "name")} onChange={(event) => setName(event.target.value)} />
      <div className="row">
        <TextField
          label={t("amount")}
          inputMode="decimal"
          required
          value={amount}
          error={isTried && !isAmount ? (isUsage ? m("amountFormat") : m("wholeNumber")) : errorOf(save.error, "credit_limit", "value")}
          onChange={(event) => setAmount(event.target.value)}
        />
        <SelectField
          label={t("unit")}
          value={type}
          disabled={of !== undefined}
          error={errorOf(save.error, "type")}
          options={types.map((value) => ({ value, text: value === "cost" ? m("dollars") : m(value) }))}
          onChange={(event) => setType(event.target.value)}
        />
        {isUsage ? (
          <SelectField
            label={m("period")}
            value={period}
            error={errorOf(save.error, "periodic_reset")}
            options={[
              { value: "monthly", text: m("monthly") },
              { value: "weekly", text: m("weekly") },
              { value: "1", text: m("daily") },
              ...(/^\d+$/.test(period) && period !== "1" ? [{ value: period, text: m("everyDays", { days: period }) }] : []),
              { value: "", text: m("noPeriod") },
            ]}
            onChange={(event) => setPeriod(event.target.value)}
          />
        ) : (
          <SelectField
            label={m("rateUnit")}
            value={unit}
            error={errorOf(save.error, "unit")}
            options={(["rpm", "rph", "rpd", "rpw"] as const).map((value) => ({ value, text: m(value) }))}
            onChange={(event) => setUnit(event.target.value)}
          />
        )}
      </div>
      <TextField
        label={t("groupBy")}
        hint={t("groupByHint")}
        required
        disabled={of !== undefined}
        value={group}
        error={isTried && keys.length === 0 ? t("groupByMissing") : errorOf(save.error, "group_by")}
        onChange={(event) => setGroup(event.target.value)}
      />
      <AreaField
        label={t("conditions")}
        hint={t("conditionsHint")}
        rows={3}
        required
        value={conditions}
        error={isTried ? conditionsMistake : errorOf(save.error, "conditions")}
        onChange={(event) => setConditions(event.target.value)}
      />
      {of && (
        <div>
          <Button kind="danger" onClick={() => setDeleting(true)}>
            {m("delete")}
          </Button>
        </div>
      )}
      {of && isDeleting && (
        <Confirm
          title={t("deleteTitle", { name: of.name })}
          action={m("delete")}
          isDangerous
          isBusy={remove.isPending}
          onClose={() => setDeleting(false)}
          onConfirm={() => remove.mutate(null, { onSuccess: onClose })}
        >
          <p>{t("deleteWords")}</p>
          {remove.error && <Failure error={remove.error} />}
        </Confirm>
      )}
    </FormSheet>
  );
}
