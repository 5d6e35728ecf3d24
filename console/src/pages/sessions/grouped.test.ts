import { expect, it } from "vitest";
import type { LogRow } from "@/api/logs";
import { sessionsOf } from "./grouped";

const row = (session: string | null, more: Partial<LogRow>): LogRow => ({ metadata: session ? { _session: session, _user: "ada" } : {}, is_success: true, total_units: 5, cost: null, ai_model: "echo", ...more }) as LogRow;

it("puts requests of a session together, and knows what it does not know", () => {
  const sessions = sessionsOf([
    row("s1", { created_at: "2026-01-01T00:02:00Z", cost: 20 }),
    row("s2", { created_at: "2026-01-01T00:01:30Z", is_success: false, ai_model: "" }),
    row(null, { created_at: "2026-01-01T00:01:00Z" }),
    row("s1", { created_at: "2026-01-01T00:00:00Z", cost: 5 }),
  ]);
  expect(sessions).toEqual([
    { id: "s1", user: "ada", requests: 2, errors: 0, tokens: 10, cost: 0.25, first: "2026-01-01T00:00:00Z", last: "2026-01-01T00:02:00Z", models: ["echo"] },
    { id: "s2", user: "ada", requests: 1, errors: 1, tokens: 5, cost: null, first: "2026-01-01T00:01:30Z", last: "2026-01-01T00:01:30Z", models: [] },
  ]);
});
