/** The languages of the console. Every text exists in all of them: a missing one does not compile. */
export const LANGUAGES = ["en", "zh-CN"] as const;
export type Language = (typeof LANGUAGES)[number];

type Params = Readonly<Record<string, string | number>>;

/** The texts of one page or part, with their keys checked against each other. */
export interface Catalogue<Key extends string> {
  readonly en: Readonly<Record<Key, string>>;
  readonly "zh-CN": Readonly<Record<Key, string>>;
}

export function defineText<const En extends Record<string, string>>(
  en: En,
  zh: Readonly<Record<keyof En & string, string>>,
): Catalogue<keyof En & string> {
  return { en, "zh-CN": zh };
}

/**
 * Puts values in: `{name}` is replaced, `{n|request|requests}` is the first word for 1 and the second for anything
 * else. A name without a value stays as it is, so that a test sees it.
 */
export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    if (one === undefined) return String(value);
    return Number(value) === 1 ? one : (many ?? one);
  });
}

export type Translate<Key extends string> = (key: Key, params?: Params) => string;

export function translator<Key extends string>(catalogue: Catalogue<Key>, language: Language): Translate<Key> {
  return (key, params) => (params ? fill(catalogue[language][key], params) : catalogue[language][key]);
}
