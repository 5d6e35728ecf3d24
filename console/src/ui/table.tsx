import { memo, type ReactNode, startTransition, useEffect, useMemo, useState } from "react";
import { useText } from "@/i18n/language";
import { text } from "./text";
import "./table.css";

export interface Column<Row> {
  readonly id: string;
  readonly title: ReactNode;
  /** Figures stand on the right. */
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ReactNode;
  /** Makes the column sortable. `null` comes last, whichever way. */
  readonly sort?: (row: Row) => number | string | null | undefined;
  readonly className?: string;
}

/** As many rows as a screen holds. */
const FIRST = 6;

interface Props<Row> {
  /** What the table shows, for people who do not see it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Makes rows choosable. The first cell should have a link or button as well, for the keyboard. */
  readonly onChoose?: (row: Row) => void;
  /** The row that the keyboard is at. */
  readonly current?: string | null;
  readonly selected?: ReadonlySet<string>;
  /** Data of the question before. */
  readonly isOld?: boolean;
  readonly sortBy?: string;
}

export function Table<Row>({ label, columns, rows, rowKey, onChoose, current, selected, isOld, sortBy }: Props<Row>) {
  const t = useText(text);
  const [order, setOrder] = useState<{ id: string; isUp: boolean } | null>(sortBy ? { id: sortBy, isUp: false } : null);
  const sorted = useMemo(() => {
    const by = columns.find((column) => column.id === order?.id)?.sort;
    return by && order ? [...rows].sort((a, b) => compare(by(a), by(b), order.isUp)) : rows;
  }, [rows, columns, order]);
  // The first rows are seen before the rest is made.
  const [isWhole, setWhole] = useState(rows.length <= FIRST);
  useEffect(() => startTransition(() => setWhole(true)), []);
  return (
    <div className="table-frame" tabIndex={0} role="region" aria-label={label}>
      <table className={isOld ? "table is-old" : "table"} aria-label={label} aria-busy={isWhole ? undefined : true}>
        <thead>
          <tr>
            {columns.map((column) => {
              const isOrder = order?.id === column.id;
              const arrow = isOrder ? (order.isUp ? " ▲" : " ▼") : "";
              return (
                <th
                  key={column.id}
                  scope="col"
                  className={column.isNumber ? "number" : undefined}
                  aria-sort={isOrder ? (order.isUp ? "ascending" : "descending") : undefined}
                >
                  {column.sort ? (
                    <button
                      type="button"
                      className="sort"
                      title={typeof column.title === "string" ? t("sortBy", { column: column.title }) : undefined}
                      onClick={() => setOrder({ id: column.id, isUp: isOrder ? !order.isUp : !column.isNumber })}
                    >
                      {column.title}
                      {arrow}
                    </button>
                  ) : (
                    column.title
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {(isWhole ? sorted : sorted.slice(0, FIRST)).map((row) => {
            const key = rowKey(row);
            return <Line key={key} id={key} row={row} columns={columns} onChoose={onChoose} isCurrent={current === key} isSelected={selected?.has(key)} />;
          })}
        </tbody>
      </table>
    </div>
  );
}

interface LineProps<Row> {
  readonly id: string;
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly onChoose: ((row: Row) => void) | undefined;
  readonly isCurrent: boolean;
  readonly isSelected: boolean | undefined;
}

/** One row; made anew only when something of it changed. */
const Line = memo(function Line<Row>({ id, row, columns, onChoose, isCurrent, isSelected }: LineProps<Row>) {
  const classes = [onChoose ? "choosable" : "", isCurrent ? "current" : ""].filter(Boolean).join(" ");
  return (
    <tr
      data-row={id}
      className={classes || undefined}
      aria-selected={isSelected}
      onClick={
        onChoose &&
        ((event) => {
          if (!(event.target as Element).closest("a,button,input,label")) onChoose(row);
        })
      }
    >
      {columns.map((column) => (
        <td key={column.id} className={[column.isNumber ? "number" : "", column.className ?? ""].filter(Boolean).join(" ") || undefined}>
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}) as <Row>(props: LineProps<Row>) => ReactNode;

function compare(a: number | string | null | undefined, b: number | string | null | undefined, isUp: boolean): number {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
  if (b === null || b === undefined) return -1;
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return isUp ? order : -order;
}
