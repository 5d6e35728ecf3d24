import type { Kind } from "@/charts/plot";
import type { TextKey } from "./text";

export const TABS = ["overview", "cost", "latency", "errors", "users", "cache", "rescue", "limits", "explore"] as const;
export type TabId = (typeof TABS)[number];

/** A chart of a tab: a question that Explore can take over and change. */
export interface Definition {
  readonly title: TextKey;
  readonly metrics: readonly string[];
  /** For metrics beside each other. */
  readonly names?: readonly (TextKey | `p${number}`)[];
  readonly kind: Kind;
  /** Drawn by the groups that are chosen on the page. */
  readonly isGrouped?: boolean;
  /** Always by this. */
  readonly group?: string;
}

const percentiles = (metric: string) => [`${metric}_p50`, `${metric}_p95`, `${metric}_p99`];
const PERCENTILES = ["p50", "p95", "p99"] as const;

export const DEFINITIONS: Readonly<Record<Exclude<TabId, "explore">, readonly Definition[]>> = {
  overview: [
    { title: "requests", metrics: ["requests"], kind: "area", isGrouped: true },
    { title: "cost", metrics: ["cost"], kind: "area", isGrouped: true },
    { title: "tokens", metrics: ["tokens_in", "tokens_out"], names: ["tokensIn", "tokensOut"], kind: "area" },
    { title: "latency", metrics: percentiles("latency"), names: PERCENTILES, kind: "line" },
    { title: "requestsStatus", metrics: ["requests"], kind: "bar", group: "status" },
    { title: "users", metrics: ["users"], kind: "line" },
  ],
  cost: [
    { title: "cost", metrics: ["cost"], kind: "area", isGrouped: true },
    { title: "costEach", metrics: ["cost_per_request"], kind: "line", isGrouped: true },
    { title: "costThousand", metrics: ["cost_per_1k_tokens"], kind: "line", isGrouped: true },
    { title: "tokens", metrics: ["tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning"], names: ["tokensIn", "tokensOut", "tokensCached", "tokensReasoning"], kind: "line" },
    { title: "unpriced", metrics: ["unpriced_requests"], kind: "bar" },
  ],
  latency: [
    { title: "latency", metrics: percentiles("latency"), names: PERCENTILES, kind: "line" },
    { title: "ttft", metrics: percentiles("ttft"), names: PERCENTILES, kind: "line" },
    { title: "latencyBy", metrics: ["latency_p95"], kind: "line", isGrouped: true },
    { title: "speed", metrics: ["tokens_per_second"], kind: "line", isGrouped: true },
    { title: "upstream", metrics: ["upstream_latency"], kind: "line", isGrouped: true },
    { title: "queue", metrics: ["queue_wait"], kind: "line" },
  ],
  errors: [
    { title: "errors", metrics: ["client_errors", "server_errors"], names: ["clientErrors", "serverErrors"], kind: "bar" },
    { title: "errorRate", metrics: ["error_rate"], kind: "line", isGrouped: true },
    { title: "errorsBy", metrics: ["errors"], kind: "bar", isGrouped: true },
    { title: "requestsStatus", metrics: ["requests"], kind: "bar", group: "status" },
    { title: "broken", metrics: ["broken"], kind: "bar" },
    { title: "gone", metrics: ["clients_gone"], kind: "bar" },
  ],
  users: [
    { title: "users", metrics: ["users"], kind: "line" },
    { title: "requestsPerUser", metrics: ["requests_per_user"], kind: "line" },
    { title: "costPerUser", metrics: ["cost_per_user"], kind: "line" },
  ],
  cache: [
    { title: "hitRate", metrics: ["cache_hit_rate"], kind: "line", isGrouped: true },
    { title: "hits", metrics: ["cache_hits", "cache_hits_semantic"], names: ["hits", "semanticHits"], kind: "area" },
    { title: "savings", metrics: ["cache_savings"], kind: "area" },
    { title: "speedup", metrics: ["cache_speedup"], kind: "line" },
  ],
  rescue: [
    { title: "rescued", metrics: ["rescued_retry", "rescued_fallback"], names: ["retry", "fallback"], kind: "bar" },
    { title: "rescueRate", metrics: ["rescue_rate"], kind: "line" },
    { title: "attempts", metrics: ["attempts_per_request"], kind: "line", isGrouped: true },
  ],
  limits: [
    { title: "rateLimited", metrics: ["rate_limited"], kind: "bar", isGrouped: true },
    { title: "limited", metrics: ["limited"], kind: "bar", isGrouped: true },
    { title: "waited", metrics: ["queued"], kind: "bar" },
    { title: "queue", metrics: ["queue_wait"], kind: "line" },
  ],
};
