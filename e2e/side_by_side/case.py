"""What a case is, and the short words the cases are written in.

`U` stands for the upstream's address and `DEAD` for one that nobody listens on (its port is `DEAD_PORT`); all are filled
in when played.
"""

import json
from dataclasses import dataclass

from .upstream import Answer, Answers

U = "{U}"
DEAD = "{DEAD}"
DEAD_PORT = "{DEAD_PORT}"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Case:
    id: str
    requests: tuple[Request, ...]
    answers: Answers = ()
    """The upstream's own words; without any it answers by the model's name."""
    only_calls: bool = False
    """The upstream's answer makes no sense to either: only what it was sent is compared."""


def case(
    id: str,
    *,
    config: dict | str | None = None,
    headers: dict[str, str] | None = None,
    body: object = None,
    raw: bytes | None = None,
    method: str = "POST",
    path: str = "/v1/chat/completions",
    content_type: str | None = "application/json",
    answer: Answer | tuple[Answer, ...] = (),
    times: int = 1,
    only_calls: bool = False,
) -> Case:
    """A case of one request, or of `times` the same one."""
    all_headers = dict(headers or {})
    if config is not None:
        all_headers["x-portkey-config"] = config if isinstance(config, str) else json.dumps(config)
    content = raw if raw is not None else None if body is None else json.dumps(body).encode()
    if content is not None and content_type is not None:
        all_headers.setdefault("content-type", content_type)
    request = Request(method, path, all_headers, content)
    answers = answer if isinstance(answer, tuple) else (answer,)
    return Case(id, (request,) * times, answers, only_calls)


def target(**more: object) -> dict:
    """A target in front of the upstream; `provider` may be given."""
    return {"provider": "openai", "api_key": "k", "custom_host": U} | more


def chat(model: str = "txt:a", text: str = "hi", **more: object) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": text}]} | more


def by_model(model: str, **more: object) -> dict:
    """A target that asks for this model."""
    return target(override_params={"model": model}, **more)


def strategy(mode: str, *targets: dict, top: dict | None = None, **more: object) -> dict:
    return {"strategy": {"mode": mode} | more, "targets": list(targets)} | (top or {})


HEADERS = {"x-portkey-provider": "openai", "x-portkey-custom-host": U, "authorization": "Bearer k"}
