import { useState } from "react";
import { Link } from "wouter";
import { useCallKey } from "@/api/call-key";
import { type Log, metadataOf } from "@/api/logs";
import { duration } from "@/format/number";
import { useText } from "@/i18n/language";
import { StatusBadge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Json } from "@/ui/code";
import { Dialog } from "@/ui/dialog";
import { AreaField, TextField } from "@/ui/field";
import { Failure } from "@/ui/state";
import { answered, plain } from "./conversation";
import { DiffView } from "./diff-view";
import { text } from "./text";

interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly body: unknown;
  readonly trace: string;
}

/** Sends a request again, changed or not, and shows how the answer differs. */
export function Replay({ log, onClose }: { readonly log: Log; readonly onClose: () => void }) {
  const t = useText(text);
  const { key, make, keep } = useCallKey();
  const [body, setBody] = useState(() => (log.request.body === undefined ? usual(log) : JSON.stringify(log.request.body, null, 2)));
  const [config, setConfig] = useState(log.metrics.config ?? "");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const wrong = mistake(body);
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const send = () =>
    run(async () => {
      const used = key ?? (await make());
      setAnswer(await call(log, used, body, config.trim()));
    });
  return (
    <Dialog
      title={t("replayTitle")}
      onClose={onClose}
      footer={
        <Button kind="primary" disabled={isBusy || wrong !== null} onClick={() => void send()}>
          {isBusy ? t("replaySending") : t("replaySend")}
        </Button>
      }
    >
      <div className="stack">
        <AreaField
          label={t("replayBody")}
          rows={12}
          spellCheck={false}
          hint={log.request.body === undefined ? t("replayNoBody") : undefined}
          error={wrong === null ? null : t("replayBad", { why: wrong })}
          value={body}
          onChange={(event) => setBody(event.target.value)}
        />
        <TextField label={t("replayConfig")} hint={t("replayConfigHint")} className="mono" value={config} onChange={(event) => setConfig(event.target.value)} />
        {key ? (
          <p className="muted">{t("replayMade")}</p>
        ) : (
          <>
            <TextField label={t("replayKey")} hint={t("replayKeyHint")} type="password" autoComplete="off" onBlur={(event) => event.target.value && keep(event.target.value.trim())} />
            <div>
              <Button disabled={isBusy} onClick={() => void run(async () => void (await make()))}>
                {t("replayMake")}
              </Button>
            </div>
          </>
        )}
        {error !== null && <Failure error={error} />}
        {answer && (
          <section className="stack-s" aria-live="polite">
            <div className="row">
              <StatusBadge status={answer.status} />
              <span>{t("replayDone", { status: answer.status, time: duration(answer.ms) })}</span>
              <Link className="push" href={`/logs?filter=${encodeURIComponent(`trace:${answer.trace}`)}`}>
                {t("replayOpen")}
              </Link>
            </div>
            {log.response.body !== undefined && answered(answer.body).length > 0 && (
              <>
                <h3>{t("replayDiff")}</h3>
                <DiffView before={plain(answered(log.response.body))} after={plain(answered(answer.body))} />
              </>
            )}
            <Json value={answer.body} label={t("answer")} />
          </section>
        )}
      </div>
    </Dialog>
  );
}

async function call(log: Log, key: string, body: string, config: string): Promise<Answer> {
  // The answer's record is found by this.
  const trace = `replay-${crypto.randomUUID()}`;
  const headers: Record<string, string> = { "content-type": "application/json", "x-portkey-api-key": key, "x-portkey-trace-id": trace };
  const metadata = metadataOf(log);
  if (Object.keys(metadata).length > 0) headers["x-portkey-metadata"] = JSON.stringify(metadata);
  if (config) headers["x-portkey-config"] = config;
  const begun = performance.now();
  const response = await fetch(log.tidegate.path, { method: "POST", headers, body, credentials: "omit" });
  const said = await response.text();
  const ms = performance.now() - begun;
  return { status: response.status, ms, body: parsed(said), trace };
}

function parsed(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return said;
  }
}

function mistake(body: string): string | null {
  try {
    JSON.parse(body);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function usual(log: Log): string {
  return JSON.stringify({ model: log.tidegate.asked_model, messages: [{ role: "user", content: "" }] }, null, 2);
}
