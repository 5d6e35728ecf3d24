import { Page } from "@/ui/page";
import { useText } from "@/i18n/language";
import { Budgets } from "./budgets";
import { Rules } from "./rules";
import { text } from "./text";

/** What gives notice: rules about figures and providers, and budgets. */
export default function Alerts() {
  const t = useText(text);
  return (
    <Page title={t("title")}>
      <Rules />
      <Budgets />
    </Page>
  );
}
