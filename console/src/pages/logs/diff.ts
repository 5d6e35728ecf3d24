export interface Piece {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** Above this many pairs of words, texts are compared by lines, and above that not at all. */
const MOST_PAIRS = 4_000_000;

/** What changes one text into another: word by word, by the longest common subsequence. */
export function diff(before: string, after: string): readonly Piece[] {
  if (before === after) return before ? [{ kind: "same", text: before }] : [];
  const words = [before.split(/(\s+)/), after.split(/(\s+)/)] as const;
  const [a, b] = words[0].length * words[1].length <= MOST_PAIRS ? words : ([before.split(/(?<=\n)/), after.split(/(?<=\n)/)] as const);
  if (a.length * b.length > MOST_PAIRS) return [{ kind: "removed", text: before }, { kind: "added", text: after }];
  return joined(walk(a, b));
}

function walk(a: readonly string[], b: readonly string[]): Piece[] {
  const width = b.length + 1;
  // lengths[i * width + j]: of the longest common subsequence of a[i..] and b[j..].
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pieces: Piece[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      pieces.push({ kind: "same", text: a[i] ?? "" });
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) pieces.push({ kind: "removed", text: a[i++] ?? "" });
    else pieces.push({ kind: "added", text: b[j++] ?? "" });
  }
  return pieces;
}

function joined(pieces: readonly Piece[]): readonly Piece[] {
  const all: Piece[] = [];
  for (const piece of pieces) {
    const last = all.at(-1);
    if (last?.kind === piece.kind) all[all.length - 1] = { kind: piece.kind, text: last.text + piece.text };
    else if (piece.text) all.push(piece);
  }
  return all;
}
