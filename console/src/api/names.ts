import { useCallback, useMemo } from "react";
import { useGet } from "./hooks";
import { useCan, useWorkspaceParam } from "./session";

/** What an API key is called, where somebody may know it; else the beginning of its id. */
export function useKeyNames(): (id: string) => string {
  const workspace = useWorkspaceParam();
  const can = useCan();
  const may = can("workspace_service_api_keys.list") || can("workspace_user_api_keys.list");
  const listed = useGet<{ data: readonly { id: string; name: string }[] }>("/v1/api-keys", { ...workspace, page_size: 100 }, { enabled: may });
  const names = useMemo(() => new Map(listed.data?.data.map(({ id, name }) => [id, name])), [listed.data]);
  return useCallback((id) => names.get(id) ?? id.slice(0, 8), [names]);
}
