import { expect, test } from "vitest";
import { draftOf, mistakesOf, NO_LIMITS, ratesOf, usageOf } from "./limits";

test("limits come back from a form as they went in", () => {
  const usage = { type: "cost", credit_limit: 12.5, alert_threshold: 10, periodic_reset: "weekly" } as const;
  const rates = [
    { type: "requests", value: 100, unit: "rpm" },
    { type: "concurrency", value: 4, unit: null },
  ] as const;
  const draft = draftOf(usage, rates);
  expect(usageOf(draft)).toEqual(usage);
  expect(ratesOf(draft)).toEqual([
    { type: "requests", value: 100, unit: "rpm" },
    { type: "concurrency", value: 4 },
  ]);
  expect(usageOf(draftOf({ type: "tokens", credit_limit: 1000, periodic_reset_days: 3 }, null))).toEqual({
    type: "tokens",
    credit_limit: 1000,
    alert_threshold: null,
    periodic_reset_days: 3,
  });
});

test("no amount is no budget", () => {
  expect(usageOf(NO_LIMITS)).toBeNull();
});

test("mistakes are found where they are", () => {
  const draft = { ...NO_LIMITS, amount: "5", alert: "6", rates: [{ type: "requests", value: "1.5", unit: "rpm" }] } as const;
  expect([...mistakesOf(draft)]).toEqual(["alert", "rates.0"]);
  expect([...mistakesOf({ ...NO_LIMITS, amount: "5usd" })]).toEqual(["amount"]);
  expect(mistakesOf({ ...NO_LIMITS, amount: "5", alert: "4" }).size).toBe(0);
});
