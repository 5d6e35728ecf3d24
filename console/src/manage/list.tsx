import { type ReactNode, useCallback, useRef } from "react";
import type { List } from "@/api/client";
import { useText } from "@/i18n/language";
import { useKeys } from "@/layout/keys";
import { Button } from "@/ui/button";
import { Await, Empty } from "@/ui/state";
import { type Column, Table } from "@/ui/table";
import { useView } from "@/url/view";
import { text } from "./text";
import "./manage.css";

interface Asked<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly refetch: () => unknown;
  readonly isPlaceholderData?: boolean;
}

interface Props<Row> {
  readonly of: Asked<List<Row>>;
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  /** What the search looks at. */
  readonly words: (row: Row) => string;
  readonly onChoose?: (row: Row) => void;
  /** When there is nothing at all: what would be here, and how to make the first. */
  readonly empty: ReactNode;
  /** Beside the search. */
  readonly filters?: ReactNode;
  readonly sortBy?: string;
}

/** A searched table of what a workspace has, with the states that a list can be in. */
export function ManageList<Row>({ of, label, columns, rowKey, words, onChoose, empty, filters, sortBy }: Props<Row>) {
  const t = useText(text);
  const { get, set } = useView();
  const query = get("q") ?? "";
  const wanted = query.toLowerCase();
  return (
    <Await of={of}>
      {(list) => {
        if (list.data.length === 0 && !filters) return empty;
        const rows = wanted ? list.data.filter((row) => words(row).toLowerCase().includes(wanted)) : list.data;
        return (
          <>
            <div className="row">
              <Search value={query} onChange={(q) => set({ q }, "replace")} />
              {filters}
            </div>
            {rows.length > 0 ? (
              <Table
                label={label}
                columns={columns}
                rows={rows}
                rowKey={rowKey}
                isOld={of.isPlaceholderData ?? false}
                {...(onChoose ? { onChoose } : {})}
                {...(sortBy ? { sortBy } : {})}
              />
            ) : query ? (
              <Empty title={t("noHits", { query })}>
                <Button onClick={() => set({ q: null })}>{t("clearSearch")}</Button>
              </Empty>
            ) : (
              empty
            )}
          </>
        );
      }}
    </Await>
  );
}

function Search({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  const t = useText(text);
  const input = useRef<HTMLInputElement>(null);
  useKeys(
    useCallback((event) => {
      if (event.key !== "/") return;
      event.preventDefault();
      input.current?.focus();
    }, []),
  );
  return (
    <input
      ref={input}
      className="input"
      type="search"
      aria-label={t("search")}
      placeholder={`${t("search")} ( / )`}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** What stands in the first cell: opens the row, also by keyboard. */
export function RowButton({ onClick, children }: { readonly onClick: () => void; readonly children: ReactNode }) {
  return (
    <button type="button" className="row-button" onClick={onClick}>
      {children}
    </button>
  );
}
