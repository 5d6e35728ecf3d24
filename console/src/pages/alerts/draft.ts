import { fromApi, parse, print, toApi } from "@/url/filter";
import type { AlertRule, ChannelType, ConditionType, Direction, RuleBody } from "./shapes";

/** A channel in the form. Addresses and secrets are never shown again: empty ones stay as they are. */
export interface ChannelDraft {
  readonly id: string | null;
  readonly type: ChannelType;
  readonly url: string;
  /** What is known of the address that is stored. */
  readonly known: string | null;
  readonly secret: string;
  readonly to: string;
}

/** A rule in the form: texts, as they stand in the fields. */
export interface Draft {
  readonly name: string;
  readonly enabled: boolean;
  readonly kind: RuleBody["kind"];
  readonly metric: string;
  readonly filter: string;
  readonly group: string;
  readonly condition: ConditionType;
  /** A threshold, or percent. */
  readonly bound: string;
  readonly recover: string;
  readonly direction: Direction;
  readonly against: "day" | "week";
  readonly providers: string;
  readonly degraded: boolean;
  readonly window: string;
  readonly minRequests: string;
  readonly hold: string;
  readonly repeat: string;
  readonly channels: readonly ChannelDraft[];
}

/** `metric`, `group` and `filter` of the page that somebody comes from. */
export function newDraft(get: (name: string) => string | null): Draft {
  return {
    name: "",
    enabled: true,
    kind: "metric",
    metric: get("metric") ?? "error_rate",
    filter: get("filter") ?? "",
    group: get("group") ?? "",
    condition: "above",
    bound: "",
    recover: "",
    direction: "either",
    against: "day",
    providers: "",
    degraded: false,
    window: "300",
    minRequests: "",
    hold: "0",
    repeat: "",
    channels: [],
  };
}

export function draftOf({ name, enabled, rule, channels }: AlertRule): Draft {
  const { condition } = rule;
  const bound = condition?.threshold ?? condition?.percent;
  return {
    ...newDraft(() => null),
    name,
    enabled,
    kind: rule.kind,
    metric: rule.metric ?? "error_rate",
    filter: print(fromApi(rule.filters ?? {})),
    group: rule.group ?? "",
    condition: condition?.type ?? "above",
    bound: bound === undefined ? "" : String(bound),
    recover: condition?.recover === undefined ? "" : String(condition.recover),
    direction: condition?.direction ?? "either",
    against: condition?.against ?? "day",
    providers: (rule.providers ?? []).join(", "),
    degraded: rule.degraded ?? false,
    window: String(rule.window_seconds ?? 300),
    minRequests: rule.min_requests === undefined ? "" : String(rule.min_requests),
    hold: String(rule.for_seconds ?? 0),
    repeat: rule.repeat_seconds === undefined ? "" : String(rule.repeat_seconds),
    channels: channels.map(({ id, type, url, to }) => ({ id, type, url: "", known: url, secret: "", to: (to ?? []).join(", ") })),
  };
}

const isNumber = (value: string) => /^-?\d+(\.\d+)?$/.test(value.trim());

export type Mistake = "bound" | "recover" | "filter" | "minRequests";

/** What the form itself sees; all else the server says. */
export function mistakesOf(draft: Draft): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  if (draft.minRequests.trim() && !/^\d+$/.test(draft.minRequests.trim())) mistakes.push("minRequests");
  if (draft.kind !== "metric") return mistakes;
  if (!isNumber(draft.bound)) mistakes.push("bound");
  if (draft.condition !== "change" && draft.recover.trim() && !isNumber(draft.recover)) mistakes.push("recover");
  if (parse(draft.filter).mistakes.length > 0) mistakes.push("filter");
  return mistakes;
}

const words = (text: string) => text.split(",").map((one) => one.trim()).filter(Boolean);

export function bodyOf(draft: Draft) {
  const amount = Number(draft.bound);
  const condition =
    draft.condition === "change"
      ? { type: draft.condition, percent: amount, direction: draft.direction, against: draft.against }
      : { type: draft.condition, threshold: amount, ...(draft.recover.trim() ? { recover: Number(draft.recover) } : {}) };
  const of =
    draft.kind === "metric"
      ? { metric: draft.metric, filters: toApi(parse(draft.filter).terms), condition, ...(draft.group ? { group: draft.group } : {}) }
      : { providers: words(draft.providers), degraded: draft.degraded };
  const rule = {
    kind: draft.kind,
    ...of,
    window_seconds: Number(draft.window),
    for_seconds: Number(draft.hold),
    ...(draft.minRequests.trim() ? { min_requests: Number(draft.minRequests) } : {}),
    ...(draft.repeat ? { repeat_seconds: Number(draft.repeat) } : {}),
  };
  const channels = draft.channels.map(({ id, type, url, secret, to }) => ({
    ...(id ? { id } : {}),
    type,
    ...(type === "email" ? { to: words(to) } : url.trim() ? { url: url.trim() } : {}),
    ...(type === "webhook" && secret ? { secret } : {}),
  }));
  return { name: draft.name.trim(), enabled: draft.enabled, rule, channels };
}
