"""Streams: rows 95 to 103, and other providers' streams."""

from ..case import case, chat, target
from ..upstream import CHUNK, DONE, Answer, data

FAIL = {"contains": {"words": ["zzz"], "operator": "any"}, "id": "g"}
ASK = chat("m", stream=True, max_tokens=5)


def of(provider: str, name: str, *events: str, ask: dict = ASK, broken: bool = False, path: str = "/v1/chat/completions", **more: object):
    answer = Answer(events=events, broken=broken)
    return case(f"{provider}: {name}", path=path, config=target(provider=provider, **more), body=ask, answer=answer)


def typed(*events: dict) -> tuple[str, ...]:
    return tuple(data(event, event["type"]) for event in events)


def crlf(*events: dict) -> tuple[str, ...]:
    return tuple(data(event).replace("\n\n", "\r\n\r\n") for event in events)


def chunk(delta: dict, finish: str | None = None, **more: object) -> dict:
    return CHUNK | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more


def gemini(text: str, finish: str | None = None) -> dict:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0} | ({"finishReason": finish} if finish else {})
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gem-1", "responseId": "r"}


START = {"type": "message_start", "message": {"id": "m1", "type": "message", "role": "assistant", "model": "cl", "content": [], "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1}}}
TOOL_EVENTS = (
    START,
    {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"q":'}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '"z"}'}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
)
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
COHERE = (
    {"type": "message-start", "id": "co1", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}},
    {"type": "content-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 1, "output_tokens": 2}, "tokens": {"input_tokens": 3, "output_tokens": 4}}}},
)
OPENAI = (data(chunk({"role": "assistant", "content": ""})), data(chunk({"content": "Hi"})), data(chunk({}, "stop")), DONE)
USAGE = data(CHUNK | {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
CALLS = (
    data(chunk({"role": "assistant", "tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]})),
    data(chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"q":"z"}'}}]})),
    data(chunk({}, "tool_calls")),
    DONE,
)

CASES = [
    case("095 openai", config=target(), body=chat("m", stream=True)),
    case("096 upstream error", config=target(), body=chat("st429", stream=True)),
    case("097 anthropic", config=target(provider="anthropic"), body=ASK),
    case("098 anthropic native", path="/v1/messages", config=target(provider="anthropic"), body=ASK),
    case("099 together", config=target(provider="together-ai"), body=chat("m", stream=True)),
    case("100 broken", config=target(), body=chat("break", stream=True)),
    case("101 failing input", config=target(input_guardrails=[FAIL]), body=chat("m", stream=True)),
    case("102 failing input, not strict", config=target(input_guardrails=[FAIL], strict_open_ai_compliance=False), body=chat("m", stream=True)),
    case("103 output deny", config=target(output_guardrails=[FAIL | {"deny": True}]), body=chat("m", stream=True)),
    # Around the table.
    *(of(provider, "text", *OPENAI) for provider in ("openai", "groq", "deepseek", "mistral-ai", "fireworks-ai", "ollama", "openrouter", "cerebras", "x-ai")),
    of("perplexity-ai", "text", *crlf(chunk({"role": "assistant", "content": "Hi"}), chunk({}, "stop"))),
    of("azure-openai", "text", *OPENAI, resource_name="r", deployment_id="d", api_version="2024-02-01"),
    of("openai", "usage", *OPENAI[:-1], USAGE, DONE, ask=ASK | {"stream_options": {"include_usage": True}}),
    of("openai", "tool call", *CALLS),
    of("groq", "tool call", *CALLS),
    of("openai", "comments", ": ping\n\n", *OPENAI),
    of("openai", "error event", OPENAI[0], data({"error": {"message": "busy", "type": "server_error", "param": None, "code": None}})),
    of("anthropic", "tool call", *typed(*TOOL_EVENTS)),
    of("anthropic", "ping", *typed(START, {"type": "ping"}, *TOOL_EVENTS[1:])),
    of("anthropic", "error event", *typed(START, ERROR)),
    of("anthropic", "native, tool call", *typed(*TOOL_EVENTS), path="/v1/messages"),
    of("google", "text", *crlf(gemini("Hi"), gemini(" there", "STOP"))),
    of("google", "length", *crlf(gemini("Hi", "MAX_TOKENS"))),
    of("cohere", "text", *typed(*COHERE)),
    of("cohere", "broken", *typed(*COHERE[:3]), broken=True),
    of("google", "broken", *crlf(gemini("Hi")), broken=True),
    of("anthropic", "broken", *typed(*TOOL_EVENTS[:3]), broken=True),
    of("openai", "completions", data({"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [{"index": 0, "text": "Hi", "finish_reason": None}]}), DONE, path="/v1/completions", ask={"model": "m", "prompt": "a", "stream": True}),
]
