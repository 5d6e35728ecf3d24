import { CornerDownRight, DoorOpen, Gauge, RotateCcw, Waves, Zap } from "lucide-react";
import type { ReactNode } from "react";
import type { LogRow } from "@/api/logs";
import { useText } from "@/i18n/language";
import { text } from "./text";

/** What happened to a request on its way, as marks with words behind them. */
export function Flags({ row }: { readonly row: LogRow }) {
  const t = useText(text);
  const marks: { word: string; icon: ReactNode }[] = [];
  if (row.stream_mode) marks.push({ word: t("flagStream"), icon: <Waves /> });
  if (row.cache_status?.includes("HIT")) marks.push({ word: t("flagCache", { status: row.cache_status }), icon: <Zap /> });
  if (row.retry_success_count > 0) marks.push({ word: t("flagRetry", { n: row.retry_success_count }), icon: <RotateCcw /> });
  if (row.is_success && row.last_used_option_index > 0) marks.push({ word: t("flagFallback"), icon: <CornerDownRight /> });
  if (row.limit) marks.push({ word: t("flagLimit", { limit: row.limit }), icon: <Gauge /> });
  if (row.end === "client_gone") marks.push({ word: t("flagGone"), icon: <DoorOpen /> });
  return (
    <span className="flags">
      {marks.map(({ word, icon }) => (
        <span key={word} role="img" aria-label={word} title={word}>
          {icon}
        </span>
      ))}
    </span>
  );
}
