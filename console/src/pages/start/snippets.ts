/** Ways to call the gateway, filled in: what somebody copies works as it is. */

export interface Call {
  /** Where the browser reached the gateway. */
  readonly origin: string;
  readonly key: string;
  readonly model: string;
}

export const CLIENTS = [
  { id: "curl", name: "curl" },
  { id: "python", name: "Python · OpenAI" },
  { id: "node", name: "Node · OpenAI" },
  { id: "portkey", name: "Python · Portkey" },
  { id: "anthropic", name: "Python · Anthropic" },
  { id: "langchain", name: "LangChain" },
  { id: "claude", name: "Claude Code" },
] as const;
export type ClientId = (typeof CLIENTS)[number]["id"];

const HELLO = "Hello, Tidegate!";

export function snippet(client: ClientId, { origin, key, model }: Call): string {
  switch (client) {
    case "curl":
      return `curl ${origin}/v1/chat/completions \\
  -H "x-portkey-api-key: ${key}" \\
  -H "content-type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "${HELLO}"}]}'`;
    case "python":
      return `from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key="${key}")
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "${HELLO}"}],
)
print(answer.choices[0].message.content)`;
    case "node":
      return `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${origin}/v1", apiKey: "${key}" });
const answer = await client.chat.completions.create({
  model: "${model}",
  messages: [{ role: "user", content: "${HELLO}" }],
});
console.log(answer.choices[0].message.content);`;
    case "portkey":
      return `from portkey_ai import Portkey

client = Portkey(base_url="${origin}/v1", api_key="${key}")
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "${HELLO}"}],
)
print(answer.choices[0].message.content)`;
    case "anthropic":
      return `from anthropic import Anthropic

client = Anthropic(base_url="${origin}", api_key="${key}")
answer = client.messages.create(
    model="${model}",
    max_tokens=200,
    messages=[{"role": "user", "content": "${HELLO}"}],
)
print(answer.content[0].text)`;
    case "langchain":
      return `from langchain_openai import ChatOpenAI

model = ChatOpenAI(base_url="${origin}/v1", api_key="${key}", model="${model}")
print(model.invoke("${HELLO}").content)`;
    case "claude":
      return `export ANTHROPIC_BASE_URL=${origin}
export ANTHROPIC_AUTH_TOKEN=${key}
export ANTHROPIC_MODEL=${model}
claude -p "${HELLO}"`;
  }
}

/** The request that "run it here" sends: the same as the snippets'. */
export function hello(model: string): { readonly model: string; readonly messages: readonly { readonly role: "user"; readonly content: string }[] } {
  return { model, messages: [{ role: "user", content: HELLO }] };
}
