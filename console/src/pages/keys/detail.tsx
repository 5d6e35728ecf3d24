import { useState } from "react";
import { Link } from "wouter";
import { useGet, useSend } from "@/api/hooks";
import { relative } from "@/format/time";
import { useLanguage, useText } from "@/i18n/language";
import { useRefresh } from "@/manage/all";
import { Meter } from "@/manage/meter";
import { State } from "@/manage/status";
import type { ApiKey } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { ratesWords } from "@/manage/words";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Confirm, Sheet } from "@/ui/dialog";
import { SelectField } from "@/ui/field";
import { Await, Failure } from "@/ui/state";
import { Time } from "@/ui/time";
import { bodyOf, draftOfKey } from "./draft";
import { KeyForm } from "./key-form";
import { text } from "./text";

interface Props {
  readonly id: string;
  readonly onClose: () => void;
  readonly onSecret: (name: string, secret: string) => void;
}

/** One key: how it stands, and what can be done with it. */
export function KeyDetail({ id, onClose, onSecret }: Props) {
  const t = useText(text);
  const key = useGet<ApiKey>(`/v1/api-keys/${id}`);
  const [isEditing, setEditing] = useState(false);
  const change = useSend<Readonly<Record<string, unknown>>>((body) => ({ path: `/v1/api-keys/${id}`, method: "PUT", body }), ["/v1/api-keys"]);
  const m = useText(manage);
  if (isEditing && key.data) {
    return (
      <KeyForm
        title={key.data.name}
        action={m("save")}
        isNew={false}
        start={draftOfKey(key.data)}
        isBusy={change.isPending}
        error={change.error}
        onSubmit={(draft) => change.mutate(bodyOf(draft), { onSuccess: () => setEditing(false) })}
        onClose={() => {
          change.reset();
          setEditing(false);
        }}
      />
    );
  }
  return (
    <Sheet title={key.data?.name ?? t("loading")} onClose={onClose}>
      <Await of={key}>{(found) => <Facts of={found} onEdit={() => setEditing(true)} onClose={onClose} onSecret={onSecret} />}</Await>
    </Sheet>
  );
}

function Facts({ of, onEdit, onClose, onSecret }: { readonly of: ApiKey; readonly onEdit: () => void } & Pick<Props, "onClose" | "onSecret">) {
  const t = useText(text);
  const m = useText(manage);
  const [asking, setAsking] = useState<"rotate" | "revoke" | "reset" | null>(null);
  const isOver = of.status === "revoked";
  return (
    <div className="stack">
      <div className="row">
        <Button kind="primary" disabled={isOver} onClick={onEdit}>
          {m("edit")}
        </Button>
        <Button disabled={isOver} onClick={() => setAsking("rotate")}>
          {t("rotate")}
        </Button>
        {of.usage_limits && <Button onClick={() => setAsking("reset")}>{t("reset")}</Button>}
        <Button kind="danger" disabled={isOver} onClick={() => setAsking("revoke")}>
          {t("revoke")}
        </Button>
      </div>
      <dl className="facts">
        <dt>{m("status")}</dt>
        <dd>
          <State of={of.status} />
        </dd>
        <dt>{t("key")}</dt>
        <dd className="mono">{of.key}</dd>
        <dt>ID</dt>
        <dd className="row">
          <span className="mono">{of.id}</span>
          <CopyButton value={of.id} what="ID" />
        </dd>
        <dt>{t("usage")}</dt>
        <dd>{of.current_usage && of.current_usage.length > 0 ? of.current_usage.map((used) => <Meter key={used.type} of={used} />) : t("noBudget")}</dd>
        {of.current_usage?.[0]?.next_usage_reset_at && (
          <>
            <dt>{m("resets")}</dt>
            <dd>
              <Time at={of.current_usage[0].next_usage_reset_at} />
            </dd>
          </>
        )}
        <dt>{m("rateLimits")}</dt>
        <dd>{ratesWords(of.rate_limits, m)}</dd>
        <dt>{t("scopes")}</dt>
        <dd className="mono">{of.scopes.join(", ")}</dd>
        <dt>{t("config")}</dt>
        <dd>{of.defaults.config_id ? <Link href={`/configs/${of.defaults.config_id}`}>{of.defaults.config_id}</Link> : t("noConfig")}</dd>
        <dt>{t("metadata")}</dt>
        <dd className="mono">
          {Object.entries(of.defaults.metadata)
            .map(([name, value]) => `${name}=${value}`)
            .join(", ") || "—"}
        </dd>
        <dt>{t("expires")}</dt>
        <dd>{of.expires_at ? <Time at={of.expires_at} /> : m("never")}</dd>
        <dt>{m("lastUsed")}</dt>
        <dd>{of.last_used_at ? <Time at={of.last_used_at} /> : m("never")}</dd>
        <dt>{m("created")}</dt>
        <dd>
          <Time at={of.created_at} />
        </dd>
      </dl>
      <Link className="button" href={`/logs?filter=key:${of.id}`}>
        {t("logs")}
      </Link>
      {asking === "rotate" && <Rotate of={of} onClose={() => setAsking(null)} onSecret={onSecret} />}
      {asking === "revoke" && <Revoke of={of} onClose={() => setAsking(null)} onDone={onClose} />}
      {asking === "reset" && <Reset of={of} onClose={() => setAsking(null)} />}
    </div>
  );
}

const HALF_HOUR = 30 * 60_000;

function Rotate({ of, onClose, onSecret }: { readonly of: ApiKey; readonly onClose: () => void; readonly onSecret: Props["onSecret"] }) {
  const t = useText(text);
  const [overlap, setOverlap] = useState(HALF_HOUR);
  const rotate = useSend<number, { readonly key: string }>(
    (ms) => ({ path: `/v1/api-keys/${of.id}/rotate`, method: "POST", body: { key_transition_period_ms: ms } }),
    ["/v1/api-keys"],
  );
  return (
    <Confirm
      title={t("rotateTitle", { name: of.name })}
      action={t("rotate")}
      isBusy={rotate.isPending}
      onClose={onClose}
      onConfirm={() =>
        rotate.mutate(overlap, {
          onSuccess: ({ key }) => {
            onClose();
            onSecret(of.name, key);
          },
        })
      }
    >
      <div className="stack">
        <p>{t("rotateWords")}</p>
        <SelectField
          label={t("overlap")}
          value={overlap}
          options={[
            { value: String(HALF_HOUR), text: t("halfHour") },
            { value: String(24 * 3_600_000), text: t("aDay") },
            { value: String(7 * 24 * 3_600_000), text: t("aWeek") },
          ]}
          onChange={(event) => setOverlap(Number(event.target.value))}
        />
        {rotate.error && <Failure error={rotate.error} />}
      </div>
    </Confirm>
  );
}

function Revoke({ of, onClose, onDone }: { readonly of: ApiKey; readonly onClose: () => void; readonly onDone: () => void }) {
  const t = useText(text);
  const { language } = useLanguage();
  const refresh = useRefresh("/v1/api-keys");
  const revoke = useSend<null>(() => ({ path: `/v1/api-keys/${of.id}`, method: "DELETE" }));
  const done = () => {
    onDone();
    refresh();
  };
  const used = of.last_used_at ? t("revokeUsed", { when: relative(of.last_used_at, Date.now(), language) }) : t("revokeUnused");
  return (
    <Confirm
      title={t("revokeTitle", { name: of.name })}
      action={t("revoke")}
      isDangerous
      isBusy={revoke.isPending}
      onClose={onClose}
      onConfirm={() => revoke.mutate(null, { onSuccess: done })}
    >
      <div className="stack">
        <p>{t("revokeWords", { used })}</p>
        {revoke.error && <Failure error={revoke.error} />}
      </div>
    </Confirm>
  );
}

function Reset({ of, onClose }: { readonly of: ApiKey; readonly onClose: () => void }) {
  const t = useText(text);
  const reset = useSend<null>(() => ({ path: `/v1/api-keys/${of.id}`, method: "PUT", body: { reset_usage: true } }), ["/v1/api-keys"]);
  return (
    <Confirm
      title={t("resetTitle", { name: of.name })}
      action={t("reset")}
      isBusy={reset.isPending}
      onClose={onClose}
      onConfirm={() => reset.mutate(null, { onSuccess: onClose })}
    >
      <div className="stack">
        <p>{t("resetWords")}</p>
        {reset.error && <Failure error={reset.error} />}
      </div>
    </Confirm>
  );
}
