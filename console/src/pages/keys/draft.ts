import { draftOf, type LimitDraft, NO_LIMITS, ratesOf, usageOf } from "@/manage/limits";
import type { ApiKey } from "@/manage/shapes";
import { PRESETS } from "./scopes";

/** A key as somebody types it. */
export interface KeyDraft {
  readonly name: string;
  /** Of a user's key; empty for an application's. */
  readonly user: string;
  readonly scopes: readonly string[];
  readonly limits: LimitDraft;
  /** A day: `2027-01-31`. */
  readonly expires: string;
  readonly config: string;
  readonly mayOverride: boolean;
  readonly metadata: string;
  readonly emails: string;
}

export const NEW_KEY: KeyDraft = {
  name: "",
  user: "",
  scopes: PRESETS.calls,
  limits: NO_LIMITS,
  expires: "",
  config: "",
  mayOverride: true,
  metadata: "",
  emails: "",
};

/** One to hand out: with limits to begin with. */
export const LIMITED_KEY: KeyDraft = {
  ...NEW_KEY,
  limits: { ...NO_LIMITS, amount: "5", rates: [{ type: "requests", value: "100", unit: "rpm" }] },
};

export function draftOfKey(key: ApiKey): KeyDraft {
  return {
    name: key.name,
    user: key.user_id ?? "",
    scopes: key.scopes,
    limits: draftOf(key.usage_limits, key.rate_limits),
    expires: key.expires_at?.slice(0, 10) ?? "",
    config: key.defaults.config_id ?? "",
    mayOverride: Boolean(key.allow_config_override),
    metadata: Object.entries(key.defaults.metadata)
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
    emails: key.alert_emails.join(", "),
  };
}

/** The number of the first line that is not `name=value`; `null` when there is none. */
export function wrongLine(metadata: string): number | null {
  const at = metadata.split("\n").findIndex((line) => line.trim() !== "" && !/^[^=\s][^=]*=/.test(line.trim()));
  return at < 0 ? null : at + 1;
}

/** For a body: what is empty is `null`, which takes it away. */
export function bodyOf(draft: KeyDraft): Readonly<Record<string, unknown>> {
  const pairs = draft.metadata
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()] as const;
    });
  const emails = draft.emails.split(/[,\s]+/).filter(Boolean);
  return {
    name: draft.name.trim(),
    scopes: draft.scopes,
    usage_limits: usageOf(draft.limits),
    rate_limits: ratesOf(draft.limits),
    // The day itself still counts.
    expires_at: draft.expires ? `${draft.expires}T23:59:59.000Z` : null,
    defaults: { metadata: Object.fromEntries(pairs), config_id: draft.config || null, allow_config_override: draft.mayOverride },
    alert_emails: emails,
  };
}
