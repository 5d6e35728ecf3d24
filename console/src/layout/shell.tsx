import { Menu } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useLanguage, useText } from "@/i18n/language";
import { home, pages } from "@/pages";
import { Button } from "@/ui/button";
import { useKeys } from "./keys";
import { Palette } from "./palette";
import { Rail } from "./rail";
import { Shortcuts } from "./shortcuts";
import { text } from "./text";
import { THEMES, useTheme } from "./theme";
import "./shell.css";

/** Rail and page; the keys that work everywhere. On a phone the rail comes from the side. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const t = useText(text);
  const { language } = useLanguage();
  const [path, go] = useLocation();
  const [theme, setTheme] = useTheme();
  const [open, setOpen] = useState<"palette" | "shortcuts" | "rail" | null>(null);
  const afterG = useRef(0);

  useEffect(() => setOpen((now) => (now === "rail" ? null : now)), [path]);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen("palette");
      } else if (event.key === "Escape") setOpen((now) => (now === "rail" ? null : now));
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
  useKeys(
    useCallback(
      (event: KeyboardEvent) => {
        if (event.timeStamp - afterG.current < 1_200) {
          afterG.current = 0;
          const page = pages.find((one) => one.shortcut === event.key);
          if (page) {
            event.preventDefault();
            go(home(page));
          }
        } else if (event.key === "g") afterG.current = event.timeStamp;
        else if (event.key === "?") setOpen("shortcuts");
        else if (event.key === "t") setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system");
      },
      [go, theme, setTheme],
    ),
  );
  const here = pages.find((page) => home(page) !== "/" && path.startsWith(home(page))) ?? pages.find((page) => home(page) === "/");
  return (
    <div className={open === "rail" ? "shell rail-open" : "shell"}>
      <a className="button skip" href="#content">
        {t("skip")}
      </a>
      <Rail onFind={() => setOpen("palette")} />
      <div>
        <div className="topbar">
          <Button kind="plain" icon label={t("menu")} aria-expanded={open === "rail"} onClick={() => setOpen("rail")}>
            <Menu aria-hidden />
          </Button>
          <strong>{here?.title[language] ?? "Tidegate"}</strong>
        </div>
        {open === "rail" && <button type="button" className="veil" aria-label={t("menu")} onClick={() => setOpen(null)} />}
        <main id="content" tabIndex={-1}>
          {children}
        </main>
      </div>
      {open === "palette" && <Palette onClose={() => setOpen(null)} />}
      {open === "shortcuts" && <Shortcuts onClose={() => setOpen(null)} />}
    </div>
  );
}
