import { useState } from "react";
import { useSend } from "@/api/hooks";
import { OWN_WORKSPACE, useHere } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { errorOf, FormSheet } from "@/manage/form";
import type { Invite } from "@/manage/shapes";
import { State } from "@/manage/status";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Code } from "@/ui/code";
import { Dialog } from "@/ui/dialog";
import { SelectField, TextField } from "@/ui/field";
import { Await, Empty, Failure } from "@/ui/state";
import { Table } from "@/ui/table";
import { Time } from "@/ui/time";
import { ORGANISATION_ROLES, roleWord, WORKSPACE_ROLES } from "./roles";
import { text } from "./text";

const PATH = "/v1/admin/users/invites";

interface Link {
  readonly email: string;
  readonly link: string;
}

/** Links that let people in. */
export function Invites({ isInviting, onInvite, onDone }: { readonly isInviting: boolean; readonly onInvite: () => void; readonly onDone: () => void }) {
  const t = useText(text);
  const invites = useAll<Invite>(PATH);
  const [made, setMade] = useState<Link | null>(null);
  const resend = useSend<Invite, { readonly inviteLink: string }>(({ id }) => ({ path: `${PATH}/${id}/resend`, method: "POST" }), [PATH]);
  const cancel = useSend<string>((id) => ({ path: `${PATH}/${id}`, method: "DELETE" }), [PATH]);
  return (
    <section className="stack-s" aria-labelledby="invites">
      <h2 id="invites">{t("invites")}</h2>
      {(resend.error || cancel.error) && <Failure error={resend.error ?? cancel.error} />}
      <Await of={invites} rows={2}>
        {(list) =>
          list.data.length === 0 ? (
            <Empty title={t("noInvites")}>
              <p>{t("emptyInvitesDo")}</p>
              <Button onClick={onInvite}>{t("invite")}</Button>
            </Empty>
          ) : (
            <Table
              label={t("invites")}
              rows={list.data}
              rowKey={(row) => row.id}
              columns={[
                { id: "email", title: t("email"), sort: (row) => row.email, cell: (row) => row.email },
                { id: "role", title: t("orgRole"), cell: (row) => roleWord(row.role, t) },
                { id: "status", title: t("invites"), sort: (row) => row.status, cell: (row) => <State of={row.status} /> },
                { id: "expires", title: t("expires"), sort: (row) => row.expires_at, cell: (row) => <Time at={row.expires_at} /> },
                {
                  id: "do",
                  title: <span className="unseen">{t("resend")}</span>,
                  cell: (row) =>
                    row.status !== "accepted" &&
                    row.status !== "cancelled" && (
                      <span className="row">
                        <Button onClick={() => resend.mutate(row, { onSuccess: ({ inviteLink }) => setMade({ email: row.email, link: inviteLink }) })}>{t("resend")}</Button>
                        <Button onClick={() => cancel.mutate(row.id)}>{t("cancel")}</Button>
                      </span>
                    ),
                },
              ]}
            />
          )
        }
      </Await>
      {isInviting && !made && <Form onMade={setMade} onClose={onDone} />}
      {made && (
        <Dialog
          title={t("linkTitle", { email: made.email })}
          onClose={() => {
            setMade(null);
            onDone();
          }}
        >
          <div className="stack">
            <p>{t("linkHint")}</p>
            <Code value={made.link} label={t("link")} />
          </div>
        </Dialog>
      )}
    </section>
  );
}

function Form({ onMade, onClose }: { readonly onMade: (link: Link) => void; readonly onClose: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const { workspace } = useHere();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<string>("member");
  const [place, setPlace] = useState<string>("member");
  const invite = useSend<null, { readonly invite_link: string }>(
    () => ({
      path: PATH,
      method: "POST",
      body: { email: email.trim(), role, workspaces: place && workspace.slug !== OWN_WORKSPACE ? [{ id: workspace.slug, role: place }] : [] },
    }),
    [PATH],
  );
  return (
    <FormSheet
      title={t("inviteTitle")}
      action={t("invite")}
      isBusy={invite.isPending}
      error={invite.error}
      shown={["email", "role", "workspaces"]}
      onSubmit={() => invite.mutate(null, { onSuccess: ({ invite_link }) => onMade({ email: email.trim(), link: invite_link }) })}
      onClose={onClose}
    >
      <TextField label={t("email")} type="email" required value={email} error={errorOf(invite.error, "email")} onChange={(event) => setEmail(event.target.value)} />
      <SelectField
        label={t("inviteRole")}
        value={role}
        error={errorOf(invite.error, "role")}
        options={ORGANISATION_ROLES.map((value) => ({ value, text: roleWord(value, t) }))}
        onChange={(event) => setRole(event.target.value)}
      />
      <SelectField
        label={t("workspaceRole", { workspace: workspace.name })}
        value={place}
        error={errorOf(invite.error, "workspaces")}
        options={[...WORKSPACE_ROLES.map((value) => ({ value: value as string, text: roleWord(value, t) })), { value: "", text: t("noWorkspace") }]}
        onChange={(event) => setPlace(event.target.value)}
      />
      <p className="muted">{m("copyOnce")}</p>
    </FormSheet>
  );
}
