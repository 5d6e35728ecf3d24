import type { LogRow } from "@/api/logs";
import { count } from "@/format/number";
import { useText } from "@/i18n/language";
import type { Term } from "@/url/filter";
import { text } from "./text";

const MOST = 6;

interface Facet {
  readonly field: Term["field"];
  readonly title: "column_status" | "column_provider" | "column_model" | "column_user" | "column_key";
  readonly of: (row: LogRow) => string;
}

const FACETS: readonly Facet[] = [
  { field: "status", title: "column_status", of: (row) => String(row.response_status_code) },
  { field: "provider", title: "column_provider", of: (row) => row.ai_org },
  { field: "model", title: "column_model", of: (row) => row.ai_model },
  { field: "user", title: "column_user", of: (row) => (typeof row.metadata._user === "string" ? row.metadata._user : "") },
  { field: "key", title: "column_key", of: (row) => row.api_key_id },
];

/** The values that the loaded rows have most often, and those of the metadata's keys. */
export function Facets({ rows, keyName, onAdd }: { readonly rows: readonly LogRow[]; readonly keyName: (id: string) => string; readonly onAdd: (term: Term) => void }) {
  const t = useText(text);
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row.metadata)))].filter((key) => !key.startsWith("_")).slice(0, 4);
  const metadata = keys.map((key) => ({ field: `m.${key}` as const, title: key, of: (row: LogRow) => String(row.metadata[key] ?? "") }));
  const all = [...FACETS.map((facet) => ({ ...facet, title: t(facet.title) })), ...metadata];
  return (
    <section className="facets" aria-label={t("facets")} title={t("facetsHint")}>
      {all.map((facet) => {
        const values = counts(rows, facet.of);
        return values.length === 0 ? null : (
          <div key={facet.field}>
            <h3>{facet.title}</h3>
            <ul>
              {values.map(([value, n]) => (
                <li key={value}>
                  <button type="button" onClick={() => onAdd({ field: facet.field, value })}>
                    <span className="clip">{facet.field === "key" ? keyName(value) : value}</span>
                    <span className="muted">≈ {count(n)}</span>
                  </button>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </section>
  );
}

function counts(rows: readonly LogRow[], of: (row: LogRow) => string): readonly (readonly [string, number])[] {
  const found = new Map<string, number>();
  for (const row of rows) {
    const value = of(row);
    if (value) found.set(value, (found.get(value) ?? 0) + 1);
  }
  return [...found].sort((a, b) => b[1] - a[1]).slice(0, MOST);
}
