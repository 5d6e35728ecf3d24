import { useState } from "react";
import { Link } from "wouter";
import { useGet, useSend } from "@/api/hooks";
import { type Session, useHere, useWorkspaceParam } from "@/api/session";
import { count, money } from "@/format/number";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ErrorLine } from "@/manage/form";
import { Meter } from "@/manage/meter";
import type { ApiKey } from "@/manage/shapes";
import { State } from "@/manage/status";
import { text as manage } from "@/manage/text";
import { budgetWords, ratesWords } from "@/manage/words";
import { StatusBadge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Code } from "@/ui/code";
import { Dialog } from "@/ui/dialog";
import { Page } from "@/ui/page";
import { Await, Empty } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { text } from "./text";

/** What somebody has and uses: keys, limits, requests. */
export default function Me() {
  const t = useText(text);
  const { account, workspace } = useHere();
  const session = useGet<Session>("/v1/session", {}, { enabled: account.kind === "session" });
  return (
    <Page title={t("title")}>
      {account.kind === "key" ? (
        <p>{t("withKey")}</p>
      ) : (
        <Await of={session}>
          {({ user, scopes }) => (
            <>
              <section className="panel">
                <h2>{t("account")}</h2>
                <dl className="facts">
                  <dt>{t("name")}</dt>
                  <dd>{account.name}</dd>
                  <dt>{t("email")}</dt>
                  <dd>{user.email}</dd>
                  <dt>{t("role")}</dt>
                  <dd>{user.role}</dd>
                  <dt>{t("workspace")}</dt>
                  <dd>{workspace.name}</dd>
                </dl>
                <details className="details">
                  <summary>{t("scopes")}</summary>
                  <p className="mono">{[...scopes].sort().join(", ")}</p>
                </details>
              </section>
              <Own user={user} />
            </>
          )}
        </Await>
      )}
    </Page>
  );
}

function Own({ user }: { readonly user: Session["user"] }) {
  const t = useText(text);
  const m = useText(manage);
  const place = useWorkspaceParam();
  const keys = useAll<ApiKey>("/v1/api-keys", { ...place, user_id: user.id });
  const [secret, setSecret] = useState<string | null>(null);
  const create = useSend<null, { readonly key: string }>(
    () => ({
      path: "/v1/api-keys/workspace/user",
      method: "POST",
      body: { ...place, name: t("keyName", { name: user.email }), user_id: user.id, scopes: ["completions.write"] },
    }),
    ["/v1/api-keys"],
  );
  const button = (
    <Button kind="primary" disabled={create.isPending} onClick={() => create.mutate(null, { onSuccess: ({ key }) => setSecret(key) })}>
      {t("create")}
    </Button>
  );
  return (
    <>
      <section className="stack-s" aria-labelledby="my-keys">
        <div className="row">
          <h2 id="my-keys">{t("keys")}</h2>
          <span className="push">{button}</span>
        </div>
        <ErrorLine error={create.error} />
        <Await of={keys} rows={2}>
          {(list) => {
            const own = list.data.filter((key) => key.user_id === user.id);
            if (own.length === 0) {
              return (
                <Empty title={t("noKeys")}>
                  <p>{t("noKeysDo")}</p>
                </Empty>
              );
            }
            return (
              <>
                <Table
                  label={t("keys")}
                  rows={own}
                  rowKey={(row) => row.id}
                  columns={[
                    { id: "name", title: m("name"), cell: (row) => row.name },
                    { id: "key", title: t("key"), cell: (row) => <span className="mono">{row.key}</span> },
                    { id: "status", title: m("status"), cell: (row) => <State of={row.status} /> },
                    { id: "limits", title: m("rateLimits"), cell: (row) => ratesWords(row.rate_limits, m) },
                    {
                      id: "budget",
                      title: m("budget"),
                      cell: (row) => (row.current_usage?.[0] ? <Meter of={row.current_usage[0]} /> : row.usage_limits ? budgetWords(row.usage_limits, m) : "—"),
                    },
                    { id: "used", title: m("lastUsed"), cell: (row) => (row.last_used_at ? <Time at={row.last_used_at} /> : m("never")) },
                  ]}
                />
                <Requests keys={own.map(({ id }) => id)} />
              </>
            );
          }}
        </Await>
      </section>
      {secret !== null && (
        <Dialog title={t("made")} onClose={() => setSecret(null)}>
          <div className="stack">
            <p>{m("copyOnce")}</p>
            <Code value={secret} label={t("key")} />
            <Code
              value={`curl ${location.origin}/v1/chat/completions \\\n  -H 'authorization: Bearer ${secret}' -H 'content-type: application/json' \\\n  -d '{"model": "@demo/echo", "messages": [{"role": "user", "content": "Hello!"}]}'`}
              label={t("tryIt")}
            />
          </div>
        </Dialog>
      )}
    </>
  );
}

interface Log {
  readonly id: string;
  readonly created_at: string;
  readonly response_status_code: number;
  readonly ai_model: string;
  readonly total_units: number;
  /** US cents. */
  readonly cost: number | null;
  readonly unpriced: boolean;
}

const NEWEST = 20;

function Requests({ keys }: { readonly keys: readonly string[] }) {
  const t = useText(text);
  const place = useWorkspaceParam();
  const logs = useGet<{ readonly data: readonly Log[] }>("/v1/logs", { ...place, api_key_ids: keys, page_size: NEWEST });
  if (logs.error?.status === 403) return <p className="muted">{t("deniedLogs")}</p>;
  return (
    <section className="stack-s" aria-labelledby="my-requests">
      <div className="row">
        <h2 id="my-requests">{t("requests")}</h2>
        <Link className="button push" href={`/logs?filter=key:${keys.join(",")}`}>
          {t("seeAll")}
        </Link>
      </div>
      <p className="muted">{t("requestsHint")}</p>
      <Await of={logs} rows={3}>
        {({ data }) => {
          if (data.length === 0) return <p className="muted">{t("noRequests")}</p>;
          const tokens = data.reduce((total, { total_units }) => total + total_units, 0);
          const priced = data.filter(({ cost }) => cost !== null);
          const cost = priced.length > 0 ? priced.reduce((total, one) => total + (one.cost ?? 0), 0) / 100 : null;
          return (
            <>
              <p>{t("recent", { count: data.length, tokens: count(tokens), cost: money(cost) })}</p>
              <Table
                label={t("requests")}
                rows={data}
                rowKey={(row) => row.id}
                columns={[
                  { id: "when", title: t("when"), cell: (row) => <Time at={row.created_at} /> },
                  { id: "status", title: t("status"), cell: (row) => <StatusBadge status={row.response_status_code} /> },
                  { id: "model", title: t("model"), cell: (row) => <Link href={`/logs/${row.id}`}>{row.ai_model || "—"}</Link> },
                  { id: "tokens", title: t("tokens"), isNumber: true, cell: (row) => count(row.total_units) },
                  {
                    id: "cost",
                    title: t("cost"),
                    isNumber: true,
                    cell: (row) => <span title={row.unpriced ? t("unpriced") : undefined}>{money(row.cost === null ? null : row.cost / 100)}</span>,
                  },
                ]}
              />
            </>
          );
        }}
      </Await>
    </section>
  );
}
