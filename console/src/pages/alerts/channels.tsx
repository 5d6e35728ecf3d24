import { Plus, Trash2 } from "lucide-react";
import { useText } from "@/i18n/language";
import { errorOf } from "@/manage/form";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import type { ChannelDraft } from "./draft";
import type { ChannelType } from "./shapes";
import { text } from "./text";

const TYPES: readonly ChannelType[] = ["webhook", "slack", "email"];
const MOST = 10;

interface Props {
  readonly of: readonly ChannelDraft[];
  readonly error: unknown;
  readonly onChange: (channels: readonly ChannelDraft[]) => void;
}

/** Who is told. Addresses and secrets that are stored are not shown: left empty they stay. */
export function Channels({ of, error, onChange }: Props) {
  const t = useText(text);
  const put = (at: number, change: Partial<ChannelDraft>) => onChange(of.map((one, index) => (index === at ? { ...one, ...change } : one)));
  return (
    <fieldset>
      <legend>{t("channels")}</legend>
      <p className="muted">{t("channelsHint")}</p>
      {of.map((channel, at) => (
        <div className="stack-s" key={channel.id ?? at}>
          <div className="row">
            <SelectField
              label={t("channelType")}
              value={channel.type}
              disabled={channel.id !== null}
              options={TYPES.map((value) => ({ value, text: t(`channel_${value}`) }))}
              onChange={(event) => put(at, { type: event.target.value as ChannelType })}
            />
            <Button kind="plain" icon label={t("removeChannel")} onClick={() => onChange(of.filter((_, index) => index !== at))}>
              <Trash2 aria-hidden />
            </Button>
          </div>
          {channel.type === "email" ? (
            <TextField
              label={t("to")}
              hint={t("toHint")}
              value={channel.to}
              required
              error={errorOf(error, `channels[${at}].to`)}
              onChange={(event) => put(at, { to: event.target.value })}
            />
          ) : (
            <TextField
              label={t("url")}
              hint={channel.known ? t("kept", { known: channel.known }) : undefined}
              type="url"
              autoComplete="off"
              value={channel.url}
              required={channel.known === null}
              error={errorOf(error, `channels[${at}].url`)}
              onChange={(event) => put(at, { url: event.target.value })}
            />
          )}
          {channel.type === "webhook" && (
            <TextField
              label={t("secret")}
              hint={t("secretHint")}
              type="password"
              autoComplete="off"
              value={channel.secret}
              error={errorOf(error, `channels[${at}].secret`)}
              onChange={(event) => put(at, { secret: event.target.value })}
            />
          )}
        </div>
      ))}
      <div>
        <Button disabled={of.length >= MOST} onClick={() => onChange([...of, { id: null, type: "webhook", url: "", known: null, secret: "", to: "" }])}>
          <Plus aria-hidden />
          {t("addChannel")}
        </Button>
      </div>
    </fieldset>
  );
}
