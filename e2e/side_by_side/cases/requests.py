"""What each provider is sent for the same client's request."""

from ..case import case, chat, target

TOOL = {
    "type": "function",
    "function": {
        "name": "f", "description": "d", "strict": True,
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"], "additionalProperties": False},
    },
}  # fmt: skip
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"q":"z"}'}}
FULL = {
    "messages": [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "c", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "1", "content": "R"},
    ],
    "temperature": 0.5, "max_tokens": 9, "top_p": 0.9, "stop": ["x"], "tools": [TOOL], "tool_choice": "required",
}  # fmt: skip
A = [{"role": "user", "content": "a"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
IMAGE = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
]
SEES = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": IMAGE}]}
JSON_SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "s", "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}, "strict": True},
}
VERTEX = {"vertex_project_id": "p"}
BEDROCK = {"aws_region": "us-west-2", "aws_access_key_id": "a", "aws_secret_access_key": "s"}
EMBED = "/v1/embeddings"
COMPLETE = "/v1/completions"


def to(provider: str, name: str, body: dict, path: str = "/v1/chat/completions", **more: object):
    config = target(provider=provider, **more)
    return case(f"{provider}: {name}", path=path, config=config, body=body, only_calls=True)


CASES = [
    # The rows of section 14.2.
    to("anthropic", "full", {"model": "cl", **FULL}),
    to("google", "full", {"model": "gemini-2.0", **FULL, "response_format": {"type": "json_object"}, "reasoning_effort": "low"}),
    to("vertex-ai", "full", {"model": "gemini-2.0", **FULL}, vertex_region="us-central1", **VERTEX),
    to("vertex-ai", "claude", {"model": "anthropic.claude-3", "max_tokens": 5, "messages": A}, vertex_region="global", **VERTEX),
    to("vertex-ai", "llama", {"model": "meta.llama-3", "messages": A}, vertex_region="us-central1", **VERTEX),
    to("bedrock", "full", {"model": "us.anthropic.claude-3", **FULL, "top_k": 3}, **BEDROCK),
    to("bedrock", "embeddings", {"model": "amazon.titan-embed-text-v2:0", "input": ["a", "b"], "dimensions": 256}, EMBED, **BEDROCK),
    to("cohere", "full", {"model": "command-r", **FULL}),
    to("cohere", "embeddings", {"model": "embed-v3", "input": ["a", "b"], "input_type": "search_query", "encoding_format": "float"}, EMBED),
    to("google", "embeddings", {"model": "e", "input": ["a", "b"]}, EMBED),
    to("mistral-ai", "full", {"model": "m", **FULL, "seed": 1, "response_format": {"type": "json_object"}}),
    to("perplexity-ai", "penalty and n", {"model": "m", "messages": A, "frequency_penalty": 1, "n": 3}),
    to("together-ai", "penalty", {"model": "m", "messages": A, "frequency_penalty": 1}),
    to("ollama", "developer", {"model": "m", "messages": [{"role": "developer", "content": "a"}], "max_completion_tokens": 4}),
    to("ollama", "embeddings", {"model": "m", "input": "a"}, EMBED),
    to("ai21", "chat", {"model": "j2", "messages": [{"role": "system", "content": "S"}, *A], "max_tokens": 4, "stop": ["x"], "presence_penalty": 1}),
    to("palm", "chat", {"model": "bison", "messages": A, "max_tokens": 0}),
    to("huggingface", "chat", {"model": "org/m", "messages": A, "max_completion_tokens": 4}),
    to("workers-ai", "chat", {"model": "@cf/m", "messages": [{"role": "system", "content": "S"}, *A], "temperature": 1}, workers_ai_account_id="acc"),
    to("anthropic", "completions", {"model": "cl", "prompt": "p", "max_tokens": 4}, COMPLETE),
    to("azure-ai", "chat", {"model": "m", "messages": A}, azure_foundry_url="https://x/y"),
    to("reka-ai", "chat", {"messages": [{"role": "assistant", "content": "z"}, *A]}),
    to("predibase", "chat", {"model": "base:adapter/1", "user": "tenant", "messages": A}),
    to("openrouter", "chat", {"model": "m", "messages": A, "reasoning_effort": "low", "stream_options": {"include_usage": True}}),
    to("nomic", "embeddings", {"input": "a"}, EMBED),
    to("triton", "completions", {"prompt": "a"}, COMPLETE),
    # Around them: what most clients send, to the providers that most of them use.
    *(
        to(provider, "plain", {"model": "m", "messages": A, "max_tokens": 5})
        for provider in (
            "openai", "anthropic", "google", "cohere", "mistral-ai", "groq", "together-ai", "perplexity-ai", "ollama",
            "deepseek", "openrouter", "fireworks-ai", "x-ai", "cerebras", "deepinfra", "anyscale", "moonshot", "nebius",
            "novita-ai", "sambanova", "siliconflow", "hyperbolic", "lambda", "github", "dashscope", "zhipu", "lingyi",
        )
    ),
    to("anthropic", "image", SEES),
    to("google", "image", SEES),
    to("cohere", "image", SEES),
    to("anthropic", "tool choice auto", {"model": "m", "max_tokens": 5, "messages": A, "tools": [TOOL], "tool_choice": "auto"}),
    to("anthropic", "tool choice by name", {"model": "m", "max_tokens": 5, "messages": A, "tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}}),
    to("anthropic", "max_completion_tokens", {"model": "m", "max_completion_tokens": 5, "messages": A}),
    to("anthropic", "thinking", {"model": "m", "max_tokens": 2000, "messages": A, "thinking": {"type": "enabled", "budget_tokens": 1024}}),
    to("anthropic", "top_k", {"model": "m", "max_tokens": 5, "messages": A, "top_k": 4}),
    to("anthropic", "beta", {"model": "m", "max_tokens": 5, "messages": A}, anthropic_beta="b1", anthropic_version="2023-06-01"),
    to("google", "json schema", {"model": "m", "messages": A, "response_format": JSON_SCHEMA}),
    to("google", "system", {"model": "m", "messages": [{"role": "system", "content": "S"}, *A]}),
    to("google", "tool choice by name", {"model": "m", "messages": A, "tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}}),
    to("google", "stream", {"model": "m", "messages": A, "stream": True}),
    to("google", "tools/ prefix", {"model": "models/m", "messages": A}),
    to("cohere", "stream", {"model": "m", "messages": A, "stream": True}),
    to("mistral-ai", "embeddings", {"model": "m", "input": ["a"]}, EMBED),
    to("together-ai", "embeddings", {"model": "m", "input": "a"}, EMBED),
    to("openai", "embeddings", {"model": "echo", "input": ["a", "b"], "dimensions": 4}, EMBED),
    to("openai", "completions", {"model": "echo", "prompt": "a", "max_tokens": 3}, COMPLETE),
    to("openai", "full", {"model": "echo", **FULL}),
    to("openai", "image", SEES | {"model": "echo"}),
    to("openai", "json schema", {"model": "echo", "messages": A, "response_format": JSON_SCHEMA}),
    to("groq", "full", {"model": "m", **FULL}),
    to("deepseek", "full", {"model": "m", **FULL}),
    to("together-ai", "full", {"model": "m", **FULL}),
    to("ollama", "full", {"model": "m", **FULL}),
    to("azure-openai", "embeddings", {"model": "echo", "input": "a"}, EMBED, resource_name="r", deployment_id="d", api_version="2024-02-01"),
    to("azure-openai", "completions", {"model": "echo", "prompt": "a"}, COMPLETE, resource_name="r", deployment_id="d", api_version="2024-02-01"),
    to("azure-openai", "token", chat("echo"), resource_name="r", deployment_id="d", api_version="2024-02-01", azure_ad_token="t"),
    case(
        "azure-openai: headers",
        only_calls=True,
        headers={
            "x-portkey-provider": "azure-openai", "x-portkey-custom-host": "{U}", "authorization": "Bearer k",
            "x-portkey-azure-resource-name": "r", "x-portkey-azure-deployment-id": "d", "x-portkey-azure-api-version": "2024-02-01",
        },
        body=chat("echo"),
    ),
]  # fmt: skip
