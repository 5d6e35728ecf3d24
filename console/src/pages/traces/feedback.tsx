import { ThumbsDown, ThumbsUp } from "lucide-react";
import { useSend } from "@/api/hooks";
import { useHere, useWorkspaceParam } from "@/api/session";
import type { Feedback } from "@/api/traces";
import { useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { Failure } from "@/ui/state";
import { Time } from "@/ui/time";
import { text } from "./text";

/** A thumb is worth half of what an application can say. */
const THUMB = 5;

/** What people and programs said of a trace, and two buttons to say it. */
export function Marks({ trace, marks }: { readonly trace: string; readonly marks: readonly Feedback[] }) {
  const t = useText(text);
  const { account } = useHere();
  const workspace = useWorkspaceParam();
  const give = useSend<number>(
    (value) => ({ path: "/v1/feedback", method: "POST", query: workspace, body: { trace_id: trace, value, weight: 1, metadata: { reviewer: account.name } } }),
    ["/v1/traces"],
  );
  return (
    <section className="panel stack-s">
      <div className="row">
        <h2>{t("feedback")}</h2>
        <Button icon label={t("good")} disabled={give.isPending} onClick={() => give.mutate(THUMB)}>
          <ThumbsUp aria-hidden />
        </Button>
        <Button icon label={t("bad")} disabled={give.isPending} onClick={() => give.mutate(-THUMB)}>
          <ThumbsDown aria-hidden />
        </Button>
        {give.isSuccess && <span role="status">{t("given", { value: give.variables })}</span>}
      </div>
      {give.error && <Failure error={give.error} />}
      {marks.length === 0 ? (
        <p className="muted">{t("feedbackNone")}</p>
      ) : (
        <ul>
          {marks.map((mark, index) => (
            <li key={index}>
              {t("marked", { value: mark.value, weight: mark.weight })} {mark.created_at && <Time at={mark.created_at} />}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
