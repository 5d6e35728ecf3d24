import { useState } from "react";
import { useGet, useSend } from "@/api/hooks";
import { useHere } from "@/api/session";
import { useText } from "@/i18n/language";
import { FormSheet } from "@/manage/form";
import { LIMIT_MEMBERS, LimitFields } from "@/manage/limit-fields";
import { draftOf, mistakesOf, ratesOf, usageOf } from "@/manage/limits";
import type { WorkspaceRow } from "@/manage/shapes";
import { text as manage } from "@/manage/text";
import { Sheet } from "@/ui/dialog";
import { Await } from "@/ui/state";
import { text } from "./text";

/** Budget and rate limits of the workspace that is looked at. */
export function WorkspaceLimits({ onClose }: { readonly onClose: () => void }) {
  const t = useText(text);
  const { workspace } = useHere();
  const whole = useGet<WorkspaceRow>(`/v1/admin/workspaces/${workspace.slug}`);
  if (whole.data) return <Form of={whole.data} onClose={onClose} />;
  return (
    <Sheet title={t("editWorkspace")} onClose={onClose}>
      <Await of={whole}>{() => null}</Await>
    </Sheet>
  );
}

function Form({ of, onClose }: { readonly of: WorkspaceRow; readonly onClose: () => void }) {
  const t = useText(text);
  const m = useText(manage);
  // The first budget is edited here; further ones, which the command line sets, stay.
  const [limits, setLimits] = useState(() => draftOf(of.usage_limits[0], of.rate_limits));
  const mistakes = mistakesOf(limits);
  const change = useSend<null>(() => {
    const usage = usageOf(limits);
    return {
      path: `/v1/admin/workspaces/${of.slug}`,
      method: "PUT",
      body: { usage_limits: [...(usage ? [usage] : []), ...of.usage_limits.slice(1)], rate_limits: ratesOf(limits) },
    };
  }, ["/v1/admin/workspaces"]);
  return (
    <FormSheet
      title={t("editWorkspace")}
      action={m("save")}
      isBusy={change.isPending}
      error={change.error}
      shown={LIMIT_MEMBERS}
      onSubmit={() => mistakes.size === 0 && change.mutate(null, { onSuccess: onClose })}
      onClose={onClose}
    >
      <LimitFields draft={limits} onChange={setLimits} mistakes={mistakes} error={change.error} />
    </FormSheet>
  );
}
