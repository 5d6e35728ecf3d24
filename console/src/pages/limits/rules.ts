import type { Condition } from "@/manage/shapes";

/** Conditions as lines: `metadata._user=*`, several values with commas. */
export function conditionsText(conditions: readonly Condition[]): string {
  return conditions.map(({ key, value }) => `${key}=${typeof value === "string" ? value : value.join(",")}`).join("\n");
}

export function conditionsOf(text: string): { readonly conditions: readonly Condition[] } | { readonly wrong: number } {
  const conditions: Condition[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "") continue;
    const at = line.indexOf("=");
    const values = line
      .slice(at + 1)
      .split(",")
      .map((value) => value.trim())
      .filter(Boolean);
    if (at < 1 || values.length === 0) return { wrong: index + 1 };
    conditions.push({ key: line.slice(0, at).trim(), value: values.length === 1 ? (values[0] ?? "") : values });
  }
  return { conditions };
}

export function keysOf(text: string): readonly { readonly key: string }[] {
  return text
    .split(",")
    .map((key) => key.trim())
    .filter(Boolean)
    .map((key) => ({ key }));
}
