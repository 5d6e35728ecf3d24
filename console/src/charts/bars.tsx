import { Fragment, type ReactNode } from "react";
import "./chart.css";

export interface Bar {
  readonly key: string;
  readonly name: ReactNode;
  readonly value: number;
  readonly shown: string;
}

/** Figures beside each other, the largest as long as there is room. */
export function Bars({ label, bars, color }: { readonly label: string; readonly bars: readonly Bar[]; readonly color?: string }) {
  const high = Math.max(1e-12, ...bars.map((bar) => bar.value));
  return (
    <div className="bars" role="group" aria-label={label}>
      {bars.map((bar) => (
        <Fragment key={bar.key}>
          <span className="clip">{bar.name}</span>
          <span className="bar" style={{ width: `${(100 * Math.max(0, bar.value)) / high}%`, ...(color ? { background: color } : {}) }} aria-hidden />
          <span className="number">{bar.shown}</span>
        </Fragment>
      ))}
    </div>
  );
}
