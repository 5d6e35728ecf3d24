import type { Translate } from "@/i18n/text";
import type { text } from "./text";

export const WORKSPACE_ROLES = ["admin", "manager", "member"] as const;
export const ORGANISATION_ROLES = ["admin", "member"] as const;

const WORDS = { owner: "owner", admin: "admin", manager: "manager", member: "member" } as const;

export function roleWord(role: string, t: Translate<keyof typeof text.en>): string {
  const known = WORDS[role.replace(/^ws-/, "") as keyof typeof WORDS];
  return known ? t(known) : role;
}

export function personName(person: { readonly first_name: string; readonly last_name: string; readonly email: string }): string {
  return `${person.first_name} ${person.last_name}`.trim() || person.email;
}
