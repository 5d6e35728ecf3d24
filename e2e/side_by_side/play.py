"""Sends a case to one gateway and writes down what came back and what the upstream saw."""

import http.client
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from .case import Case, Request
from .upstream import Upstream

# The reference never answers one of the cases; no other takes longer than a few seconds, unless the machine is busy.
PATIENCE = 60.0


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: object
    """JSON, a list of events, or text."""
    broken: bool

    def as_dict(self) -> dict:
        portkey = {name: value for name, value in self.headers.items() if name.startswith("x-portkey-")}
        return {"status": self.status, "header": portkey, "body": self.body, "broken": self.broken}


@dataclass(frozen=True)
class Played:
    """What a gateway did with a case."""

    answers: tuple[Answered, ...]
    calls: tuple[dict, ...]

    def as_dict(self) -> dict:
        return {
            "answer": [answer.as_dict() for answer in self.answers],
            "calls": len(self.calls),
            "call": list(self.calls),
        }


def play(case: Case, gateway: str, upstream: Upstream, dead: str) -> Played:
    """`dead` is an address that refuses connections."""
    places = {"{U}": upstream.address, "{DEAD}": dead, "{DEAD_PORT}": str(urlsplit(dead).port)}
    answers = tuple(_send(gateway, request, places) for request in case.requests)
    calls = tuple(_unplaced(call.echo(), places) for call in upstream.calls)
    return Played(answers, calls)


def _send(gateway: str, request: Request, places: dict[str, str]) -> Answered:
    connection = http.client.HTTPConnection(urlsplit(gateway).netloc, timeout=PATIENCE)
    try:
        connection.putrequest(request.method, _placed(request.path, places), skip_accept_encoding=True)
        for name, value in request.headers.items():
            connection.putheader(name, _placed(value, places).encode())
        body = None if request.body is None else _placed(request.body.decode("latin-1"), places).encode("latin-1")
        if body is not None:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        content, broken = _read(response)
        headers = {name.lower(): value for name, value in response.getheaders()}
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        return Answered(0, {}, f"no answer: {error!r}", True)
    finally:
        connection.close()
    body = _understood(content, headers.get("content-type", ""))
    return Answered(response.status, headers, _unplaced(body, places), broken)


def _read(response: http.client.HTTPResponse) -> tuple[bytes, bool]:
    try:
        return response.read(), False
    except http.client.IncompleteRead as error:
        return error.partial, True


def _understood(content: bytes, content_type: str) -> object:
    text = content.decode(errors="replace")
    if content_type.startswith("text/event-stream"):
        return [_event(part) for part in re.split(r"\r?\n\r?\n", text) if part.strip()]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _event(part: str) -> dict:
    fields = dict.fromkeys(("event", "data"))
    for line in part.splitlines():
        name, _, value = line.partition(":")
        if name in fields:
            fields[name] = value.removeprefix(" ")
    with suppress(ValueError):
        fields["data"] = json.loads(fields["data"] or "")
    return {name: value for name, value in fields.items() if value is not None}


def _placed(text: str, places: dict[str, str]) -> str:
    for name, address in places.items():
        text = text.replace(name, address)
    return text


def _unplaced(value: object, places: dict[str, str]) -> object:
    """With the addresses of this run replaced by their names again, also where only host and port are written."""
    text = json.dumps(value)
    for name, address in places.items():
        if netloc := urlsplit(address).netloc:
            text = text.replace(address, name).replace(netloc, name)
    return json.loads(text)
