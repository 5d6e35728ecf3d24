"""The differences between what the reference did and what Tidegate did.

Two forms of one message are brought into one first (`equivalent.py`). Not a difference either: a member, a header or an
error body more than the reference has in an *answer* (clients of the reference do not look there), and values that no two
runs share: times, generated ids. What the *upstream* receives is compared in full.
"""

import re
from dataclasses import dataclass, replace

from . import equivalent
from .generated.routes import PROVIDERS
from .play import Played

# Text that a gateway made up; its twin need only be text as well.
GENERATED = re.compile(
    r"^([a-z0-9-]+-\d{13}|(\w+-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{13}"
    r"|(input|output)_(guardrail|mutator)_\w+)$"
)
TIMES = {"created", "created_at", "execution_time", "time"}


@dataclass(frozen=True)
class Difference:
    """`at` is a path such as `answer.0.body.error.message` or `call.0.headers.authorization`."""

    at: str
    reference: object
    tidegate: object
    vendor: str = ""
    """Who was called, or whose answer it is, by the reference; empty where that cannot be told."""

    def __str__(self) -> str:
        return f"{self.at}: reference {_short(self.reference)}, tidegate {_short(self.tidegate)}"


MISSING = "(missing)"


def differences(
    reference: Played,
    tidegate: Played,
    only_calls: bool,
    equivalences: tuple[equivalent.Equivalence, ...] = equivalent.ROWS,
) -> list[Difference]:
    ours, theirs = (equivalent.apply(played.as_dict(), equivalences) for played in (tidegate, reference))
    for answer in (*ours["answer"], *theirs["answer"]):
        if said := _said(answer["body"]):
            answer["said"] = said
    found = [] if only_calls else _differences("answer", theirs["answer"], ours["answer"], additions=True)
    found += _differences("calls", theirs["calls"], ours["calls"], additions=False)
    if theirs["calls"] == ours["calls"]:
        found += _differences("call", theirs["call"], ours["call"], additions=False)
    return [replace(difference, vendor=_vendor(difference.at, reference)) for difference in found]


def _said(body: object) -> dict | None:
    """What the chunks of a stream add up to: compared even where the chunks are meant to differ."""
    if not isinstance(body, list):
        return None
    chunks = [event["data"] for event in body if isinstance(event, dict) and isinstance(event.get("data"), dict)]
    said = {"content": "", "calls": {}, "finish": None}
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            said["content"] += delta.get("content") or choice.get("text") or ""
            calls = delta.get("tool_calls") or []
            for call in calls if isinstance(calls, list) else [calls]:
                function = call.get("function") or {}
                known = said["calls"].setdefault(str(call.get("index")), {"name": "", "arguments": ""})
                for name in known:
                    known[name] += function.get(name) or ""
            said["finish"] = choice.get("finish_reason") or said["finish"]
    return said if any(said.values()) else None


def _vendor(at: str, reference: Played) -> str:
    """Generated cases have a path of its own for each vendor."""
    kind, _, rest = at.partition(".")
    index = int(rest.partition(".")[0] or 0)
    if kind == "answer":
        return reference.answers[index].headers.get("x-portkey-provider", "")
    first = reference.calls[index]["url"].split("/")[1] if kind == "call" else ""
    return first if first in PROVIDERS else ""


def equivalences(reference: Played, tidegate: Played, only_calls: bool) -> list[str]:
    """The rows of `equivalent.py` without which there would be a difference more."""
    if reference == tidegate:
        return []
    found = len(differences(reference, tidegate, only_calls))
    needed = []
    for row in equivalent.ROWS:
        others = tuple(other for other in equivalent.ROWS if other is not row)
        if len(differences(reference, tidegate, only_calls, others)) > found:
            needed.append(row.name)
    return needed


def _differences(at: str, reference: object, tidegate: object, additions: bool) -> list[Difference]:
    match reference, tidegate:
        case dict(), dict():
            names = list(reference) + ([] if additions else [name for name in tidegate if name not in reference])
            return [
                difference
                for name in names
                for difference in _member(f"{at}.{name}", name, reference, tidegate, additions)
            ]
        case list(), list() if len(reference) == len(tidegate):
            pairs = enumerate(zip(reference, tidegate, strict=True))
            return [found for i, (a, b) in pairs for found in _differences(f"{at}.{i}", a, b, additions)]
    if _same(reference, tidegate):
        return []
    return [Difference(at, reference, tidegate)]


def _member(at: str, name: str, reference: dict, tidegate: dict, additions: bool) -> list[Difference]:
    if name not in tidegate or name not in reference:
        return [Difference(at, reference.get(name, MISSING), tidegate.get(name, MISSING))]
    a, b = reference[name], tidegate[name]
    if name in TIMES and isinstance(a, int | float | str) and type(a) is type(b):
        return []
    return _differences(at, a, b, additions)


def _same(reference: object, tidegate: object) -> bool:
    if isinstance(reference, str) and GENERATED.match(reference):
        return isinstance(tidegate, str) and tidegate != ""
    if isinstance(reference, bool) or isinstance(tidegate, bool):
        return reference is tidegate
    return reference == tidegate


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "…"
