import { Languages, Monitor, Moon, Sun } from "lucide-react";
import { useLanguage, useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { text } from "./text";
import { THEMES, useTheme } from "./theme";

const ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

/** Language and theme; each press goes on to the next. */
export function Switches() {
  const t = useText(text);
  const { language, choose } = useLanguage();
  const [theme, setTheme] = useTheme();
  const other = language === "en" ? "中文" : "English";
  const Icon = ICONS[theme];
  const names = { system: t("themeSystem"), light: t("themeLight"), dark: t("themeDark") };
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  return (
    <>
      <Button kind="plain" label={`${t("language")}: ${other}`} onClick={() => choose(language === "en" ? "zh-CN" : "en")}>
        <Languages aria-hidden />
        <span lang={language === "en" ? "zh-CN" : "en"}>{other}</span>
      </Button>
      <Button kind="plain" icon data-switch="theme" label={`${t("theme")}: ${names[theme]}`} onClick={() => setTheme(next)}>
        <Icon aria-hidden />
      </Button>
    </>
  );
}
