import type { QueryClient } from "@tanstack/react-query";
import type { LucideIcon } from "lucide-react";
import type { ComponentType } from "react";
import { askAhead, paramOf, type WorkspaceParam } from "./api/session";
import type { Language } from "./i18n/text";

/** The groups of the rail, in their order. `none`: only reached by links. */
export type Group = "observe" | "build" | "connect" | "govern" | "help" | "none";

/** Asks what a page shows first, so that it is drawn once. `view`: the address's query. */
export type Ahead = (client: QueryClient, workspace: WorkspaceParam, view: URLSearchParams) => Promise<unknown>;

interface PageModule {
  readonly default: ComponentType;
  readonly ahead?: Ahead;
}

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
  readonly load: () => Promise<PageModule>;
}

const found = import.meta.glob<{ readonly nav: Nav }>("./pages/*/nav.ts", { eager: true });

export const pages: readonly Nav[] = Object.values(found)
  .map((module) => module.nav)
  .sort((a, b) => a.order - b.order);

const ready = new Map<string, ComponentType>();

/** A page that was loaded ahead of being shown. */
export function loaded(page: Nav): ComponentType | undefined {
  return ready.get(page.id);
}

/**
 * Gets the page of an address, `/console/w/<workspace>/<page>`, and what it shows first, while it is found out who looks at it.
 * Never fails: what does is tried again, and told, when the page is shown.
 */
export async function loadAhead(client: QueryClient, { pathname, search }: Location): Promise<void> {
  const [, , place, workspace = "", first = "", more] = pathname.split("/");
  const page = place === "w" ? pages.find((one) => home(one) === `/${first}`) : undefined;
  await Promise.all([askAhead(client), page && loadPage(client, page, paramOf(workspace), more ? null : new URLSearchParams(search))]);
}

async function loadPage(client: QueryClient, page: Nav, workspace: WorkspaceParam, view: URLSearchParams | null): Promise<void> {
  const module = await page.load().catch(() => undefined);
  if (!module) return;
  ready.set(page.id, module.default);
  if (view) await module.ahead?.(client, workspace, view).catch(() => undefined);
}

/** The address of a page without its parameters. */
export function home(page: Nav): string {
  return page.path.replace(/\/:.*$/, "") || "/";
}
