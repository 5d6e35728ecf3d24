import { CornerDownLeft, Search } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useId, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { useLanguage, useText } from "@/i18n/language";
import { home, pages } from "@/pages";
import { Dialog } from "@/ui/dialog";
import { text } from "./text";

interface Choice {
  readonly id: string;
  readonly title: string;
  readonly icon: ReactNode;
  readonly to: string;
}

/** Finds pages by their name in either language, and logs and traces by their id. */
export function Palette({ onClose }: { readonly onClose: () => void }) {
  const t = useText(text);
  const { language } = useLanguage();
  const [, go] = useLocation();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const choices = useMemo<readonly Choice[]>(() => {
    const asked = query.trim().toLowerCase();
    const named = pages.filter((page) => page.group !== "none");
    const matching = named.filter((page) => [page.id, ...Object.values(page.title)].some((name) => name.toLowerCase().includes(asked)));
    const found: Choice[] = matching.map((page) => ({ id: page.id, title: page.title[language], icon: <page.icon aria-hidden />, to: home(page) }));
    if (/^[\w-]{12,}$/.test(asked)) {
      const id = encodeURIComponent(query.trim());
      found.push({ id: "log", title: t("openLog", { id: query.trim() }), icon: <Search aria-hidden />, to: `/logs/${id}` });
      found.push({ id: "trace", title: t("openTrace", { id: query.trim() }), icon: <Search aria-hidden />, to: `/traces/${id}` });
    }
    return found;
  }, [query, language, t]);
  const choose = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    go(choice.to);
  };
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) {
      event.preventDefault();
      setAt((before) => (choices.length === 0 ? 0 : (before + by + choices.length) % choices.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(choices[at]);
    }
  };
  return (
    <Dialog title={t("palette")} onClose={onClose}>
      <input
        className="input"
        style={{ width: "100%" }}
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={choices[at] && `${listId}-${choices[at].id}`}
        aria-label={t("paletteHint")}
        placeholder={t("paletteHint")}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      {choices.length === 0 && <p className="muted">{t("paletteNothing")}</p>}
      <ul id={listId} role="listbox" aria-label={t("palette")} className="palette-list">
        {choices.map((choice, index) => (
          <li
            key={choice.id}
            id={`${listId}-${choice.id}`}
            role="option"
            aria-selected={index === at}
            onMouseEnter={() => setAt(index)}
            onClick={() => choose(choice)}
          >
            {choice.icon}
            <span className="clip">{choice.title}</span>
            {index === at && <CornerDownLeft className="push" aria-hidden />}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
