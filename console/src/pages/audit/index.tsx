import { Download } from "lucide-react";
import { useState } from "react";
import { send } from "@/api/client";
import { useGet } from "@/api/hooks";
import { useText } from "@/i18n/language";
import { RowButton } from "@/manage/list";
import type { AuditRecord } from "@/manage/shapes";
import { StatusBadge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Code } from "@/ui/code";
import { Select } from "@/ui/field";
import { Page } from "@/ui/page";
import { Await, Empty, Failure } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { useView } from "@/url/view";
import { Entry } from "./entry";
import { text } from "./text";

interface Records {
  readonly total: number;
  readonly records: readonly AuditRecord[];
}

const RANGES = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000, month: 30 * 86_400_000 } as const;
const ACTIONS = ["create", "update", "delete", "rotate", "publish", "manage", "export", "duplicate", "sign_in", "sign_out"] as const;
const RESOURCES = ["api keys", "configs", "providers", "integrations", "policies", "workspaces", "workspace users", "users", "invites", "sessions", "organization"] as const;
const ACTORS = ["user", "api_key", "system", "operator"] as const;
const PAGE = 50;

/** Who changed what, newest first. */
export default function Audit() {
  const t = useText(text);
  const { get, set } = useView();
  const range = get("range") ?? "week";
  const [pages, setPages] = useState(1);
  // On whole minutes: the same question for as long as one looks at it.
  const [now] = useState(() => Math.ceil(Date.now() / 60_000) * 60_000);
  const length = RANGES[range as keyof typeof RANGES];
  const filters = { resource_type: get("resource"), action: get("action"), user_type: get("by") };
  const records = useGet<Records>("/v1/audit-logs", {
    ...filters,
    start_time: length ? new Date(now - length).toISOString() : "1970-01-01T00:00:00.000Z",
    end_time: new Date(now + 86_400_000).toISOString(),
    page_size: Math.min(100, PAGE * pages),
  });
  const chosen = records.data?.records.find(({ sequence }) => String(sequence) === get("entry"));
  const isFiltered = Object.values(filters).some(Boolean);
  return (
    <Page title={t("title")} actions={<Export />}>
      <div className="row">
        <Select
          label={t("range")}
          value={range}
          options={[...(["hour", "day", "week", "month"] as const).map((value) => ({ value: value as string, text: t(value) })), { value: "all", text: t("all") }]}
          onChange={(event) => set({ range: event.target.value === "week" ? null : event.target.value })}
        />
        <Select
          label={t("action")}
          value={filters.action ?? ""}
          options={[{ value: "", text: t("anyAction") }, ...ACTIONS.map((value) => ({ value, text: value }))]}
          onChange={(event) => set({ action: event.target.value })}
        />
        <Select
          label={t("resource")}
          value={filters.resource_type ?? ""}
          options={[{ value: "", text: t("anyResource") }, ...RESOURCES.map((value) => ({ value, text: value }))]}
          onChange={(event) => set({ resource: event.target.value })}
        />
        <Select
          label={t("actor")}
          value={filters.user_type ?? ""}
          options={[{ value: "", text: t("anyActor") }, ...ACTORS.map((value) => ({ value, text: value === "user" ? t("person") : t(value) }))]}
          onChange={(event) => set({ by: event.target.value })}
        />
      </div>
      <Await of={records} rows={10}>
        {(list) =>
          list.records.length === 0 ? (
            <Empty title={t("emptyTitle")}>
              <p>{t("emptyDo")}</p>
              {(range !== "all" || isFiltered) && <Button onClick={() => set({ range: "all", action: null, resource: null, by: null })}>{t("wider")}</Button>}
            </Empty>
          ) : (
            <>
              <Table
                label={t("title")}
                rows={list.records}
                rowKey={(row) => String(row.sequence)}
                isOld={records.isPlaceholderData}
                onChoose={(row) => set({ entry: String(row.sequence) })}
                columns={[
                  { id: "when", title: t("when"), cell: (row) => <Time at={row.timestamp} /> },
                  { id: "what", title: t("what"), cell: (row) => <RowButton onClick={() => set({ entry: String(row.sequence) })}>{row.action}</RowButton> },
                  { id: "object", title: t("object"), cell: (row) => `${row.resource_type} ${row.resource_name}` },
                  { id: "who", title: t("who"), cell: (row) => (row.user_type === "user" ? t("person") : t(row.user_type)) },
                  { id: "from", title: t("from"), cell: (row) => <span className="mono">{row.client_ip || "—"}</span> },
                  { id: "status", title: t("status"), cell: (row) => <StatusBadge status={row.response_status_code} /> },
                ]}
              />
              {list.total > list.records.length && list.records.length < 100 && (
                <div>
                  <Button onClick={() => setPages(pages + 1)}>{t("more")}</Button>
                </div>
              )}
            </>
          )
        }
      </Await>
      <details className="details">
        <summary>{t("verify")}</summary>
        <div className="stack-s">
          <p>{t("verifyHint")}</p>
          <Code value={"tidegate audit verify --save audit-end.json\ntidegate audit verify --against audit-end.json"} label={t("verify")} />
        </div>
      </details>
      {chosen && <Entry of={chosen} onClose={() => set({ entry: null })} />}
    </Page>
  );
}

/** The whole log as a file. Through the API, so that a key that was typed in works as well. */
function Export() {
  const t = useText(text);
  const [error, setError] = useState<unknown>(null);
  const save = async () => {
    setError(null);
    try {
      const response = await send("/v1/audit-logs/export");
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = "audit-log.jsonl";
      link.click();
      URL.revokeObjectURL(url);
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <>
      <Button onClick={() => void save()}>
        <Download aria-hidden />
        {t("export")}
      </Button>
      {error !== null && (
        <div role="alert">
          {t("exportFailed")}
          <Failure error={error} />
        </div>
      )}
    </>
  );
}
