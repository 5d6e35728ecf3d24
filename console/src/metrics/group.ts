import { useCallback } from "react";
import { useKeyNames } from "@/api/names";
import { useText } from "@/i18n/language";
import type { Term } from "@/url/filter";
import { text } from "./text";

export const GROUPS = ["model", "provider", "api_key", "user", "status", "config", "virtual_key", "route", "cache"] as const;
export type GroupName = (typeof GROUPS)[number];

/** What a group is called: keys by their names, those without a value and the rest in words. */
export function useGroupNames(): (group: string | undefined, key: string | null) => string {
  const t = useText(text);
  const keyName = useKeyNames();
  return useCallback(
    (group, key) => {
      if (key === null) return group ? t("others") : t("all");
      if (key === "") return t("without");
      return group === "api_key" ? keyName(key) : key;
    },
    [t, keyName],
  );
}

const FIELDS: Readonly<Record<string, Term["field"]>> = {
  model: "model",
  provider: "provider",
  api_key: "key",
  user: "user",
  status: "status",
  config: "config",
  virtual_key: "vk",
};

/** The filter that leaves one group; `null` where lists have none for it. */
export function termOf(group: string | undefined, key: string | null): Term | null {
  if (!group || !key) return null;
  if (group.startsWith("metadata.")) return { field: `m.${group.slice("metadata.".length)}`, value: key };
  const field = FIELDS[group];
  return field ? { field, value: key } : null;
}
