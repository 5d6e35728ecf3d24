import type { RateLimit, UsageLimit } from "./shapes";

/** Limits as somebody types them. */
export interface LimitDraft {
  readonly spent: "cost" | "tokens";
  readonly amount: string;
  readonly alert: string;
  readonly period: Period;
  readonly rates: readonly RateDraft[];
}

export type Period = "" | "daily" | "weekly" | "monthly" | `${number}`;

export interface RateDraft {
  readonly type: RateLimit["type"];
  readonly value: string;
  readonly unit: string;
}

export const NO_LIMITS: LimitDraft = { spent: "cost", amount: "", alert: "", period: "monthly", rates: [] };

export function draftOf(usage: UsageLimit | null | undefined, rates: readonly RateLimit[] | null | undefined): LimitDraft {
  const typed = (rates ?? []).map(({ type, value, unit }) => ({ type, value: String(value), unit: unit ?? "" }));
  if (!usage) return { ...NO_LIMITS, rates: typed };
  const days = usage.periodic_reset_days;
  return {
    spent: usage.type,
    amount: String(usage.credit_limit),
    alert: usage.alert_threshold ? String(usage.alert_threshold) : "",
    period: usage.periodic_reset ?? (days ? `${days}` : ""),
    rates: typed,
  };
}

/** For a body: `null` takes a budget away. */
export function usageOf(draft: LimitDraft): UsageLimit | null {
  if (draft.amount.trim() === "") return null;
  const alert = draft.alert.trim() === "" ? null : Number(draft.alert);
  const isDays = /^\d+$/.test(draft.period);
  return {
    type: draft.spent,
    credit_limit: Number(draft.amount),
    alert_threshold: alert,
    ...(isDays ? { periodic_reset_days: Number(draft.period) } : draft.period ? { periodic_reset: draft.period as "daily" } : {}),
  };
}

export function ratesOf(draft: LimitDraft): readonly RateLimit[] {
  return draft.rates.map(({ type, value, unit }) => ({ type, value: Number(value), ...(type === "concurrency" ? {} : { unit }) }) as RateLimit);
}

export type LimitMistake = "amount" | "alert" | `rates.${number}`;

/** What cannot be meant, before the server is asked. */
export function mistakesOf(draft: LimitDraft): ReadonlySet<LimitMistake> {
  const found = new Set<LimitMistake>();
  const isAmount = (text: string) => /^\d+(\.\d+)?$/.test(text.trim()) && Number(text) > 0;
  if (draft.amount.trim() !== "" && !isAmount(draft.amount)) found.add("amount");
  if (draft.alert.trim() !== "" && (!isAmount(draft.alert) || Number(draft.alert) >= Number(draft.amount))) found.add("alert");
  draft.rates.forEach((rate, index) => {
    if (!/^\d{1,15}$/.test(rate.value.trim())) found.add(`rates.${index}`);
  });
  return found;
}
