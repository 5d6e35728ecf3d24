import { Bookmark, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ErrorLine, errorOf } from "@/manage/form";
import { Button } from "@/ui/button";
import { CheckField, TextField } from "@/ui/field";
import { Menu } from "@/ui/menu";
import { Await } from "@/ui/state";
import { useView } from "@/url/view";
import { text } from "./text";
import "./views.css";

export interface SavedView {
  readonly id: string;
  readonly name: string;
  readonly page: "logs" | "analytics";
  readonly tab: string;
  /** Without `?`. */
  readonly query: string;
  readonly shared: boolean;
  readonly editable: boolean;
}

/** Where a view leads. */
export function addressOf({ page, tab, query }: Pick<SavedView, "page" | "tab" | "query">): string {
  return `/${page}${tab ? `/${tab}` : ""}${query ? `?${query}` : ""}`;
}

interface Props {
  readonly page: SavedView["page"];
  /** Below the page. */
  readonly tab?: string;
}

/** Saves the page as it stands in the address, and opens what was saved: one's own views, and those that are shared. */
export function SavedViews({ page, tab = "" }: Props) {
  const t = useText(text);
  const place = useWorkspaceParam();
  const { all } = useView();
  const [name, setName] = useState("");
  const [isShared, setShared] = useState(false);
  const views = useAll<SavedView>("/v1/saved-views", { ...place, page });
  const save = useSend<null>(
    () => ({ path: "/v1/saved-views", method: "POST", body: { ...place, name: name.trim(), page, tab, query: String(all), shared: isShared } }),
    ["/v1/saved-views"],
  );
  const remove = useSend<string>((id) => ({ path: `/v1/saved-views/${id}`, method: "DELETE" }), ["/v1/saved-views"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(null, { onSuccess: () => setName("") });
  };
  return (
    <Menu
      label={
        <>
          <Bookmark aria-hidden />
          {t("views")}
        </>
      }
    >
      <Await of={views} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <p className="muted">{t("none")}</p>
          ) : (
            <ul className="views">
              {data.map((view) => (
                <li key={view.id} className="row">
                  <Link href={addressOf(view)}>{view.name}</Link>
                  {view.shared && <span className="muted">{t("shared")}</span>}
                  {view.editable && (
                    <Button kind="plain" icon className="push" label={t("delete", { name: view.name })} disabled={remove.isPending} onClick={() => remove.mutate(view.id)}>
                      <Trash2 aria-hidden />
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Await>
      <ErrorLine error={remove.error} />
      <form className="form" onSubmit={submit}>
        <TextField label={t("name")} required value={name} error={errorOf(save.error, "name")} onChange={(event) => setName(event.target.value)} />
        <CheckField label={t("share")} checked={isShared} onChange={(event) => setShared(event.target.checked)} />
        <ErrorLine error={save.error} shown={["name"]} />
        <div className="form-foot">
          <Button type="submit" kind="primary" disabled={save.isPending || name.trim() === ""}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Menu>
  );
}
