import "./chart.css";

/** A line as large as a word, for tables. */
export function Spark({ points, label, width = 90, height = 20 }: { readonly points: readonly (number | null)[]; readonly label: string; readonly width?: number; readonly height?: number }) {
  const high = Math.max(1e-12, ...points.map((value) => value ?? 0));
  const step = width / Math.max(1, points.length - 1);
  const path = points.map((value, index) => `${(index * step).toFixed(1)},${(height - 1 - ((value ?? 0) / high) * (height - 2)).toFixed(1)}`);
  return (
    <svg className="spark" width={width} height={height} role="img" aria-label={label}>
      <path d={`M${path.join("L")}`} fill="none" stroke="var(--series-1)" strokeWidth={1.4} />
    </svg>
  );
}
