import type { Log } from "@/api/logs";
import { count, money, UNKNOWN } from "@/format/number";
import { useText } from "@/i18n/language";
import { Empty } from "@/ui/state";
import { Table } from "@/ui/table";
import { text } from "./text";

const NAMED = ["input", "cache_read", "cache_write", "output", "reasoning"] as const;

interface Row {
  readonly meter: string;
  readonly units: number | null;
  /** An exact decimal. */
  readonly amount: string | null;
}

/** What each kind of token cost, to the digits that were charged. */
export function Cost({ log }: { readonly log: Log }) {
  const t = useText(text);
  const { cost, cost_parts: parts, usage, unpriced, saved, cost_estimated, usage_estimated, attempts } = log.tidegate;
  const name = (meter: string) => (NAMED.some((one) => one === meter) ? t(`meter_${meter as (typeof NAMED)[number]}`) : meter);
  const rows: readonly Row[] = parts.length > 0 ? parts.map(([meter, amount]) => ({ meter, amount, units: usage?.[meter] ?? null })) : Object.entries(usage ?? {}).flatMap(([meter, units]) => (units && meter !== "reported_total" ? [{ meter, units, amount: null }] : []));
  if (attempts.length === 0 && rows.length === 0) return <p className="muted">{t("noCost")}</p>;
  return (
    <div className="stack">
      {unpriced && (
        <Empty title={t("noPrice")}>
          <p>{t("noPriceDo")}</p>
        </Empty>
      )}
      {(cost_estimated || usage_estimated) && <p>{t("estimated")}</p>}
      {rows.length > 0 && (
        <Table
          label={t("tab_cost")}
          rows={rows}
          rowKey={(row) => row.meter}
          columns={[
            { id: "meter", title: t("meter"), cell: (row) => name(row.meter) },
            { id: "units", title: t("units"), isNumber: true, cell: (row) => count(row.units) },
            { id: "price", title: t("unitPrice"), isNumber: true, cell: (row) => (row.amount && row.units ? money((Number(row.amount) / row.units) * 1e6) : UNKNOWN) },
            { id: "amount", title: t("amount"), isNumber: true, cell: (row) => (row.amount ? <span title={row.amount}>{money(Number(row.amount))}</span> : UNKNOWN) },
          ]}
        />
      )}
      <dl className="facts">
        <dt>{t("total")}</dt>
        <dd title={cost}>{cost ? money(Number(cost)) : UNKNOWN}</dd>
        {saved && (
          <>
            <dt>{t("saved")}</dt>
            <dd>{money(Number(saved))}</dd>
          </>
        )}
      </dl>
    </div>
  );
}
