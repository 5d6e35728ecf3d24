/** Reads JSON that may be half written: where each member stands, and what stands at the cursor. */

export type Path = readonly (string | number)[];

export interface Token {
  readonly kind: "key" | "value";
  /** Of the member or item. */
  readonly path: Path;
  readonly from: number;
  readonly to: number;
}

/** What can be written at a place of the text. */
export interface Place {
  readonly kind: "key" | "value";
  /** Of the object that the key is in, or of the value. */
  readonly path: Path;
  /** What of it stands before the cursor, without quotes. */
  readonly typed: string;
  /** What a completion takes the place of, quotes included. */
  readonly from: number;
  readonly to: number;
  /** Keys that the object has already. */
  readonly siblings: readonly string[];
}

interface Frame {
  readonly isObject: boolean;
  readonly path: Path;
  readonly keys: string[];
  key: string | null;
  index: number;
  /** Of an object: whether a key comes next, and not a value. */
  wantsKey: boolean;
}

const WORD = /[^\s,:{}[\]"]/;

interface Scan {
  readonly tokens: readonly Token[];
  readonly place: Place | null;
}

/** All tokens, and the place of `cursor`; `null` for a cursor outside of every object. */
export function scan(text: string, cursor = -1): Scan {
  const tokens: Token[] = [];
  const stack: Frame[] = [];
  let place: Place | null = null;
  const here = (): Path => {
    const frame = stack.at(-1);
    if (!frame) return [];
    return frame.isObject ? (frame.key === null ? frame.path : [...frame.path, frame.key]) : [...frame.path, frame.index];
  };
  const note = (from: number, to: number, word: string): void => {
    const frame = stack.at(-1);
    const isKey = frame?.isObject === true && frame.wantsKey;
    if (cursor >= from && cursor <= to && frame) {
      const isQuoted = text[from] === '"';
      const typed = text.slice(isQuoted ? from + 1 : from, Math.max(cursor, from + (isQuoted ? 1 : 0)));
      place = { kind: isKey ? "key" : "value", path: isKey ? frame.path : here(), typed, from, to, siblings: frame.keys };
    }
    if (isKey) {
      frame.key = word;
      frame.keys.push(word);
      tokens.push({ kind: "key", path: [...frame.path, word], from, to });
    } else {
      tokens.push({ kind: "value", path: here(), from, to });
    }
  };
  /** A cursor between tokens. */
  const between = (at: number): void => {
    const frame = stack.at(-1);
    if (cursor !== at || place || !frame) return;
    const isKey = frame.isObject && frame.wantsKey;
    if (frame.isObject && !isKey && frame.key === null) return;
    place = { kind: isKey ? "key" : "value", path: isKey ? frame.path : here(), typed: "", from: at, to: at, siblings: frame.keys };
  };
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    const frame = stack.at(-1);
    if (char === '"') {
      const end = stringEnd(text, at);
      note(at, end, text.slice(at + 1, text[end - 1] === '"' && end > at + 1 ? end - 1 : end));
      at = end;
      continue;
    }
    if (WORD.test(char)) {
      let end = at;
      while (end < text.length && WORD.test(text[end] ?? "")) end += 1;
      note(at, end, text.slice(at, end));
      at = end;
      continue;
    }
    between(at);
    if (char === "{" || char === "[") {
      const path = here();
      tokens.push({ kind: "value", path, from: at, to: at + 1 });
      stack.push({ isObject: char === "{", path, keys: [], key: null, index: 0, wantsKey: char === "{" });
    } else if (char === "}" || char === "]") {
      stack.pop();
    } else if (char === ":" && frame) {
      frame.wantsKey = false;
    } else if (char === "," && frame) {
      frame.index += 1;
      frame.key = null;
      frame.wantsKey = frame.isObject;
    }
    at += 1;
  }
  between(at);
  return { tokens, place };
}

/** Behind the closing quote, or where a string without one has to end: at the end of its line. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
    else if (text[at] === "\n") return at;
  }
  return text.length;
}

/** Where a member begins; where the nearest thing around it does, when it is not there. */
export function locate(text: string, path: Path): number {
  const { tokens } = scan(text);
  for (let length = path.length; length > 0; length -= 1) {
    const wanted = path.slice(0, length).join("\n");
    const hit = tokens.find((token) => token.path.length === length && token.path.join("\n") === wanted);
    if (hit) return hit.from;
  }
  return 0;
}

/** `config.targets[0].weight` as the API writes it, without its `config`. */
export function pathOf(text: string): Path {
  const parts = [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map((match) => (match[1] === undefined ? (match[2] ?? "") : Number(match[1])));
  return parts[0] === "config" ? parts.slice(1) : parts;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Counted from 1. */
export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

/** Where and why a text is no JSON; `null` when it is. */
export function jsonMistake(text: string): (Position & { readonly message: string }) | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const place = /line (\d+) column (\d+)/.exec(message);
    if (place) return { line: Number(place[1]), column: Number(place[2]), message };
    const offset = /position (\d+)/.exec(message);
    return { ...positionOf(text, offset ? Number(offset[1]) : text.length), message };
  }
}
