import { expect, it } from "vitest";
import { aligned, type AnalyticsAnswer, apiTime } from "./analytics";

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();

it("gives all groups the same times, and leaves gaps where a group has no figure", () => {
  const answer: AnalyticsAnswer = {
    bucket: "minute", from: at(0), to: at(3), exact: true, previous: null,
    groups: [
      { key: "a", total: {}, points: [{ timestamp: at(0), latency: 5 }, { timestamp: at(2), latency: null }] },
      { key: "b", total: {}, points: [{ timestamp: at(1), latency: 7 }] },
    ],
  };
  const { times, step, of } = aligned(answer);
  expect(times).toEqual([at(0), at(1), at(2)].map(Date.parse));
  expect(step).toBe(60_000);
  expect(answer.groups.map((group) => of(group, "latency"))).toEqual([[5, null, null], [null, 7, null]]);
});

it("finds the step of buckets that it has no word for", () => {
  const points = [0, 5, 10].map((minute) => ({ timestamp: at(minute), requests: 1 }));
  expect(aligned({ bucket: "five_minutes", from: at(0), to: at(15), exact: true, previous: null, groups: [{ key: null, total: {}, points }] }).step).toBe(300_000);
});

it("writes times in whole seconds", () => expect(apiTime(Date.UTC(2026, 0, 1) + 999)).toBe("2026-01-01T00:00:00Z"));
