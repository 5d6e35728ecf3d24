"""The differences between what the reference did and what Tidegate did.

Not a difference: a member, a header or an error body more than the reference has in an *answer* (clients of the
reference do not look there), and values that no two runs share: times, generated ids. What the *upstream* receives is
compared in full.
"""

import re
from dataclasses import dataclass

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

    def __str__(self) -> str:
        return f"{self.at}: reference {_short(self.reference)}, tidegate {_short(self.tidegate)}"


MISSING = "(missing)"


def differences(reference: Played, tidegate: Played, only_calls: bool) -> list[Difference]:
    ours, theirs = tidegate.as_dict(), reference.as_dict()
    found = [] if only_calls else _differences("answer", theirs["answer"], ours["answer"], additions=True)
    found += _differences("calls", theirs["calls"], ours["calls"], additions=False)
    if theirs["calls"] == ours["calls"]:
        found += _differences("call", theirs["call"], ours["call"], additions=False)
    return found


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
