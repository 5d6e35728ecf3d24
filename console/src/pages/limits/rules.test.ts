import { expect, test } from "vitest";
import { conditionsOf, conditionsText, keysOf } from "./rules";

test("conditions come back as they were written", () => {
  const lines = "metadata._user=*\nmodel=@openai/gpt-4o,@azure/gpt-4o";
  const read = conditionsOf(`${lines}\n\n`);
  expect(read).toEqual({
    conditions: [
      { key: "metadata._user", value: "*" },
      { key: "model", value: ["@openai/gpt-4o", "@azure/gpt-4o"] },
    ],
  });
  expect("conditions" in read && conditionsText(read.conditions)).toBe(lines);
});

test("a line that cannot be meant is named", () => {
  expect(conditionsOf("a=1\nmodel=")).toEqual({ wrong: 2 });
  expect(conditionsOf("api_key")).toEqual({ wrong: 1 });
});

test("keys to group by", () => {
  expect(keysOf("metadata._user, model,")).toEqual([{ key: "metadata._user" }, { key: "model" }]);
});
