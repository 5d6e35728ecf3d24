import { Problem } from "./problem";

/** How the console proves who is there: the cookie of a sign-in, or a key that was typed in. */
export type Credential = { readonly kind: "session"; readonly csrf: string } | { readonly kind: "key"; readonly key: string };

type Value = string | number | boolean | null | undefined | readonly string[];
export type Query = Readonly<Record<string, Value>>;

export interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
  readonly query?: Query | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

let credential: Credential | null = null;

export function setCredential(next: Credential | null): void {
  credential = next;
}

/** The query as text with its `?`. What is empty is left out; lists are joined by commas. */
export function queryText(query: Query = {}): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const text = Array.isArray(value) ? value.join(",") : value;
    if (text !== undefined && text !== null && text !== "") pairs.set(name, String(text));
  }
  const text = pairs.toString();
  return text && `?${text}`;
}

/**
 * Asks the gateway. `path` begins with `/v1/`.
 *
 * @throws {Problem} for every answer that is not a success, and when none comes.
 */
export async function send(path: string, request: Request = {}): Promise<Response> {
  const headers = new Headers(request.headers);
  const method = request.method ?? "GET";
  if (request.body !== undefined) headers.set("content-type", "application/json");
  if (credential?.kind === "key" && !headers.has("x-portkey-api-key")) headers.set("x-portkey-api-key", credential.key);
  if (credential?.kind === "session" && method !== "GET") headers.set("x-tidegate-csrf", credential.csrf);
  let response: Response;
  try {
    response = await fetch(path + queryText(request.query), {
      method,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      credentials: credential?.kind === "key" ? "omit" : "same-origin",
      signal: request.signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "the gateway does not answer");
  }
  if (!response.ok) throw await Problem.of(response);
  return response;
}

/** As {@link send}, for JSON. */
export async function ask<T>(path: string, request: Request = {}): Promise<T> {
  const response = await send(path, request);
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

/** A list as the admin API gives it. */
export interface List<T> {
  readonly object: "list";
  readonly total?: number;
  readonly data: readonly T[];
}
