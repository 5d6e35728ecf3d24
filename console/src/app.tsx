import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, lazy, Suspense, useEffect, useState } from "react";
import { Redirect, Route, Router, Switch, useLocation, useParams } from "wouter";
import { problemOf } from "./api/problem";
import { HereProvider, OWN_WORKSPACE, type Workspace, useAccountQuery } from "./api/session";
import { LanguageProvider, useText } from "./i18n/language";
import { Boundary } from "./layout/boundary";
import { Shell } from "./layout/shell";
import { SignIn } from "./layout/sign-in";
import { text } from "./layout/text";
import { loaded, type Nav, pages } from "./pages";
import { Button } from "./ui/button";
import { Empty, Failure, Loading } from "./ui/state";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // The gateway's refusals stay refusals; only silence and its own faults may pass.
      retry: (failures, error) => failures < 2 && [0, 502, 503, 504].includes(problemOf(error).status),
      refetchOnWindowFocus: false,
    },
  },
});

const routes: readonly { readonly page: Nav; readonly later: ComponentType }[] = pages.map((page) => ({ page, later: lazy(page.load) }));

/** What is there already is shown at once; the rest behind a frame of what comes. */
function Shown({ page, later }: (typeof routes)[number]) {
  const [Component] = useState(() => loaded(page) ?? later);
  return <Component />;
}

const KEPT_AS = "tidegate.workspace";

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <LanguageProvider>
        <Router base="/console">
          <Switch>
            <Route path="/sign-in" component={SignIn} />
            <Route path="/w/:workspace/*?" component={Inside} />
            <Route component={ToWorkspace} />
          </Switch>
        </Router>
      </LanguageProvider>
    </QueryClientProvider>
  );
}

/**
 * `/console/logs?…` is `/console/w/<workspace>/logs?…`, in the workspace that was looked at last. Who was never here begins
 * where one gets started.
 */
function ToWorkspace() {
  const [path] = useLocation();
  const to = path === "/" && localStorage.getItem(KEPT_AS) === null ? "/start" : path;
  return <WithAccount to={(workspaces) => <Redirect to={`/w/${choice(workspaces)}${to}${location.search}`} replace />} />;
}

function choice(workspaces: readonly Workspace[]): string {
  const last = localStorage.getItem(KEPT_AS);
  const known = workspaces.find(({ slug }) => slug === last) ?? workspaces[0];
  return known?.slug ?? "";
}

function Inside() {
  const { workspace: slug = "" } = useParams<{ workspace: string }>();
  const t = useText(text);
  useEffect(() => localStorage.setItem(KEPT_AS, slug), [slug]);
  return (
    <WithAccount
      to={(workspaces, account) => {
        // A key that may not list workspaces has its own, whatever the address calls it.
        const own = workspaces[0]?.slug === OWN_WORKSPACE ? workspaces[0] : undefined;
        const workspace = workspaces.find((one) => one.slug === slug || one.id === slug) ?? own;
        if (!workspace) return workspaces.length > 0 ? <Redirect to={`/w/${choice(workspaces)}/`} replace /> : <Empty title={t("noWorkspace")} />;
        return (
          <HereProvider account={account} workspace={workspace}>
            <Router base={`/w/${slug}`}>
              <Shell>
                <Pages />
              </Shell>
            </Router>
          </HereProvider>
        );
      }}
    />
  );
}

type Account = NonNullable<ReturnType<typeof useAccountQuery>["data"]>;

/** What is for people who are signed in; others are shown the door, and come back here afterwards. */
function WithAccount({ to }: { readonly to: (workspaces: readonly Workspace[], account: Account) => React.ReactNode }) {
  const t = useText(text);
  const { data, error, refetch } = useAccountQuery();
  if (data) {
    return data.workspaces.length > 0 ? to(data.workspaces, data) : <Empty title={t("noWorkspace")}>{t("noWorkspaceDo")}</Empty>;
  }
  if (!error) return <div className="page"><Loading /></div>;
  if (error.status !== 401) return <div className="page"><Failure error={error} onRetry={() => void refetch()} /></div>;
  const here = location.pathname + location.search;
  return <Redirect to={/^\/console\/?$/.test(here) ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`} replace />;
}

function Pages() {
  const t = useText(text);
  const [path] = useLocation();
  const broken = (
    <div className="page">
      <Empty title={t("broken")}>
        <p>{t("brokenDo")}</p>
        <Button onClick={() => location.reload()}>{t("reload")}</Button>
      </Empty>
    </div>
  );
  return (
    <Boundary key={path.split("/")[1]} fallback={broken}>
      <Suspense fallback={<div className="page"><Loading rows={10} /></div>}>
        <Switch>
          {routes.map((route) => (
            <Route key={route.page.id} path={route.page.path}>
              <Shown {...route} />
            </Route>
          ))}
          <Route>
            <div className="page">
              <Empty title={t("notFound")}>
                <p>{t("notFoundDo")}</p>
                <a className="button" href="/console/">{t("toStart")}</a>
              </Empty>
            </div>
          </Route>
        </Switch>
      </Suspense>
    </Boundary>
  );
}
