import { Download } from "lucide-react";
import { Link } from "wouter";
import { type AnalyticsGroup, useAnalytics } from "@/api/analytics";
import { csvCell, download } from "@/charts/series";
import { Spark } from "@/charts/spark";
import { useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { Await } from "@/ui/state";
import { Table } from "@/ui/table";
import { text as uiText } from "@/ui/text";
import { type Term, withTerm } from "@/url/filter";
import { termOf, useGroupNames } from "./group";
import { logsAddress } from "./metric-chart";
import { text } from "./text";
import { inUnit, unitOf } from "./unit";

interface Props {
  readonly title: string;
  readonly group: string;
  readonly groupName: string;
  /** Metric and what its column is called. The first one orders the groups, and is drawn small. */
  readonly columns: readonly (readonly [metric: string, name: string])[];
  readonly from: number;
  readonly to: number;
  readonly filters: Readonly<Record<string, string>>;
  readonly terms: readonly Term[];
  readonly top?: number;
}

/** A row for each group, largest first; each leads to its requests. */
export function GroupTable({ title, group, groupName, columns, from, to, filters, terms, top = 10 }: Props) {
  const t = useText(text);
  const ui = useText(uiText);
  const nameOf = useGroupNames();
  const asked = useAnalytics({ metrics: columns.map(([metric]) => metric), group, from, to, top, filters });
  const first = columns[0]?.[0] ?? "requests";
  const save = (groups: readonly AnalyticsGroup[]) => {
    const rows = [[groupName, ...columns.map(([metric]) => metric)], ...groups.map((row) => [nameOf(group, row.key), ...columns.map(([metric]) => String(row.total[metric] ?? ""))])];
    download(`${title}.csv`, "text/csv", rows.map((row) => row.map(csvCell).join(",")).join("\r\n"));
  };
  return (
    <section className="stack-s">
      <div className="chart-head">
        <h2>{title}</h2>
        {asked.data && (
          <Button kind="plain" icon label={`${title}: ${ui("csv")}`} onClick={() => save(asked.data.groups)}>
            <Download aria-hidden />
          </Button>
        )}
      </div>
      <Await of={asked}>
        {(data) =>
          data.groups.length === 0 ? (
            <p className="muted">{ui("noData")}</p>
          ) : (
            <Table
              label={title}
              rows={data.groups}
              rowKey={(row) => row.key ?? "others"}
              isOld={asked.isPlaceholderData}
              columns={[
                {
                  id: "group",
                  title: groupName,
                  cell: (row) => {
                    const term = termOf(group, row.key);
                    const name = nameOf(group, row.key);
                    return term ? (
                      <Link href={logsAddress(withTerm(terms, term), from, to)} title={t("view")}>
                        {name}
                      </Link>
                    ) : (
                      name
                    );
                  },
                },
                ...columns.map(([metric, name]) => ({
                  id: metric,
                  title: name,
                  isNumber: true,
                  cell: (row: AnalyticsGroup) => inUnit(unitOf(metric))(row.total[metric]),
                  sort: (row: AnalyticsGroup) => row.total[metric],
                })),
                {
                  id: "spark",
                  title: "",
                  cell: (row) => <Spark label={nameOf(group, row.key)} points={row.points.map((point) => (typeof point[first] === "number" ? point[first] : null))} />,
                },
              ]}
            />
          )
        }
      </Await>
    </section>
  );
}
