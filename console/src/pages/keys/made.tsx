import { useText } from "@/i18n/language";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { Code } from "@/ui/code";
import { Dialog } from "@/ui/dialog";
import { text } from "./text";

/** A key, the one time that it is shown, with what to do with it. */
export function Made({ name, secret, model, onClose }: { readonly name: string; readonly secret: string; readonly model: string; readonly onClose: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const base = `${location.origin}/v1`;
  const curl = [
    `curl ${base}/chat/completions \\`,
    `  -H 'authorization: Bearer ${secret}' -H 'content-type: application/json' \\`,
    `  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello!"}]}'`,
  ].join("\n");
  const python = [
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${base}", api_key="${secret}")`,
    "answer = client.chat.completions.create(",
    `    model="${model}",`,
    '    messages=[{"role": "user", "content": "Hello!"}],',
    ")",
    "print(answer.choices[0].message.content)",
  ].join("\n");
  return (
    <Dialog
      title={t("madeTitle", { name })}
      onClose={onClose}
      footer={
        <Button kind="primary" onClick={onClose}>
          {m("done")}
        </Button>
      }
    >
      <div className="stack">
        <p>{m("copyOnce")}</p>
        <Code value={secret} label={t("key")} />
        <h3>{t("madeTry")}</h3>
        <Code value={curl} label={t("madeTry")} />
        <h3>{t("madeEnvironment")}</h3>
        <Code value={`export OPENAI_BASE_URL=${base}\nexport OPENAI_API_KEY=${secret}`} label={t("madeEnvironment")} />
        <h3>{t("madePython")}</h3>
        <Code value={python} label={t("madePython")} />
      </div>
    </Dialog>
  );
}
