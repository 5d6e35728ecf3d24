import { useMemo } from "react";
import { useText } from "@/i18n/language";
import { diff } from "../diff";
import { text } from "./text";

/** Two texts in one: what is gone struck out, what is new underlined. */
export function DiffView({ before, after }: { readonly before: string; readonly after: string }) {
  const t = useText(text);
  const pieces = useMemo(() => diff(before, after), [before, after]);
  if (pieces.every((piece) => piece.kind === "same")) return <p className="muted">{t("compareSame")}</p>;
  return (
    <pre className="diff" tabIndex={0} role="region" aria-label={t("diffLabel")}>
      {pieces.map((piece, index) => (piece.kind === "same" ? piece.text : piece.kind === "removed" ? <del key={index}>{piece.text}</del> : <ins key={index}>{piece.text}</ins>))}
    </pre>
  );
}
