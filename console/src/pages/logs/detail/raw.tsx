import type { Log, Message } from "@/api/logs";
import { useText } from "@/i18n/language";
import { Json } from "@/ui/code";
import { NoBodies } from "./conversation-view";
import { text } from "./text";

/** Headers and bodies as they went over the wire. Credentials were masked before they were stored. */
export function Raw({ log }: { readonly log: Log }) {
  const t = useText(text);
  const parts: readonly (readonly ["request" | "sent" | "received" | "response", Message | undefined])[] = [
    ["request", log.request],
    ["sent", log.transformedRequest],
    ["received", log.originalResponse],
    ["response", log.response],
  ];
  const kept = parts.filter(([, message]) => message?.headers !== undefined || message?.body !== undefined);
  if (kept.length === 0) return <NoBodies log={log} />;
  return (
    <div className="stack">
      {log.tidegate.withheld.map(([part, why]) => (
        <p key={part} className="muted">
          {t("withheld", { part, why })}
        </p>
      ))}
      {kept.map(([name, message]) => (
        <details key={name} open={name === "request" || name === "response"}>
          <summary>
            <strong>{t(`part_${name}`)}</strong> {message?.method} {message?.url} {message?.status}
          </summary>
          <div className="stack-s">
            {message?.headers && Object.keys(message.headers).length > 0 && (
              <>
                <h3>{t("headers")}</h3>
                <Json value={message.headers} label={`${t(`part_${name}`)}: ${t("headers")}`} />
              </>
            )}
            {message?.body !== undefined && (
              <>
                <h3>{t("body")}</h3>
                <Json value={message.body} label={`${t(`part_${name}`)}: ${t("body")}`} />
              </>
            )}
          </div>
        </details>
      ))}
    </div>
  );
}
