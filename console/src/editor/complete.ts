import type { Path, Place } from "./json-scan";

/** One member of an object, in a schema of the least that completion needs. */
export interface Member {
  /** What a new one is begun with. */
  readonly stub: string;
  readonly shape?: Shape;
  /** Of an array. */
  readonly items?: Shape;
  readonly values?: readonly string[];
}

export interface Shape {
  readonly members: Readonly<Record<string, Member>>;
}

export interface Option {
  readonly label: string;
  /** What takes the place of the text, and where in it the cursor goes: at `|`. */
  readonly insert: string;
}

/** What can stand at a place, best first. `values` adds to those of the schema: names that only the page knows. */
export function options(root: Shape, place: Place, values: (path: Path) => readonly string[]): readonly Option[] {
  const typed = place.typed.toLowerCase();
  const fits = (word: string) => word.toLowerCase().includes(typed);
  const rank = (word: string) => (word.toLowerCase().startsWith(typed) ? 0 : 1);
  const sorted = (words: readonly string[]) => [...words].sort((a, b) => rank(a) - rank(b));
  if (place.kind === "key") {
    const shape = shapeAt(root, place.path);
    if (!shape) return [];
    const free = Object.keys(shape.members).filter((name) => fits(name) && (name === place.typed || !place.siblings.includes(name)));
    return sorted(free).map((name) => ({ label: name, insert: `"${name}": ${shape.members[name]?.stub ?? "|"}` }));
  }
  const found = [...new Set([...values(place.path), ...(memberAt(root, place.path)?.values ?? [])])].filter(fits);
  return sorted(found).map((value) => ({ label: value, insert: `${isBare(value) ? value : `"${value}"`}|` }));
}

function isBare(value: string): boolean {
  return /^(true|false|null|\d+)$/.test(value);
}

function shapeAt(root: Shape, path: Path): Shape | null {
  let shape: Shape | null = root;
  let member = null as Member | null;
  for (const part of path) {
    if (typeof part === "number") shape = member?.items ?? null;
    else {
      member = shape?.members[part] ?? null;
      shape = member?.shape ?? null;
    }
    if (!shape && !member?.items) return null;
  }
  return shape;
}

function memberAt(root: Shape, path: Path): Member | null {
  const name = path.at(-1);
  // An item of an array of texts has the values of the array.
  if (typeof name === "number") return memberAt(root, path.slice(0, -1));
  return name === undefined ? null : (shapeAt(root, path.slice(0, -1))?.members[name] ?? null);
}
