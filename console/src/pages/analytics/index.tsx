import { useMemo } from "react";
import { Link, useLocation, useParams } from "wouter";
import { FilterBar } from "@/filters/filter-bar";
import { useText } from "@/i18n/language";
import { GroupTable } from "@/metrics/group-table";
import { MetricChart } from "@/metrics/metric-chart";
import { GROUPS } from "@/metrics/group";
import { text as metricsText } from "@/metrics/text";
import { useAnalytics } from "@/api/analytics";
import { Page } from "@/ui/page";
import { RangePicker } from "@/ui/range-picker";
import { Failure } from "@/ui/state";
import { Tabs } from "@/ui/tabs";
import { parse, print, toApi } from "@/url/filter";
import { useRange } from "@/url/range";
import { useView } from "@/url/view";
import { SavedViews } from "@/views/saved-views";
import { Explore } from "./explore";
import { GroupPicker } from "./group-picker";
import { DEFINITIONS, type Definition, TABS, type TabId } from "./tabs";
import { text } from "./text";
import "./analytics.css";

/** Figures over time and by groups. Tabs are questions that somebody has often; Explore is all others. */
export default function Analytics() {
  const t = useText(text);
  const m = useText(metricsText);
  const [, go] = useLocation();
  const { tab: named } = useParams<{ tab?: string }>();
  const view = useView();
  const range = useRange("-24h");
  const filter = view.get("filter") ?? "";
  const terms = useMemo(() => parse(filter).terms, [filter]);
  const filters = useMemo(() => toApi(terms), [terms]);
  const tab: TabId = TABS.find((one) => one === named) ?? "overview";
  const group = view.get("group") ?? "model";
  const by = group === "none" || group.endsWith(".") ? undefined : group;
  const { from, to } = range;
  // Asked once, so that a gateway without these figures says so once.
  const served = useAnalytics({ metrics: ["requests"], bucket: "none", from, to, filters });
  const shared = { from, to, filters, terms, onBrush: range.between };
  const groupName = group.startsWith("metadata.") ? m("metadata", { key: group.slice("metadata.".length) }) : m(`group_${GROUPS.find((one) => one === group) ?? "model"}`);
  const search = view.all.size > 0 ? `?${view.all}` : "";
  return (
    <Page
      title={t("title")}
      actions={
        <>
          <GroupPicker group={group} onChange={(next) => view.set({ group: next === "model" ? null : next })} />
          <RangePicker range={range} />
          <SavedViews page="analytics" tab={tab === "overview" ? "" : tab} />
        </>
      }
    >
      <FilterBar terms={terms} onChange={(next) => view.set({ filter: print(next) })} />
      <Tabs label={t("tabs")} tabs={TABS.map((id) => ({ id, title: t(`tab_${id}`) }))} chosen={tab} onChoose={(id) => go(`/analytics/${id}${search}`)}>
        {served.error && !served.data ? (
          <Failure error={served.error} onRetry={() => void served.refetch()} />
        ) : tab === "explore" ? (
          <Explore {...shared} group={by} />
        ) : (
          <div className="stack">
            <div className="grid-2">
              {DEFINITIONS[tab].map((definition) => (
                <Chart key={definition.title} definition={definition} {...shared} group={by} />
              ))}
            </div>
            {by && (
              <div className="panel">
                <GroupTable
                  {...shared}
                  title={t("summary", { group: groupName })}
                  group={by}
                  groupName={groupName}
                  top={20}
                  columns={[
                    ["requests", t("requests")],
                    ["cost", t("cost")],
                    ["tokens", t("tokens")],
                    ["success_rate", t("successRate")],
                    ["errors", t("errors")],
                    ["latency", t("latencyMean")],
                    ["latency_p95", t("latencyBy")],
                    ["cache_hit_rate", t("hitRate")],
                  ]}
                />
              </div>
            )}
          </div>
        )}
      </Tabs>
    </Page>
  );
}

type Shared = Omit<Parameters<typeof Explore>[0], "group">;

function Chart({ definition, group, ...shared }: { readonly definition: Definition; readonly group: string | undefined } & Shared) {
  const t = useText(text);
  const by = definition.group ?? (definition.isGrouped ? group : undefined);
  const names = definition.names?.map((name) => (/^p\d+$/.test(name) ? name : t(name as keyof typeof text.en)));
  const explored = new URLSearchParams({ metric: definition.metrics[0] ?? "requests", form: definition.kind, ...(by ? { group: by } : {}) });
  return (
    <div className="panel">
      <MetricChart {...shared} title={t(definition.title)} metrics={definition.metrics} kind={definition.kind} group={by} {...(names ? { names } : {})} />
      <Link className="muted" href={`/analytics/explore?${explored}`}>
        {t("explore")}
      </Link>
    </div>
  );
}
