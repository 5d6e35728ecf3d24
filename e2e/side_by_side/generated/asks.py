"""What is asked: the endpoint, and a body as its users write it."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import routes
from .draw import Draw


@dataclass(frozen=True)
class Endpoint:
    kind: str
    name: str
    method: str
    path: str

    @property
    def models(self) -> bool:
        """Bodies name a model."""
        return self.kind not in ("other", "models", "rerank")

    def model(self, draw: Draw, provider: str) -> str:
        match self.kind:
            case "embeddings":
                return draw.one(EMBEDDERS[provider])
            case "completions" if provider in ("openai", "azure-openai"):
                return "gpt-3.5-turbo-instruct"
        return draw.one(routes.MODELS[provider])


@dataclass(frozen=True)
class Ask:
    method: str
    path: str
    body: bytes | None
    params: dict
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


ENDPOINTS = {
    Endpoint("chat", "chat", "POST", "/v1/chat/completions"): 76,
    Endpoint("embeddings", "embeddings", "POST", "/v1/embeddings"): 8,
    Endpoint("messages", "messages", "POST", "/v1/messages"): 4,
    Endpoint("completions", "completions", "POST", "/v1/completions"): 2,
    Endpoint("responses", "responses", "POST", "/v1/responses"): 3,
    Endpoint("other", "images", "POST", "/v1/images/generations"): 1,
    Endpoint("other", "speech", "POST", "/v1/audio/speech"): 1,
    Endpoint("other", "transcription", "POST", "/v1/audio/transcriptions"): 1,
    Endpoint("other", "files", "GET", "/v1/files"): 1,
    Endpoint("other", "batches", "POST", "/v1/batches"): 1,
    Endpoint("models", "models", "GET", "/v1/models"): 1,
    Endpoint("rerank", "rerank", "POST", "/v1/rerank"): 1,
}
EMBEDDERS = {
    "openai": ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"),
    "azure-openai": ("text-embedding-3-small",),
    "google": ("text-embedding-004", "gemini-embedding-001"),
    "mistral-ai": ("mistral-embed",),
    "together-ai": ("BAAI/bge-large-en-v1.5",),
    "cohere": ("embed-english-v3.0", "embed-multilingual-v3.0"),
    "fireworks-ai": ("nomic-ai/nomic-embed-text-v1.5",),
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TEXTS = (
    "What is the capital of France?", "Write a haiku about the sea.", "Summarise this: tides follow the moon.",
    "Traduis « bonjour » en anglais.", "How do I sort a list in Python?\n\n```python\nxs = [3, 1]\n```", "Hi", "你好，世界 🌊",
    'Say "yes" or "no".',
)  # fmt: skip
SYSTEMS = ("You are a helpful assistant.", "Answer in one sentence.", "You are a pirate.", "Today is Monday.\nBe brief.")
REPLIES = ("Paris.", "Sure! Which one?", "The tide is high at noon.", "1. Use `sorted(xs)`.")
WEATHER = {"type": "object", "properties": {"city": {"type": "string", "description": "The city"}, "unit": {"type": "string", "enum": ["c", "f"]}}, "required": ["city"]}
SEARCH = {"type": "object", "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}}, "required": ["query"]}
CLOSED = SEARCH | {"required": ["query", "limit"], "additionalProperties": False}
FUNCTIONS = (
    {"name": "get_weather", "description": "Get the weather", "parameters": WEATHER},
    {"name": "search", "description": "Search the web", "parameters": SEARCH},
    {"name": "search_docs", "description": "Search the documents", "parameters": CLOSED, "strict": True},
    {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}},
)
PERSON = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["name", "age", "tags"], "additionalProperties": False}
# Members of a chat request: how often in percent, and what is usual.
SAMPLING: dict[str, tuple[float, Sequence[object]]] = {
    "temperature": (55, (0, 0.2, 0.5, 0.7, 0.7, 1, 1.0)),
    "top_p": (15, (0.9, 0.95, 1)),
    "stop": (6, ("\n\n", ["END"], ["\n", "User:"])),
    "user": (6, ("user-1234", "u@example.com")),
}
# What the OpenAI family knows beyond that.
OPENAI: dict[str, tuple[float, Sequence[object]]] = {
    "n": (3, (1, 2)),
    "presence_penalty": (5, (0, 0.5, -0.5)),
    "frequency_penalty": (5, (0, 0.3, 1)),
    "seed": (6, (42, 7)),
    "logprobs": (2, (True, False)),
    "logit_bias": (1, ({"50256": -100},)),
    "parallel_tool_calls": (2, (False, True)),
}
# What only OpenAI itself knows.
NEW: dict[str, tuple[float, Sequence[object]]] = {
    "store": (3, (True, False)),
    "metadata": (2, ({"team": "search"},)),
    "service_tier": (2, ("auto", "flex")),
    "reasoning_effort": (5, ("low", "medium", "high")),
    "prompt_cache_key": (1, ("k1",)),
    "safety_identifier": (1, ("s1",)),
    "verbosity": (1, ("low",)),
}


def endpoint(draw: Draw) -> Endpoint:
    return draw.weighted(ENDPOINTS)


def ask(draw: Draw, endpoint: Endpoint, route: routes.Route) -> Ask:
    if endpoint.name == "transcription":
        boundary = "----" + draw.word(16)
        return Ask("POST", endpoint.path, _form(boundary), {}, f"multipart/form-data; boundary={boundary}")
    if endpoint.method == "GET":
        query = draw.one(("", "", "?limit=20", "?after=f_1&limit=5"))
        return Ask("GET", endpoint.path + query, None, {})
    params = {
        "chat": _chat, "embeddings": _embeddings, "messages": _messages, "completions": _completion,
        "responses": _response, "images": _image, "speech": _speech, "batches": _batch, "rerank": _rerank,
    }[endpoint.name](draw, endpoint, route)  # fmt: skip
    # SDKs write compact JSON in either escaping.
    text = json.dumps(params, ensure_ascii=draw.chance(50), separators=draw.one(((",", ":"), (", ", ": "))))
    return Ask("POST", endpoint.path, text.encode(), params)


def _chat(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    provider = route.provider
    params: dict = {"model": endpoint.model(draw, provider), "messages": []}
    reasoning = provider in ("openai", "azure-openai") and params["model"][0] == "o"
    tools = draw.chance(18)
    params["messages"] = _conversation(draw, tools, "developer" if reasoning else "system")
    params |= draw.some(SAMPLING if not reasoning else {"user": SAMPLING["user"]})
    if set(route.providers) <= {"openai", "azure-openai"}:
        params |= draw.some(OPENAI if not reasoning else {"seed": OPENAI["seed"]}) | draw.some(NEW)
    elif provider not in ("anthropic", "google", "cohere"):
        params |= {name: value for name, value in draw.some(OPENAI).items() if name not in ("logit_bias", "logprobs")}
    elif draw.chance(6):
        params["top_k"] = draw.one((20, 40))
    # Anthropic's users know that it wants to be told.
    if draw.chance(97 if "anthropic" in route.providers else 50):
        newer = reasoning or draw.chance(15)
        params["max_completion_tokens" if newer else "max_tokens"] = draw.one((64, 256, 1000, 1024, 2048))
    if tools:
        params["tools"] = [{"type": "function", "function": tool} for tool in _some_functions(draw)]
        if draw.chance(45):
            named = {"type": "function", "function": {"name": params["tools"][0]["function"]["name"]}}
            params["tool_choice"] = named if draw.chance(12) else draw.weighted({"auto": 68, "required": 23, "none": 9})
    elif draw.chance(9):
        schema = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
        params["response_format"] = draw.one(({"type": "json_object"}, schema, {"type": "text"}))
    if draw.chance(33):
        params["stream"] = True
        if draw.chance(30):
            params["stream_options"] = {"include_usage": True}
    elif draw.chance(12):
        params["stream"] = False
    return params


def _some_functions(draw: Draw) -> list[dict]:
    first = draw.below(len(FUNCTIONS))
    return [FUNCTIONS[(first + i) % len(FUNCTIONS)] for i in range(draw.weighted({1: 60, 2: 30, 3: 10}))]


def _conversation(draw: Draw, tools: bool, system: str) -> list[dict]:
    messages: list[dict] = []
    if draw.chance(62):
        messages.append({"role": system, "content": draw.one(SYSTEMS)})
    for _ in range(draw.weighted({0: 65, 1: 22, 2: 13})):
        messages += [{"role": "user", "content": draw.one(TEXTS)}, {"role": "assistant", "content": draw.one(REPLIES)}]
    messages.append({"role": "user", "content": _content(draw)})
    if tools and draw.chance(35):
        id = "call_" + draw.word(24)
        function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
        call = {"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": function}]}
        text = draw.weighted({"null": 60, "absent": 25, "text": 15})
        if text != "absent":
            call["content"] = None if text == "null" else "Let me look."
        messages += [call, {"role": "tool", "tool_call_id": id, "content": draw.one(('{"temp": 21}', "21 degrees"))}]
        if draw.chance(25):
            messages += [{"role": "assistant", "content": "It is 21 degrees."}, {"role": "user", "content": draw.one(TEXTS)}]
    return messages


def _content(draw: Draw) -> object:
    if draw.chance(83):
        return draw.one(TEXTS)
    parts: list[dict] = [{"type": "text", "text": draw.one(TEXTS)}]
    if draw.chance(60):
        image: dict = {"url": draw.one((f"data:image/png;base64,{PIXEL}", "https://example.com/cat.jpg"))}
        if draw.chance(20):
            image["detail"] = draw.one(("low", "high", "auto"))
        parts.append({"type": "image_url", "image_url": image})
    return parts


def _embeddings(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    params = {"model": endpoint.model(draw, route.provider), "input": draw.one((TEXTS[0], [TEXTS[1]], list(TEXTS[:3])))}
    if "cohere" in route.providers:
        params["input_type"] = draw.one(("search_document", "search_query"))
    if set(route.providers) <= {"openai", "azure-openai"}:
        params |= draw.some({"dimensions": (15, (256, 512)), "encoding_format": (30, ("float", "base64")), "user": (4, ("u1",))})
    return params


def _completion(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    params = {"model": endpoint.model(draw, route.provider), "prompt": draw.one(TEXTS), "max_tokens": draw.one((16, 100, 256))}
    params |= draw.some({"temperature": SAMPLING["temperature"], "stop": SAMPLING["stop"], "stream": (30, (True,))})
    return params


def _messages(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    params = {"model": endpoint.model(draw, "anthropic"), "max_tokens": draw.one((256, 1024, 4096))}
    params["messages"] = [{"role": "user", "content": draw.one((TEXTS[0], [{"type": "text", "text": TEXTS[1]}]))}]
    if draw.chance(55):
        cached = [{"type": "text", "text": SYSTEMS[0], "cache_control": {"type": "ephemeral"}}]
        params["system"] = draw.one((SYSTEMS[1], SYSTEMS[2], cached))
    params |= draw.some({"temperature": (40, (0, 0.5, 1.0)), "top_k": (4, (40,)), "stop_sequences": (5, (["END"],)), "stream": (45, (True,))})
    params |= draw.some({"metadata": (5, ({"user_id": "u1"},)), "thinking": (5, ({"type": "enabled", "budget_tokens": 1024},))})
    if draw.chance(30):
        params["tools"] = [{"name": "get_weather", "description": "Get the weather", "input_schema": WEATHER}]
    return params


def _response(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    params = {"model": endpoint.model(draw, route.provider), "input": draw.one((TEXTS[0], [{"role": "user", "content": TEXTS[1]}]))}
    params |= draw.some({"instructions": (40, SYSTEMS), "temperature": (30, (0.2, 1)), "max_output_tokens": (30, (500,)), "store": (15, (False,))})
    return params


def _image(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    return {"model": "dall-e-3", "prompt": draw.one(TEXTS)} | draw.some({"n": (50, (1,)), "size": (60, ("1024x1024",)), "quality": (20, ("hd",))})


def _speech(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    return {"model": "tts-1", "input": draw.one(TEXTS), "voice": "alloy"} | draw.some({"response_format": (40, ("mp3", "opus")), "speed": (10, (1.25,))})


def _batch(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    return {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"} | draw.some({"metadata": (30, ({"job": "1"},))})


def _rerank(draw: Draw, endpoint: Endpoint, route: routes.Route) -> dict:
    return {"model": "rerank-v3.5", "query": TEXTS[0], "documents": ["Paris", "London"], "top_n": draw.one((1, 2))}


def _form(boundary: str) -> bytes:
    sound = base64.b64encode(b"RIFF")
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    ).encode() + sound + f"\r\n--{boundary}--\r\n".encode()
