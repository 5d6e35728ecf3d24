import { Plus, X } from "lucide-react";
import { useMemo, useState } from "react";
import { useGet, useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { money } from "@/format/number";
import { useText } from "@/i18n/language";
import { ManageList } from "@/manage/list";
import type { Integration, IntegrationModels, ModelRow } from "@/manage/shapes";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CheckField } from "@/ui/field";
import { Empty, Failure } from "@/ui/state";
import type { Column } from "@/ui/table";
import { type NewModel, PriceForm } from "./price-form";
import { type Prices, pricesOf } from "./prices";
import { text } from "./text";

type PriceFile = Readonly<Record<string, { readonly pricing_config: unknown }>>;
interface Change {
  readonly models: readonly NewModel[];
  readonly allow_all_models?: boolean;
}

/** The models of one integration: which may be called, and what they cost. */
export function ModelList({ of }: { readonly of: Integration }) {
  const t = useText(text);
  const place = useWorkspaceParam();
  const path = `/v1/integrations/${of.id}/models`;
  const models = useGet<IntegrationModels>(path, place);
  // Of a provider without prices there is no file.
  const file = useGet<PriceFile>(`/pricing/${of.ai_provider_id}.json`);
  const [editing, setEditing] = useState<"new" | ModelRow | null>(null);
  const change = useSend<Change>((body) => ({ path, method: "PUT", query: place, body }), [path]);
  const forget = useSend<string>((slugs) => ({ path, method: "DELETE", query: { ...place, slugs } }), [path]);
  const prices = useMemo(() => {
    const known = new Map<string, Prices>();
    for (const [slug, entry] of Object.entries(file.data ?? {})) {
      const found = pricesOf(entry.pricing_config);
      if (found) known.set(slug, found);
    }
    return known;
  }, [file.data]);
  const priceOf = (row: ModelRow) => pricesOf(row.pricing_config) ?? prices.get(row.slug) ?? prices.get(row.base_model_slug ?? "") ?? null;
  const figure = (row: ModelRow, which: keyof Prices) => {
    const price = priceOf(row)?.[which];
    return price === null || price === undefined ? <span title={which === "cached" ? undefined : t("noPrice")}>—</span> : money(price);
  };
  const columns: readonly Column<ModelRow>[] = [
    {
      id: "on",
      title: t("isOn"),
      cell: (row) => (
        <input
          type="checkbox"
          className="tick"
          aria-label={t("mayCall", { model: row.slug })}
          checked={row.enabled}
          disabled={change.isPending}
          onChange={() => change.mutate({ models: [{ slug: row.slug, enabled: !row.enabled }] })}
        />
      ),
    },
    {
      id: "model",
      title: t("model"),
      sort: (row) => row.slug,
      cell: (row) => (
        <span className="row">
          <span className="mono">{row.slug}</span>
          {row.is_custom && <Badge tone="info">{t("custom")}</Badge>}
          {pricesOf(row.pricing_config) && <Badge tone="purple">{t("own")}</Badge>}
        </span>
      ),
    },
    { id: "input", title: t("input"), isNumber: true, sort: (row) => priceOf(row)?.input, cell: (row) => figure(row, "input") },
    { id: "output", title: t("output"), isNumber: true, sort: (row) => priceOf(row)?.output, cell: (row) => figure(row, "output") },
    { id: "cached", title: t("cached"), isNumber: true, sort: (row) => priceOf(row)?.cached, cell: (row) => figure(row, "cached") },
    {
      id: "do",
      title: <span className="unseen">{t("setPrice")}</span>,
      cell: (row) => (
        <span className="row">
          <Button aria-label={t("setPriceOf", { model: row.slug })} onClick={() => setEditing(row)}>
            {t("setPrice")}
          </Button>
          {row.is_custom && (
            <Button kind="plain" icon label={t("forget", { model: row.slug })} disabled={forget.isPending} onClick={() => forget.mutate(row.slug)}>
              <X aria-hidden />
            </Button>
          )}
        </span>
      ),
    },
  ];
  const asked = {
    data: models.data && { object: "list" as const, data: models.data.models },
    error: models.error,
    isPending: models.isPending,
    refetch: models.refetch,
  };
  const close = () => {
    change.reset();
    setEditing(null);
  };
  return (
    <>
      {models.data && (
        <div>
          <CheckField
            label={t("onlyListed")}
            checked={!models.data.allow_all_models}
            disabled={change.isPending}
            onChange={(event) => change.mutate({ models: [], allow_all_models: !event.target.checked })}
          />
          <p className="muted">{t("onlyListedHint")}</p>
        </div>
      )}
      {editing === null && (change.error || forget.error) && <Failure error={change.error ?? forget.error} />}
      <ManageList
        of={asked}
        label={t("title")}
        columns={columns}
        rowKey={(row) => row.slug}
        words={(row) => row.slug}
        filters={
          <Button onClick={() => setEditing("new")}>
            <Plus aria-hidden />
            {t("add")}
          </Button>
        }
        empty={<Empty title={t("noModels")} />}
      />
      <p className="muted">{t("perMillion")}</p>
      {editing !== null && (
        <PriceForm
          {...(editing === "new" ? {} : { of: editing })}
          isBusy={change.isPending}
          error={change.error}
          onSave={(model) => change.mutate({ models: [model] }, { onSuccess: close })}
          onClose={close}
        />
      )}
    </>
  );
}
