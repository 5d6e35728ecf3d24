import type { Lent } from "@/manage/shapes";

/** Who may use a key, as somebody chooses it. */
export interface Choice {
  /** Workspaces of which nothing is said, those that come later among them. */
  readonly isEveryone: boolean;
  /** Ids of those that may. */
  readonly workspaces: ReadonlySet<string>;
}

export function choiceOf(lent: Lent, workspaces: readonly { readonly id: string }[]): Choice {
  const isEveryone = lent.global_workspace_access.enabled;
  const may = ({ id }: { readonly id: string }) => lent.workspaces.find((one) => one.id === id)?.enabled ?? isEveryone;
  return { isEveryone, workspaces: new Set(workspaces.filter(may).map(({ id }) => id)) };
}

/**
 * The body that says so. A workspace is named only where what would hold for it is not what was chosen, so that nothing else
 * that was said of it, such as its budget, is touched.
 */
export function changed(lent: Lent, choice: Choice, workspaces: readonly { readonly id: string }[]) {
  const said = new Map(lent.workspaces.map(({ id, enabled }) => [id, enabled]));
  const rows = workspaces.map(({ id }) => ({ id, enabled: choice.workspaces.has(id) })).filter(({ id, enabled }) => (said.get(id) ?? choice.isEveryone) !== enabled);
  const isOther = lent.global_workspace_access.enabled !== choice.isEveryone;
  return { workspaces: rows, ...(isOther ? { global_workspace_access: { enabled: choice.isEveryone } } : {}) };
}
