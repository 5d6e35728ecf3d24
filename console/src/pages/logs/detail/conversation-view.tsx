import type { Log } from "@/api/logs";
import { useText } from "@/i18n/language";
import { Badge } from "@/ui/badge";
import { Empty } from "@/ui/state";
import { answered, asked, type Part, toolsOf, type Turn } from "./conversation";
import { text } from "./text";

/** What was said, as far as it was kept. Output of models is shown as the text it is. */
export function Conversation({ log }: { readonly log: Log }) {
  const t = useText(text);
  if (log.request.body === undefined && log.response.body === undefined) return <NoBodies log={log} />;
  const [question, answer] = [asked(log.request.body), answered(log.response.body)];
  const tools = toolsOf(log.request.body);
  if (question.length === 0 && answer.length === 0) return <p className="muted">{t("notAConversation")}</p>;
  return (
    <div className="stack-s">
      {tools > 0 && <Badge>{t("tools", { n: tools })}</Badge>}
      {question.map((turn, index) => (
        <TurnView key={index} turn={turn} />
      ))}
      {answer.map((turn, index) => (
        <TurnView key={`answer-${index}`} turn={turn} isAnswer />
      ))}
    </div>
  );
}

export function NoBodies({ log }: { readonly log: Log }) {
  const t = useText(text);
  return (
    <Empty title={t("noBodies")}>
      <p>{log.tidegate.private ? t("noBodiesPrivate") : t("noBodiesDo")}</p>
    </Empty>
  );
}

function TurnView({ turn, isAnswer = false }: { readonly turn: Turn; readonly isAnswer?: boolean }) {
  const t = useText(text);
  return (
    <section className={isAnswer ? "turn turn-answer" : "turn"}>
      <h3>{isAnswer ? t("answer") : t(`role_${turn.role}`)}</h3>
      {turn.parts.map((part, index) => (
        <PartView key={index} part={part} />
      ))}
    </section>
  );
}

function PartView({ part }: { readonly part: Part }) {
  const t = useText(text);
  switch (part.kind) {
    case "text":
      return <p className="said">{part.text}</p>;
    case "thinking":
      return (
        <details>
          <summary>{t("thinking")}</summary>
          <p className="said muted">{part.text}</p>
        </details>
      );
    case "image":
      // Nothing is fetched from where a request points to.
      return part.url.startsWith("data:image/") ? <img className="said-image" src={part.url} alt={t("image")} /> : <p className="muted">{t("remoteImage", { url: part.url })}</p>;
    case "call":
      return (
        <div>
          <Badge tone="info">{t("toolCall", { name: part.name })}</Badge> <span className="mono muted">{part.id}</span>
          <pre>{part.input}</pre>
        </div>
      );
    case "result":
      return (
        <div>
          {part.id && <span className="mono muted">{part.id}</span>}
          <pre>{part.text}</pre>
        </div>
      );
  }
}
