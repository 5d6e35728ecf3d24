import { createContext, type ReactNode, use, useCallback, useMemo, useState } from "react";
import { type Catalogue, type Language, type Translate, translator } from "./text";

const KEPT_AS = "tidegate.language";

interface Chosen {
  readonly language: Language;
  readonly choose: (language: Language) => void;
}

const Context = createContext<Chosen>({ language: "en", choose: () => undefined });

/** The language of the browser unless somebody chose another here. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() => (document.documentElement.lang === "zh-CN" ? "zh-CN" : "en"));
  const choose = useCallback((next: Language) => {
    document.documentElement.lang = next;
    try {
      localStorage.setItem(KEPT_AS, next);
    } catch {
      // No storage: it holds as long as the page does.
    }
    setLanguage(next);
  }, []);
  const chosen = useMemo(() => ({ language, choose }), [language, choose]);
  return <Context value={chosen}>{children}</Context>;
}

export function useLanguage(): Chosen {
  return use(Context);
}

export function useText<Key extends string>(catalogue: Catalogue<Key>): Translate<Key> {
  const { language } = use(Context);
  return useMemo(() => translator(catalogue, language), [catalogue, language]);
}
