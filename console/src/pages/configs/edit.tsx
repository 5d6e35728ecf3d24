import { useDeferredValue, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { problemOf } from "@/api/problem";
import { useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { Editor, type Mark } from "@/editor/editor";
import { jsonMistake, locate, type Path, pathOf, positionOf, scan } from "@/editor/json-scan";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import { ErrorLine, errorOf } from "@/manage/form";
import type { Provider, WholeConfig } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { Button } from "@/ui/button";
import { CheckField, TextField } from "@/ui/field";
import { DryRunPanel, SAMPLE, sharesOf, useDryRun } from "./dry-run";
import { routeOf } from "./route";
import { CONFIG } from "./schema";
import { text } from "./text";
import { Tree } from "./tree";

const START = `{
  "strategy": {"mode": "fallback", "on_status_codes": [429, 500, 502, 503, 504]},
  "retry": {"attempts": 2},
  "targets": [
    {"provider": "@demo", "override_params": {"model": "echo"}}
  ]
}
`;

/** The editor of a config, with its drawing and a dry run beside it. Without `of`, of a new one. */
export function Edit({ of }: { readonly of?: WholeConfig }) {
  const t = useText(text);
  const m = useText(manage);
  const place = useWorkspaceParam();
  const [, go] = useLocation();
  const stored = useMemo(() => (of ? pretty(of.config) : START), [of]);
  const [name, setName] = useState(of?.name ?? "");
  const [isDefault, setDefault] = useState(of?.is_default === 1);
  const [config, setConfig] = useState(stored);
  const [cursor, setCursor] = useState(0);
  const [sample, setSample] = useState(SAMPLE);
  const [isTried, setTried] = useState(false);
  const late = useDeferredValue(config);
  const mistake = useMemo(() => jsonMistake(late), [late]);
  const root = useMemo(() => (mistake ? null : routeOf(JSON.parse(late))), [late, mistake]);
  const run = useDryRun(mistake ? null : late, sample);
  const save = useSend<null, { readonly slug?: string; readonly version?: number }>(
    () =>
      of
        ? { path: `/v1/configs/${of.slug}`, method: "PUT", query: place, body: { name: name.trim(), config, is_default: isDefault } }
        : { path: "/v1/configs", method: "POST", body: { ...place, name: name.trim(), config, is_default: isDefault } },
    ["/v1/configs"],
  );
  const refused = mistake || run.error?.status !== 400 ? null : run.error;
  const marks = useMemo(() => (mistake ? [mistake] : refused ? marksOf(late, refused) : []), [mistake, refused, late]);
  const values = useValues(late);
  const isChanged = config !== stored || name !== (of?.name ?? "") || isDefault !== (of?.is_default === 1);
  const submit = () => {
    setTried(true);
    if (name.trim() === "" || mistake) return;
    save.mutate(null, { onSuccess: ({ slug }) => slug && go(`/configs/${slug}`) });
  };
  return (
    <div className="side-by-side">
        <div className="stack-s">
          <TextField
            label={m("name")}
            required
            value={name}
            error={isTried && name.trim() === "" ? t("nameRequired") : errorOf(save.error, "name")}
            onChange={(event) => setName(event.target.value)}
          />
          <Editor label={t("editor")} value={config} onChange={setConfig} marks={marks} schema={CONFIG} values={values} onCursor={setCursor} />
          <div aria-live="polite">
            {mistake && <p className="error-line">{t("mistake", { ...mistake })}</p>}
            {!mistake &&
              marks.map((mark) => (
                <p key={mark.message} className="error-line">
                  {t("atLine", { ...mark })}
                </p>
              ))}
          </div>
          <p className="field-hint">{t("completion")}</p>
          <CheckField label={t("makeDefault")} checked={isDefault} onChange={(event) => setDefault(event.target.checked)} />
          <ErrorLine error={save.error} shown={["name"]} />
          <div className="row">
            <Button kind="primary" disabled={save.isPending || mistake !== null || (of !== undefined && !isChanged)} onClick={submit}>
              {save.isPending ? m("saving") : of ? t("saveVersion", { version: of.version + 1 }) : t("save")}
            </Button>
            {save.data?.version !== undefined && !isChanged && <span role="status">{t("saved", { version: save.data.version })}</span>}
            {of && isChanged && <span className="muted">{t("unsaved")}</span>}
          </div>
        </div>
        <div className="stack">
          {root ? <Tree root={root} current={nodeAt(late, cursor)} shares={sharesOf(run.error ? undefined : run.data)} /> : <p className="muted">{t("noTree")}</p>}
          <DryRunPanel of={mistake || run.error ? undefined : run.data} sample={sample} onChange={setSample} />
        </div>
      </div>
  );
}

function pretty(config: string): string {
  try {
    return `${JSON.stringify(JSON.parse(config), null, 2)}\n`;
  } catch {
    return config;
  }
}

/** What the server refused, at its lines. It names members as `config.targets[0].weight: …; config.…`. */
function marksOf(config: string, error: unknown): readonly Mark[] {
  const { message } = problemOf(error);
  const parts = message.split(/; (?=config[.:[])/);
  return parts.map((part) => {
    const [, path = "config"] = /^(config[^:\s]*)/.exec(part) ?? [];
    return { line: positionOf(config, locate(config, pathOf(path))).line, message: part };
  });
}

/** The group or target that the cursor is in, as the API names it. */
function nodeAt(config: string, cursor: number): string {
  const path = scan(config, cursor).place?.path ?? [];
  let found = "config";
  for (let at = 0; at + 1 < path.length && path[at] === "targets" && typeof path[at + 1] === "number"; at += 2) {
    found += `.targets[${path[at + 1]}]`;
  }
  return found;
}

/** What the editor offers that the schema cannot know: the workspace's providers, and the names of targets. */
function useValues(config: string): (path: Path) => readonly string[] {
  const providers = useAll<Provider>("/v1/providers", useWorkspaceParam());
  return useMemo(() => {
    const slugs = [...(providers.data?.data ?? []).map(({ slug }) => `@${slug}`), "@demo"];
    const names = [...config.matchAll(/"name"\s*:\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
    return (path: Path) => {
      const last = path.at(-1);
      if (last === "provider") return slugs;
      if (last === "virtual_key") return slugs.map((slug) => slug.slice(1));
      return last === "then" || last === "default" ? names : [];
    };
  }, [providers.data, config]);
}
