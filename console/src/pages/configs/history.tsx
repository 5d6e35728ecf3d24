import { useState } from "react";
import { useGet, useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import type { ConfigVersion, WholeConfig } from "@/manage/shapes";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm, Dialog } from "@/ui/dialog";
import { Await, Failure } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { text } from "./text";

/** The versions of a config: what changed, and the way back. */
export function History({ of }: { readonly of: WholeConfig }) {
  const t = useText(text);
  const versions = useAll<ConfigVersion>(`/v1/configs/${of.slug}/versions`, useWorkspaceParam());
  const [compared, setCompared] = useState<number | null>(null);
  const [wanted, setWanted] = useState<number | null>(null);
  return (
    <Await of={versions}>
      {(list) => (
        <>
          <Table
            label={t("history")}
            rows={list.data}
            rowKey={(row) => row.version_id}
            columns={[
              {
                id: "version",
                title: t("version"),
                cell: (row) => (
                  <span className="row">
                    {row.version} {row.version === of.version && <Badge tone="info">{t("newest")}</Badge>}
                  </span>
                ),
              },
              { id: "when", title: t("save"), cell: (row) => <Time at={row.created_at} /> },
              { id: "by", title: t("by"), cell: (row) => <span className="mono">{row.created_by ?? t("byNobody")}</span> },
              {
                id: "do",
                title: <span className="unseen">{t("compare")}</span>,
                cell: (row) => (
                  <span className="row">
                    {row.version > 1 && <Button onClick={() => setCompared(row.version)}>{t("compare")}</Button>}
                    {row.version !== of.version && <Button onClick={() => setWanted(row.version)}>{t("rollback")}</Button>}
                  </span>
                ),
              },
            ]}
          />
          {compared !== null && <Differences slug={of.slug} from={compared - 1} to={compared} onClose={() => setCompared(null)} />}
          {wanted !== null && <Rollback slug={of.slug} version={wanted} onClose={() => setWanted(null)} />}
        </>
      )}
    </Await>
  );
}

interface Diff {
  readonly changes: readonly { readonly path: string; readonly op: "add" | "remove" | "change"; readonly before: unknown; readonly after: unknown }[];
}

const WORDS = { add: "added", remove: "removed", change: "changedWord" } as const;

function Differences({ slug, from, to, onClose }: { readonly slug: string; readonly from: number; readonly to: number; readonly onClose: () => void }) {
  const t = useText(text);
  const diff = useGet<Diff>(`/v1/configs/${slug}/diff`, { ...useWorkspaceParam(), from, to });
  return (
    <Dialog title={t("diffTitle", { from, to })} onClose={onClose}>
      <Await of={diff} rows={3}>
        {({ changes }) =>
          changes.length === 0 ? (
            <p>{t("same")}</p>
          ) : (
            <div className="changes">
              {changes.map((change) => (
                <div key={change.path}>
                  <span className="mono">{change.path}</span> <span className="muted">{t(WORDS[change.op])}</span>
                  {change.op !== "add" && <pre className="change-before">− {JSON.stringify(change.before, null, 2)}</pre>}
                  {change.op !== "remove" && <pre className="change-after">+ {JSON.stringify(change.after, null, 2)}</pre>}
                </div>
              ))}
            </div>
          )
        }
      </Await>
    </Dialog>
  );
}

function Rollback({ slug, version, onClose }: { readonly slug: string; readonly version: number; readonly onClose: () => void }) {
  const t = useText(text);
  const place = useWorkspaceParam();
  const back = useSend<null>(() => ({ path: `/v1/configs/${slug}/rollback`, method: "POST", query: place, body: { version } }), ["/v1/configs"]);
  return (
    <Confirm title={t("rollbackTitle", { version })} action={t("rollback")} isBusy={back.isPending} onClose={onClose} onConfirm={() => back.mutate(null, { onSuccess: onClose })}>
      <p>{t("rollbackWords")}</p>
      {back.error && <Failure error={back.error} />}
    </Confirm>
  );
}
