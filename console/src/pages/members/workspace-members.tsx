import { X } from "lucide-react";
import { useState } from "react";
import { useSend } from "@/api/hooks";
import { useHere } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ErrorLine } from "@/manage/form";
import type { Member, User } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Select, SelectField } from "@/ui/field";
import { Await, Empty, Failure } from "@/ui/state";
import { Table } from "@/ui/table";
import { personName, roleWord, WORKSPACE_ROLES } from "./roles";
import { text } from "./text";

/** Who works in the workspace, and as what. */
export function WorkspaceMembers() {
  const t = useText(text);
  const m = useText(manage);
  const { workspace } = useHere();
  const path = `/v1/admin/workspaces/${workspace.slug}/users`;
  const members = useAll<Member>(path);
  const [asking, setAsking] = useState<"add" | Member | null>(null);
  const role = useSend<{ readonly id: string; readonly role: string }>(({ id, ...body }) => ({ path: `${path}/${id}`, method: "PUT", body }), [path]);
  const remove = useSend<string>((id) => ({ path: `${path}/${id}`, method: "DELETE" }), ["/v1/admin"]);
  const close = () => setAsking(null);
  return (
    <section className="stack-s" aria-labelledby="members">
      <div className="row">
        <h2 id="members">{t("ofWorkspace", { workspace: workspace.name })}</h2>
        <Button className="push" onClick={() => setAsking("add")}>
          {t("addMember")}
        </Button>
      </div>
      {role.error && <Failure error={role.error} />}
      <Await of={members}>
        {(list) =>
          list.data.length === 0 ? (
            <Empty title={t("emptyTitle")}>
              <p>{t("emptyDo")}</p>
            </Empty>
          ) : (
            <Table
              label={t("ofWorkspace", { workspace: workspace.name })}
              rows={list.data}
              rowKey={(row) => row.id}
              columns={[
                { id: "person", title: t("person"), sort: personName, cell: personName },
                { id: "email", title: t("email"), sort: (row) => row.email, cell: (row) => row.email },
                {
                  id: "role",
                  title: t("role"),
                  cell: (row) => (
                    <Select
                      label={t("roleOf", { person: personName(row) })}
                      value={row.role.replace(/^ws-/, "")}
                      options={WORKSPACE_ROLES.map((value) => ({ value, text: roleWord(value, t) }))}
                      disabled={role.isPending}
                      onChange={(event) => role.mutate({ id: row.id, role: event.target.value })}
                    />
                  ),
                },
                { id: "org", title: t("orgRole"), cell: (row) => roleWord(row.org_role, t) },
                {
                  id: "remove",
                  title: <span className="unseen">{t("removeFrom")}</span>,
                  cell: (row) => (
                    <Button kind="plain" icon label={t("removeFrom")} onClick={() => setAsking(row)}>
                      <X aria-hidden />
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Await>
      {asking === "add" && <AddMember path={path} known={members.data?.data ?? []} onClose={close} />}
      {asking !== null && asking !== "add" && (
        <Confirm
          title={t("removeFromTitle", { person: personName(asking), workspace: workspace.name })}
          action={m("remove")}
          isDangerous
          isBusy={remove.isPending}
          onClose={close}
          onConfirm={() => remove.mutate(asking.id, { onSuccess: close })}
        >
          <p>{t("removeFromWords")}</p>
          {remove.error && <Failure error={remove.error} />}
        </Confirm>
      )}
    </section>
  );
}

function AddMember({ path, known, onClose }: { readonly path: string; readonly known: readonly Member[]; readonly onClose: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const users = useAll<User>("/v1/admin/users");
  const others = (users.data?.data ?? []).filter((user) => !known.some((member) => member.id === user.id));
  const [chosen, setChosen] = useState("");
  const [role, setRole] = useState<string>("member");
  const id = chosen || others[0]?.id;
  const add = useSend<null>(() => ({ path, method: "POST", body: { users: [{ id, role }] } }), ["/v1/admin"]);
  return (
    <Confirm title={t("addMember")} action={m("add")} isBusy={add.isPending || !id} onClose={onClose} onConfirm={() => add.mutate(null, { onSuccess: onClose })}>
      <Await of={users} rows={2}>
        {() =>
          others.length === 0 ? (
            <p>{t("nobodyElse")}</p>
          ) : (
            <div className="form">
              <SelectField
                label={t("person")}
                value={id}
                options={others.map((user) => ({ value: user.id, text: `${personName(user)} (${user.email})` }))}
                onChange={(event) => setChosen(event.target.value)}
              />
              <SelectField label={t("role")} value={role} options={WORKSPACE_ROLES.map((value) => ({ value, text: roleWord(value, t) }))} onChange={(event) => setRole(event.target.value)} />
              <ErrorLine error={add.error} />
            </div>
          )
        }
      </Await>
    </Confirm>
  );
}
