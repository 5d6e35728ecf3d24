import { count, money } from "@/format/number";
import type { Translate } from "@/i18n/text";
import type { RateLimit, UsageLimit } from "./shapes";
import type { ManageKey } from "./text";

type Say = Translate<ManageKey>;

export function amount(type: string, value: number, t: Say): string {
  if (type === "cost") return money(value);
  return `${count(value)} ${t(type === "requests" ? "requests" : "tokens")}`;
}

const PERIODS = { daily: "perDaily", weekly: "perWeekly", monthly: "perMonthly" } as const;

/** `$5.00 a month`. */
export function budgetWords(limit: UsageLimit, t: Say): string {
  const size = amount(limit.type, limit.credit_limit, t);
  if (limit.periodic_reset) return `${size} ${t(PERIODS[limit.periodic_reset])}`;
  if (limit.periodic_reset_days) return `${size} ${t("everyDays", { days: limit.periodic_reset_days })}`;
  return size;
}

const UNITS: Readonly<Record<string, ManageKey>> = { rps: "rps", rpm: "rpm", rph: "rph", rpd: "rpd", rpw: "rpw" };

/** `100 requests/minute`; of units with a number in them (`2rpm`), the number as well. */
export function rateWords(limit: RateLimit, t: Say): string {
  if (limit.type === "concurrency") return `${limit.value} ${t("concurrency")}`;
  const [, number = "", unit = ""] = /^(\d*)(\w+)$/.exec(limit.unit ?? "") ?? [];
  const key = UNITS[unit];
  return `${count(limit.value)} ${t(limit.type)}/${number}${key ? t(key) : unit}`;
}

export function ratesWords(limits: readonly RateLimit[] | null | undefined, t: Say): string {
  return limits && limits.length > 0 ? limits.map((limit) => rateWords(limit, t)).join(", ") : "—";
}
