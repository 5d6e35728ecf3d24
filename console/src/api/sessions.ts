import type { TraceRow } from "./traces";

interface Figures {
  readonly session_id: string;
  readonly first_at: string;
  readonly last_at: string;
  /** Calls of models. */
  readonly requests: number;
  readonly errors: number;
  /** A decimal in `currency`; null when unknown. */
  readonly cost: string | null;
  readonly currency: string | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly users: readonly string[];
  readonly models: readonly string[];
}

export interface SessionRow extends Figures {
  readonly traces: number;
}

export interface SessionPage {
  readonly data: readonly SessionRow[];
  readonly next: string | null;
}

export interface SessionDetail extends Figures {
  /** In the order of time. */
  readonly traces: readonly TraceRow[];
  readonly is_cut: boolean;
}
