/** The admin API's alert rules. */

export type ConditionType = "above" | "below" | "change";
export type Direction = "up" | "down" | "either";
export type RuleState = "ok" | "pending" | "firing" | "paused";
export type ChannelType = "webhook" | "slack" | "email";

export interface RuleCondition {
  readonly type: ConditionType;
  readonly threshold?: number;
  readonly recover?: number;
  readonly percent?: number;
  readonly direction?: Direction;
  readonly against?: "day" | "week";
}

export interface RuleBody {
  readonly kind: "metric" | "provider_outage";
  readonly metric?: string;
  readonly filters?: Readonly<Record<string, string>>;
  readonly group?: string;
  readonly condition?: RuleCondition;
  readonly providers?: readonly string[];
  readonly degraded?: boolean;
  readonly window_seconds?: number;
  readonly min_requests?: number;
  readonly for_seconds?: number;
  readonly repeat_seconds?: number;
}

export interface ChannelRow {
  readonly id: string;
  readonly type: ChannelType;
  /** Its scheme and host. */
  readonly url: string | null;
  readonly signed: boolean | null;
  readonly to: readonly string[] | null;
}

export interface AlertRule {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly rule: RuleBody;
  readonly channels: readonly ChannelRow[];
  readonly state: RuleState;
  readonly groups: readonly { readonly key: string | null; readonly state: RuleState; readonly since: string }[];
}

export interface Told {
  readonly channel: string;
  readonly name: string;
  readonly delivered: boolean | null;
  readonly problem?: string;
}

export interface AlertEvent {
  readonly id: string;
  readonly what: "fired" | "repeated" | "resolved" | "faded";
  readonly at: string;
  readonly since: string;
  readonly group: string | null;
  readonly value: number | null;
  readonly requests: number;
  readonly told: readonly Told[];
}
