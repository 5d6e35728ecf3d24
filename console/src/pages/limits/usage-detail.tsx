import { useState } from "react";
import { useSend } from "@/api/hooks";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import type { Standing, UsagePolicy } from "@/manage/shapes";
import { Meter } from "@/manage/meter";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Await, Empty, Failure } from "@/ui/state";
import { Table } from "@/ui/table";
import { POLICY_PATHS } from "./policies";
import { PolicyForm } from "./policy-form";
import { text } from "./text";

interface Entity {
  readonly id: string;
  readonly value_key: string;
  readonly current_usage: number;
  readonly status: Standing;
}

/** What a budget policy has counted, value by value. */
export function UsageDetail({ of, onClose }: { readonly of: UsagePolicy; readonly onClose: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const path = `${POLICY_PATHS.usage}/${of.id}/entities`;
  const entities = useAll<Entity>(path);
  const [isEditing, setEditing] = useState(false);
  const reset = useSend<string>((id) => ({ path: `${path}/${id}/reset`, method: "PUT" }), [path]);
  if (isEditing) return <PolicyForm kind="usage" of={of} onClose={() => setEditing(false)} />;
  return (
    <Sheet title={of.name} onClose={onClose}>
      <div className="stack">
        <div className="row">
          <h3>{t("values")}</h3>
          <Button className="push" onClick={() => setEditing(true)}>
            {t("changeLimit")}
          </Button>
        </div>
        {reset.error && <Failure error={reset.error} />}
        <Await of={entities}>
          {(list) =>
            list.data.length === 0 ? (
              <Empty title={t("noValues")} />
            ) : (
              <Table
                label={t("values")}
                rows={list.data}
                rowKey={(row) => row.id}
                columns={[
                  { id: "value", title: t("value"), sort: (row) => row.value_key, cell: (row) => <span className="mono">{row.value_key}</span> },
                  {
                    id: "used",
                    title: m("used"),
                    sort: (row) => row.current_usage,
                    cell: (row) =>
                      of.type === "requests" ? (
                        `${row.current_usage} / ${of.credit_limit}`
                      ) : (
                        <Meter of={{ type: of.type, credit_limit: of.credit_limit, current_usage: row.current_usage, status: row.status, next_usage_reset_at: null }} />
                      ),
                  },
                  {
                    id: "reset",
                    title: <span className="unseen">{t("reset")}</span>,
                    cell: (row) => (
                      <Button disabled={reset.isPending} onClick={() => reset.mutate(row.id)}>
                        {t("reset")}
                      </Button>
                    ),
                  },
                ]}
              />
            )
          }
        </Await>
      </div>
    </Sheet>
  );
}
