import { useText } from "@/i18n/language";
import { amount } from "./words";
import type { Used } from "./shapes";
import { text } from "./text";
import "./meter.css";

/** How a budget stands: used, reserved, free, as a bar with its figures beside it. */
export function Meter({ of }: { readonly of: Used }) {
  const t = useText(text);
  const reserved = of.reserved_usage ?? 0;
  const share = (value: number) => (of.credit_limit > 0 ? Math.min(100, Math.max(0, (100 * value) / of.credit_limit)) : 100);
  const used = share(of.current_usage);
  const words = {
    used: amount(of.type, of.current_usage, t),
    reserved: amount(of.type, reserved, t),
    limit: amount(of.type, of.credit_limit, t),
  };
  const tone = used >= 100 ? "meter-full" : used >= 80 ? "meter-near" : "";
  return (
    <span className="meter" title={t("usedOf", words)}>
      <svg className={tone} viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={t("usedOf", words)}>
        <rect className="meter-rest" width="100" height="8" />
        <rect className="meter-reserved" x={used} width={Math.min(100 - used, share(reserved))} height="8" />
        <rect className="meter-used" width={used} height="8" />
      </svg>
      <span className="nowrap">
        {words.used} <span className="muted">/ {words.limit}</span>
      </span>
    </span>
  );
}
