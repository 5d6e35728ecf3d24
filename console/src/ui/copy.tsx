import { Check, Copy as CopyIcon } from "lucide-react";
import { useState } from "react";
import { useText } from "@/i18n/language";
import { Button } from "./button";
import { text } from "./text";

/** Copies `value`; `what` names it for people who do not see the icon. */
export function CopyButton({ value, what, words }: { readonly value: string; readonly what?: string; readonly words?: string }) {
  const t = useText(text);
  const [done, setDone] = useState(false);
  const label = done ? t("copied") : what ? `${t("copy")}: ${what}` : t("copy");
  const copy = async () => {
    if (!(await copyText(value))) return;
    setDone(true);
    setTimeout(() => setDone(false), 1_500);
  };
  return (
    <Button kind={words ? "usual" : "plain"} icon={!words} label={label} onClick={() => void copy()}>
      {done ? <Check aria-hidden /> : <CopyIcon aria-hidden />}
      {words && (done ? t("copied") : words)}
      <span className="unseen" role="status">
        {done ? t("copied") : ""}
      </span>
    </Button>
  );
}

/** Whether it is on the clipboard. Where the page is not a secure one, browsers have only the old way. */
export async function copyText(value: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = value;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
