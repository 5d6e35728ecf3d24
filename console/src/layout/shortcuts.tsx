import { useLanguage, useText } from "@/i18n/language";
import { pages } from "@/pages";
import { Dialog } from "@/ui/dialog";
import { text } from "./text";

export function Shortcuts({ onClose }: { readonly onClose: () => void }) {
  const t = useText(text);
  const { language } = useLanguage();
  const rows: readonly (readonly [string, string])[] = [
    ["Ctrl K", t("shortcutPalette")],
    ["/", t("shortcutFilter")],
    ["j k", t("shortcutRows")],
    ["Enter", t("shortcutOpen")],
    ["x", t("shortcutSelect")],
    ["c", t("shortcutCopy")],
    [".", t("shortcutLive")],
    ["t", t("shortcutTheme")],
    ["?", t("shortcutHelp")],
    ...pages.flatMap((page) => (page.shortcut ? [[`g ${page.shortcut}`, t("shortcutGo", { page: page.title[language] })] as const] : [])),
  ];
  return (
    <Dialog title={t("shortcuts")} onClose={onClose}>
      <dl className="keys">
        {rows.map(([keys, meaning]) => (
          <div key={keys} style={{ display: "contents" }}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
