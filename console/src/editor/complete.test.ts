import { expect, test } from "vitest";
import { options, type Shape } from "./complete";
import { scan } from "./json-scan";

const target: { members: Record<string, { stub: string; values?: string[] }> } = { members: { provider: { stub: '"|"' }, weight: { stub: "|" } } };
const root: Shape = {
  members: {
    strategy: { stub: "{|}", shape: { members: { mode: { stub: '"|"', values: ["fallback", "loadbalance"] } } } },
    targets: { stub: "[|]", items: target },
    retry: { stub: "{|}" },
  },
};

function at(marked: string): readonly string[] {
  const { place } = scan(marked.replace("|", ""), marked.indexOf("|"));
  const values = (path: readonly (string | number)[]) => (path.at(-1) === "provider" ? ["@openai", "@azure"] : []);
  return place ? options(root, place, values).map((option) => option.insert) : [];
}

test("keys of the object around, without those it has", () => {
  expect(at('{"strategy": {}, "|"}')).toEqual(['"targets": [|]', '"retry": {|}']);
  expect(at('{"targets": [{"w|"}]}')).toEqual(['"weight": |']);
});

test("values of the schema, and those that the page knows", () => {
  expect(at('{"strategy": {"mode": "f|"}}')).toEqual(['"fallback"|']);
  expect(at('{"targets": [{"provider": "@o|"}]}')).toEqual(['"@openai"|']);
  expect(at('{"unknown": {"a": "|"}}')).toEqual([]);
});
