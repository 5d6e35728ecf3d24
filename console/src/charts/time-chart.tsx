import { ChartLine, Download, Table2 } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useMemo, useState } from "react";
import { axisLabel, exact } from "@/format/time";
import { useLanguage, useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { Table } from "@/ui/table";
import { text } from "@/ui/text";
import { pointAt, usePointed } from "./crosshair";
import { type Kind, Marks } from "./plot";
import { linear, logarithmic, timeTicks } from "./scale";
import { colorOf, csv, download, folded, type Series, stacked } from "./series";
import { useWidth } from "./width";
import "./chart.css";

export interface TimeChartProps {
  readonly title: string;
  readonly kind: Kind;
  /** Beginnings of the buckets, in order. */
  readonly times: readonly number[];
  /** Length of a bucket in milliseconds. */
  readonly step: number;
  readonly series: readonly Series[];
  readonly format: (value: number | null) => string;
  readonly height?: number;
  readonly isLog?: boolean;
  readonly actions?: ReactNode;
  /** A part of the time that was drawn over with the pointer. */
  readonly onBrush?: (from: number, to: number) => void;
  readonly onChoose?: (series: Series) => void;
}

const LEFT = 56;
const BOTTOM = 20;
const TOP = 6;

/** A chart over time, as a table too, with the figures to take away. */
export function TimeChart(props: TimeChartProps) {
  const t = useText(text);
  const { language } = useLanguage();
  const [isTable, setTable] = useState(false);
  const { title, times, format } = props;
  const shown = useMemo(() => folded(props.series, t("other")), [props.series, t]);
  const isEmpty = shown.every((one) => one.points.every((value) => value === null));
  return (
    <figure className="chart">
      <div className="chart-head">
        <h2>{title}</h2>
        {props.actions}
        <Button kind="plain" icon label={`${title}: ${isTable ? t("asChart") : t("asTable")}`} aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? <ChartLine aria-hidden /> : <Table2 aria-hidden />}
        </Button>
        <Button kind="plain" icon label={`${title}: ${t("csv")}`} onClick={() => download(`${title}.csv`, "text/csv", csv(times, props.series))}>
          <Download aria-hidden />
        </Button>
      </div>
      {isTable ? (
        <Table
          label={title}
          rows={times.map((time, index) => ({ time, index }))}
          rowKey={(row) => String(row.time)}
          columns={[
            { id: "time", title: t("time"), cell: (row) => exact(row.time, language) },
            ...props.series.map((one) => ({ id: one.id, title: one.name, isNumber: true, cell: (row: { index: number }) => format(one.points[row.index] ?? null) })),
          ]}
        />
      ) : isEmpty ? (
        <p className="muted">{t("noData")}</p>
      ) : (
        <>
          <Plot {...props} series={shown} />
          <Legend series={shown} onChoose={props.onChoose} />
        </>
      )}
    </figure>
  );
}

function Legend({ series, onChoose }: { readonly series: readonly Series[]; readonly onChoose: ((series: Series) => void) | undefined }) {
  if (series.length < 2) return null;
  return (
    <ul className="legend">
      {series.map((one, index) => {
        const swatch = (
          <svg className="swatch" aria-hidden>
            <rect width="14" height="10" rx="2" fill={colorOf(one, index)} />
          </svg>
        );
        return (
          <li key={one.id}>
            {onChoose && one.id !== "other" ? (
              <button type="button" onClick={() => onChoose(one)}>
                {swatch}
                {one.name}
              </button>
            ) : (
              <>
                {swatch}
                {one.name}
              </>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Plot({ title, kind, times, step, series, format, height = 190, isLog = false, onBrush }: TimeChartProps) {
  const t = useText(text);
  const { language } = useLanguage();
  const [frame, width] = useWidth();
  const pointed = usePointed();
  const [brush, setBrush] = useState<readonly [number, number] | null>(null);
  const [isInside, setInside] = useState(false);
  const from = times[0] ?? 0;
  const to = (times.at(-1) ?? 0) + (kind === "bar" ? step : 0) || from + step;
  const inner = Math.max(40, width - LEFT - 8);
  const scale = useMemo(() => {
    const values = kind === "line" ? series.flatMap((one) => one.points.filter((value) => value !== null)) : stacked(series).flatMap((edge) => edge.map(([, high]) => high));
    const high = Math.max(0, ...values);
    return isLog ? logarithmic(Math.min(...values.filter((value) => value > 0)), high) : linear(0, high);
  }, [series, kind, isLog]);
  const xOf = (time: number) => LEFT + ((time - from) / (to - from || 1)) * inner;
  const x = (index: number) => xOf((times[index] ?? 0) + (kind === "bar" ? step / 2 : 0));
  const y = (value: number) => TOP + (1 - scale.at(value)) * (height - TOP - BOTTOM);
  const axis = timeTicks(from, to, Math.max(2, Math.floor(inner / 90)));
  const at = pointed === null ? null : nearest(times, pointed, step);
  const timeAt = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left - LEFT) / inner));
    return from + share * (to - from);
  };
  const move = (event: PointerEvent) => {
    const time = timeAt(event);
    pointAt(time);
    if (brush) setBrush([brush[0], time]);
  };
  const drop = () => {
    if (brush && onBrush && Math.abs(xOf(brush[1]) - xOf(brush[0])) > 6) onBrush(Math.min(...brush), Math.max(...brush));
    setBrush(null);
  };
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = Math.min(times.length - 1, Math.max(0, (at ?? (by > 0 ? -1 : times.length)) + by));
    pointAt((times[next] ?? 0) + 1);
  };
  const open = times.length > 0 && (times.at(-1) ?? 0) + step > Date.now() ? times.length - 1 : null;
  return (
    <div
      className="chart-plot"
      ref={frame}
      onPointerEnter={() => setInside(true)}
      onPointerLeave={() => {
        setInside(false);
        pointAt(null);
      }}
    >
      <svg
        width={width}
        height={height}
        role="img"
        tabIndex={0}
        aria-label={`${title}. ${summary(series, format)} ${t("chartKeys")}`}
        onPointerMove={move}
        onPointerDown={(event) => {
          if (onBrush) {
            event.currentTarget.setPointerCapture(event.pointerId);
            setBrush([timeAt(event), timeAt(event)]);
          }
        }}
        onPointerUp={drop}
        onKeyDown={onKey}
        onFocus={() => setInside(true)}
        onBlur={() => {
          setInside(false);
          pointAt(null);
        }}
      >
        {scale.ticks.map((tick) => (
          <g key={tick}>
            <line className="grid" x1={LEFT} x2={LEFT + inner} y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end">
              {format(tick)}
            </text>
          </g>
        ))}
        {axis.ticks.map((tick) => (
          <text key={tick} x={xOf(tick)} y={height - 4} textAnchor={xOf(tick) > width - 40 ? "end" : "middle"}>
            {axisLabel(tick, axis.step, language)}
          </text>
        ))}
        <Marks kind={kind} series={series} x={x} y={y} scale={scale} band={Math.max(1, (inner / Math.max(1, times.length)) * 0.82)} open={open} />
        {at !== null && <line className="cross" x1={x(at)} x2={x(at)} y1={TOP} y2={height - BOTTOM} />}
        {brush && <rect className="brush" x={Math.min(xOf(brush[0]), xOf(brush[1]))} width={Math.abs(xOf(brush[1]) - xOf(brush[0]))} y={TOP} height={height - TOP - BOTTOM} />}
      </svg>
      {isInside && at !== null && (
        <div className="chart-tip" style={x(at) > width / 2 ? { right: width - x(at) + 10 } : { left: x(at) + 10 }} role="status">
          <strong>{exact(times[at] ?? 0, language)}</strong>
          <dl>
            {series.map((one, index) => (
              <div key={one.id} style={{ display: "contents" }}>
                <dt className="clip">
                  <svg className="swatch" aria-hidden>
                    <rect width="10" height="10" rx="2" fill={colorOf(one, index)} />
                  </svg>{" "}
                  {one.name}
                </dt>
                <dd>{format(one.points[at] ?? null)}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </div>
  );
}

function nearest(times: readonly number[], time: number, step: number): number | null {
  const first = times[0];
  if (first === undefined) return null;
  const index = times.findLastIndex((begin) => begin <= time);
  return index < 0 || time > (times.at(-1) ?? 0) + step ? null : index;
}

/** One sentence for those who do not see the lines. */
function summary(series: readonly Series[], format: (value: number | null) => string): string {
  const parts = series.slice(0, 4).map((one) => {
    const values = one.points.filter((value) => value !== null);
    return `${one.name}: ${format(values.length === 0 ? null : Math.min(...values))} – ${format(values.length === 0 ? null : Math.max(...values))}`;
  });
  return `${parts.join("; ")}.`;
}
