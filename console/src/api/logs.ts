/** Requests as `/v1/logs` tells of them. Times are milliseconds and costs cents unless a name says otherwise. */

export interface LogRow {
  readonly id: string;
  /** ISO time. */
  readonly created_at: string;
  readonly is_success: boolean;
  /** Catalogue id of the provider; empty when none was reached. */
  readonly ai_org: string;
  readonly ai_model: string;
  readonly req_units: number;
  readonly res_units: number;
  readonly total_units: number;
  /** Cents; null when unknown. */
  readonly cost: number | null;
  readonly request_url: string;
  readonly response_status_code: number;
  readonly response_time: number;
  readonly cache_status?: string;
  readonly stream_mode: number;
  readonly retry_success_count: number;
  readonly trace_id: string;
  readonly session_id: string;
  readonly span_id: string;
  readonly span_name: string;
  readonly last_used_option_index: number;
  readonly virtual_key: string;
  readonly api_key_id: string;
  readonly config?: string;
  readonly prompt_slug?: string;
  readonly sdk_version: string;
  readonly internal_trace_id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly attempts: number;
  readonly end: string;
  readonly error: string | null;
  readonly limit: string | null;
  readonly cost_is_estimate: boolean;
  readonly unpriced: boolean;
  readonly upstream_response_time?: number;
}

export interface LogPage {
  readonly object: "list";
  /** Up to 10,000; that many means that many or more. */
  readonly total: number;
  readonly has_more: boolean;
  readonly next_cursor: string | null;
  readonly data: readonly LogRow[];
}

export const MOST_COUNTED = 10_000;

/** Microseconds after the request began, and lengths in microseconds. Text is empty where there is none. */
export interface Attempt {
  readonly provider: string;
  readonly target: string;
  readonly virtual_key: string;
  readonly model: string;
  readonly status: number | null;
  readonly start_us: number;
  readonly duration_us: number;
  readonly first_byte_us: number | null;
  readonly error: string;
  readonly reason: string;
  readonly circuit: string;
  readonly hedge: boolean;
  readonly retry_after_ms: number | null;
}

export interface LogDetail {
  readonly route: string;
  readonly path: string;
  readonly user: string;
  readonly session: string;
  readonly asked_model: string;
  readonly attempts: readonly Attempt[];
  readonly end: string;
  readonly error: string;
  readonly finish: string;
  readonly usage: Readonly<Record<string, number | null>> | null;
  readonly usage_estimated: boolean;
  /** How the answer says that it was served: `standard`, `flex`, `priority`…; empty when it does not say. */
  readonly service_tier: string;
  /** Decimals in `currency`; empty when unknown. */
  readonly cost: string;
  readonly currency: string;
  readonly cost_estimated: boolean;
  readonly unpriced: boolean;
  readonly saved: string;
  readonly cost_parts: readonly (readonly [meter: string, amount: string])[];
  readonly ttft_us: number | null;
  readonly total_us: number;
  readonly waited_us: number;
  readonly stall_us: number;
  readonly chunks: number;
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly guardrail: string;
  readonly limit: string;
  readonly limit_outcome: string;
  readonly warnings: readonly string[];
  readonly private: boolean;
  readonly withheld: readonly (readonly [part: string, why: string])[];
}

/** Headers and bodies are there only when they were kept, for those who may see them. */
export interface Message {
  readonly url?: string;
  readonly method?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export interface Log {
  readonly id: string;
  readonly created_at: string;
  readonly request: Message;
  readonly response: Message & { readonly responseTime: number };
  readonly transformedRequest?: Message;
  readonly originalResponse?: Message;
  readonly metrics: Omit<LogRow, "metadata" | "attempts" | "end" | "error" | "limit" | "cost_is_estimate" | "unpriced"> & {
    readonly "metadata.key": readonly string[];
    readonly "metadata.value": readonly string[];
  };
  readonly tidegate: LogDetail;
}

export function metadataOf(log: Log): Readonly<Record<string, string>> {
  const values = log.metrics["metadata.value"];
  return Object.fromEntries(log.metrics["metadata.key"].map((key, index) => [key, values[index] ?? ""]));
}

/** `provider model`, or what was asked for when nothing was reached. */
export function modelOf(row: Pick<LogRow, "ai_org" | "ai_model">): string {
  return [row.ai_org, row.ai_model].filter(Boolean).join(" ");
}

export function dollars(cents: number | null): number | null {
  return cents === null ? null : cents / 100;
}
