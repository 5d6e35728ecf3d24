import { ask } from "@/api/client";
import type { LogPage, LogRow } from "@/api/logs";
import { csvCell } from "@/charts/series";
import { type ColumnId, plain } from "./columns";

/** Rows of an export made by the page; more than that is a job for the gateway. */
export const MOST_EXPORTED = 5_000;

/** Every row of a list up to {@link MOST_EXPORTED}. */
export async function everyRow(query: Readonly<Record<string, string | undefined>>, onProgress: (rows: number) => void): Promise<{ readonly rows: readonly LogRow[]; readonly isCut: boolean }> {
  const rows: LogRow[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page: LogPage = await ask<LogPage>("/v1/logs", { query: { ...query, page_size: 500, cursor } });
    rows.push(...page.data);
    onProgress(rows.length);
    cursor = page.has_more ? page.next_cursor : null;
    if (cursor === null) return { rows, isCut: false };
    if (rows.length >= MOST_EXPORTED) return { rows, isCut: true };
  }
}

export function asCsv(columns: readonly ColumnId[], rows: readonly LogRow[]): string {
  return [columns.join(","), ...rows.map((row) => columns.map((id) => csvCell(plain(id, row))).join(","))].join("\r\n");
}

export function asJsonl(rows: readonly LogRow[]): string {
  return rows.map((row) => JSON.stringify(row)).join("\n");
}
