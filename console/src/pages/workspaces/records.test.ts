import { expect, test } from "vitest";
import { draftOfRecords, recordsOf } from "./records";

test("rules that nobody changed are not sent", () => {
  const before = draftOfRecords({ retention_days: 7, bodies: "sampled", body_share: 0.015 });
  expect(before).toEqual({ days: "7", bodies: "sampled", share: "1.5" });
  expect(recordsOf({ ...before }, before)).toEqual({});
});

test("an emptied rule is taken back, and a share goes with its rule only", () => {
  const before = draftOfRecords({ retention_days: 7, bodies: "sampled", body_share: 0.5 });
  expect(recordsOf({ ...before, days: "" }, before)).toEqual({ records: { retention_days: null, bodies: "sampled", body_share: 0.5 } });
  expect(recordsOf({ ...before, bodies: "all" }, before)).toEqual({ records: { retention_days: 7, bodies: "all" } });
  expect(recordsOf({ ...before, bodies: "" }, before)).toEqual({ records: { retention_days: 7, bodies: null } });
  expect(draftOfRecords(undefined)).toEqual({ days: "", bodies: "", share: "" });
});
