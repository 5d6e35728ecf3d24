/**
 * The console's language of filters: `model:gpt-4o status:5xx m.team:search cost:>=0.01`. The same text stands in the
 * address and in the input; {@link toApi} makes of it what the API asks for.
 */

export const FIELDS = ["status", "provider", "model", "key", "vk", "config", "user", "session", "trace", "cache", "search", "cost", "tokens", "in", "out"] as const;
export type FieldName = (typeof FIELDS)[number];

export interface Term {
  /** One of {@link FIELDS}, or `m.` and a key of metadata. */
  readonly field: FieldName | `m.${string}`;
  /** As written: a name, names with commas, `>=1`, `<=1`. */
  readonly value: string;
}

export interface Mistake {
  readonly kind: "field" | "value" | "shape";
  readonly text: string;
}

const NUMERIC: Readonly<Partial<Record<FieldName, string>>> = {
  cost: "cost",
  tokens: "total_units",
  in: "prompt_token",
  out: "completion_token",
};

const NAMES: Readonly<Partial<Record<FieldName, string>>> = {
  provider: "ai_org",
  model: "ai_model",
  key: "api_key_ids",
  vk: "virtual_keys",
  config: "configs",
  user: "user",
  trace: "trace_id",
  search: "search",
};

/** Characters of words to look for, as the API takes them. */
const LONGEST_SEARCH = 500;

export const CACHE_WORDS: Readonly<Record<string, string>> = {
  hit: "HIT",
  miss: "MISS",
  semantic_hit: "SEMANTIC HIT",
  semantic_miss: "SEMANTIC MISS",
  refreshed: "REFRESH",
  disabled: "DISABLED",
};

/** Terms stand apart by spaces; a value with spaces stands in quotes. Quotes by themselves are words to look for in bodies. */
export function parse(text: string): { readonly terms: readonly Term[]; readonly mistakes: readonly Mistake[] } {
  const terms: Term[] = [];
  const mistakes: Mistake[] = [];
  for (const [whole, named = "", quoted, bare, words] of text.matchAll(/([^\s:"]+):(?:"([^"]*)"|(\S*))|"([^"]+)"|\S+/g)) {
    const field = words === undefined ? named : "search";
    const value = quoted ?? bare ?? words;
    if (value === undefined || value === "") mistakes.push({ kind: "shape", text: whole });
    else if (!isField(field)) mistakes.push({ kind: "field", text: field });
    else if (!fits(field, value)) mistakes.push({ kind: "value", text: whole });
    else terms.push({ field, value });
  }
  return { terms, mistakes };
}

export function print(terms: readonly Term[]): string {
  return terms.map(printTerm).join(" ");
}

export function printTerm({ field, value }: Term): string {
  // Quotes mean nothing in what is looked for.
  if (field === "search") value = value.replaceAll('"', " ").trim();
  return /\s/.test(value) ? `${field}:"${value}"` : `${field}:${value}`;
}

/** In place of what the field had before; a bound stays beside the other bound. */
export function withTerm(terms: readonly Term[], term: Term): readonly Term[] {
  const side = (one: Term) => one.field + (/^[<>]=/.exec(one.value)?.[0] ?? "");
  return [...terms.filter((one) => side(one) !== side(term)), term];
}

function isField(name: string): name is Term["field"] {
  return (FIELDS as readonly string[]).includes(name) || /^m\.[^\s:]+$/.test(name);
}

function fits(field: Term["field"], value: string): boolean {
  if (field === "status") return value.split(",").every((one) => /^([1-9]\d\d|[2-5]xx|ok|error)$/.test(one)) && (!/ok|error/.test(value) || !value.includes(","));
  if (field === "search") return /[\p{L}\p{N}]/u.test(value) && value.length <= LONGEST_SEARCH;
  if (field === "cache") return value.split(",").every((one) => one in CACHE_WORDS);
  if (field in NUMERIC) return /^[<>]=\d+(\.\d+)?$/.test(value) && (field === "cost" || !value.includes("."));
  return true;
}

/** The query of the API. Costs are dollars here and cents there. */
export function toApi(terms: readonly Term[]): Readonly<Record<string, string>> {
  const query: Record<string, string> = {};
  const metadata: Record<string, string> = {};
  for (const { field, value } of terms) {
    if (field.startsWith("m.")) metadata[field.slice(2)] = value;
    else if (field === "search") query.search = query.search ? `${query.search} ${value}` : value;
    else if (field === "session") metadata._session = value;
    else if (field === "status") Object.assign(query, status(value));
    else if (field === "cache") query.cache_status = value.split(",").map((one) => CACHE_WORDS[one]).join(",");
    else if (field in NUMERIC) {
      const name = `${NUMERIC[field as FieldName]}_${value.startsWith(">") ? "min" : "max"}`;
      query[name] = field === "cost" ? String(Number((Number(value.slice(2)) * 100).toPrecision(12))) : value.slice(2);
    } else query[NAMES[field as FieldName] ?? field] = value;
  }
  if (Object.keys(metadata).length > 0) query.metadata = JSON.stringify(metadata);
  return query;
}

/** Back from what the API asks for: what {@link toApi} makes of the result. Names that it never makes are left out. */
export function fromApi(query: Readonly<Record<string, string>>): readonly Term[] {
  const terms: Term[] = [];
  const { is_success, status_code, cache_status, metadata } = query;
  if (is_success) terms.push({ field: "status", value: is_success === "true" ? "ok" : "error" });
  if (status_code) terms.push({ field: "status", value: classes(status_code.split(",")) });
  for (const [field, name] of Object.entries(NAMES)) {
    const value = query[name];
    if (value) terms.push({ field: field as FieldName, value });
  }
  if (cache_status) {
    const word = (shown: string) => Object.keys(CACHE_WORDS).find((one) => CACHE_WORDS[one] === shown) ?? shown;
    terms.push({ field: "cache", value: cache_status.split(",").map(word).join(",") });
  }
  for (const [field, name] of Object.entries(NUMERIC)) {
    for (const [end, sign] of [["min", ">="], ["max", "<="]] as const) {
      const value = query[`${name}_${end}`];
      if (value) terms.push({ field: field as FieldName, value: sign + (field === "cost" ? String(Number((Number(value) / 100).toPrecision(12))) : value) });
    }
  }
  for (const [key, value] of Object.entries(metadata ? (JSON.parse(metadata) as Record<string, string>) : {})) {
    terms.push(key === "_session" ? { field: "session", value } : { field: `m.${key}`, value });
  }
  return terms;
}

/** A hundred statuses of a class are the class. */
function classes(codes: readonly string[]): string {
  const whole = ["2", "3", "4", "5"].filter((first) => codes.filter((code) => code.startsWith(first)).length === 100);
  return [...whole.map((first) => `${first}xx`), ...codes.filter((code) => !whole.includes(code[0] ?? ""))].join(",");
}

function status(value: string): Record<string, string> {
  if (value === "ok") return { is_success: "true" };
  if (value === "error") return { is_success: "false" };
  const codes = value.split(",").flatMap((one) => {
    if (!one.endsWith("xx")) return [one];
    const first = Number(one[0]) * 100;
    return Array.from({ length: 100 }, (_, index) => String(first + index));
  });
  return { status_code: [...new Set(codes)].join(",") };
}
