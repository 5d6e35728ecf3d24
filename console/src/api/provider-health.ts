import { useGet } from "./hooks";
import { useWorkspaceParam } from "./session";

/** How a provider is, by what became of the workspace's requests to it in the last minutes. */
export interface ProviderHealth {
  readonly provider: string;
  readonly state: "ok" | "degraded" | "down" | "unknown";
  readonly since: string | null;
  readonly requests: number;
  readonly faults: number;
}

const EVERY_MS = 15_000;

export function useProviderHealth() {
  const place = useWorkspaceParam();
  return useGet<{ readonly data: readonly ProviderHealth[] }>("/v1/providers/health", place, { every: EVERY_MS });
}
