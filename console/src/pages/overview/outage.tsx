import { Link } from "wouter";
import { useProviderHealth } from "@/api/provider-health";
import { useText } from "@/i18n/language";
import { Time } from "@/ui/time";
import { text } from "./text";

/** Says so while a provider is down or degraded; nothing otherwise. */
export function Outage() {
  const t = useText(text);
  const { data } = useProviderHealth();
  const ill = (data?.data ?? []).filter(({ state }) => state === "down" || state === "degraded");
  return (
    <div role="status">
      {ill.length > 0 && (
        <ul className={`panel outage${ill.some(({ state }) => state === "down") ? " is-down" : ""}`}>
          {ill.map(({ provider, state, since, requests, faults }) => (
            <li key={provider}>
              <strong>{t(state === "down" ? "down" : "degraded", { provider })}</strong> {t("faults", { faults, requests })} {since && <Time at={since} />} · <Link href="/health">{t("toHealth")}</Link>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
