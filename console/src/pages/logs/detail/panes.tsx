import { useState } from "react";
import type { Log } from "@/api/logs";
import { useText } from "@/i18n/language";
import { Tabs } from "@/ui/tabs";
import { Conversation } from "./conversation-view";
import { Cost } from "./cost";
import { Facts } from "./facts";
import { Raw } from "./raw";
import { text } from "./text";
import { Waterfall } from "./waterfall";
import "./detail.css";

export const PANES = ["conversation", "timeline", "cost", "raw", "facts"] as const;
export type Pane = (typeof PANES)[number];

/** One request from all sides. */
export function Panes({ log, chosen, onChoose }: { readonly log: Log; readonly chosen?: Pane; readonly onChoose?: (pane: Pane) => void }) {
  const t = useText(text);
  const [own, setOwn] = useState<Pane>("conversation");
  const pane = chosen ?? own;
  return (
    <div className="stack">
      {log.tidegate.error && (
        <div className="state state-error">
          <h3>{t("error")}</h3>
          <p>{log.tidegate.error}</p>
        </div>
      )}
      {log.tidegate.warnings.length > 0 && (
        <section>
          <h3>{t("warnings")}</h3>
          <ul>
            {log.tidegate.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </section>
      )}
      <Tabs label={t("tabs")} tabs={PANES.map((id) => ({ id, title: t(`tab_${id}`) }))} chosen={pane} onChoose={onChoose ?? setOwn}>
        {pane === "conversation" && <Conversation log={log} />}
        {pane === "timeline" && <Waterfall log={log} />}
        {pane === "cost" && <Cost log={log} />}
        {pane === "raw" && <Raw log={log} />}
        {pane === "facts" && <Facts log={log} />}
      </Tabs>
    </div>
  );
}
