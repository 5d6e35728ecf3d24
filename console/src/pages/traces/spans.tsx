import { ChevronDown, ChevronRight } from "lucide-react";
import { type KeyboardEvent, useMemo, useState } from "react";
import type { Span } from "@/api/traces";
import { count, duration, money } from "@/format/number";
import { useText } from "@/i18n/language";
import { Badge } from "@/ui/badge";
import { text } from "./text";
import { causeOf, isError, type Node, type Row, rowsOf } from "./tree";

interface Props {
  readonly tree: readonly Node[];
  /** Milliseconds of the whole trace. */
  readonly total: number;
  readonly isWide: boolean;
  readonly onlyErrors: boolean;
  readonly chosen: string;
  readonly onChoose: (span: string) => void;
}

const TONES = { request: "info", attempt: "plain", span: "teal", log: "purple" } as const;
/** Rows drawn at once; a longer trace is folded or filtered. */
const MOST_ROWS = 1_500;

/** The spans as a tree, each with its place in time. Arrows go up and down, left folds, right unfolds. */
export function Spans({ tree, total, isWide, onlyErrors, chosen, onChoose }: Props) {
  const t = useText(text);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => rowsOf(tree, folded, onlyErrors).slice(0, MOST_ROWS), [tree, folded, onlyErrors]);
  const toggle = (key: string) =>
    setFolded((now) => {
      const next = new Set(now);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  const onKey = (event: KeyboardEvent) => {
    const at = rows.findIndex((row) => row.key === chosen);
    const row = rows[at];
    const next = event.key === "ArrowDown" ? rows[at + 1] : event.key === "ArrowUp" ? rows[Math.max(0, at - 1)] : undefined;
    if (next) {
      event.preventDefault();
      onChoose(next.key);
      document.getElementById(`span-${next.key}`)?.scrollIntoView({ block: "nearest" });
    } else if (row && ((event.key === "ArrowLeft" && !folded.has(row.key)) || (event.key === "ArrowRight" && folded.has(row.key)))) {
      event.preventDefault();
      toggle(row.key);
    }
  };
  return (
    <div className="spans" role="tree" aria-label={t("spans")} tabIndex={0} onKeyDown={onKey} aria-activedescendant={chosen ? `span-${chosen}` : undefined}>
      {rows.map((row) => (
        <SpanRow key={row.key} row={row} total={total} isWide={isWide} isFolded={folded.has(row.key)} isChosen={row.key === chosen} onChoose={() => onChoose(row.key)} onToggle={() => toggle(row.siblings > 0 ? `alike ${row.key}` : row.key)} />
      ))}
    </div>
  );
}

interface RowProps {
  readonly row: Row;
  readonly total: number;
  readonly isWide: boolean;
  readonly isFolded: boolean;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly onToggle: () => void;
}

function SpanRow({ row, total, isWide, isFolded, isChosen, onChoose, onToggle }: RowProps) {
  const t = useText(text);
  const { span } = row.node;
  const name = span ? span.name || span.model || span.span_id : t("notReceived", { id: row.key.replace("missing ", "") });
  const shown = row.siblings > 0 ? t("siblings", { name, n: row.siblings + 1 }) : name;
  const cause = span && causeOf(span);
  const canFold = row.node.children.length > 0 || row.siblings > 0;
  return (
    <div
      id={`span-${row.key}`}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-selected={isChosen}
      aria-expanded={canFold ? !isFolded && row.siblings === 0 : undefined}
      className={span && isError(span) ? "span span-error" : "span"}
      onClick={onChoose}
    >
      <span className="span-name" style={{ paddingInlineStart: row.depth * 14 }}>
        {canFold ? (
          <button
            type="button"
            className="fold"
            tabIndex={-1}
            aria-label={isFolded || row.siblings > 0 ? t("expand", { name }) : t("collapse", { name })}
            onClick={(event) => {
              event.stopPropagation();
              onToggle();
            }}
          >
            {isFolded || row.siblings > 0 ? <ChevronRight aria-hidden /> : <ChevronDown aria-hidden />}
          </button>
        ) : (
          <span className="fold" />
        )}
        {span && <Badge tone={TONES[span.kind]}>{t(`kind_${span.kind}`)}</Badge>}
        {cause && <Badge tone={cause === "fallback" ? "warning" : "plain"}>{t(`cause_${cause}`)}</Badge>}
        <span className="clip">
          {span && isError(span) && "✕ "}
          {shown}
        </span>
      </span>
      {span && <Bar span={span} total={total} />}
      <span className="span-figures muted">
        {span && duration(span.duration_ms)}
        {isWide && span && span.cost !== null && ` · ${money(Number(span.cost))}`}
        {isWide && span && span.input_tokens !== null && ` · ${count(span.input_tokens)} → ${count(span.output_tokens)}`}
      </span>
    </div>
  );
}

function Bar({ span, total }: { readonly span: Span; readonly total: number }) {
  const whole = Math.max(total, 1e-6);
  const left = Math.min(100, (span.offset_ms / whole) * 100);
  return (
    <span className="span-time" aria-hidden>
      <span className={isError(span) ? "bar bar-error" : `bar bar-${span.kind}`} style={{ insetInlineStart: `${left}%`, width: `${Math.max(0.6, Math.min(100 - left, (span.duration_ms / whole) * 100))}%` }} />
    </span>
  );
}
