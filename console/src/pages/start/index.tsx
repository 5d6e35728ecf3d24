import { Check, Play } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { Link } from "wouter";
import { apiTime } from "@/api/analytics";
import { useCallKey } from "@/api/call-key";
import { useGet } from "@/api/hooks";
import { type LogPage, type LogRow, modelOf } from "@/api/logs";
import { useWorkspaceParam } from "@/api/session";
import { count, duration } from "@/format/number";
import { useText } from "@/i18n/language";
import { pages } from "@/pages";
import { Badge, StatusBadge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Code } from "@/ui/code";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/state";
import { Table } from "@/ui/table";
import { Tabs } from "@/ui/tabs";
import { Time } from "@/ui/time";
import { Answerer } from "./answerer";
import { CLIENTS, type ClientId, hello, snippet } from "./snippets";
import { text } from "./text";
import "./start.css";

const EVERY_MS = 1_000;
/** So many requests at most, and the gateway is new: all of them are somebody's first ones. */
const FEW = 10;

/** From nothing to the first request in sight: who answers, a key and a call, and the call in the log. */
export default function Start() {
  const t = useText(text);
  const workspace = useWorkspaceParam();
  const { key, make } = useCallKey();
  const [model, setModel] = useState("@demo/echo");
  const [client, setClient] = useState<ClientId>("curl");
  const [ran, setRan] = useState<{ status: number; ms: number } | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // Elsewhere, what was there before somebody came is no first request.
  const [since] = useState(() => apiTime(Date.now() - 5_000));
  const logs = useGet<LogPage>("/v1/logs", { ...workspace, page_size: FEW }, { every: EVERY_MS });
  const rows = logs.data ? logs.data.data.filter((row) => logs.data.total <= FEW || row.created_at >= since) : [];
  const step = rows.length > 0 ? 3 : key ? 2 : 1;
  const shown = useMemo(() => snippet(client, { origin: location.origin, key: key ?? "tg-…", model }), [client, key, model]);
  const work = async (what: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await what();
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const run = () =>
    work(async () => {
      const used = key ?? (await make());
      const begun = performance.now();
      const headers = { "content-type": "application/json", "x-portkey-api-key": used };
      const response = await fetch("/v1/chat/completions", { method: "POST", headers, body: JSON.stringify(hello(model)), credentials: "omit" });
      await response.text();
      setRan({ status: response.status, ms: performance.now() - begun });
    });
  return (
    <Page title={t("title")} actions={<Badge>{t("progress", { n: step })}</Badge>}>
      <Step n={1} title={t("step1")} isDone>
        <Answerer onModel={setModel} />
      </Step>
      <Step n={2} title={t("step2")} isDone={ran !== null || rows.length > 0}>
        <p>{t("keyDo")}</p>
        {key ? (
          <p className="muted">✓ {t("keyOnce")}</p>
        ) : (
          <div>
            <Button kind="primary" disabled={isBusy} onClick={() => void work(async () => void (await make()))}>
              {t("keyMake")}
            </Button>
          </div>
        )}
        <Tabs label={t("client")} tabs={CLIENTS.map(({ id, name }) => ({ id, title: name }))} chosen={client} onChoose={setClient}>
          <Code value={shown} label={t("client")} />
        </Tabs>
        <div className="row">
          <Button kind={key ? "primary" : "usual"} disabled={isBusy} onClick={() => void run()}>
            <Play aria-hidden />
            {isBusy ? t("running") : t("run")}
          </Button>
          {ran && <span role="status">{t("ran", { status: ran.status, time: duration(ran.ms) })}</span>}
        </div>
        {error !== null && <Failure error={error} />}
      </Step>
      <Step n={3} title={t("step3")} isDone={rows.length > 0}>
        {logs.error ? (
          <Failure error={logs.error} onRetry={() => void logs.refetch()} />
        ) : rows.length === 0 ? (
          <p role="status" className="muted">
            ◌ {t("waiting")}
          </p>
        ) : (
          <Requests rows={rows} />
        )}
      </Step>
      <section className="panel">
        <h2>{t("next")}</h2>
        <ul className="next">
          <Next page="keys" at="/new?limited=1">
            {t("nextLimit")}
          </Next>
          <Next page="configs">{t("nextConfig")}</Next>
          <Next page="members">{t("nextInvite")}</Next>
          <Next page="providers">{t("nextProvider")}</Next>
          <Next page="logs">{t("openLogs")}</Next>
        </ul>
      </section>
    </Page>
  );
}

/** Only to pages that are there. */
function Next({ page, at = "", children }: { readonly page: string; readonly at?: string; readonly children: ReactNode }) {
  const found = pages.find(({ id }) => id === page);
  return found ? (
    <li>
      <Link href={`${found.path.replace(/\/:.*/, "")}${at}`}>{children}</Link>
    </li>
  ) : null;
}

function Requests({ rows }: { readonly rows: readonly LogRow[] }) {
  const t = useText(text);
  return (
    <Table
      label={t("recent")}
      rows={rows}
      rowKey={(row) => row.id}
      columns={[
        { id: "time", title: t("arrived"), cell: (row) => <Link href={`/logs/${row.id}`}><Time at={row.created_at} /></Link> },
        { id: "status", title: "", cell: (row) => <StatusBadge status={row.response_status_code} /> },
        { id: "model", title: t("model"), cell: (row) => modelOf(row) },
        { id: "tokens", title: "", isNumber: true, cell: (row) => `${count(row.req_units)} → ${count(row.res_units)}` },
        { id: "time-taken", title: "", isNumber: true, cell: (row) => (row.response_time === 0 ? "<1 ms" : duration(row.response_time)) },
      ]}
    />
  );
}

function Step({ n, title, isDone, children }: { readonly n: number; readonly title: string; readonly isDone: boolean; readonly children: ReactNode }) {
  return (
    <section className="panel step" aria-labelledby={`step-${n}`}>
      <span className={isDone ? "step-mark step-done" : "step-mark"} aria-hidden>
        {isDone ? <Check size={16} /> : n}
      </span>
      <div className="stack">
        <h2 id={`step-${n}`}>{title}</h2>
        {children}
      </div>
    </section>
  );
}
