import { expect, test } from "vitest";
import { jsonMistake, locate, pathOf, positionOf, scan } from "./json-scan";

/** The place of `|` in the text. */
function at(marked: string) {
  const cursor = marked.indexOf("|");
  return scan(marked.replace("|", ""), cursor).place;
}

test("a key that is being written", () => {
  const place = at('{"strategy": {"mo|": "x"}}');
  expect(place).toMatchObject({ kind: "key", path: ["strategy"], typed: "mo" });
});

test("a value, in a string and without one", () => {
  expect(at('{"targets": [{"provider": "@op|')).toMatchObject({ kind: "value", path: ["targets", 0, "provider"], typed: "@op" });
  expect(at('{"targets": [{"a": 1}, {"provider": |}]}')).toMatchObject({ kind: "value", path: ["targets", 1, "provider"], typed: "" });
});

test("an empty object wants a key, and knows those it has", () => {
  expect(at("{|}")).toMatchObject({ kind: "key", path: [], typed: "" });
  expect(at('{"a": 1, |}')?.siblings).toEqual(["a"]);
});

test("escapes and brackets in strings are text", () => {
  const text = '{"a": "}\\"]", "b": {"c": 1}}';
  expect(locate(text, ["b", "c"])).toBe(text.indexOf('"c"'));
});

test("members are found by the API's names for them, and missing ones by what is around", () => {
  const text = '{\n  "targets": [\n    {"weight": 1},\n    {"weight": -1}\n  ]\n}';
  expect(positionOf(text, locate(text, pathOf("config.targets[1].weight")))).toEqual({ line: 4, column: 6 });
  expect(positionOf(text, locate(text, pathOf("config.targets[1].provider")))).toEqual({ line: 4, column: 5 });
});

test("a mistake in JSON has a line and a column", () => {
  expect(jsonMistake('{"a": 1}')).toBeNull();
  expect(jsonMistake('{\n  "a": 1,\n}')).toMatchObject({ line: 3 });
});
