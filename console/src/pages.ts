import type { LucideIcon } from "lucide-react";
import type { ComponentType } from "react";
import type { Language } from "./i18n/text";

/** The groups of the rail, in their order. `none`: only reached by links. */
export type Group = "observe" | "build" | "connect" | "govern" | "help" | "none";

/**
 * What the frame knows of a page before it is loaded. Each folder of `src/pages` says it in its `nav.ts`; nothing else
 * is to be touched to add a page.
 */
export interface Nav {
  readonly id: string;
  /** Below `/console/w/<workspace>`, in the router's form: `/logs/:id?`. */
  readonly path: string;
  readonly group: Group;
  /** Among those of the group. */
  readonly order: number;
  readonly icon: LucideIcon;
  readonly title: Readonly<Record<Language, string>>;
  /** `g` and this letter go there. */
  readonly shortcut?: string;
  readonly load: () => Promise<{ readonly default: ComponentType }>;
}

const found = import.meta.glob<{ readonly nav: Nav }>("./pages/*/nav.ts", { eager: true });

export const pages: readonly Nav[] = Object.values(found)
  .map((module) => module.nav)
  .sort((a, b) => a.order - b.order);

/** Begins to load the page of an address, `/console/w/<workspace>/<page>`, before it is known who looks at it. */
export function loadAhead(path: string): void {
  const [, , place, , first = ""] = path.split("/");
  const page = place === "w" ? pages.find((one) => home(one) === `/${first}`) : undefined;
  // What fails is tried again, and told, when the page is shown.
  page?.load().catch(() => undefined);
}

/** The address of a page without its parameters. */
export function home(page: Nav): string {
  return page.path.replace(/\/:.*$/, "") || "/";
}
