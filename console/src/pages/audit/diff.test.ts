import { expect, test } from "vitest";
import { differences, parsed } from "./diff";

test("members that differ are named by their place", () => {
  const before = { name: "a", content: { targets: [{ weight: 1 }, { weight: 2 }] }, gone: true };
  const after = { name: "a", content: { targets: [{ weight: 3 }] }, fresh: null };
  expect(differences(before, after)).toEqual([
    { path: "content.targets[0].weight", before: 1, after: 3 },
    { path: "content.targets[1]", before: { weight: 2 }, after: undefined },
    { path: "gone", before: true, after: undefined },
    { path: "fresh", before: undefined, after: null },
  ]);
});

test("without a before everything is new, and equal values are none", () => {
  expect(differences(undefined, { a: 1 })).toEqual([{ path: "", before: undefined, after: { a: 1 } }]);
  expect(differences({ a: [1] }, { a: [1] })).toEqual([]);
});

test("a body that is no JSON is shown as it is", () => {
  expect(parsed('{"a": 1}')).toEqual({ a: 1 });
  expect(parsed("text")).toBe("text");
  expect(parsed("")).toBeUndefined();
});
