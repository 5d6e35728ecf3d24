export interface TraceRow {
  readonly trace_id: string;
  readonly name: string;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly spans: number;
  readonly requests: number;
  readonly errors: number;
  /** A decimal in `currency`; null when unknown. */
  readonly cost: string | number | null;
  readonly currency: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly user: string | null;
  readonly session: string | null;
  readonly models: readonly string[];
}

export interface TracePage {
  readonly data: readonly TraceRow[];
  readonly next: string | null;
}

export interface Span {
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly name: string;
  readonly kind: "request" | "attempt" | "span" | "log";
  readonly started_at: string;
  readonly offset_ms: number;
  readonly duration_ms: number;
  readonly status: string | null;
  readonly status_code: number | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost: string | number | null;
  readonly log_id: string | null;
  readonly reason: string | null;
  readonly attributes: Readonly<Record<string, unknown>> | null;
}

export interface Feedback {
  readonly value: number;
  readonly weight: number;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly created_at?: string;
}

export interface TraceDetail extends Omit<TraceRow, "spans"> {
  readonly spans: readonly Span[];
  readonly feedback: readonly Feedback[];
}
