"""The cases, by what they are about. Ids are unique and start with the name of their file."""

from dataclasses import replace
from importlib import import_module

from .. import generated
from ..case import Case

FILES = (
    "basics", "hosts", "schema", "retry", "strategies", "conditional", "guardrails", "checks", "streams", "cache",
    "requests", "responses", "errors", "passthrough", "endpoints",
)  # fmt: skip


def all_cases() -> list[Case]:
    found = []
    for name in FILES:
        for case in import_module(f"{__name__}.{name}").CASES:
            found.append(replace(case, id=f"{name}/{case.id}"))
    found += [replace(case, id=f"generated/{case.id}") for case in generated.cases()]
    ids = [case.id for case in found]
    if repeated := {id for id in ids if ids.count(id) > 1}:
        raise ValueError(f"case ids used twice: {sorted(repeated)}")
    return found
