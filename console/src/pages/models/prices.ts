/** US dollars for a million tokens. */
export interface Prices {
  readonly input: number | null;
  readonly output: number | null;
  readonly cached: number | null;
}

/** Cents for one token, as the API has them, are dollars for ten thousandth of a million. */
const DOLLARS_A_MILLION = 10_000;

type Json = Readonly<Record<string, unknown>>;

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Json)[name] : undefined;
}

/** Of `{"pay_as_you_go": {"request_token": {"price": 0.000015}}}`; `null` when there is none. */
export function pricesOf(config: unknown): Prices | null {
  const paid = member(config, "pay_as_you_go");
  const price = (name: string) => {
    const cents = member(member(paid, name), "price");
    // The digits that the product of two decimals can have, and no more.
    return typeof cents === "number" ? Number((cents * DOLLARS_A_MILLION).toPrecision(12)) : null;
  };
  const prices = { input: price("request_token"), output: price("response_token"), cached: price("cache_read_input_token") };
  return prices.input === null && prices.output === null && prices.cached === null ? null : prices;
}

/** For the API. */
export function configOf(input: number, output: number): unknown {
  const price = (dollars: number) => ({ price: Number((dollars / DOLLARS_A_MILLION).toPrecision(12)) });
  return { type: "static", pay_as_you_go: { request_token: price(input), response_token: price(output) } };
}
