import type { ReactNode } from "react";
import { Link } from "wouter";
import { Problem, problemOf } from "@/api/problem";
import type { Translate } from "@/i18n/text";
import { useText } from "@/i18n/language";
import { Button } from "./button";
import { text } from "./text";
import "./state.css";

/** What will stand here, while it comes: shown after a moment, so that quick answers do not flicker. */
export function Loading({ rows = 6 }: { readonly rows?: number }) {
  const t = useText(text);
  return (
    <div className="skeleton" role="status">
      <span className="unseen">{t("loading")}</span>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** Nothing here, and what to do so that there is. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="state">
      <h3>{title}</h3>
      {children}
    </div>
  );
}

/** What went wrong in the server's words, and what can be done. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: (() => void) | undefined }) {
  const t = useText(text);
  const problem = problemOf(error);
  const [title, advice] = words(problem, t);
  return (
    <div className={problem.isNotServed ? "state" : "state state-error"} role={problem.isNotServed ? undefined : "alert"}>
      <h3>{title}</h3>
      {!problem.isNotServed && problem.status !== 0 && <p>{problem.message}</p>}
      {advice && <p>{advice}</p>}
      {!problem.isNotServed && problem.requestId && <p className="mono">{t("requestId", { id: problem.requestId })}</p>}
      {problem.status === 401 && (
        <Link className="button" href={`~/console/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`}>
          {t("signedOut")}
        </Link>
      )}
      {onRetry && !problem.isNotServed && <Button onClick={onRetry}>{t("retry")}</Button>}
    </div>
  );
}

function words(problem: Problem, t: Translate<keyof typeof text.en>): readonly [string, string | null] {
  if (problem.isNotServed) return [t("notServed"), t("notServedDo")];
  switch (problem.status) {
    case 0:
      return [t("offline"), t("offlineDo")];
    case 401:
      return [t("signedOut"), t("signedOutDo")];
    case 403:
      return [t("denied"), problem.param?.includes(".") ? t("deniedScope", { scope: problem.param }) : t("deniedDo")];
    case 404:
      return [t("missing"), t("missingDo")];
    case 429:
      return [t("busy"), t("busyDo", { seconds: problem.retryAfter ?? 1 })];
    default:
      return problem.status >= 500 ? [t("failed"), t("failedDo")] : [t("refused"), null];
  }
}

interface Asked<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly refetch: () => unknown;
}

/** The states of something that was asked for: coming, failed, there. What is there stays when asking again fails. */
export function Await<T>(props: {
  readonly of: Asked<T>;
  readonly rows?: number;
  readonly children: (data: T) => ReactNode;
}) {
  const { data, error, isPending, refetch } = props.of;
  if (data !== undefined) return props.children(data);
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  return isPending ? <Loading rows={props.rows ?? 6} /> : null;
}
