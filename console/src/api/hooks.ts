import { keepPreviousData, useMutation, type UseMutationResult, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { ask, type Query, type Request } from "./client";
import type { Problem } from "./problem";

export interface GetOptions {
  readonly enabled?: boolean;
  /** Asked again after so many milliseconds, as long as the page is seen. */
  readonly every?: number | false;
}

/** A question and the name under which its answer is kept. */
export function asking<T>(path: string, query?: Query) {
  return { queryKey: [path, query ?? {}], queryFn: ({ signal }: { readonly signal: AbortSignal }) => ask<T>(path, { query, signal }) };
}

/** What a path gives. Old data stays while new data comes, so that nothing jumps. */
export function useGet<T>(path: string, query?: Query, options: GetOptions = {}): UseQueryResult<T, Problem> {
  return useQuery<T, Problem>({
    ...asking<T>(path, query),
    enabled: options.enabled ?? true,
    refetchInterval: options.every ?? false,
    placeholderData: keepPreviousData,
  });
}

/** A change. What begins with one of `stale` is asked again afterwards. */
export function useSend<In, Out = unknown>(
  request: (input: In) => { readonly path: string } & Request,
  stale: readonly string[] = [],
): UseMutationResult<Out, Problem, In> {
  const client = useQueryClient();
  return useMutation<Out, Problem, In>({
    mutationFn: (input) => {
      const { path, ...rest } = request(input);
      return ask<Out>(path, rest);
    },
    onSuccess: async (_, input) => {
      const { path: changed, method } = request(input);
      // What was deleted is not asked for again by a page that is about to close.
      const isGone = (path: string) => method === "DELETE" && path === changed && !stale.includes(path);
      await client.invalidateQueries({
        predicate: ({ queryKey: [path] }) => typeof path === "string" && !isGone(path) && stale.some((start) => path.startsWith(start)),
      });
    },
  });
}
