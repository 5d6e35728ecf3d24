import { OWN_WORKSPACE, useHere } from "@/api/session";
import { useText } from "@/i18n/language";
import { Button } from "@/ui/button";
import { Page } from "@/ui/page";
import { useParam } from "@/url/view";
import { Invites } from "./invites";
import { People } from "./people";
import { text } from "./text";
import { WorkspaceMembers } from "./workspace-members";

/** Who may do what: in the workspace, in the organisation, and who was invited. */
export default function Members() {
  const t = useText(text);
  const { workspace } = useHere();
  const [isInviting, setInviting] = useParam("invite");
  return (
    <Page
      title={t("title")}
      actions={
        <Button kind="primary" onClick={() => setInviting("1")}>
          {t("invite")}
        </Button>
      }
    >
      {workspace.slug !== OWN_WORKSPACE && <WorkspaceMembers />}
      <People />
      <Invites isInviting={isInviting !== ""} onInvite={() => setInviting("1")} onDone={() => setInviting("")} />
      <details className="details">
        <summary>{t("roles")}</summary>
        <ul>
          <li>{t("rolesOwner")}</li>
          <li>{t("rolesAdmin")}</li>
          <li>{t("rolesManager")}</li>
          <li>{t("rolesMember")}</li>
          <li>{t("rolesSwitches")}</li>
        </ul>
      </details>
    </Page>
  );
}
