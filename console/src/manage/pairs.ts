/** `name=value` lines as an object, or the number of the first line that is none. */
export function pairsOf(text: string): { readonly pairs: Readonly<Record<string, string>> } | { readonly wrong: number } {
  const pairs: Record<string, string> = {};
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "") continue;
    const at = line.indexOf("=");
    if (at < 1) return { wrong: index + 1 };
    pairs[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return { pairs };
}
