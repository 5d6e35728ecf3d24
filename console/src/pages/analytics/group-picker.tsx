import { useText } from "@/i18n/language";
import { GROUPS } from "@/metrics/group";
import { text as metricsText } from "@/metrics/text";
import { Select, TextField } from "@/ui/field";
import { text } from "./text";

const METADATA = "metadata.";

/** What figures are told apart by: one of the usual, or a key of the requests' metadata. */
export function GroupPicker({ group, onChange }: { readonly group: string; readonly onChange: (group: string) => void }) {
  const t = useText(text);
  const m = useText(metricsText);
  const isMetadata = group.startsWith(METADATA);
  const key = isMetadata ? group.slice(METADATA.length) : "";
  const options = [
    { value: "none", text: t("groupNone") },
    ...GROUPS.map((one) => ({ value: one as string, text: m(`group_${one}`) })),
    { value: METADATA, text: m("metadata", { key: key || "…" }) },
  ];
  return (
    <>
      <Select label={t("group")} value={isMetadata ? METADATA : group} options={options} onChange={(event) => onChange(event.target.value)} />
      {isMetadata && (
        <div className="inline-field">
          <TextField label={t("metadataKey")} className="mono" defaultValue={key} key={key} onBlur={(event) => onChange(METADATA + event.target.value.trim())} onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()} />
        </div>
      )}
    </>
  );
}
