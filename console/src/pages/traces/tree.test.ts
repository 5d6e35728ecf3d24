import { describe, expect, it } from "vitest";
import type { Span } from "@/api/traces";
import { causeOf, rowsOf, treeOf } from "./tree";

const span = (id: string, parent: string | null, offset = 0, more: Partial<Span> = {}): Span => ({
  span_id: id, parent_span_id: parent, name: id, kind: "span", started_at: "2026-01-01T00:00:00Z", offset_ms: offset, duration_ms: 1, status: "ok",
  status_code: null, provider: null, model: null, input_tokens: null, output_tokens: null, cost: null, log_id: null, reason: null, attributes: {}, ...more,
});

const shape = (spans: Span[], folded: string[] = [], onlyErrors = false) =>
  rowsOf(treeOf(spans), new Set(folded), onlyErrors).map((row) => `${"  ".repeat(row.depth)}${row.node.span?.name ?? row.key}${row.siblings ? ` +${row.siblings}` : ""}`);

describe("trees of spans", () => {
  it("hang children below parents, in the order of time", () => {
    expect(shape([span("b", "a", 5), span("a", null), span("c", "a", 2)])).toEqual(["a", "  c", "  b"]);
  });

  it("keep a place for parents that nobody told of", () => {
    expect(shape([span("b", "lost"), span("a", null)])).toEqual(["a", "missing lost", "  b"]);
  });

  it("end, even if spans are each other's parents", () => {
    expect(shape([span("a", "b"), span("b", "a")])).toHaveLength(2);
  });

  it("fold what is alike, and what somebody folds", () => {
    const many = Array.from({ length: 6 }, (_, index) => span(`t${index}`, "a", index, { name: "tool" }));
    expect(shape([span("a", null), ...many])).toEqual(["a", "  tool +5"]);
    expect(shape([span("a", null), span("b", "a")], ["a"])).toEqual(["a"]);
  });

  it("show only the way to errors", () => {
    expect(shape([span("a", null), span("b", "a", 1, { status: "error" }), span("c", "a")], [], true)).toEqual(["a", "  b"]);
  });
});

it("says why an attempt was made, of the words it knows", () => {
  expect(["fallback", "retry", "hedge", "other", undefined].map((cause) => causeOf(span("a", null, 0, { attributes: { cause } })))).toEqual(["fallback", "retry", "hedge", null, null]);
});
