import { Link, useParams } from "wouter";
import { useText } from "@/i18n/language";
import { TextField } from "@/ui/field";
import { CopyButton } from "@/ui/copy";
import { Page } from "@/ui/page";
import { RangePicker } from "@/ui/range-picker";
import { useRange } from "@/url/range";
import { useView } from "@/url/view";
import { TraceView } from "./detail";
import { TraceList } from "./list";
import { text } from "./text";
import "./traces.css";

/** Requests that belong together: a list of traces, or one as a tree. */
export default function Traces() {
  const t = useText(text);
  const { id } = useParams<{ id?: string }>();
  return id ? (
    <Page
      title={t("one", { id: id.length > 24 ? `${id.slice(0, 24)}…` : id })}
      actions={
        <>
          <CopyButton value={id} />
          <Link className="button" href="/traces">
            {t("back")}
          </Link>
        </>
      }
    >
      <TraceView key={id} id={id} />
    </Page>
  ) : (
    <Listed />
  );
}

function Listed() {
  const t = useText(text);
  const range = useRange("-24h");
  const { get, set } = useView();
  const [user, session] = [get("user") ?? "", get("session") ?? ""];
  return (
    <Page title={t("title")} actions={<RangePicker range={range} />}>
      <div className="filters">
        <Filter label={t("userFilter")} value={user} onChange={(next) => set({ user: next })} />
        <Filter label={t("sessionFilter")} value={session} onChange={(next) => set({ session: next })} />
      </div>
      <TraceList from={range.from} to={range.range.kind === "between" ? range.to : null} {...(user ? { user } : {})} {...(session ? { session } : {})} />
    </Page>
  );
}

/** Asked for when it is left or Enter is pressed, not with every letter. */
function Filter({ label, value, onChange }: { readonly label: string; readonly value: string; readonly onChange: (value: string) => void }) {
  return (
    <TextField
      key={value}
      label={label}
      defaultValue={value}
      onBlur={(event) => event.target.value !== value && onChange(event.target.value.trim())}
      onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
    />
  );
}
