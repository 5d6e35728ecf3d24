import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useMemo } from "react";
import { ask, setCredential } from "./client";
import type { Problem } from "./problem";

export interface Session {
  readonly user: { readonly id: string; readonly email: string; readonly first_name: string; readonly last_name: string; readonly role: string };
  readonly organisation_id: string;
  readonly csrf_token: string;
  readonly expires_at: string;
  readonly scopes: readonly string[];
}

export interface Workspace {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
}

/** Who is there. `scopes` is `null` where only the server knows them: with a key that was typed in. */
export interface Account {
  readonly kind: "session" | "key";
  readonly name: string;
  readonly scopes: ReadonlySet<string> | null;
  readonly workspaces: readonly Workspace[];
}

/** For this tab only, and gone with it. */
const KEPT_AS = "tidegate.key";
/** The name in the address of the workspace that a key belongs to. */
export const OWN_WORKSPACE = "-";

export function typedKey(): string | null {
  return sessionStorage.getItem(KEPT_AS);
}

export function keepKey(key: string | null): void {
  if (key === null) sessionStorage.removeItem(KEPT_AS);
  else sessionStorage.setItem(KEPT_AS, key);
}

async function workspaces(): Promise<readonly Workspace[]> {
  try {
    return (await ask<{ data: readonly Workspace[] }>("/v1/admin/workspaces", { query: { page_size: 100 } })).data;
  } catch {
    // A key of one workspace may not list them, and needs not: it belongs to one.
    return [];
  }
}

/** @throws {Problem} when nobody is signed in. */
async function account(): Promise<Account> {
  const key = typedKey();
  if (key !== null) {
    setCredential({ kind: "key", key });
    const listed = await workspaces();
    if (listed.length > 0) return { kind: "key", name: shown(key), scopes: null, workspaces: listed };
    await ask("/v1/logs", { query: { page_size: 1 } });
    return { kind: "key", name: shown(key), scopes: null, workspaces: [{ id: "", slug: OWN_WORKSPACE, name: shown(key) }] };
  }
  setCredential(null);
  // Both are read with the cookie alone, so neither waits for the other.
  const [session, listed] = await Promise.all([ask<Session>("/v1/session"), workspaces()]);
  setCredential({ kind: "session", csrf: session.csrf_token });
  const { first_name, last_name, email } = session.user;
  const name = `${first_name} ${last_name}`.trim() || email;
  return { kind: "session", name, scopes: new Set(session.scopes), workspaces: listed };
}

function shown(key: string): string {
  return `${key.slice(0, 6)}…${key.slice(-4)}`;
}

const ACCOUNT = ["account"];
const QUERY = { queryKey: ACCOUNT, queryFn: account, retry: false, staleTime: Number.POSITIVE_INFINITY };

export function useAccountQuery() {
  return useQuery<Account, Problem>(QUERY);
}

/** Asks who is there before anything is drawn: everything else waits for the answer. Never fails. */
export function askAhead(client: QueryClient): Promise<void> {
  return client.prefetchQuery(QUERY);
}

/** After signing in or out everything is asked anew. */
export function useForget(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ACCOUNT[0] });
    await client.resetQueries({ queryKey: ACCOUNT });
  };
}

interface Here {
  readonly account: Account;
  readonly workspace: Workspace;
}

const Context = createContext<Here | null>(null);

export function HereProvider({ account, workspace, children }: Here & { children: ReactNode }) {
  const here = useMemo(() => ({ account, workspace }), [account, workspace]);
  return <Context value={here}>{children}</Context>;
}

/** Who is there, and in which workspace. For everything inside the shell. */
export function useHere(): Here {
  const here = use(Context);
  if (here === null) throw new Error("useHere is for what stands inside the shell");
  return here;
}

export type WorkspaceParam = { readonly workspace_id?: string };

/** What names the workspace of an address in queries. */
export function paramOf(slug: string): WorkspaceParam {
  return slug === OWN_WORKSPACE ? {} : { workspace_id: slug };
}

/** The member that names the workspace in queries and bodies; none with a key, which has its own. */
export function useWorkspaceParam(): WorkspaceParam {
  const { workspace } = useHere();
  return useMemo(() => paramOf(workspace.slug), [workspace]);
}

/** Whether somebody may do something, as far as is known here: the server decides. */
export function useCan(): (scope: string) => boolean {
  const { account } = useHere();
  return (scope) => account.scopes?.has(scope) ?? true;
}
