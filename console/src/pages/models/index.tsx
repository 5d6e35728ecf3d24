import { Link, useLocation, useParams } from "wouter";
import { useWorkspaceParam } from "@/api/session";
import { useText } from "@/i18n/language";
import { useAll } from "@/manage/all";
import type { Integration } from "@/manage/shapes";
import { Select } from "@/ui/field";
import { Page } from "@/ui/page";
import { Await, Empty } from "@/ui/state";
import { ModelList } from "./list";
import { text } from "./text";

/** Which models of a provider may be called, and their prices. */
export default function Models() {
  const t = useText(text);
  const [, go] = useLocation();
  const { integration } = useParams<{ integration?: string }>();
  const integrations = useAll<Integration>("/v1/integrations", { ...useWorkspaceParam(), type: "all" });
  return (
    <Page title={t("title")}>
      <Await of={integrations}>
        {({ data }) => {
          const chosen = data.find((one) => one.id === integration || one.slug === integration) ?? data[0];
          if (!chosen) {
            return (
              <Empty title={t("emptyTitle")}>
                <p>{t("emptyDo")}</p>
                <Link className="button" href="/providers/new">
                  {t("connect")}
                </Link>
              </Empty>
            );
          }
          return (
            <>
              <div className="row">
                <Select
                  label={t("integration")}
                  value={chosen.id}
                  options={data.map((one) => ({ value: one.id, text: `${one.name} (${one.ai_provider_id})` }))}
                  onChange={(event) => go(`/models/${event.target.value}`)}
                />
              </div>
              <ModelList key={chosen.id} of={chosen} />
            </>
          );
        }}
      </Await>
    </Page>
  );
}
