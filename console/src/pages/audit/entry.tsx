import { useQuery } from "@tanstack/react-query";
import { ask } from "@/api/client";
import type { Problem } from "@/api/problem";
import { useText } from "@/i18n/language";
import type { AuditRecord } from "@/manage/shapes";
import { Json } from "@/ui/code";
import { CopyButton } from "@/ui/copy";
import { Sheet } from "@/ui/dialog";
import { Await } from "@/ui/state";
import { Time } from "@/ui/time";
import { differences, parsed } from "./diff";
import { text } from "./text";

/** One change: who, when, from where, and what became of what. */
export function Entry({ of, onClose }: { readonly of: AuditRecord; readonly onClose: () => void }) {
  const t = useText(text);
  return (
    <Sheet title={t("entry", { sequence: of.sequence })} onClose={onClose}>
      <div className="stack">
        <dl className="facts">
          <dt>{t("when")}</dt>
          <dd>
            <Time at={of.timestamp} />
          </dd>
          <dt>{t("who")}</dt>
          <dd>
            {of.user_type === "user" ? t("person") : t(of.user_type)} <span className="mono">{of.user_id}</span>
          </dd>
          <dt>{t("what")}</dt>
          <dd className="mono">
            {of.action} · {of.method} {of.uri}
          </dd>
          <dt>{t("object")}</dt>
          <dd>
            {of.resource_type} {of.resource_name} <span className="mono">{of.resource_id}</span>
          </dd>
          <dt>{t("from")}</dt>
          <dd className="mono">{of.client_ip || "—"}</dd>
          <dt>{t("requestId")}</dt>
          <dd className="row">
            <span className="mono">{of.request_id || "—"}</span>
            {of.request_id && <CopyButton value={of.request_id} what={t("requestId")} />}
          </dd>
          <dt>{t("hash")}</dt>
          <dd className="mono">{of.hash}</dd>
        </dl>
        <h3>{t("change")}</h3>
        <Changes of={of} />
      </div>
    </Sheet>
  );
}

interface Page {
  readonly records: readonly AuditRecord[];
}

/** The state of the object before: that of its entry before this one. */
function useBefore(of: AuditRecord) {
  return useQuery<AuditRecord | null, Problem>({
    queryKey: ["/v1/audit-logs", "before", of.sequence],
    queryFn: async ({ signal }) => {
      const query = { resource_type: of.resource_type, end_time: of.timestamp, page_size: 100 };
      const { records } = await ask<Page>("/v1/audit-logs", { query, signal });
      return records.find(({ resource_id, sequence, request_body }) => resource_id === of.resource_id && sequence < of.sequence && request_body !== "") ?? null;
    },
  });
}

function Changes({ of }: { readonly of: AuditRecord }) {
  const t = useText(text);
  const before = useBefore(of);
  const after = parsed(of.request_body);
  return (
    <Await of={before} rows={3}>
      {(found) => {
        if (after === undefined) return <p className="muted">{t("nothing")}</p>;
        if (!found) {
          return (
            <>
              <p className="muted">{t("noBefore")}</p>
              <Json value={after} label={t("change")} />
            </>
          );
        }
        return (
          <div className="changes">
            {differences(parsed(found.request_body), after).map((change) => (
              <div key={change.path}>
                <span className="mono">{change.path}</span>
                {change.before !== undefined && <pre className="change-before">− {JSON.stringify(change.before, null, 2)}</pre>}
                {change.after !== undefined && <pre className="change-after">+ {JSON.stringify(change.after, null, 2)}</pre>}
              </div>
            ))}
          </div>
        );
      }}
    </Await>
  );
}
