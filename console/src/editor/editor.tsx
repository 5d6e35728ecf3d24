import { type KeyboardEvent, type UIEvent, useId, useLayoutEffect, useRef, useState } from "react";
import { type Option, options, type Shape } from "./complete";
import { type Path, type Place, positionOf, scan } from "./json-scan";
import "./editor.css";

export interface Mark {
  readonly line: number;
  readonly message: string;
}

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly marks: readonly Mark[];
  readonly schema: Shape;
  /** Names that only the page knows, for a value at this path. */
  readonly values: (path: Path) => readonly string[];
  readonly onCursor?: (offset: number) => void;
}

const LINE = 19;
const MOST_OPTIONS = 8;

interface Offer {
  readonly place: Place;
  readonly options: readonly Option[];
  readonly chosen: number;
}

/**
 * A text field for JSON: line numbers, marks, completion (while typing, and by Ctrl Space), indentation. Tab leaves it, as it
 * leaves every field.
 */
export function Editor({ label, value, onChange, marks, schema, values, onCursor }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const [scroll, setScroll] = useState({ top: 0, left: 0 });
  const [offer, setOffer] = useState<Offer | null>(null);
  /** Where the cursor has to be once the new text is there. */
  const wanted = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    area.current?.setSelectionRange(wanted.current, wanted.current);
    wanted.current = null;
  }, [value]);
  const lines = value.split("\n").length;
  const marked = new Map(marks.map((mark) => [mark.line, mark.message]));

  const look = (text: string, cursor: number, isAsked: boolean) => {
    onCursor?.(cursor);
    const { place } = scan(text, cursor);
    const found = place && (isAsked || place.typed !== "") ? options(schema, place, values).slice(0, MOST_OPTIONS) : [];
    const isDone = found.length === 1 && found[0]?.label === place?.typed;
    setOffer(place && found.length > 0 && !isDone ? { place, options: found, chosen: 0 } : null);
  };
  /** Through the browser's own typing, so that Ctrl Z takes it back. */
  const put = (from: number, to: number, text: string, cursor: number) => {
    const element = area.current;
    if (!element) return;
    element.focus();
    element.setSelectionRange(from, to);
    if (!document.execCommand("insertText", false, text)) onChange(value.slice(0, from) + text + value.slice(to));
    wanted.current = cursor;
    element.setSelectionRange(cursor, cursor);
    onCursor?.(cursor);
  };
  const take = ({ insert }: Option, place: Place) => {
    const rest = value.slice(place.to);
    // A key that is only being renamed keeps its value.
    const isRename = place.kind === "key" && /^\s*:/.test(rest);
    const text = isRename ? (insert.split(":")[0] ?? insert) : insert;
    const cursor = text.indexOf("|");
    const clean = text.replace("|", "");
    put(place.from, place.to, clean, place.from + (cursor < 0 ? clean.length : cursor));
    setOffer(null);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const { selectionStart, selectionEnd } = event.currentTarget;
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      look(value, selectionStart, true);
    } else if (offer && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setOffer({ ...offer, chosen: (offer.chosen + step + offer.options.length) % offer.options.length });
    } else if (offer && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      const chosen = offer.options[offer.chosen];
      if (chosen) take(chosen, offer.place);
    } else if (offer && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      setOffer(null);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
      const indent = /^\s*/.exec(line)?.[0] ?? "";
      const isOpen = /[{[]\s*$/.test(line);
      const isPair = isOpen && /^\s*[}\]]/.test(value.slice(selectionEnd));
      const deeper = isOpen ? `${indent}  ` : indent;
      const text = isPair ? `\n${deeper}\n${indent}` : `\n${deeper}`;
      put(selectionStart, selectionEnd, text, selectionStart + 1 + deeper.length);
    }
  };
  const onScroll = (event: UIEvent<HTMLTextAreaElement>) => setScroll({ top: event.currentTarget.scrollTop, left: event.currentTarget.scrollLeft });
  const spot = offer && positionOf(value, offer.place.from);
  return (
    <div className="editor">
      <div className="editor-numbers" aria-hidden>
        <div style={{ transform: `translateY(${-scroll.top}px)` }}>
          {Array.from({ length: lines }, (_, index) => (
            <div key={index} className={marked.has(index + 1) ? "editor-marked" : undefined} title={marked.get(index + 1)}>
              {index + 1}
            </div>
          ))}
        </div>
      </div>
      <textarea
        ref={area}
        aria-label={label}
        aria-autocomplete="list"
        aria-controls={offer ? listId : undefined}
        aria-activedescendant={offer ? `${listId}-${offer.chosen}` : undefined}
        aria-invalid={marks.length > 0}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        wrap="off"
        value={value}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        onBlur={() => setOffer(null)}
        onClick={(event) => {
          setOffer(null);
          onCursor?.(event.currentTarget.selectionStart);
        }}
        onKeyUp={(event) => {
          if (/^(Arrow|Home|End|Page)/.test(event.key) && !offer) onCursor?.(event.currentTarget.selectionStart);
        }}
        onChange={(event) => {
          onChange(event.target.value);
          look(event.target.value, event.target.selectionStart, false);
        }}
      />
      {offer && spot && (
        <ul
          id={listId}
          role="listbox"
          aria-label={label}
          className="editor-offer"
          style={{ top: `${spot.line * LINE + 10 - scroll.top}px`, left: `calc(${spot.column - 1}ch + 52px - ${scroll.left}px)` }}
        >
          {offer.options.map((option, index) => (
            <li
              key={option.label}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === offer.chosen}
              onMouseDown={(event) => {
                event.preventDefault();
                take(option, offer.place);
              }}
            >
              {option.label}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
