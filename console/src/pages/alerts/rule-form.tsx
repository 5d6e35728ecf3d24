import { useState } from "react";
import { useMetrics } from "@/api/analytics";
import { useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { useLanguage, useText } from "@/i18n/language";
import { useRefresh } from "@/manage/all";
import { errorOf, FormSheet } from "@/manage/form";
import { text as manage } from "@/manage/text";
import { GROUPS } from "@/metrics/group";
import { text as metricsText } from "@/metrics/text";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { CheckField, SelectField, TextField } from "@/ui/field";
import { Failure } from "@/ui/state";
import { useView } from "@/url/view";
import { Channels } from "./channels";
import { bodyOf, type Draft, draftOf, type Mistake, mistakesOf, newDraft } from "./draft";
import { History } from "./history";
import type { AlertRule } from "./shapes";
import { text } from "./text";

const WINDOWS = [60, 300, 900, 3_600, 21_600, 86_400] as const;
const HOLDS = [0, 60, 300, 900, 3_600] as const;
const REPEATS = [900, 3_600, 14_400, 86_400] as const;
const OUTAGE_WINDOWS = [60, 300, 900] as const;
const SHOWN = ["name", "rule", "channels"];

interface Props {
  /** Without it, a new one. */
  readonly of?: AlertRule;
  readonly onClose: () => void;
}

export function RuleForm({ of, onClose }: Props) {
  const t = useText(text);
  const m = useText(manage);
  const g = useText(metricsText);
  const { language } = useLanguage();
  const place = useWorkspaceParam();
  const metrics = useMetrics();
  const { get } = useView();
  const [draft, setDraft] = useState<Draft>(() => (of ? draftOf(of) : newDraft(get)));
  const [isTried, setTried] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const path = of ? `/v1/alerts/${of.id}` : "/v1/alerts";
  const save = useSend<null>(() => ({ path, method: of ? "PUT" : "POST", body: { ...bodyOf(draft), ...(of ? {} : place) } }), ["/v1/alerts"]);
  const remove = useSend<null>(() => ({ path, method: "DELETE" }));
  const refresh = useRefresh("/v1/alerts");
  const forget = () => {
    refresh();
    onClose();
  };
  const mistakes = mistakesOf(draft);
  const put = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  const submit = () => {
    setTried(true);
    if (mistakes.length === 0) save.mutate(null, { onSuccess: onClose });
  };
  const mistake = (field: Mistake, member: string) => (isTried && mistakes.includes(field) ? t(`wrong_${field}`) : errorOf(save.error, member));
  const lengths = (all: readonly number[], now: string) => {
    const known = all.map(String);
    return (known.includes(now) || now === "" ? known : [...known, now]).map((value) => ({ value, text: lengthWords(Number(value), t) }));
  };
  const isMetric = draft.kind === "metric";
  const unit = metrics.data?.data.find((one) => one.id === draft.metric)?.unit;
  const groups = GROUPS.map((value) => ({ value: value as string, text: g(`group_${value}`) }));
  return (
    <FormSheet title={of?.name ?? t("newRule")} action={m("save")} isBusy={save.isPending} error={save.error} shown={SHOWN} onSubmit={submit} onClose={onClose}>
      <TextField label={m("name")} required value={draft.name} error={errorOf(save.error, "name")} onChange={(event) => put({ name: event.target.value })} />
      <CheckField label={t("enabled")} checked={draft.enabled} onChange={(event) => put({ enabled: event.target.checked })} />
      <SelectField
        label={t("watches")}
        value={draft.kind}
        options={(["metric", "provider_outage"] as const).map((value) => ({ value, text: t(`kind_${value}`) }))}
        onChange={(event) => put({ kind: event.target.value as Draft["kind"], window: "300" })}
      />
      {isMetric ? (
        <>
          <SelectField
            label={t("metric")}
            value={draft.metric}
            error={errorOf(save.error, "rule.metric")}
            options={(metrics.data?.data ?? []).map((one) => ({ value: one.id, text: language === "en" ? one.name : one.name_zh }))}
            onChange={(event) => put({ metric: event.target.value })}
          />
          <div className="row">
            <SelectField
              label={t("condition")}
              value={draft.condition}
              options={(["above", "below", "change"] as const).map((value) => ({ value, text: t(`condition_${value}`) }))}
              onChange={(event) => put({ condition: event.target.value as Draft["condition"] })}
            />
            <TextField
              label={draft.condition === "change" ? t("percent") : unit && !["count", "ratio"].includes(unit) ? t("thresholdIn", { unit }) : t("threshold")}
              inputMode="decimal"
              required
              value={draft.bound}
              error={mistake("bound", draft.condition === "change" ? "rule.condition.percent" : "rule.condition.threshold")}
              onChange={(event) => put({ bound: event.target.value })}
            />
          </div>
          {draft.condition === "change" ? (
            <div className="row">
              <SelectField
                label={t("direction")}
                value={draft.direction}
                options={(["either", "up", "down"] as const).map((value) => ({ value, text: t(`direction_${value}`) }))}
                onChange={(event) => put({ direction: event.target.value as Draft["direction"] })}
              />
              <SelectField
                label={t("against")}
                value={draft.against}
                options={(["day", "week"] as const).map((value) => ({ value, text: t(`against_${value}`) }))}
                onChange={(event) => put({ against: event.target.value as Draft["against"] })}
              />
            </div>
          ) : (
            <TextField
              label={t("recover")}
              hint={t("recoverHint")}
              inputMode="decimal"
              value={draft.recover}
              error={mistake("recover", "rule.condition.recover")}
              onChange={(event) => put({ recover: event.target.value })}
            />
          )}
          <TextField
            label={t("filter")}
            hint={t("filterHint")}
            className="mono"
            value={draft.filter}
            error={mistake("filter", "rule.filters")}
            onChange={(event) => put({ filter: event.target.value })}
          />
          <SelectField
            label={t("group")}
            hint={t("groupHint")}
            value={draft.group}
            error={errorOf(save.error, "rule.group")}
            options={[
              { value: "", text: t("noGroup") },
              ...groups,
              ...(draft.group && !groups.some(({ value }) => value === draft.group) ? [{ value: draft.group, text: draft.group }] : []),
            ]}
            onChange={(event) => put({ group: event.target.value })}
          />
        </>
      ) : (
        <>
          <p className="muted">{t("outageHint")}</p>
          <TextField
            label={t("providers")}
            hint={t("providersHint")}
            value={draft.providers}
            error={errorOf(save.error, "rule.providers")}
            onChange={(event) => put({ providers: event.target.value })}
          />
          <CheckField label={t("degraded")} checked={draft.degraded} onChange={(event) => put({ degraded: event.target.checked })} />
        </>
      )}
      <div className="row">
        <SelectField
          label={t("window")}
          value={draft.window}
          error={errorOf(save.error, "rule.window_seconds")}
          options={lengths(isMetric ? WINDOWS : OUTAGE_WINDOWS, draft.window)}
          onChange={(event) => put({ window: event.target.value })}
        />
        <SelectField label={t("hold")} value={draft.hold} error={errorOf(save.error, "rule.for_seconds")} options={lengths(HOLDS, draft.hold)} onChange={(event) => put({ hold: event.target.value })} />
      </div>
      <div className="row">
        <TextField
          label={t("minRequests")}
          inputMode="numeric"
          value={draft.minRequests}
          error={mistake("minRequests", "rule.min_requests")}
          onChange={(event) => put({ minRequests: event.target.value })}
        />
        <SelectField
          label={t("repeat")}
          value={draft.repeat}
          error={errorOf(save.error, "rule.repeat_seconds")}
          options={[{ value: "", text: m("never") }, ...lengths(REPEATS, draft.repeat)]}
          onChange={(event) => put({ repeat: event.target.value })}
        />
      </div>
      <Channels of={draft.channels} error={save.error} onChange={(channels) => put({ channels })} />
      {of && <History of={of} />}
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
          onConfirm={() => remove.mutate(null, { onSuccess: forget })}
        >
          <p>{t("deleteWords")}</p>
          {remove.error && <Failure error={remove.error} />}
        </Confirm>
      )}
    </FormSheet>
  );
}

function lengthWords(seconds: number, t: ReturnType<typeof useText<keyof typeof text.en>>): string {
  if (seconds === 0) return t("atOnce");
  if (seconds < 60) return t("seconds", { n: seconds });
  if (seconds < 3_600) return t("minutes", { n: seconds / 60 });
  return seconds < 86_400 ? t("hours", { n: seconds / 3_600 }) : t("days", { n: seconds / 86_400 });
}
