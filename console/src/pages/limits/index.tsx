import { useLocation, useParams } from "wouter";
import { OWN_WORKSPACE, useHere } from "@/api/session";
import { useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { Page } from "@/ui/page";
import { InForce } from "./in-force";
import { Policies } from "./policies";
import { text } from "./text";
import { WorkspaceLimits } from "./workspace";

/** What may be used up and how fast: of the workspace, its keys and providers, and by policies. */
export default function Limits() {
  const t = useText(text);
  const [, go] = useLocation();
  const { kind, id } = useParams<{ kind?: string; id?: string }>();
  const { workspace } = useHere();
  return (
    <Page title={t("title")} actions={workspace.slug !== OWN_WORKSPACE && <Button onClick={() => go("/limits/workspace")}>{t("editWorkspace")}</Button>}>
      <InForce />
      <Policies kind={kind} id={id} />
      {kind === "workspace" && <WorkspaceLimits onClose={() => go("/limits")} />}
    </Page>
  );
}
