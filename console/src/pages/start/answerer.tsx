import { type FormEvent, useState } from "react";
import { ask } from "@/api/client";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { Button, Segments } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { Failure } from "@/ui/state";
import { text } from "./text";

/** Providers that one key is enough for, with a model to begin with. */
const PROVIDERS = [
  ["openai", "OpenAI", "gpt-4o-mini"],
  ["anthropic", "Anthropic", "claude-haiku-4-5"],
  ["google", "Google Gemini", "gemini-2.5-flash"],
  ["deepseek", "DeepSeek", "deepseek-chat"],
  ["mistral-ai", "Mistral", "mistral-small-latest"],
  ["groq", "Groq", "llama-3.3-70b-versatile"],
  ["openrouter", "OpenRouter", "openai/gpt-4o-mini"],
  ["together-ai", "Together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"],
] as const;

/** Step 1: the model that is inside, or a provider with its key. */
export function Answerer({ onModel }: { readonly onModel: (model: string) => void }) {
  const t = useText(text);
  const workspace = useWorkspaceParam();
  const [kind, setKind] = useState<"demo" | "own">("demo");
  const [provider, setProvider] = useState<string>("openai");
  const [model, setModel] = useState("gpt-4o-mini");
  const [key, setKey] = useState("");
  const [slug, setSlug] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    try {
      const made = await ask<{ slug: string }>("/v1/virtual-keys", {
        method: "POST",
        body: { ...workspace, name: `${provider} ${Date.now().toString(36)}`, provider, key },
      });
      setKey("");
      setSlug(made.slug);
      onModel(`@${made.slug}/${model}`);
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <div className="stack">
      <Segments
        label={t("step1")}
        value={kind}
        options={[
          { value: "demo", text: t("demo") },
          { value: "own", text: t("own") },
        ]}
        onChange={(next) => {
          setKind(next);
          onModel(next === "demo" ? "@demo/echo" : slug ? `@${slug}/${model}` : "@demo/echo");
        }}
      />
      {kind === "demo" ? (
        <p>{t("demoDo")}</p>
      ) : (
        <form className="start-form" onSubmit={(event) => void save(event)}>
          <SelectField
            label={t("provider")}
            value={provider}
            options={PROVIDERS.map(([value, name]) => ({ value, text: name }))}
            onChange={(event) => {
              setProvider(event.target.value);
              setModel(PROVIDERS.find(([id]) => id === event.target.value)?.[2] ?? "");
              setSlug(null);
            }}
          />
          <TextField label={t("providerKey")} hint={t("providerKeyHint")} type="password" autoComplete="off" required value={key} onChange={(event) => setKey(event.target.value)} />
          <TextField
            label={t("model")}
            hint={t("modelHint")}
            required
            value={model}
            onChange={(event) => {
              setModel(event.target.value);
              if (slug) onModel(`@${slug}/${event.target.value}`);
            }}
          />
          <Button type="submit" kind="primary" disabled={key.trim() === ""}>
            {t("save")}
          </Button>
        </form>
      )}
      {kind === "own" && slug && <p role="status">✓ {t("saved", { slug })}</p>}
      {error !== null && <Failure error={error} />}
    </div>
  );
}
