"""Which differences are meant.

`intended.toml` holds entries

    [[intended]]
    cases = ["host-*"]                    # patterns of case ids
    at = ["answer.*.body.message"]        # patterns of places, `*` matching anything
    reference = []                        # optional: only where the reference has this value (texts are patterns)
    vendor = ["groq"]                     # optional: only in calls to these, and in their answers (generated cases)
    rule = "D2"                           # a defect of the reference, or the name of a rule of Tidegate's
    reason = "..."

A case is intended when each of its differences is covered by some entry. An entry that covers nothing is a mistake.
"""

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from .compare import Difference

FILE = Path(__file__).with_name("intended.toml")


@dataclass
class Entry:
    cases: list[str]
    at: list[str]
    rule: str
    reason: str
    reference: object = None
    vendor: list[str] | None = None
    used: bool = field(default=False)

    def covers(self, case: str, difference: Difference) -> bool:
        valued = self.reference is None or _is(self.reference, difference.reference)
        valued = valued and (self.vendor is None or difference.vendor in self.vendor)
        return valued and _any(self.cases, case) and _any(self.at, difference.at)


def load(file: Path = FILE) -> list[Entry]:
    return [Entry(**entry) for entry in tomllib.loads(file.read_text()).get("intended", [])]


def judge(entries: list[Entry], case: str, differences: list[Difference]) -> tuple[list[Difference], list[str]]:
    """The differences that no entry covers, and the reasons for the others; entries that cover one are marked as used."""
    left, reasons = [], {}
    for difference in differences:
        covering = [entry for entry in entries if entry.covers(case, difference)]
        for entry in covering:
            entry.used = True
            reasons[f"{entry.rule}: {entry.reason}"] = None
        if not covering:
            left.append(difference)
    return left, list(reasons)


def _is(wanted: object, value: object) -> bool:
    if isinstance(wanted, str) and isinstance(value, str):
        return fnmatchcase(value, wanted)
    return type(wanted) is type(value) and wanted == value


def _any(patterns: list[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
