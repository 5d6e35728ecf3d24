import { ChevronDown, ChevronUp, Link2, RotateCw, Terminal } from "lucide-react";
import { useCallback, useState } from "react";
import { useGet } from "@/api/hooks";
import type { Log } from "@/api/logs";
import { useText } from "@/i18n/language";
import { isTyping } from "@/layout/keys";
import { Button } from "@/ui/button";
import { copyText, CopyButton } from "@/ui/copy";
import { Sheet } from "@/ui/dialog";
import { Await } from "@/ui/state";
import { useView } from "@/url/view";
import { curl } from "./curl";
import { Head } from "./head";
import { type Pane, PANES, Panes } from "./panes";
import { Replay } from "./replay";
import { text } from "./text";

/** One of the list, beside it. `j` and `k` go on, 1 to 5 choose the pane, `r` replays. */
export function LogSheet({ id, onClose, onStep }: { readonly id: string; readonly onClose: () => void; readonly onStep: (by: number) => void }) {
  const t = useText(text);
  const { get, set } = useView();
  const log = useGet<Log>(`/v1/logs/${encodeURIComponent(id)}`);
  const [isReplaying, setReplaying] = useState(false);
  const pane = PANES.find((one) => one === get("pane")) ?? "conversation";
  const choose = useCallback((next: Pane) => set({ pane: next === "conversation" ? null : next }, "replace"), [set]);
  const onKey = useCallback(
    (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      const named = PANES[Number(event.key) - 1];
      if (event.key === "j") onStep(1);
      else if (event.key === "k") onStep(-1);
      else if (event.key === "r") setReplaying(true);
      else if (event.key === "c") void copyText(id);
      else if (named) choose(named);
    },
    [onStep, choose, id],
  );
  const isThis = log.data?.id === id || log.data?.metrics.internal_trace_id === id;
  return (
    <>
      <Sheet
        title={t("title")}
        onClose={onClose}
        onKeyDown={onKey}
        actions={
          <>
            <Button kind="plain" icon label={t("previous")} onClick={() => onStep(-1)}>
              <ChevronUp aria-hidden />
            </Button>
            <Button kind="plain" icon label={t("next")} onClick={() => onStep(1)}>
              <ChevronDown aria-hidden />
            </Button>
            <CopyButton value={id} what={t("copyId")} />
            <Button kind="plain" icon label={t("copyLink")} onClick={() => void copyText(location.href)}>
              <Link2 aria-hidden />
            </Button>
            {log.data && (
              <>
                <Button kind="plain" icon label={t("asCurl")} onClick={() => void copyText(curl(log.data, location.origin))}>
                  <Terminal aria-hidden />
                </Button>
                <Button onClick={() => setReplaying(true)}>
                  <RotateCw aria-hidden />
                  {t("replay")}
                </Button>
              </>
            )}
          </>
        }
      >
        <Await of={{ ...log, data: isThis ? log.data : undefined }} rows={12}>
          {(data) => (
            <div className="stack">
              <Head log={data} />
              <Panes log={data} chosen={pane} onChoose={choose} />
            </div>
          )}
        </Await>
      </Sheet>
      {isReplaying && log.data && <Replay log={log.data} onClose={() => setReplaying(false)} />}
    </>
  );
}
