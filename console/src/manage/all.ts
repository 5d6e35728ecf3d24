import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { ask, type List, type Query } from "@/api/client";
import type { Problem } from "@/api/problem";

const PAGE = 100;
/** Pages asked for at most: what people look through is shorter, and what is longer has a search of its own. */
const MOST_PAGES = 20;

/** All of a list, page after page; `every` so many milliseconds again. */
export function useAll<T>(path: string, query: Query = {}, enabled = true, every: number | false = false): UseQueryResult<List<T>, Problem> {
  return useQuery<List<T>, Problem>({
    queryKey: [path, query, "all"],
    queryFn: async ({ signal }) => {
      const data: T[] = [];
      let total = 0;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const list = await ask<List<T>>(path, { query: { ...query, page_size: PAGE, current_page: page }, signal });
        data.push(...list.data);
        total = list.total ?? data.length;
        if (list.data.length < PAGE || data.length >= total) break;
      }
      return { object: "list", total, data };
    },
    enabled,
    refetchInterval: every,
    placeholderData: keepPreviousData,
  });
}

/** Asks for the lists at this path again, and for nothing below it: what was deleted there would not be found. */
export function useRefresh(path: string): () => void {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ queryKey: [path] });
}
