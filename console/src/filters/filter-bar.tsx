import { Search, X } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { FIELDS, parse, print, printTerm, type Term, withTerm } from "@/url/filter";
import { text } from "./text";
import "./filter-bar.css";

const EXAMPLE = "model:gpt-4o status:5xx user:ada m.team:search cost:>=0.01";
const WORDS = { field: "badField", value: "badValue", shape: "badShape" } as const;

/** The filters in force as chips, and a line to write more of them. `/` goes there. */
export function FilterBar({ terms, onChange }: { readonly terms: readonly Term[]; readonly onChange: (terms: readonly Term[]) => void }) {
  const t = useText(text);
  const [typed, setTyped] = useState("");
  const [mistake, setMistake] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const isElsewhere = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key !== "/" || isElsewhere || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
  const add = (event: FormEvent) => {
    event.preventDefault();
    const { terms: added, mistakes } = parse(typed);
    const first = mistakes[0];
    setMistake(first ? t(WORDS[first.kind], { text: first.text }) : null);
    if (first) return;
    onChange(added.reduce(withTerm, terms));
    setTyped("");
  };
  return (
    <div className="stack-s">
      <form className="filter-bar" onSubmit={add} role="search">
        <Search className="muted" aria-hidden size={16} />
        {terms.map((term) => (
          <span key={printTerm(term)} className="chip mono">
            {printTerm(term)}
            <button type="button" aria-label={t("dropFilter", { term: printTerm(term) })} onClick={() => onChange(terms.filter((one) => one !== term))}>
              <X aria-hidden size={14} />
            </button>
          </span>
        ))}
        <input
          ref={input}
          className="mono"
          list="filter-fields"
          aria-label={t("filter")}
          aria-invalid={mistake !== null}
          aria-describedby={mistake ? "filter-mistake" : undefined}
          placeholder={terms.length === 0 ? `${t("filter")}: ${EXAMPLE}` : undefined}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <datalist id="filter-fields">
          {FIELDS.map((field) => (
            <option key={field} value={`${field}:`} />
          ))}
        </datalist>
        {terms.length > 0 && (
          <Button kind="plain" onClick={() => onChange([])} title={print(terms)}>
            {t("clear")}
          </Button>
        )}
      </form>
      {mistake && (
        <p id="filter-mistake" className="field-error" role="alert">
          {mistake} {t("filterFields", { fields: FIELDS.join(", ") })}
        </p>
      )}
    </div>
  );
}
