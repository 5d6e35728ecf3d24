import type { Span } from "@/api/traces";

export interface Node {
  readonly key: string;
  /** `null`: nobody told of this span, but others name it as their parent. */
  readonly span: Span | null;
  readonly children: readonly Node[];
}

/** Spans as trees. What names a parent that is not there hangs below a place for it; a circle is cut where it begins. */
export function treeOf(spans: readonly Span[]): readonly Node[] {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const children = new Map<string, Span[]>();
  const roots: Span[] = [];
  const missing: string[] = [];
  for (const span of spans) {
    const parent = span.parent_span_id;
    if (!parent || parent === span.span_id) roots.push(span);
    else {
      if (!byId.has(parent) && !missing.includes(parent)) missing.push(parent);
      const known = children.get(parent);
      if (known) known.push(span);
      else children.set(parent, [span]);
    }
  }
  const seen = new Set<string>();
  const node = (span: Span): Node => {
    seen.add(span.span_id);
    const below = (children.get(span.span_id) ?? []).filter((child) => !seen.has(child.span_id));
    return { key: span.span_id, span, children: below.sort(byTime).map(node) };
  };
  const all = [
    ...roots.sort(byTime).map(node),
    ...missing.map((id): Node => ({ key: `missing ${id}`, span: null, children: (children.get(id) ?? []).sort(byTime).map(node) })),
  ];
  const rest = spans.filter((span) => !seen.has(span.span_id));
  return [...all, ...rest.flatMap((span) => (seen.has(span.span_id) ? [] : [node(span)]))];
}

function byTime(a: Span, b: Span): number {
  return a.offset_ms - b.offset_ms || (a.span_id < b.span_id ? -1 : 1);
}

export interface Row {
  readonly key: string;
  readonly depth: number;
  readonly node: Node;
  /** Others beside it with the same name that are folded into it. */
  readonly siblings: number;
}

/** More than this many of the same name beside each other are folded into the first. */
const MOST_ALIKE = 4;

/** The rows that are shown: what is folded hides what is below it. */
export function rowsOf(nodes: readonly Node[], folded: ReadonlySet<string>, onlyErrors: boolean, depth = 0): readonly Row[] {
  const shown = onlyErrors ? nodes.filter(hasError) : nodes;
  const rows: Row[] = [];
  for (let at = 0; at < shown.length; at++) {
    const node = shown[at];
    if (!node) continue;
    let alike = 0;
    while (node.span && shown[at + alike + 1]?.span?.name === node.span.name && shown[at + alike + 1]?.children.length === 0 && node.children.length === 0) alike++;
    const group = `alike ${node.key}`;
    const isFolded = alike >= MOST_ALIKE && !folded.has(group);
    rows.push({ key: node.key, depth, node, siblings: isFolded ? alike : 0 });
    if (isFolded) at += alike;
    else if (!folded.has(node.key)) rows.push(...rowsOf(node.children, folded, onlyErrors, depth + 1));
  }
  return rows;
}

/** Why there is an attempt beyond the first one of its request. */
export function causeOf(span: Span): "fallback" | "retry" | "hedge" | null {
  const cause = span.attributes?.cause;
  return cause === "fallback" || cause === "retry" || cause === "hedge" ? cause : null;
}

export function isError(span: Span): boolean {
  return span.status === "error" || (span.status_code ?? 0) >= 400;
}

function hasError(node: Node): boolean {
  return (node.span !== null && isError(node.span)) || node.children.some(hasError);
}
