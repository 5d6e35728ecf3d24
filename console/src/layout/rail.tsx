import { LogOut, Search } from "lucide-react";
import { Link, useLocation } from "wouter";
import { ask } from "@/api/client";
import { keepKey, OWN_WORKSPACE, useForget, useHere } from "@/api/session";
import { useLanguage, useText } from "@/i18n/language";
import { type Group, home, pages } from "@/pages";
import { Button } from "@/ui/button";
import { Select } from "@/ui/field";
import { Switches } from "./switches";
import { text } from "./text";

const GROUPS = ["observe", "build", "connect", "govern", "help"] as const satisfies readonly Group[];

/** Where one can go, in which workspace, and who is there. */
export function Rail({ onFind }: { readonly onFind: () => void }) {
  const t = useText(text);
  const { language } = useLanguage();
  const [path, go] = useLocation();
  const { account, workspace } = useHere();
  return (
    <div className="rail">
      <Link href="/" className="rail-brand">
        <img src="/console/icon.svg" alt="" />
        Tidegate
      </Link>
      {account.workspaces.length > 1 ? (
        <Select
          label={t("workspace")}
          value={workspace.slug}
          options={account.workspaces.map(({ slug, name }) => ({ value: slug, text: name }))}
          onChange={(event) => go(`~/console/w/${event.target.value}${path}`)}
        />
      ) : (
        workspace.slug !== OWN_WORKSPACE && <span className="muted clip" title={t("workspace")}>{workspace.name}</span>
      )}
      <Button className="find" onClick={onFind}>
        <Search aria-hidden />
        {t("palette")}
        <kbd>Ctrl K</kbd>
      </Button>
      <nav aria-label={t("navigation")}>
        {GROUPS.map((group) => {
          const own = pages.filter((page) => page.group === group);
          return own.length === 0 ? null : (
            <div key={group}>
              <h2 id={`rail-${group}`}>{t(group)}</h2>
              <ul aria-labelledby={`rail-${group}`}>
                {own.map((page) => {
                  const to = home(page);
                  const isHere = to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
                  return (
                    <li key={page.id}>
                      <Link href={to} aria-current={isHere ? "page" : undefined}>
                        <page.icon aria-hidden />
                        {page.title[language]}
                      </Link>
                    </li>
                  );
                })}
              </ul>
            </div>
          );
        })}
      </nav>
      <div className="rail-foot">
        <div className="row">
          <Switches />
          <SignOut />
        </div>
        <span className="muted clip">{t("signedInAs", { name: account.name })}</span>
      </div>
    </div>
  );
}

function SignOut() {
  const t = useText(text);
  const { account } = useHere();
  const [, go] = useLocation();
  const forget = useForget();
  const leave = async () => {
    // A session that is over already is what was wanted.
    if (account.kind === "session") await ask("/v1/session", { method: "DELETE" }).catch(() => undefined);
    keepKey(null);
    go("~/console/sign-in");
    await forget();
  };
  return (
    <Button kind="plain" icon label={t("signOut")} onClick={() => void leave()}>
      <LogOut aria-hidden />
    </Button>
  );
}
