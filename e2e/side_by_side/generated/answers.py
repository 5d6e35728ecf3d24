"""What the provider answers: the statuses are drawn with the case, the words are those of whoever was called."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..upstream import DONE, Answer, Call, data
from .draw import Draw
from .routes import Route

TEXTS = ("Paris is the capital of France.", "Sure!", "Ahoy — 21 °C and sunny.", 'He said "no".\n\n- one\n- two', "")
ARGUMENTS = ('{"city":"Paris"}', '{"city": "São Paulo", "unit": "c"}', "{}")
# How the day goes when it does not go well: mostly too many requests, then trouble at the provider's.
FAILURES = {429: 40, 500: 15, 503: 13, 502: 5, 504: 3, 529: 5, 400: 8, 401: 5, 404: 3, 403: 2, 422: 1}
WORDS = {
    400: ("invalid_request_error", "INVALID_ARGUMENT", "This model's maximum context length is 8192 tokens."),
    401: ("authentication_error", "UNAUTHENTICATED", "Incorrect API key provided."),
    403: ("permission_error", "PERMISSION_DENIED", "You are not allowed to use this model."),
    404: ("not_found_error", "NOT_FOUND", "The model does not exist."),
    422: ("invalid_request_error", "INVALID_ARGUMENT", "Unprocessable request."),
    429: ("rate_limit_error", "RESOURCE_EXHAUSTED", "Rate limit reached, please slow down."),
    500: ("api_error", "INTERNAL", "The server had an error."),
    502: ("api_error", "UNAVAILABLE", "Bad gateway."),
    503: ("api_error", "UNAVAILABLE", "The server is overloaded."),
    504: ("api_error", "DEADLINE_EXCEEDED", "Deadline exceeded."),
    529: ("overloaded_error", "UNAVAILABLE", "Overloaded"),
}


@dataclass(frozen=True)
class Plan:
    """One answer before it is known who gives it."""

    status: int
    text: str
    arguments: str
    calls_tool: bool
    cut_short: bool
    cached: int
    id: str
    page: bool
    headers: dict[str, str]
    delay_ms: int


def replies(draw: Draw, route: Route) -> tuple[Callable[[Call], Answer], ...]:
    found = []
    # One backoff of a second is enough to compare; where the provider says how long to wait there can be more.
    patience = 1
    calls = route.tried + (3 if route.wait else 0)
    for i in range(calls):
        fails = draw.chance({0: 55, 1: 20}.get(i, 10) if route.tried > 1 or route.wait else 11)
        status = draw.weighted(FAILURES) if fails else 200
        headers = {}
        if status == 429 and draw.chance(50):
            headers["retry-after-ms"] = draw.one(("20", "50"))
        elif status == 429 and not route.wait and draw.chance(50):
            headers["retry-after"] = "7"
        if status != 200 and route.wait and not headers:
            status = status if patience else 200
            patience = 0
        found.append(partial(_say, _plan(draw, status, headers, route.hasty and i == 0)))
    return tuple(found)


def _plan(draw: Draw, status: int, headers: dict[str, str], slow: bool) -> Plan:
    return Plan(
        status=status,
        text=draw.weighted({TEXTS[0]: 50, TEXTS[1]: 20, TEXTS[2]: 15, TEXTS[3]: 14, TEXTS[4]: 1}),
        arguments=draw.one(ARGUMENTS),
        calls_tool=draw.chance(65),
        cut_short=draw.chance(5),
        cached=draw.weighted({0: 92, 1024: 8}),
        id=draw.word(16),
        page=status in (502, 503, 504) and draw.chance(25),
        headers=headers | ({"x-ratelimit-remaining-requests": "41"} if draw.chance(40) else {}),
        delay_ms=1000 if slow else 0,
    )


def _say(plan: Plan, call: Call) -> Answer:
    answer = _answer(plan, call)
    return Answer(answer.status, answer.body, plan.headers | answer.headers, answer.events, delay_ms=plan.delay_ms)


def _answer(plan: Plan, call: Call) -> Answer:
    path = call.url.partition("?")[0]
    vendor = path.split("/")[1]
    body = call.body if isinstance(call.body, dict) else {}
    if plan.status != 200:
        if plan.page:
            return Answer(plan.status, "<html><body>upstream unavailable</body></html>", {"content-type": "text/html"})
        return Answer(plan.status, _error(plan, vendor))
    if path.endswith("/messages"):
        return _anthropic(plan, body)
    if "enerateContent" in path:
        return _gemini(plan, call)
    if "mbedContent" in path:
        return Answer(200, _gemini_vectors(body))
    if path.endswith("/v2/chat"):
        return _cohere(plan, body)
    if path.endswith("/v2/embed"):
        vectors = [[0.5, -0.25, 0.125] for _ in body.get("texts", [])]
        billed = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 5}}
        return Answer(200, {"id": plan.id, "embeddings": {"float": vectors}, "texts": body.get("texts"), "response_type": "embeddings_by_type", "meta": billed})
    if path.endswith("/chat/completions"):
        return _openai(plan, body, vendor)
    if path.endswith("/completions"):
        return _completion(plan, body)
    if path.endswith("/embeddings"):
        return Answer(200, _vectors(body))
    if path.endswith("/responses"):
        return Answer(200, _response(plan, body))
    if path.endswith("/speech"):
        return Answer(200, b"ID3\x00\x01", {"content-type": "audio/mpeg"})
    if call.method == "GET":
        return Answer(200, {"object": "list", "data": [{"id": "x-1", "object": "thing", "created": 1700000000}], "has_more": False})
    return Answer(200, {"id": plan.id, "object": "thing", "text": plan.text, "created": 1700000000, "data": [{"url": "https://example.com/1.png"}]})


def _error(plan: Plan, vendor: str) -> dict:
    word, status, message = WORDS[plan.status]
    match vendor:
        case "anthropic":
            return {"type": "error", "error": {"type": word, "message": message}, "request_id": "req_" + plan.id}
        case "google":
            return {"error": {"code": plan.status, "message": message, "status": status}}
        case "cohere":
            return {"id": plan.id, "message": message}
        case "azure-openai":
            return {"error": {"code": str(plan.status), "message": message}}
        case "mistral-ai":
            return {"object": "error", "message": message, "type": word, "param": None, "code": "1300"}
        case "together-ai":
            return {"id": plan.id, "error": {"message": message, "type": word, "param": None, "code": None}}
        case "fireworks-ai":
            return {"error": {"object": "error", "type": word, "code": word, "message": message}}
        case "openrouter":
            return {"error": {"message": message, "code": plan.status}, "user_id": "u"}
        case "x-ai":
            return {"code": word, "error": message}
        case "perplexity-ai":
            return {"error": {"message": message, "type": word, "code": plan.status}}
    return {"error": {"message": message, "type": word, "param": None, "code": None if plan.status >= 500 else word}}


def _wants_tool(plan: Plan, body: dict) -> str | None:
    """The name of the tool that is called."""
    tools = body.get("tools")
    if not tools or not plan.calls_tool or body.get("tool_choice") == "none":
        return None
    first = tools[0]
    named = first.get("function") or (first.get("functionDeclarations") or first.get("function_declarations") or [first])[0]
    return named.get("name")


def _pieces(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


def _openai(plan: Plan, body: dict, vendor: str) -> Answer:
    tool = _wants_tool(plan, body)
    own = vendor in ("openai", "azure-openai")
    head = {"id": "chatcmpl-" + plan.id, "created": 1700000000, "model": body.get("model", "gpt-4o")}
    if own:
        head |= {"system_fingerprint": "fp_" + plan.id[:10]}
    if vendor == "openai":
        head |= {"service_tier": "default"}
    usage: dict = {"prompt_tokens": 21, "completion_tokens": 8, "total_tokens": 29}
    if own:
        usage |= {
            "prompt_tokens_details": {"cached_tokens": plan.cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
        }
    finish = "tool_calls" if tool else "length" if plan.cut_short else "stop"
    call = {"id": "call_" + plan.id, "type": "function", "function": {"name": tool, "arguments": plan.arguments}}
    if body.get("stream") is True:
        events = tuple(_openai_events(plan, body, head, usage, tool, call, finish, own))
        if vendor == "perplexity-ai":
            # Ends its events in another way, and the stream without a word.
            events = tuple(event.replace("\n\n", "\r\n\r\n") for event in events[:-1])
        return Answer(events=events)
    message: dict = {"role": "assistant", "content": None if tool else plan.text}
    if own:
        message |= {"refusal": None, "annotations": []}
    if tool:
        message["tool_calls"] = [call]
    choices = [{"index": i, "message": message, "logprobs": None, "finish_reason": finish} for i in range(body.get("n") or 1)]
    return Answer(200, head | {"object": "chat.completion", "choices": choices, "usage": usage})


def _openai_events(plan: Plan, body: dict, head: dict, usage: dict, tool, call: dict, finish: str, own: bool):
    head = head | {"object": "chat.completion.chunk"}

    def chunk(delta: dict, finish: str | None = None, **more: object) -> str:
        return data(head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]} | more)

    if tool:
        begun = call | {"index": 0, "function": {"name": tool, "arguments": ""}}
        yield chunk({"role": "assistant", "content": None, "tool_calls": [begun]})
        for part in (plan.arguments[:4], plan.arguments[4:]):
            if part:
                yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
    else:
        yield chunk({"role": "assistant", "content": ""} | ({"refusal": None} if own else {}))
        for piece in _pieces(plan.text):
            yield chunk({"content": piece})
    if own:
        yield chunk({}, finish)
        if (body.get("stream_options") or {}).get("include_usage"):
            yield data(head | {"choices": [], "usage": usage})
    else:
        yield chunk({}, finish, usage=usage)
    yield DONE


def _completion(plan: Plan, body: dict) -> Answer:
    head = {"id": "cmpl-" + plan.id, "object": "text_completion", "created": 1700000000, "model": body.get("model")}
    if body.get("stream") is True:
        parts = [{"text": piece, "index": 0, "logprobs": None, "finish_reason": None} for piece in _pieces(plan.text)]
        parts.append({"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"})
        return Answer(events=(*(data(head | {"choices": [part]}) for part in parts), DONE))
    choice = {"text": plan.text, "index": 0, "logprobs": None, "finish_reason": "length" if plan.cut_short else "stop"}
    return Answer(200, head | {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}})


def _vectors(body: dict) -> dict:
    count = len(body["input"]) if isinstance(body.get("input"), list) else 1
    embedding: object = "AAAAPwAAgL4=" if body.get("encoding_format") == "base64" else [0.5, -0.25, 1e-05]
    found = [{"object": "embedding", "index": i, "embedding": embedding} for i in range(count)]
    return {"object": "list", "data": found, "model": body.get("model"), "usage": {"prompt_tokens": 8, "total_tokens": 8}}


def _response(plan: Plan, body: dict) -> dict:
    message = {"type": "message", "id": "msg_" + plan.id, "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": plan.text, "annotations": []}]}
    return {
        "id": "resp_" + plan.id, "object": "response", "created_at": 1700000000, "status": "completed", "error": None, "model": body.get("model"),
        "output": [message], "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12},
    }  # fmt: skip


def _anthropic(plan: Plan, body: dict) -> Answer:
    tool = _wants_tool(plan, body)
    usage = {"input_tokens": 21, "cache_creation_input_tokens": 0, "cache_read_input_tokens": plan.cached, "output_tokens": 8, "service_tier": "standard"}
    stop = "tool_use" if tool else "max_tokens" if plan.cut_short else "end_turn"
    head = {"id": "msg_" + plan.id, "type": "message", "role": "assistant", "model": body.get("model")}
    block = {"type": "tool_use", "id": "toolu_" + plan.id, "name": tool, "input": json.loads(plan.arguments)}
    if body.get("stream") is not True:
        content = [block] if tool else [{"type": "text", "text": plan.text}]
        return Answer(200, head | {"content": content, "stop_reason": stop, "stop_sequence": None, "usage": usage})
    begun = head | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage | {"output_tokens": 1}}
    events: list[dict] = [{"type": "message_start", "message": begun}]
    if tool:
        parts = [{"type": "input_json_delta", "partial_json": part} for part in ("", plan.arguments[:5], plan.arguments[5:])]
        events.append({"type": "content_block_start", "index": 0, "content_block": block | {"input": {}}})
    else:
        parts = [{"type": "text_delta", "text": piece} for piece in _pieces(plan.text)]
        events.append({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    events.append({"type": "ping"})
    events += [{"type": "content_block_delta", "index": 0, "delta": part} for part in parts]
    events.append({"type": "content_block_stop", "index": 0})
    events.append({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 8}})
    events.append({"type": "message_stop"})
    return Answer(events=tuple(data(event, event["type"]) for event in events))


def _gemini(plan: Plan, call: Call) -> Answer:
    body = call.body
    tool = _wants_tool(plan, body)
    model = re.search(r"/models/([^:]+):", call.url)[1]
    usage: dict = {"promptTokenCount": 21, "candidatesTokenCount": 8, "totalTokenCount": 29, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 21}]}
    if "2.5" in model:
        usage |= {"thoughtsTokenCount": 30, "totalTokenCount": 59}
    if plan.cached:
        usage |= {"cachedContentTokenCount": 16}

    def part(content: dict, finish: str | None) -> dict:
        candidate = {"content": {"parts": [content], "role": "model"}, "index": 0} | ({"finishReason": finish} if finish else {})
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": plan.id}

    finish = "MAX_TOKENS" if plan.cut_short and not tool else "STOP"
    content = {"functionCall": {"name": tool, "args": json.loads(plan.arguments)}} if tool else {"text": plan.text}
    if ":stream" not in call.url:
        return Answer(200, part(content, finish))
    pieces = [content] if tool else [{"text": piece} for piece in _pieces(plan.text)] or [content]
    parts = [part(piece, finish if piece is pieces[-1] else None) for piece in pieces]
    if "alt=sse" in call.url:
        return Answer(events=tuple(data(part).replace("\n\n", "\r\n\r\n") for part in parts))
    # Without being asked for events Google writes a list, an element at a time.
    texts = [json.dumps(part, indent=2) for part in parts]
    listed = ("[" + texts[0], *(",\r\n" + text for text in texts[1:]), "\n]")
    return Answer(events=listed, headers={"content-type": "application/json; charset=UTF-8"})


def _gemini_vectors(body: dict) -> dict:
    vector = {"values": [0.5, -0.25, 0.125]}
    return {"embeddings": [vector for _ in body["requests"]]} if "requests" in body else {"embedding": vector}


def _cohere(plan: Plan, body: dict) -> Answer:
    tool = _wants_tool(plan, body)
    usage = {"billed_units": {"input_tokens": 11, "output_tokens": 8}, "tokens": {"input_tokens": 21, "output_tokens": 8}}
    finish = "TOOL_CALL" if tool else "MAX_TOKENS" if plan.cut_short else "COMPLETE"
    call = {"id": "get_" + plan.id, "type": "function", "function": {"name": tool, "arguments": plan.arguments}}
    if body.get("stream") is not True:
        message: dict = {"role": "assistant"}
        message |= {"tool_plan": "I will look.", "tool_calls": [call]} if tool else {"content": [{"type": "text", "text": plan.text}]}
        return Answer(200, {"id": plan.id, "message": message, "finish_reason": finish, "usage": usage})
    events: list[dict] = [{"type": "message-start", "id": plan.id, "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}}]
    if tool:
        begun = call | {"function": {"name": tool, "arguments": ""}}
        events.append({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": begun}}})
        events.append({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": plan.arguments}}}}})
        events.append({"type": "tool-call-end", "index": 0})
    else:
        events.append({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}})
        events += [{"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}} for piece in _pieces(plan.text)]
        events.append({"type": "content-end", "index": 0})
    events.append({"type": "message-end", "delta": {"finish_reason": finish, "usage": usage}})
    return Answer(events=tuple(data(event, event["type"]) for event in events))
