import { ask } from "@/api/client";
import { Problem } from "@/api/problem";

export interface Tested {
  readonly ms: number;
  readonly text: string;
}

const MINUTES = 5;

/**
 * One real call of a model, as an application would make it: with a key of its own, which lives as long as the call.
 *
 * @throws {Problem} what the gateway or the provider refused.
 */
export async function testCall(place: { readonly workspace_id?: string }, model: string, headers: Readonly<Record<string, string>> = {}): Promise<Tested> {
  const made = await ask<{ readonly id: string; readonly key: string }>("/v1/api-keys/workspace/service", {
    method: "POST",
    body: {
      ...place,
      name: "test call of the console",
      scopes: ["completions.write"],
      rate_limits: [{ type: "requests", unit: "rpm", value: 5 }],
      expires_at: new Date(Date.now() + MINUTES * 60_000).toISOString(),
    },
  });
  try {
    return await call(made.key, model, headers);
  } finally {
    // It ends by itself as well.
    await ask(`/v1/api-keys/${made.id}`, { method: "DELETE" }).catch(() => undefined);
  }
}

async function call(key: string, model: string, headers: Readonly<Record<string, string>>): Promise<Tested> {
  const begun = performance.now();
  // Not with the console's own credential: only keys of a workspace call models.
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    credentials: "omit",
    headers: { ...headers, "content-type": "application/json", "x-portkey-api-key": key },
    body: JSON.stringify({ model, max_tokens: 16, messages: [{ role: "user", content: "Say hello." }] }),
  });
  if (!response.ok) throw await Problem.of(response);
  const body = (await response.json()) as { choices?: readonly { message?: { content?: unknown } }[] };
  const content = body.choices?.[0]?.message?.content;
  return { ms: performance.now() - begun, text: typeof content === "string" ? content : "" };
}
