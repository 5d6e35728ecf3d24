import { dollars, type LogRow } from "@/api/logs";

export interface Session {
  readonly id: string;
  readonly user: string | null;
  readonly requests: number;
  readonly errors: number;
  readonly tokens: number;
  /** Dollars; `null` when no request has a known cost. */
  readonly cost: number | null;
  readonly first: string;
  readonly last: string;
  readonly models: readonly string[];
}

/** Sessions of rows that come with the newest first. */
export function sessionsOf(rows: readonly LogRow[]): readonly Session[] {
  const found = new Map<string, LogRow[]>();
  for (const row of rows) {
    const id = row.metadata._session;
    if (typeof id !== "string" || id === "") continue;
    const known = found.get(id);
    if (known) known.push(row);
    else found.set(id, [row]);
  }
  return [...found].map(([id, own]) => {
    const costs = own.map((row) => dollars(row.cost)).filter((cost) => cost !== null);
    const user = own.map((row) => row.metadata._user).find((one) => typeof one === "string");
    return {
      id,
      user: typeof user === "string" ? user : null,
      requests: own.length,
      errors: own.filter((row) => !row.is_success).length,
      tokens: own.reduce((sum, row) => sum + row.total_units, 0),
      cost: costs.length === 0 ? null : costs.reduce((a, b) => a + b, 0),
      first: own.at(-1)?.created_at ?? "",
      last: own[0]?.created_at ?? "",
      models: [...new Set(own.map((row) => row.ai_model).filter(Boolean))],
    };
  });
}
