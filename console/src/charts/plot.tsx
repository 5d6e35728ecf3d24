import type { Scale } from "./scale";
import { colorOf, DASHES, type Series, stacked } from "./series";

export type Kind = "line" | "area" | "bar";

interface Props {
  readonly kind: Kind;
  readonly series: readonly Series[];
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
  readonly scale: Scale;
  /** Width of a bar. */
  readonly band: number;
  /** The mark of the bucket that is not over; none if they all are. */
  readonly open: number | null;
}

/** The marks of a chart. */
export function Marks(props: Props) {
  if (props.kind === "line") return <Lines {...props} />;
  return props.kind === "bar" ? <Bars {...props} /> : <Areas {...props} />;
}

function Lines({ series, x, y }: Props) {
  return series.map((one, index) => (
    <g key={one.id} fill="none" stroke={colorOf(one, index)} strokeWidth={1.8} strokeLinejoin="round">
      {runs(one.points).map((run) =>
        run.length === 1 ? (
          <circle key={run[0]} cx={x(run[0] ?? 0)} cy={y(one.points[run[0] ?? 0] ?? 0)} r={2.4} fill={colorOf(one, index)} stroke="none" />
        ) : (
          <path key={run[0]} strokeDasharray={DASHES[index % DASHES.length]} d={`M${run.map((i) => `${x(i)},${y(one.points[i] ?? 0)}`).join("L")}`} />
        ),
      )}
    </g>
  ));
}

function Areas({ series, x, y }: Props) {
  const edges = stacked(series);
  return series.map((one, index) => {
    const edge = edges[index] ?? [];
    const top = edge.map(([, high], i) => `${x(i)},${y(high)}`);
    const bottom = edge.map(([low], i) => `${x(i)},${y(low)}`).reverse();
    return (
      <g key={one.id}>
        <path d={`M${[...top, ...bottom].join("L")}Z`} fill={colorOf(one, index)} opacity={0.55} />
        <path d={`M${top.join("L")}`} fill="none" stroke={colorOf(one, index)} strokeWidth={1.2} />
      </g>
    );
  });
}

function Bars({ series, x, y, band, open }: Props) {
  const edges = stacked(series);
  return series.map((one, index) => (
    <g key={one.id} fill={colorOf(one, index)}>
      {(edges[index] ?? []).map(([low, high], i) =>
        high > low ? (
          // What is not over is paler: more may come.
          <rect key={i} x={x(i) - band / 2} y={y(high)} width={band} height={Math.max(1, y(low) - y(high))} opacity={i === open ? 0.5 : 1} />
        ) : null,
      )}
    </g>
  ));
}

/** Indices of neighbours that have figures. */
function runs(points: readonly (number | null)[]): number[][] {
  const all: number[][] = [];
  let run: number[] = [];
  points.forEach((value, index) => {
    if (value !== null) run.push(index);
    else if (run.length > 0) {
      all.push(run);
      run = [];
    }
  });
  if (run.length > 0) all.push(run);
  return all;
}
