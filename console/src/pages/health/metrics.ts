/** Prometheus' text format, as `/metrics` writes it. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export function samplesOf(text: string): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const found = LINE.exec(line);
    if (!found) continue;
    const labels: Record<string, string> = {};
    for (const [, name = "", value = ""] of (found[2] ?? "").matchAll(LABEL)) labels[name] = value.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
    samples.push({ name: found[1] ?? "", labels, value: Number(found[3]) });
  }
  return samples;
}

/** The sum of all samples of a name; `null` when there is none. */
export function sum(samples: readonly Sample[], name: string): number | null {
  const own = samples.filter((sample) => sample.name === name);
  return own.length === 0 ? null : own.reduce((total, { value }) => total + value, 0);
}

/** Sums by a label, the largest first. */
export function by(samples: readonly Sample[], name: string, label: string): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const sample of samples) {
    if (sample.name !== name) continue;
    const key = sample.labels[label] ?? "";
    sums.set(key, (sums.get(key) ?? 0) + sample.value);
  }
  return [...sums].filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
}
