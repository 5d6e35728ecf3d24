import { useState } from "react";
import { useGet, useSend } from "@/api/hooks";
import { useText } from "@/i18n/language";
import { ErrorLine, errorOf } from "@/manage/form";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Code } from "@/ui/code";
import { CheckField, TextField } from "@/ui/field";
import { Page } from "@/ui/page";
import { Await, Failure } from "@/ui/state";
import { SWITCHES } from "./switches";
import { text } from "./text";

const PATH = "/v1/admin/organisation";

interface Organisation {
  readonly id: string;
  readonly name: string;
  readonly allow_workspace_overrides: boolean;
  readonly settings: Readonly<Record<string, boolean>>;
}

/** The organisation, and what managers and members of its workspaces may see and do. */
export default function Settings() {
  const t = useText(text);
  const organisation = useGet<Organisation>(PATH);
  return (
    <Page title={t("title")}>
      <Await of={organisation}>
        {(found) => (
          <>
            <Name key={found.name} of={found} />
            <Switches of={found} />
          </>
        )}
      </Await>
      <section className="panel stack-s">
        <h2>{t("operator")}</h2>
        <p>{t("operatorHint")}</p>
        <Code value={"tidegate check\ntidegate check --config new.toml"} label={t("commands")} />
      </section>
    </Page>
  );
}

function Name({ of }: { readonly of: Organisation }) {
  const t = useText(text);
  const m = useText(manage);
  const [name, setName] = useState(of.name);
  const save = useSend<string>((next) => ({ path: PATH, method: "PUT", body: { name: next } }), [PATH]);
  return (
    <section className="panel">
      <h2>{t("organisation")}</h2>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(name.trim());
        }}
      >
        <TextField label={t("orgName")} required value={name} error={errorOf(save.error, "name")} onChange={(event) => setName(event.target.value)} />
        <ErrorLine error={save.error} shown={["name"]} />
        <div>
          <Button type="submit" disabled={save.isPending || name.trim() === of.name}>
            {m("save")}
          </Button>
        </div>
      </form>
    </section>
  );
}

function Switches({ of }: { readonly of: Organisation }) {
  const t = useText(text);
  const change = useSend<Readonly<Record<string, unknown>>>((body) => ({ path: PATH, method: "PUT", body }), [PATH]);
  return (
    <>
      <p className="muted">{t("switchesHint")}</p>
      {change.error && <Failure error={change.error} />}
      <CheckField
        label={t("overrides")}
        checked={of.allow_workspace_overrides}
        disabled={change.isPending}
        onChange={(event) => change.mutate({ allow_workspace_overrides: event.target.checked })}
      />
      <div className="grid-2">
        {(["managers", "members", "admins"] as const).map((group) => (
          <section key={group} className="panel stack-s">
            <h2>{t(group)}</h2>
            {SWITCHES[group].map((name) => (
              <CheckField
                key={name}
                label={t(name)}
                checked={of.settings[name] ?? false}
                disabled={change.isPending}
                onChange={(event) => change.mutate({ settings: { [name]: event.target.checked } })}
              />
            ))}
          </section>
        ))}
      </div>
    </>
  );
}
