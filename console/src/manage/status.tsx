import { useText } from "@/i18n/language";
import { Badge, type Tone } from "@/ui/badge";
import { type ManageKey, text } from "./text";

const STATES: Readonly<Record<string, readonly [Tone, ManageKey]>> = {
  active: ["success", "active"],
  accepted: ["success", "accepted"],
  pending: ["info", "pending"],
  exhausted: ["danger", "exhausted"],
  expired: ["warning", "expired"],
  revoked: ["plain", "revoked"],
  archived: ["plain", "archived"],
  disabled: ["plain", "disabled"],
  cancelled: ["plain", "cancelled"],
};

/** The state of an object, in words and colour. */
export function State({ of }: { readonly of: string }) {
  const t = useText(text);
  const [tone, key] = STATES[of] ?? (["plain", null] as const);
  return <Badge tone={tone}>{key ? t(key) : of}</Badge>;
}
