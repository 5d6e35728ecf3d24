import { X } from "lucide-react";
import { useState } from "react";
import { useSend } from "@/api/hooks";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ManageList } from "@/manage/list";
import type { User } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Select } from "@/ui/field";
import { Empty, Failure } from "@/ui/state";
import type { Column } from "@/ui/table";
import { Time } from "@/ui/time";
import { ORGANISATION_ROLES, personName, roleWord } from "./roles";
import { text } from "./text";

/** Everybody in the organisation. */
export function People() {
  const t = useText(text);
  const m = useText(manage);
  const users = useAll<User>("/v1/admin/users");
  const [leaving, setLeaving] = useState<User | null>(null);
  const role = useSend<{ readonly id: string; readonly role: string }>(({ id, ...body }) => ({ path: `/v1/admin/users/${id}`, method: "PUT", body }), ["/v1/admin"]);
  const remove = useSend<string>((id) => ({ path: `/v1/admin/users/${id}`, method: "DELETE" }), ["/v1/admin"]);
  const columns: readonly Column<User>[] = [
    { id: "person", title: t("person"), sort: personName, cell: personName },
    { id: "email", title: t("email"), sort: (row) => row.email, cell: (row) => row.email },
    {
      id: "role",
      title: t("orgRole"),
      sort: (row) => row.role,
      cell: (row) =>
        row.role === "owner" ? (
          roleWord(row.role, t)
        ) : (
          <Select
            label={t("roleOf", { person: personName(row) })}
            value={row.role}
            options={ORGANISATION_ROLES.map((value) => ({ value, text: roleWord(value, t) }))}
            disabled={role.isPending}
            onChange={(event) => role.mutate({ id: row.id, role: event.target.value })}
          />
        ),
    },
    { id: "created", title: m("created"), sort: (row) => row.created_at, cell: (row) => <Time at={row.created_at} /> },
    {
      id: "remove",
      title: <span className="unseen">{m("remove")}</span>,
      cell: (row) =>
        row.role !== "owner" && (
          <Button kind="plain" icon label={m("remove")} onClick={() => setLeaving(row)}>
            <X aria-hidden />
          </Button>
        ),
    },
  ];
  const close = () => setLeaving(null);
  return (
    <section className="stack-s" aria-labelledby="people">
      <h2 id="people">{t("ofOrganisation")}</h2>
      {role.error && <Failure error={role.error} />}
      <ManageList
        of={users}
        label={t("ofOrganisation")}
        columns={columns}
        rowKey={(row) => row.id}
        words={(row) => `${personName(row)} ${row.email} ${row.role}`}
        empty={<Empty title={t("emptyOrganisation")} />}
      />
      {leaving && (
        <Confirm
          title={t("removeTitle", { person: personName(leaving) })}
          action={m("remove")}
          isDangerous
          isBusy={remove.isPending}
          onClose={close}
          onConfirm={() => remove.mutate(leaving.id, { onSuccess: close })}
        >
          <p>{t("removeWords", { count: leaving.workspace_ids.length })}</p>
          {remove.error && <Failure error={remove.error} />}
        </Confirm>
      )}
    </section>
  );
}
