import { expect, test } from "vitest";
import { changed, choiceOf } from "./lent";

const all = [{ id: "a" }, { id: "b" }, { id: "c" }];
const lent = (enabled: boolean, ...rows: readonly (readonly [string, boolean])[]) => ({
  global_workspace_access: { enabled },
  workspaces: rows.map(([id, on]) => ({ id, enabled: on })),
});

test("who may use it: what is said of a workspace comes before what holds for all", () => {
  expect([...choiceOf(lent(true, ["b", false]), all).workspaces]).toEqual(["a", "c"]);
  expect([...choiceOf(lent(false, ["b", true]), all).workspaces]).toEqual(["b"]);
});

test("only what is not so already is said", () => {
  const before = lent(false, ["b", true]);
  expect(changed(before, choiceOf(before, all), all)).toEqual({ workspaces: [] });
  expect(changed(before, { isEveryone: false, workspaces: new Set(["a"]) }, all)).toEqual({
    workspaces: [
      { id: "a", enabled: true },
      { id: "b", enabled: false },
    ],
  });
  // For everybody but one, of which nothing was said.
  expect(changed(before, { isEveryone: true, workspaces: new Set(["a", "b"]) }, all)).toEqual({
    workspaces: [{ id: "c", enabled: false }],
    global_workspace_access: { enabled: true },
  });
});
