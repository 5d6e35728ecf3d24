import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useGet, useSend } from "@/api/hooks";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useRefresh } from "@/manage/all";
import type { WholeConfig } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { Button, Segments } from "@/ui/button";
import { Code } from "@/ui/code";
import { CopyButton } from "@/ui/copy";
import { Confirm } from "@/ui/dialog";
import { Page } from "@/ui/page";
import { Await, Failure } from "@/ui/state";
import { useParam } from "@/url/view";
import { Edit } from "./edit";
import { History } from "./history";
import { text } from "./text";

/** One config. `/configs/new` is one that is not there yet. */
export function One({ slug }: { readonly slug: string }) {
  const t = useText(text);
  return slug === "new" ? (
    <Page title={t("newTitle")} actions={<Back />}>
      <Edit />
    </Page>
  ) : (
    <Saved slug={slug} />
  );
}

function Back() {
  const t = useText(text);
  return (
    <Link className="button" href="/configs">
      ← {t("title")}
    </Link>
  );
}

type Tab = "edit" | "history" | "use";

function Saved({ slug }: { readonly slug: string }) {
  const t = useText(text);
  const m = useText(manage);
  const config = useGet<WholeConfig>(`/v1/configs/${slug}`, useWorkspaceParam());
  const [tab, setTab] = useParam("tab", "edit");
  const [isDeleting, setDeleting] = useState(false);
  return (
    <Page
      title={config.data?.name ?? slug}
      actions={
        <>
          <Back />
          <Button kind="danger" disabled={!config.data} onClick={() => setDeleting(true)}>
            {m("delete")}
          </Button>
        </>
      }
    >
      <Await of={config}>
        {(found) => (
          <>
            <div className="row">
              <Segments<Tab>
                label={found.name}
                value={tab as Tab}
                options={[
                  { value: "edit", text: t("edit") },
                  { value: "history", text: t("history") },
                  { value: "use", text: t("use") },
                ]}
                onChange={setTab}
              />
              <span className="mono">{found.slug}</span>
              <CopyButton value={found.slug} what={t("slug")} />
              <span className="muted">
                {t("version")} {found.version}
              </span>
            </div>
            {tab === "history" ? <History of={found} /> : tab === "use" ? <Use slug={found.slug} /> : <Edit key={`${found.slug} ${found.version}`} of={found} />}
            {isDeleting && <Delete of={found} onClose={() => setDeleting(false)} />}
          </>
        )}
      </Await>
    </Page>
  );
}

function Use({ slug }: { readonly slug: string }) {
  const t = useText(text);
  const curl = [
    `curl ${location.origin}/v1/chat/completions \\`,
    `  -H 'authorization: Bearer tg-svc-…' -H 'x-portkey-config: ${slug}' -H 'content-type: application/json' \\`,
    `  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}'`,
  ].join("\n");
  return (
    <div className="stack-s">
      <h2>{t("useHeader")}</h2>
      <Code value={curl} label={t("useHeader")} />
      <p>{t("useKey")}</p>
    </div>
  );
}

function Delete({ of, onClose }: { readonly of: WholeConfig; readonly onClose: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  const place = useWorkspaceParam();
  const [, go] = useLocation();
  const refresh = useRefresh("/v1/configs");
  const remove = useSend<null>(() => ({ path: `/v1/configs/${of.slug}`, method: "DELETE", query: place }));
  const done = () => {
    go("/configs");
    refresh();
  };
  return (
    <Confirm
      title={t("deleteTitle", { name: of.name })}
      action={m("delete")}
      isDangerous
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate(null, { onSuccess: done })}
    >
      <p>{t("deleteWords", { slug: of.slug })}</p>
      {remove.error && <Failure error={remove.error} />}
    </Confirm>
  );
}
