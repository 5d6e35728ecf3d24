"""Differences that mean nothing, neither to the provider nor to the client.

Each row rewrites both sides into one form before they are compared. A row belongs here only when whoever reads the message is
bound to treat both forms alike, by the document that the row names; whatever anybody could tell apart is for
`intended.toml`. The report counts the cases that are the same only thanks to these rows, and a row without which no case
would differ is a mistake.
"""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit


@dataclass(frozen=True)
class Equivalence:
    name: str
    reason: str
    rewrite: Callable[[dict], None]
    """Changes a request that the upstream got (`{method, url, headers, body}`), or an answer (`{status, header, body, ..}`)."""
    of: str = "call"


def apply(played: dict, rows: "tuple[Equivalence, ...]") -> dict:
    """What was played, in the one form; also where the upstream echoes in its answer what it was sent."""
    played = copy.deepcopy(played)
    for row in rows:
        for message in played[row.of]:
            row.rewrite(message)
        if row.of == "call":
            for echo in _echoes(played):
                row.rewrite(echo)
    return played


def _echoes(played: dict) -> Iterator[dict]:
    for answer in played["answer"]:
        if isinstance(answer["body"], dict) and isinstance(answer["body"].get("echo"), dict):
            yield answer["body"]["echo"]


# --- Requests -------------------------------------------------------------------------------------------------------


def _anthropic(call: dict) -> dict | None:
    """The body of a call to Anthropic's messages."""
    if call["url"].partition("?")[0].endswith(("/messages", "rawPredict")) and isinstance(call["body"], dict):
        return call["body"]
    return None


def _gemini(call: dict) -> dict | None:
    """The body of a call to a Gemini model."""
    if re.search(r"/models/[^/]+:\w*[gG]enerateContent", call["url"]) and isinstance(call["body"], dict):
        return call["body"]
    return None


def no_instructions(call: dict) -> None:
    body = _anthropic(call)
    if body is not None and body.get("system") == []:
        del body["system"]


def one_text(call: dict) -> None:
    body = _anthropic(call)
    for message in (body or {}).get("messages", []):
        match message.get("content"):
            case [{"type": "text", "text": str(text), **more}] if not more:
                message["content"] = text


def empty_keywords(call: dict) -> None:
    body = _anthropic(call)
    for tool in (body or {}).get("tools", []):
        schema = tool.get("input_schema")
        for name, empty in (("$defs", {}), ("required", [])):
            if isinstance(schema, dict) and schema.get(name) == empty:
                del schema[name]


def unstreamed(call: dict) -> None:
    # Ollama's own interface streams unless told not to.
    if isinstance(call["body"], dict) and call["body"].get("stream") is False and "/api/" not in call["url"]:
        del call["body"]["stream"]


def googles_key(call: dict) -> None:
    url = urlsplit(call["url"])
    query = parse_qsl(url.query, keep_blank_values=True)
    keys = [value for name, value in query if name == "key"]
    if re.search(r"/models/[^/]+:", url.path) and len(keys) == 1 and "x-goog-api-key" not in call["headers"]:
        rest = "&".join(f"{name}={quote(value)}" for name, value in query if name != "key")
        call["url"] = url.path + (f"?{rest}" if rest else "")
        call["headers"]["x-goog-api-key"] = keys[0]


def model_in_path(call: dict) -> None:
    path = re.search(r"/models/([^/?]+):", call["url"])
    if path and isinstance(call["body"], dict) and call["body"].get("model") in (path[1], f"models/{path[1]}"):
        del call["body"]["model"]


_SNAKE = {"tool_config": "toolConfig", "function_calling_config": "functionCallingConfig", "allowed_function_names": "allowedFunctionNames"}  # fmt: skip


def spelling(call: dict) -> None:
    body = _gemini(call)
    if body is not None and "tool_config" in body and "toolConfig" not in body:
        body["toolConfig"] = _camel(body.pop("tool_config"))


def _camel(node: object) -> object:
    if isinstance(node, dict):
        return {_SNAKE.get(name, name): _camel(value) for name, value in node.items()}
    return node


def instructions_role(call: dict) -> None:
    body = _gemini(call)
    instructions = (body or {}).get("systemInstruction")
    if isinstance(instructions, dict) and instructions.get("role") == "system":
        del instructions["role"]


def type_of_nothing(call: dict) -> None:
    if call["body"] is None:
        call["headers"].pop("content-type", None)


def boundary(call: dict) -> None:
    found = re.fullmatch(r'multipart/form-data; ?boundary="?([^";]+)"?', call["headers"].get("content-type", ""))
    if not found or not isinstance(call["body"], str):
        return
    call["headers"]["content-type"] = "multipart/form-data; boundary=(boundary)"
    parts = call["body"].strip("\r\n").split(f"--{found[1]}")
    call["body"] = [_part(part) for part in parts[1:-1]] + [parts[0], parts[-1]]


def _part(text: str) -> dict:
    head, _, content = text.removeprefix("\r\n").partition("\r\n\r\n")
    fields = (line.partition(":") for line in head.split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in fields} | {"": content.removesuffix("\r\n")}


# --- Answers --------------------------------------------------------------------------------------------------------


def comments(answer: dict) -> None:
    if isinstance(answer["body"], list):
        answer["body"] = [event for event in answer["body"] if event != {}]


def empty_chunks(answer: dict) -> None:
    if isinstance(answer["body"], list):
        answer["body"] = [event for event in answer["body"] if not _says_nothing(event)]


def _says_nothing(event: object) -> bool:
    chunk = event.get("data") if isinstance(event, dict) else None
    if not isinstance(chunk, dict) or chunk.get("object") != "chat.completion.chunk" or chunk.get("usage"):
        return False
    choices = chunk.get("choices") or [None]
    return all(
        isinstance(choice, dict)
        and _is_empty(choice.get("delta"))
        and not choice.get("finish_reason")
        and not choice.get("logprobs")
        for choice in choices
    )


def _is_empty(delta: object) -> bool:
    match delta:
        case {"tool_calls": [{"index": int(), "function": {"arguments": "", **named}, **started}], **more}:
            return not named and not started and not more
    return delta == {}


ROWS = (
    Equivalence(
        "no instructions",
        "An empty list of system blocks says to Anthropic what no member says: there are no instructions.",
        no_instructions,
    ),
    Equivalence(
        "one text",
        "Anthropic: a string as content is shorthand for a list of one text block.",
        one_text,
    ),
    Equivalence(
        "empty keywords",
        "JSON Schema: an empty `required` or `$defs` asserts what an absent one does, which is nothing.",
        empty_keywords,
    ),
    Equivalence(
        "not streamed",
        "`stream` is false by default for every provider that takes it in this form.",
        unstreamed,
    ),
    Equivalence(
        "Google's key",
        "Google reads the API key from the query and from x-goog-api-key alike.",
        googles_key,
    ),
    Equivalence(
        "model in the path",
        "Gemini: the path binds the request's `model`; the same name in the body adds nothing.",
        model_in_path,
    ),
    Equivalence(
        "spelling",
        "Protocol buffers' JSON: a field's name is accepted in lowerCamelCase and as it is declared.",
        spelling,
    ),
    Equivalence(
        "role of instructions",
        "Gemini: a system instruction is one whatever its role says; only its text is read.",
        instructions_role,
    ),
    Equivalence(
        "type of nothing",
        "RFC 9110: a content type describes content; without any it describes nothing.",
        type_of_nothing,
    ),
    Equivalence(
        "boundary",
        "RFC 2046: a boundary only has to be absent from the parts, and the names of their header fields have no case.",
        boundary,
    ),
    Equivalence(
        "comments",
        "Server-sent events: a line that starts with a colon is ignored.",
        comments,
        of="answer",
    ),
    Equivalence(
        "empty chunks",
        "A delta that is empty, or adds no character to the arguments of a call, adds nothing to what its reader has put together.",
        empty_chunks,
        of="answer",
    ),
)
