import { useState } from "react";
import { useGet, useSend } from "@/api/hooks";
import { useHere } from "@/api/session";
import { useText } from "@/i18n/language";
import { ErrorLine } from "@/manage/form";
import type { Lent } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { CheckField } from "@/ui/field";
import { Await } from "@/ui/state";
import { changed, choiceOf, type Choice } from "./lent";
import { text } from "./text";

/** Which workspaces may use a key of the organisation. Who may not see that sees nothing here. */
export function Lending({ id }: { readonly id: string }) {
  const t = useText(text);
  const lent = useGet<Lent>(`/v1/integrations/${id}/workspaces`);
  if (lent.error?.status === 403) return null;
  return (
    <section className="panel stack-s">
      <h2>{t("lentTo")}</h2>
      <Await of={lent} rows={2}>
        {(found) => <Form key={JSON.stringify(found)} id={id} of={found} />}
      </Await>
    </section>
  );
}

function Form({ id, of }: { readonly id: string; readonly of: Lent }) {
  const t = useText(text);
  const m = useText(manage);
  const { account } = useHere();
  const before = choiceOf(of, account.workspaces);
  const [choice, setChoice] = useState<Choice>(before);
  const save = useSend<null>(() => ({ path: `/v1/integrations/${id}/workspaces`, method: "PUT", body: changed(of, choice, account.workspaces) }), ["/v1/integrations", "/v1/providers"]);
  const flip = (workspace: string) => {
    const here = new Set(choice.workspaces);
    if (!here.delete(workspace)) here.add(workspace);
    setChoice({ ...choice, workspaces: here });
  };
  const everyone = (isEveryone: boolean) => setChoice({ isEveryone, workspaces: isEveryone ? new Set(account.workspaces.map((one) => one.id)) : choice.workspaces });
  return (
    <form
      className="stack-s"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(null);
      }}
    >
      <p className="muted">{t("lentHint")}</p>
      <CheckField label={t("lentAll")} checked={choice.isEveryone} onChange={(event) => everyone(event.target.checked)} />
      <fieldset>
        <legend>{t("lentSome")}</legend>
        {account.workspaces.map((one) => (
          <CheckField key={one.id} label={one.name} checked={choice.workspaces.has(one.id)} onChange={() => flip(one.id)} />
        ))}
      </fieldset>
      <ErrorLine error={save.error} />
      <div className="row">
        <Button type="submit" disabled={save.isPending}>
          {m("save")}
        </Button>
        {save.isSuccess && <span role="status">✓ {t("lentSaved")}</span>}
      </div>
    </form>
  );
}
