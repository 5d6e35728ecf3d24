/** Providers that the field suggests. The catalogue has many more, and the server knows them all. */
export const SUGGESTED: readonly string[] = [
  "openai",
  "anthropic",
  "google",
  "azure-openai",
  "bedrock",
  "vertex-ai",
  "cohere",
  "mistral-ai",
  "groq",
  "together-ai",
  "fireworks-ai",
  "perplexity-ai",
  "deepinfra",
  "deepseek",
  "openrouter",
  "ollama",
  "x-ai",
  "cerebras",
  "huggingface",
  "jina",
  "voyage",
  "moonshot",
  "dashscope",
  "zhipu",
];

const MODELS: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  anthropic: "claude-3-5-haiku-latest",
  google: "gemini-2.5-flash",
  groq: "llama-3.1-8b-instant",
  "mistral-ai": "mistral-small-latest",
  deepseek: "deepseek-chat",
  cohere: "command-r",
};

/** A model to try a provider with; empty where nobody knows one. */
export function modelOf(provider: string | null): string {
  return MODELS[provider ?? ""] ?? "";
}
