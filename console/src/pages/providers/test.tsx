import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Problem } from "@/api/problem";
import { useWorkspaceParam } from "@/api/session";
import { duration } from "@/format/number";
import { useText } from "@/i18n/language";
import { type Tested, testCall } from "@/manage/test-call";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { Failure } from "@/ui/state";
import { modelOf } from "./known";
import { text } from "./text";

/** Whether the key works: a call that costs next to nothing. */
export function TestCall({ slug, provider }: { readonly slug: string; readonly provider: string | null }) {
  const t = useText(text);
  const place = useWorkspaceParam();
  const [model, setModel] = useState(modelOf(provider));
  const test = useMutation<Tested, Problem, string>({ mutationFn: (name) => testCall(place, `@${slug}/${name}`) });
  return (
    <form
      className="form panel"
      onSubmit={(event) => {
        event.preventDefault();
        test.mutate(model.trim());
      }}
    >
      <h2>{t("test")}</h2>
      <TextField label={t("testModel")} hint={t("testHint")} required value={model} onChange={(event) => setModel(event.target.value)} />
      <div>
        <Button type="submit" disabled={test.isPending}>
          {test.isPending ? t("testBusy") : t("testRun")}
        </Button>
      </div>
      {test.data && (
        <p role="status">
          <Badge tone="success">✓ {t("testDone", { time: duration(test.data.ms) })}</Badge> {test.data.text}
        </p>
      )}
      {test.error && <Failure error={test.error} />}
    </form>
  );
}
