"""What clients get of providers' own answers."""

from ..case import case, chat, target
from ..upstream import Answer

ASK = chat("m", max_tokens=5)


def of(provider: str, name: str, body: dict, path: str = "/v1/chat/completions", ask: dict = ASK, **more: object):
    return case(f"{provider}: {name}", path=path, config=target(provider=provider, **more), body=ask, answer=Answer(200, body))


def anthropic(*content: dict, stop: str = "end_turn", **usage: int) -> dict:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "cl", "content": list(content),
        "stop_reason": stop, "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 4, **usage},
    }  # fmt: skip


def gemini(*parts: dict, finish: str = "STOP", **more: object) -> dict:
    return {
        "candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": finish, "index": 0}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7},
        "modelVersion": "gem-1", "responseId": "r",
    } | more  # fmt: skip


def cohere(content: list[dict], finish: str = "COMPLETE", **message: object) -> dict:
    return {
        "id": "co1", "finish_reason": finish, "message": {"role": "assistant", "content": content, **message},
        "usage": {"billed_units": {"input_tokens": 1, "output_tokens": 2}, "tokens": {"input_tokens": 3, "output_tokens": 4}},
    }  # fmt: skip


def openai(message: dict, finish: str = "stop", **more: object) -> dict:
    return {
        "id": "chat1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    } | more  # fmt: skip


TEXT = {"type": "text", "text": "Hi"}
TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"q": "z"}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"q":"z"}'}}
EMBEDDED = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}], "model": "e", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
EMBED = {"model": "e", "input": ["a"]}

CASES = [
    of("anthropic", "text", anthropic(TEXT)),
    of("anthropic", "two texts", anthropic(TEXT, {"type": "text", "text": " there"})),
    of("anthropic", "tool call", anthropic(TOOL_USE, stop="tool_use")),
    of("anthropic", "text and tool call", anthropic(TEXT, TOOL_USE, stop="tool_use")),
    of("anthropic", "length", anthropic(TEXT, stop="max_tokens")),
    of("anthropic", "stop sequence", anthropic(TEXT, stop="stop_sequence")),
    of("anthropic", "cached", anthropic(TEXT, cache_read_input_tokens=10, cache_creation_input_tokens=0)),
    of("anthropic", "thinking", anthropic({"type": "thinking", "thinking": "hm", "signature": "s"}, TEXT)),
    of("anthropic", "native", anthropic(TEXT, TOOL_USE, stop="tool_use"), path="/v1/messages"),
    of("google", "text", gemini({"text": "Hi"})),
    of("google", "two parts", gemini({"text": "Hi"}, {"text": " there"})),
    of("google", "tool call", gemini({"functionCall": {"name": "f", "args": {"q": "z"}}})),
    of("google", "length", gemini({"text": "Hi"}, finish="MAX_TOKENS")),
    of("google", "safety", gemini({"text": "Hi"}, finish="SAFETY")),
    of("google", "thought", gemini({"text": "hm", "thought": True}, {"text": "Hi"})),
    of("google", "blocked", {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}, "modelVersion": "gem-1"}),
    of("cohere", "text", cohere([TEXT])),
    of("cohere", "length", cohere([TEXT], finish="MAX_TOKENS")),
    of("cohere", "tool call", cohere([], finish="TOOL_CALL", tool_calls=[CALL], tool_plan="p")),
    of("openai", "tool call", openai({"content": None, "tool_calls": [CALL]}, "tool_calls")),
    of("openai", "unknown members", openai({"content": "Hi", "odd": 1}, odd={"a": 1})),
    of("groq", "unknown members", openai({"content": "Hi"}, x_groq={"id": "g"})),
    of("deepseek", "reasoning", openai({"content": "Hi", "reasoning_content": "hm"})),
    of("mistral-ai", "text", openai({"content": "Hi"})),
    of("together-ai", "text", openai({"content": "Hi"})),
    of("perplexity-ai", "citations", openai({"content": "Hi"}, citations=["http://a"])),
    of("ollama", "text", openai({"content": "Hi"})),
    of("fireworks-ai", "text", openai({"content": "Hi"})),
    of("x-ai", "text", openai({"content": "Hi"})),
    of("cerebras", "text", openai({"content": "Hi"})),
    of("azure-openai", "text", openai({"content": "Hi"}), resource_name="r", deployment_id="d", api_version="2024-02-01"),
    of("openai", "embeddings", EMBEDDED, path="/v1/embeddings", ask=EMBED),
    of("mistral-ai", "embeddings", EMBEDDED, path="/v1/embeddings", ask=EMBED),
    of("together-ai", "embeddings", EMBEDDED, path="/v1/embeddings", ask=EMBED),
    of("cohere", "embeddings", {"id": "e1", "embeddings": {"float": [[0.5, 0.25]]}, "texts": ["a"], "meta": {"billed_units": {"input_tokens": 1}}}, path="/v1/embeddings", ask=EMBED),
    of("google", "embeddings", {"embedding": {"values": [0.5, 0.25]}}, path="/v1/embeddings", ask={"model": "e", "input": "a"}),
    of("openai", "empty object", {}),
    of("anthropic", "empty object", {}),
    of("google", "empty object", {}),
    of("cohere", "empty object", {}),
]  # fmt: skip
