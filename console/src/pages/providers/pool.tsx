import { Plus, X } from "lucide-react";
import { useState } from "react";
import { useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { ErrorLine, errorOf } from "@/manage/form";
import type { PoolKey } from "@/manage/shapes";
import { State } from "@/manage/status";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { Failure } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { text } from "./text";

interface Props {
  /** What holds the keys: an integration, or the provider itself. */
  readonly path: string;
  readonly name: string;
  readonly keys: readonly PoolKey[];
}

type Entry = { readonly id: string } | { readonly key: string; readonly label: string; readonly weight: number };

/** The keys of a provider: one, or several that share its requests. */
export function Pool({ path, name, keys }: Props) {
  const t = useText(text);
  const m = useText(manage);
  const [asking, setAsking] = useState<"add" | "rotate" | PoolKey | null>(null);
  const place = useWorkspaceParam();
  const put = useSend<readonly Entry[] | string>(
    (next) => ({ path, method: "PUT", query: place, body: typeof next === "string" ? { key: next } : { credentials: next } }),
    ["/v1/providers", "/v1/integrations"],
  );
  const kept = (but?: PoolKey) => keys.filter((key) => key !== but).map(({ id }) => ({ id }));
  const close = () => {
    put.reset();
    setAsking(null);
  };
  return (
    <section className="panel stack-s">
      <div className="row">
        <h2>{t("pool")}</h2>
        <span className="push row">
          {keys.length <= 1 && <Button onClick={() => setAsking("rotate")}>{t("rotate")}</Button>}
          <Button onClick={() => setAsking("add")}>
            <Plus aria-hidden />
            {t("addKey")}
          </Button>
        </span>
      </div>
      <p className="muted">{t("poolHint")}</p>
      {keys.length > 0 && (
        <Table
          label={t("pool")}
          rows={keys}
          rowKey={(row) => row.id}
          columns={[
            { id: "key", title: t("key"), cell: (row) => <span className="mono">{row.masked_key}</span> },
            { id: "label", title: t("label"), cell: (row) => row.label || "—" },
            { id: "weight", title: t("weight"), isNumber: true, cell: (row) => row.weight },
            { id: "status", title: m("status"), cell: (row) => <State of={row.status} /> },
            { id: "created", title: m("created"), cell: (row) => <Time at={row.created_at} /> },
            {
              id: "remove",
              title: <span className="unseen">{m("remove")}</span>,
              cell: (row) =>
                keys.length > 1 && (
                  <Button kind="plain" icon label={t("removeKey")} onClick={() => setAsking(row)}>
                    <X aria-hidden />
                  </Button>
                ),
            },
          ]}
        />
      )}
      {asking === "rotate" && <OneKey title={t("rotateTitle", { name })} hint={t("rotateHint")} put={put} onClose={close} onKey={(key) => put.mutate(key, { onSuccess: close })} />}
      {asking === "add" && (
        <OneKey
          title={t("addKeyTitle", { name })}
          hint={t("poolHint")}
          isPool
          put={put}
          onClose={close}
          onKey={(key, label, weight) => put.mutate([...kept(), { key, label, weight }], { onSuccess: close })}
        />
      )}
      {asking !== null && typeof asking === "object" && (
        <Confirm
          title={t("removeKeyTitle", { key: asking.label || asking.masked_key })}
          action={m("remove")}
          isDangerous
          isBusy={put.isPending}
          onClose={close}
          onConfirm={() => put.mutate(kept(asking), { onSuccess: close })}
        >
          <p>{t("removeKeyWords", { left: keys.length - 1 })}</p>
          {put.error && <Failure error={put.error} />}
        </Confirm>
      )}
    </section>
  );
}

interface OneKeyProps {
  readonly title: string;
  readonly hint: string;
  readonly isPool?: boolean;
  readonly put: { readonly error: unknown; readonly isPending: boolean };
  readonly onKey: (key: string, label: string, weight: number) => void;
  readonly onClose: () => void;
}

function OneKey({ title, hint, isPool = false, put, onKey, onClose }: OneKeyProps) {
  const t = useText(text);
  const m = useText(manage);
  const [key, setKey] = useState("");
  const [label, setLabel] = useState("");
  const [weight, setWeight] = useState("1");
  const isWeight = /^\d{1,7}$/.test(weight) && Number(weight) <= 1_000_000;
  return (
    <Confirm
      title={title}
      action={m("save")}
      isBusy={put.isPending || key.trim() === "" || !isWeight}
      onClose={onClose}
      onConfirm={() => onKey(key.trim(), label.trim(), Number(weight))}
    >
      <div className="form">
        <p>{hint}</p>
        <TextField
          label={t("newKey")}
          type="password"
          autoComplete="off"
          required
          value={key}
          error={errorOf(put.error, "key", "credentials")}
          onChange={(event) => setKey(event.target.value)}
        />
        {isPool && (
          <div className="row">
            <TextField label={t("label")} value={label} onChange={(event) => setLabel(event.target.value)} />
            <TextField label={t("weight")} inputMode="numeric" value={weight} error={isWeight ? null : t("wholeNumber")} onChange={(event) => setWeight(event.target.value)} />
          </div>
        )}
        <ErrorLine error={put.error} shown={["key", "credentials"]} />
      </div>
    </Confirm>
  );
}
