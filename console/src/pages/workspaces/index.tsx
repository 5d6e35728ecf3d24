import { Plus } from "lucide-react";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { useSend } from "@/api/hooks";
import { useForget } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { errorOf, FormSheet } from "@/manage/form";
import { ManageList, RowButton } from "@/manage/list";
import { LIMIT_MEMBERS, LimitFields } from "@/manage/limit-fields";
import { draftOf, mistakesOf, NO_LIMITS, ratesOf, usageOf } from "@/manage/limits";
import { Meter } from "@/manage/meter";
import type { WorkspaceRow } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { ratesWords } from "@/manage/words";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { CheckField, TextField } from "@/ui/field";
import { Page } from "@/ui/page";
import { Empty, Failure } from "@/ui/state";
import type { Column } from "@/ui/table";
import { Time } from "@/ui/time";
import { draftOfRecords, RECORD_MEMBERS, RecordFields, recordsOf } from "./records";
import { text } from "./text";

const PATH = "/v1/admin/workspaces";

/** The workspaces of the organisation. */
export default function Workspaces() {
  const t = useText(text);
  const m = useText(manage);
  const { slug } = useParams<{ slug?: string }>();
  const [, go] = useLocation();
  const workspaces = useAll<WorkspaceRow>(PATH);
  const columns: readonly Column<WorkspaceRow>[] = [
    { id: "name", title: m("name"), sort: (row) => row.name, cell: (row) => <RowButton onClick={() => go(`/workspaces/${row.slug}`)}>{row.name}</RowButton> },
    { id: "slug", title: t("slug"), sort: (row) => row.slug, cell: (row) => <span className="mono">{row.slug}</span> },
    { id: "default", title: t("isDefault"), cell: (row) => (row.is_default ? t("yes") : "—") },
    { id: "budget", title: m("budget"), cell: (row) => (row.current_usage.length > 0 ? row.current_usage.map((used) => <Meter key={used.type} of={used} />) : "—") },
    { id: "rates", title: m("rateLimits"), cell: (row) => ratesWords(row.rate_limits, m) },
    { id: "created", title: m("created"), sort: (row) => row.created_at, cell: (row) => <Time at={row.created_at} /> },
    { id: "go", title: <span className="unseen">{t("goThere")}</span>, cell: (row) => <Button onClick={() => go(`~/console/w/${row.slug}/`)}>{t("goThere")}</Button> },
  ];
  const create = (
    <Button kind="primary" onClick={() => go("/workspaces/new")}>
      <Plus aria-hidden />
      {t("create")}
    </Button>
  );
  const chosen = workspaces.data?.data.find((one) => one.slug === slug);
  const close = () => go("/workspaces");
  return (
    <Page title={t("title")} actions={create}>
      <ManageList
        of={workspaces}
        label={t("title")}
        columns={columns}
        rowKey={(row) => row.id}
        words={(row) => `${row.name} ${row.slug} ${row.description ?? ""}`}
        empty={
          <Empty title={t("emptyTitle")}>
            <p>{t("emptyDo")}</p>
            {create}
          </Empty>
        }
      />
      {slug === "new" && <Form onClose={close} />}
      {chosen && <Form key={chosen.id} of={chosen} onClose={close} />}
    </Page>
  );
}

function Form({ of, onClose }: { readonly of?: WorkspaceRow; readonly onClose: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const forget = useForget();
  const [name, setName] = useState(of?.name ?? "");
  const [description, setDescription] = useState(of?.description ?? "");
  const [limits, setLimits] = useState(() => (of ? draftOf(of.usage_limits[0], of.rate_limits) : NO_LIMITS));
  const [records, setRecords] = useState(() => draftOfRecords(of?.records));
  const [isDeleting, setDeleting] = useState(false);
  const mistakes = mistakesOf(limits);
  const save = useSend<null>(() => {
    const usage = usageOf(limits);
    const usages = [...(usage ? [usage] : []), ...(of?.usage_limits.slice(1) ?? [])];
    const body = { name: name.trim(), description: description.trim() || null, usage_limits: usages, rate_limits: ratesOf(limits) };
    return of ? { path: `${PATH}/${of.slug}`, method: "PUT", body: { ...body, ...recordsOf(records, draftOfRecords(of.records)) } } : { path: PATH, method: "POST", body };
  }, [PATH]);
  const done = async () => {
    onClose();
    // The rail's list of workspaces is part of who is signed in.
    await forget();
  };
  return (
    <FormSheet
      title={of?.name ?? t("create")}
      action={m("save")}
      isBusy={save.isPending}
      error={save.error}
      shown={["name", "description", ...LIMIT_MEMBERS, ...RECORD_MEMBERS]}
      onSubmit={() => mistakes.size === 0 && save.mutate(null, { onSuccess: () => void done() })}
      onClose={onClose}
    >
      <TextField label={m("name")} required value={name} error={errorOf(save.error, "name")} onChange={(event) => setName(event.target.value)} />
      <TextField label={t("description")} value={description} error={errorOf(save.error, "description")} onChange={(event) => setDescription(event.target.value)} />
      <LimitFields draft={limits} onChange={setLimits} mistakes={mistakes} error={save.error} />
      {of && <RecordFields draft={records} onChange={setRecords} error={save.error} />}
      {of && !of.is_default && (
        <div>
          <Button kind="danger" onClick={() => setDeleting(true)}>
            {m("delete")}
          </Button>
        </div>
      )}
      {of && isDeleting && <Delete of={of} onClose={() => setDeleting(false)} onGone={() => void done()} />}
    </FormSheet>
  );
}

function Delete({ of, onClose, onGone }: { readonly of: WorkspaceRow; readonly onClose: () => void; readonly onGone: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const [typed, setTyped] = useState("");
  const [withAll, setWithAll] = useState(false);
  const remove = useSend<null>(() => ({ path: `${PATH}/${of.slug}`, method: "DELETE", body: { name: of.name, force_delete: withAll } }), [PATH]);
  return (
    <Confirm
      title={t("deleteTitle", { name: of.name })}
      action={m("delete")}
      isDangerous
      isBusy={remove.isPending || typed !== of.name}
      onClose={onClose}
      onConfirm={() => remove.mutate(null, { onSuccess: onGone })}
    >
      <div className="form">
        <p>{t("deleteWords")}</p>
        <TextField label={t("typeName")} value={typed} onChange={(event) => setTyped(event.target.value)} />
        <CheckField label={t("withAll")} checked={withAll} onChange={(event) => setWithAll(event.target.checked)} />
        {remove.error && <Failure error={remove.error} />}
      </div>
    </Confirm>
  );
}
