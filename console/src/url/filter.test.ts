import { describe, expect, it } from "vitest";
import { fromApi, parse, print, toApi, withTerm } from "./filter";

describe("filters", () => {
  it("survive the way to text and back", () => {
    const text = 'model:gpt-4o status:500,429 m.team:search user:"Ada L" cost:>=0.01 cost:<=2';
    const { terms, mistakes } = parse(text);
    expect(mistakes).toEqual([]);
    expect(print(terms)).toBe(text);
  });

  it("name what they do not understand", () => {
    expect(parse('search:?! "" "refund').mistakes.map((one) => one.kind)).toEqual(["value", "shape", "shape"]);
    expect(parse("colour:red status:6000 hello tokens:5").mistakes).toEqual([
      { kind: "field", text: "colour" },
      { kind: "value", text: "status:6000" },
      { kind: "shape", text: "hello" },
      { kind: "value", text: "tokens:5" },
    ]);
  });

  it("are asked in the API's words", () => {
    const query = toApi(parse("model:a,b session:s1 m.team:x status:error cost:>=0.29 tokens:<=100 cache:semantic_hit").terms);
    expect(query).toEqual({
      ai_model: "a,b", is_success: "false", cost_min: "29", total_units_max: "100", cache_status: "SEMANTIC HIT",
      metadata: '{"_session":"s1","team":"x"}',
    });
    expect(toApi(parse("status:5xx").terms).status_code?.split(",")).toHaveLength(100);
  });

  it("look for words in bodies", () => {
    for (const text of ['search:"退款 policy"', '"退款 policy"']) expect(toApi(parse(text).terms)).toEqual({ search: "退款 policy" });
    expect(print(parse('user:ada "refund" search:4711').terms)).toBe("user:ada search:refund search:4711");
    expect(toApi(parse('"refund" search:4711').terms)).toEqual({ search: "refund 4711" });
    const api = { search: 'a "b c" d' };
    expect(print(fromApi(api))).toBe('search:"a  b c  d"');
    expect(parse(print(fromApi(api))).mistakes).toEqual([]);
  });

  it("replace what a field had, but keep the other bound", () => {
    const { terms } = parse("model:a cost:>=1 cost:<=5");
    expect(print(withTerm(withTerm(terms, { field: "model", value: "b" }), { field: "cost", value: ">=2" }))).toBe("cost:<=5 model:b cost:>=2");
  });
});

it("goes to the API's names and back", () => {
  for (const filter of [
    "status:error model:gpt-4o key:a,b vk:local config:pc-a user:ann trace:t cache:hit,semantic_hit",
    "status:5xx,429 provider:openai cost:>=0.01 cost:<=2 tokens:>=10 session:s m.team:search",
  ]) {
    const api = toApi(parse(filter).terms);
    expect(toApi(fromApi(api))).toEqual(api);
    expect(parse(print(fromApi(api))).mistakes).toEqual([]);
  }
  expect(print(fromApi(toApi(parse("status:5xx").terms)))).toBe("status:5xx");
});
