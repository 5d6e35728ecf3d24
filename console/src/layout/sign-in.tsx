import { type FormEvent, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { ask, setCredential } from "@/api/client";
import { Problem, problemOf } from "@/api/problem";
import { keepKey, useForget } from "@/api/session";
import { useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { Failure } from "@/ui/state";
import { Switches } from "./switches";
import { text } from "./text";
import "./shell.css";

/** The token of a link stands behind `#`: no server sees it. */
function linkToken(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("token");
}

/**
 * On the gateway's own machine a link is followed at once: it was printed in a terminal there. Elsewhere somebody presses the
 * button, so that no program that looks at links uses it up, and nobody is signed in as somebody else by a page.
 */
function isOwnMachine(): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);
}

/** Where the way through an identity provider begins. */
const OIDC = "/sign-in/oidc";

/** Where to go afterwards: an address of the console, or its beginning. */
function next(): string {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  return /^\/console\/(?!sign-in)/.test(wanted) ? wanted : "/console/";
}

export function SignIn() {
  const t = useText(text);
  const [, go] = useLocation();
  const forget = useForget();
  const [token, setToken] = useState(linkToken);
  const [key, setKey] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Problem | null>(null);
  useEffect(() => {
    document.title = `${t("signIn")} · Tidegate`;
    // The token is not to stay in the history.
    if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  }, [t]);

  const enter = async (how: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await how();
      await forget();
      go(`~${next()}`);
    } catch (caught) {
      setError(problemOf(caught));
      setBusy(false);
    }
  };
  const follow = () =>
    enter(async () => {
      keepKey(null);
      setCredential(null);
      await ask("/v1/session", { method: "POST", body: { token } });
      setToken(null);
    });
  const isFollowed = useRef(false);
  useEffect(() => {
    if (!token || !isOwnMachine() || isFollowed.current) return;
    isFollowed.current = true;
    void follow();
  });
  // Asked first, so that a gateway without an identity provider says so here, and not on a page of JSON.
  const enterBy = async (place: string) => {
    setError(null);
    const answer = await fetch(place, { redirect: "manual" }).catch(() => null);
    if (answer?.type === "opaqueredirect") location.assign(place);
    else setError(answer ? await Problem.of(answer) : new Problem(0, ""));
  };
  const useKey = (event: FormEvent) => {
    event.preventDefault();
    const typed = key.trim();
    if (!typed.startsWith("tg-")) return setError(new Problem(400, t("keyFormat")));
    return enter(async () => {
      setCredential({ kind: "key", key: typed });
      await ask("/v1/logs", { query: { page_size: 1 } }).catch((caught: unknown) => {
        // A key of the whole organisation is good too: it names a workspace with each request.
        if (problemOf(caught).param !== "workspace_id") throw caught;
      });
      keepKey(typed);
    });
  };
  return (
    <main className="door">
      <div className="door-card">
        <div className="row">
          <img src="/console/icon.svg" alt="" width={28} height={28} />
          <h1>{t("signInTitle")}</h1>
        </div>
        <p className="muted">{t("signInWelcome")}</p>
        {token ? (
          <>
            <p>{t("signInLink")}</p>
            <Button kind="primary" disabled={isBusy} onClick={() => void follow()}>
              {t("signIn")}
            </Button>
          </>
        ) : (
          <p>{t("signInHow")}</p>
        )}
        <Button disabled={isBusy} onClick={() => void enterBy(OIDC)}>
          {t("signInProvider")}
        </Button>
        <hr />
        <h2>{t("orKey")}</h2>
        <form className="stack-s" onSubmit={(event) => void useKey(event)}>
          <TextField
            label={t("key")}
            hint={t("keyHint")}
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
          <Button type="submit" disabled={isBusy || key.trim() === ""}>
            {t("useKey")}
          </Button>
        </form>
        {error && <Failure error={error.status === 401 ? new Problem(400, error.message, null, error.requestId) : error} />}
        <div className="row">
          <Switches />
        </div>
      </div>
    </main>
  );
}
