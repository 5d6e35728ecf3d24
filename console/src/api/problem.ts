/** What the gateway says when it does not do what was asked. `message` is in the server's words. */
export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    message: string,
    /** The field, header or scope that it is about. */
    readonly param: string | null = null,
    /** By which the gateway's log knows the request. */
    readonly requestId: string | null = null,
    /** Seconds to wait. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "Problem";
  }

  /** The gateway does not have this yet, as opposed to: there is none of that name. */
  get isNotServed(): boolean {
    return this.status === 501 || (this.status === 404 && /no such route/i.test(this.message));
  }

  static async of(response: Response): Promise<Problem> {
    const text = await response.text().catch(() => "");
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    const { message, param } = parts(text);
    return new Problem(
      response.status,
      message ?? (text.slice(0, 300) || response.statusText || `HTTP ${response.status}`),
      param ?? null,
      response.headers.get("x-portkey-trace-id"),
      Number.isFinite(seconds) ? seconds : null,
    );
  }
}

interface Parts {
  message?: string | undefined;
  param?: string | null | undefined;
}

function parts(text: string): Parts {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return {};
    const { message, error } = body as { message?: unknown; error?: { message?: unknown; param?: unknown } | null };
    const said = typeof message === "string" ? message : error?.message;
    const param = error?.param;
    return {
      message: typeof said === "string" ? said : undefined,
      param: typeof param === "string" ? param : null,
    };
  } catch {
    return {};
  }
}

/** Of anything that was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, error instanceof Error ? error.message : String(error));
}
