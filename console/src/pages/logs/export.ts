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

/** Of an export job: everything but headers and bodies. */
const FIGURES = [
  "id",
  "created_at",
  "trace_id",
  "is_success",
  "response_status_code",
  "ai_org",
  "ai_model",
  "req_units",
  "res_units",
  "total_units",
  "cost",
  "cost_currency",
  "response_time",
  "mode",
  "config",
  "virtual_key",
  "prompt_slug",
  "request_url",
  "metadata",
];

interface Job {
  readonly status: "draft" | "in_progress" | "success" | "failed" | "stopped";
  readonly error?: string;
}

/** The parameters of a list that say where and how, and not which. */
const OTHERS = new Set(["workspace_slug", "workspace_id", "page_size", "cursor", "order_by", "order_by_type"]);

/** Every request of a list as a table: a job of the gateway's, and the address of its file. */
export async function tableOf(query: Readonly<Record<string, string | undefined>>): Promise<string> {
  const workspace = query.workspace_id ?? query.workspace_slug;
  const filters = Object.fromEntries(Object.entries(query).filter(([name, value]) => value !== undefined && !OTHERS.has(name)));
  const restrictions = await ask<{ readonly allowed_fields: readonly string[] }>("/v1/logs/exports/field-restrictions", { query: { workspace_id: workspace } });
  const fields = FIGURES.filter((field) => restrictions.allowed_fields.includes(field));
  const made = await ask<{ readonly id: string }>("/v1/logs/exports", { method: "POST", body: { workspace_id: workspace, filters, requested_data: fields, format: "parquet" } });
  const path = `/v1/logs/exports/${made.id}`;
  await ask(`${path}/start`, { method: "POST", body: {} });
  for (;;) {
    const job = await ask<Job>(path);
    if (job.status === "success") break;
    if (job.status !== "in_progress") throw new Error(job.error ?? job.status);
    await new Promise((resume) => setTimeout(resume, 300));
  }
  const { signed_url } = await ask<{ readonly signed_url: string }>(`${path}/download`);
  // By the way that led here: the gateway may be known by another name outside.
  const link = new URL(signed_url);
  return link.pathname + link.search;
}

export function asCsv(columns: readonly ColumnId[], rows: readonly LogRow[]): string {
  return [columns.join(","), ...rows.map((row) => columns.map((id) => csvCell(plain(id, row))).join(","))].join("\r\n");
}

export function asJsonl(rows: readonly LogRow[]): string {
  return rows.map((row) => JSON.stringify(row)).join("\n");
}
