import { useText } from "@/i18n/language";
import { Badge, type Tone } from "@/ui/badge";
import { text } from "./text";

const TONES: Readonly<Record<string, Tone>> = {
  active: "success",
  accepted: "success",
  pending: "info",
  exhausted: "danger",
  expired: "warning",
  revoked: "plain",
  archived: "plain",
  disabled: "plain",
  cancelled: "plain",
};

/** The state of an object, in words and colour. */
export function State({ of }: { readonly of: string }) {
  const t = useText(text);
  const known = of in TONES && of in text.en;
  return <Badge tone={TONES[of] ?? "plain"}>{known ? t(of as keyof typeof text.en) : of}</Badge>;
}
