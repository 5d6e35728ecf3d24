import { type ProviderHealth, useProviderHealth } from "@/api/provider-health";
import { count, percent } from "@/format/number";
import { useText } from "@/i18n/language";
import { Badge, type Tone } from "@/ui/badge";
import { Await } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { text } from "./text";

const STATES: Readonly<Record<ProviderHealth["state"], readonly [Tone, string]>> = {
  ok: ["success", "✓"],
  degraded: ["warning", "▲"],
  down: ["danger", "✕"],
  unknown: ["plain", "◌"],
};

/** Whether providers are well, as this workspace's requests of the last minutes saw them. */
export function Providers() {
  const t = useText(text);
  const health = useProviderHealth();
  return (
    <section className="panel stack-s">
      <h2>{t("providers")}</h2>
      <p className="muted">{t("providersHint")}</p>
      <Await of={health} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <p className="muted">{t("noProviders")}</p>
          ) : (
            <Table
              label={t("providers")}
              rows={data}
              rowKey={(row) => row.provider}
              columns={[
                { id: "provider", title: t("provider"), sort: (row) => row.provider, cell: (row) => <span className="mono">{row.provider}</span> },
                { id: "state", title: t("state"), cell: (row) => <StateBadge of={row.state} /> },
                { id: "since", title: t("since"), cell: (row) => (row.since ? <Time at={row.since} /> : "—") },
                { id: "requests", title: t("sent"), isNumber: true, cell: (row) => count(row.requests) },
                { id: "faults", title: t("faults"), isNumber: true, cell: (row) => `${count(row.faults)} (${percent((row.faults * 100) / row.requests)})` },
              ]}
            />
          )
        }
      </Await>
    </section>
  );
}

function StateBadge({ of }: { readonly of: ProviderHealth["state"] }) {
  const t = useText(text);
  const [tone, mark] = STATES[of];
  return (
    <Badge tone={tone}>
      <span aria-hidden>{mark}</span> {t(`state_${of}`)}
    </Badge>
  );
}
