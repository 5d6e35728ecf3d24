import { expect, test } from "vitest";
import { configOf, pricesOf } from "./prices";

test("cents a token are dollars a million", () => {
  const record = { pay_as_you_go: { request_token: { price: 1.5e-5 }, response_token: { price: 6e-5 }, cache_read_input_token: { price: 7.5e-6 } } };
  expect(pricesOf(record)).toEqual({ input: 0.15, output: 0.6, cached: 0.075 });
});

test("prices come back as they were typed", () => {
  expect(pricesOf(configOf(0.15, 1.1))).toEqual({ input: 0.15, output: 1.1, cached: null });
});

test("what has no price has none, which is not zero", () => {
  expect(pricesOf({ pay_as_you_go: {} })).toBeNull();
  expect(pricesOf(null)).toBeNull();
  expect(pricesOf(configOf(0, 0))).toEqual({ input: 0, output: 0, cached: null });
});
