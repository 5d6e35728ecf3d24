"""The upstream behind both gateways, in this process so that a case can look at what arrived.

It answers by the model's name:

    txt:S         200, the text S, header x-up: 1
    stNNN         status NNN, an error in OpenAI's shape
    seq:a,b#id    statuses a, b, .. on successive calls; 200 is the text `ok`
    ra:MS#id      429 with retry-after-ms: MS, then `ok`
    slow:MS       the text `late` after MS milliseconds
    html          502 with HTML
    badjson       200 with half a JSON body
    hdr           200 with a trace id and a request id among its headers
    break         one event of a stream, then the connection is destroyed
    any, with stream: true    a short stream
    else          200, the request as it arrived: {"echo": {method, url, headers, body}}

or, when the case brought answers of its own, with those, one after the other (the last one repeats); they may depend on the
call.
"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What HTTP libraries say about themselves and the connection, and gateways about their number on the way: no client
# or provider is promised any of it.
RUNTIME_HEADERS = {
    "accept", "accept-encoding", "accept-language", "connection", "content-length", "host", "keep-alive",
    "sec-fetch-mode", "traceparent", "transfer-encoding", "user-agent", "via", "x-tidegate-hops",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What to say to one call. `events` are sent as chunks of their own, `broken` destroys the connection after them."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    events: tuple[str, ...] | None = None
    broken: bool = False
    delay_ms: int = 0

    def bytes(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()

    def content_type(self) -> str:
        if self.events is not None:
            return "text/event-stream"
        return "text/plain" if isinstance(self.body, str | bytes) else "application/json"


@dataclass(frozen=True)
class Call:
    """A request as it arrived."""

    method: str
    url: str
    headers: dict[str, str]
    body: object

    def echo(self) -> dict:
        return {"method": self.method, "url": self.url, "headers": self.headers, "body": self.body}


Answers = tuple[Answer | Callable[[Call], Answer], ...]


class Upstream:
    """A server on a free port of this machine, until the end of its `with` block."""

    def __init__(self, answers: Answers = ()):
        self.calls: list[Call] = []
        self._answers = answers
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"upstream": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Upstream":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.socket.close()

    def answer(self, call: Call) -> Answer:
        with self._lock:
            self.calls.append(call)
            if self._answers:
                answer = self._answers[min(len(self.calls), len(self._answers)) - 1]
                return answer if isinstance(answer, Answer) else answer(call)
            body = call.body if isinstance(call.body, dict) else {}
            model = body.get("model") if isinstance(body.get("model"), str) else ""
            earlier = self._counts[model]
            self._counts[model] += 1
        return _play(model, earlier, call, body.get("stream") is True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: Upstream

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self):  # noqa: N802 - the name http.server calls
        headers = {
            name.lower(): ", ".join(self.headers.get_all(name))
            for name in sorted(set(self.headers.keys()))
            if name.lower() not in RUNTIME_HEADERS
        }
        call = Call(self.command, self.path, headers, _parse(self._body()))
        answer = self.upstream.answer(call)
        if answer.delay_ms:
            time.sleep(answer.delay_ms / 1000)
        self._send(answer)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        headers = {"content-type": answer.content_type()} | answer.headers
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.events is None:
            content = answer.bytes() if answer.status != 204 else b""
            if answer.status != 204:
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in answer.events:
            data = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if answer.broken:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


def _parse(body: bytes) -> object:
    """JSON if it is, else text; nothing is None."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _play(model: str, earlier: int, call: Call, stream: bool) -> Answer:
    anthropic = call.url.split("?")[0].endswith("/messages")
    script = model.split("#")[0]
    word, _, argument = script.partition(":")
    if script[:2] == "st" and script[2:].isdigit():
        return _error(int(script[2:]))
    match word:
        case "seq":
            statuses = [int(status) for status in argument.split(",")]
            status = statuses[min(earlier, len(statuses) - 1)]
            return _text("ok", model, anthropic, stream) if status == 200 else _error(status)
        case "ra" if earlier == 0:
            return _error(429, {"retry-after-ms": argument})
        case "html":
            return Answer(502, "<h1>x</h1>", {"content-type": "text/html"})
        case "badjson":
            return Answer(200, "{bad", {"content-type": "application/json"})
        case "hdr":
            headers = {"x-portkey-trace-id": "fromup", "x-request-id": "r1"}
            return Answer(200, _completion("x", model), headers)
        case "break":
            chunk = CHUNK | {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}
            return Answer(events=(data(chunk),), broken=True)
        case "txt":
            return _text(argument, model, anthropic, stream)
        case "ra":
            return _text("ok", model, anthropic, stream)
        case "slow":
            late = _text("late", model, anthropic, stream)
            return Answer(late.status, late.body, late.headers, late.events, delay_ms=int(argument))
    if stream:
        return _stream(anthropic)
    return Answer(200, {"echo": call.echo()})


def data(value: object, event: str | None = None) -> str:
    """One server-sent event."""
    text = json.dumps(value, separators=(",", ":"))
    return f"event: {event}\ndata: {text}\n\n" if event else f"data: {text}\n\n"


DONE = "data: [DONE]\n\n"
CHUNK = {
    "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}],
}  # fmt: skip
MESSAGE_EVENTS = (
    {"type": "message_start", "message": {"id": "m1", "model": "cl", "usage": {"input_tokens": 3, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
)


def _error(status: int, headers: dict[str, str] | None = None) -> Answer:
    body = {"error": {"message": "bad", "type": "t", "param": None, "code": "c"}}
    return Answer(status, body, headers or {})


def _stream(anthropic: bool) -> Answer:
    if anthropic:
        return Answer(events=tuple(data(event, event["type"]) for event in MESSAGE_EVENTS))
    return Answer(events=(data(CHUNK), DONE))


def _text(text: str, model: str, anthropic: bool, stream: bool) -> Answer:
    if stream:
        return _stream(anthropic)
    body = _message(text, model) if anthropic else _completion(text, model)
    return Answer(200, body, {"x-up": "1"})


def _completion(text: str, model: str) -> dict:
    message = {"role": "assistant", "content": text}
    return {
        "id": "chat1", "object": "chat.completion", "created": 1, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip


def _message(text: str, model: str) -> dict:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": model,
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }  # fmt: skip
