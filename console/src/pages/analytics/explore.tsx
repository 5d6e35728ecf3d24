import { BellRing } from "lucide-react";
import { Link } from "wouter";
import { useMetrics } from "@/api/analytics";
import { useLanguage, useText } from "@/i18n/language";
import { MetricChart } from "@/metrics/metric-chart";
import { CheckField, Select } from "@/ui/field";
import { Await } from "@/ui/state";
import { useParam } from "@/url/view";
import { print, type Term } from "@/url/filter";
import { text } from "./text";

interface Props {
  readonly group: string | undefined;
  readonly from: number;
  readonly to: number;
  readonly filters: Readonly<Record<string, string>>;
  readonly terms: readonly Term[];
  readonly onBrush: (from: number, to: number) => void;
}

const BUCKETS = ["auto", "minute", "hour", "day"] as const;
const FORMS = ["line", "area", "bar"] as const;

/** Any metric by anything. The question stands in the address. */
export function Explore(props: Props) {
  const t = useText(text);
  const { language } = useLanguage();
  const metrics = useMetrics();
  const [metric, setMetric] = useParam("metric", "requests");
  const [bucket, setBucket] = useParam("bucket", "auto");
  const [form, setForm] = useParam("form", "area");
  const [top, setTop] = useParam("top", "8");
  const [cumulative, setCumulative] = useParam("cumulative");
  const [log, setLog] = useParam("log");
  return (
    <Await of={metrics}>
      {({ data }) => {
        const chosen = data.find((one) => one.id === metric) ?? data[0];
        if (!chosen) return null;
        const name = language === "en" ? chosen.name : chosen.name_zh;
        return (
          <div className="stack">
            <div className="row">
              <Select label={t("metric")} value={chosen.id} options={data.map((one) => ({ value: one.id, text: language === "en" ? one.name : one.name_zh }))} onChange={(event) => setMetric(event.target.value)} />
              <Select label={t("bucket")} value={bucket} options={BUCKETS.map((one) => ({ value: one, text: t(`bucket_${one}`) }))} onChange={(event) => setBucket(event.target.value)} />
              <Select label={t("topLabel")} value={top} options={["5", "8", "20", "50"].map((n) => ({ value: n, text: t("top", { n }) }))} onChange={(event) => setTop(event.target.value)} />
              <Select label={t("chart")} value={form} options={FORMS.map((one) => ({ value: one, text: t(`chart_${one}`) }))} onChange={(event) => setForm(event.target.value)} />
              <CheckField label={t("cumulative")} checked={cumulative === "1"} onChange={(event) => setCumulative(event.target.checked ? "1" : "")} />
              <CheckField label={t("log")} disabled={form !== "line"} checked={log === "1"} onChange={(event) => setLog(event.target.checked ? "1" : "")} />
              <Link className="button" href={`/alerts/new?${new URLSearchParams({ metric: chosen.id, group: props.group ?? "", filter: print(props.terms) })}`}>
                <BellRing aria-hidden />
                {t("alertOnThis")}
              </Link>
            </div>
            <div className="panel">
              <MetricChart
                {...props}
                title={name}
                metrics={[chosen.id]}
                unit={chosen.unit}
                kind={FORMS.find((one) => one === form) ?? "area"}
                bucket={BUCKETS.find((one) => one === bucket) ?? "auto"}
                top={Number(top) || 8}
                isCumulative={cumulative === "1"}
                isLog={log === "1" && form === "line"}
                height={340}
              />
            </div>
            {chosen.definition && (
              <p className="muted">
                {t("definition")}: <span lang="en">{chosen.definition}</span>
              </p>
            )}
          </div>
        );
      }}
    </Await>
  );
}
