"""Which differences are meant.

`intended.toml` holds entries

    [[intended]]
    cases = ["host-*"]                    # patterns of case ids
    at = ["answer.*.body.message"]        # patterns of places, `*` matching anything
    reference = []                        # optional: only where the reference has this value
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
    used: bool = field(default=False)

    def covers(self, case: str, difference: Difference) -> bool:
        valued = self.reference is None or self.reference == difference.reference
        return valued and _any(self.cases, case) and _any(self.at, difference.at)


def load(file: Path = FILE) -> list[Entry]:
    return [Entry(**entry) for entry in tomllib.loads(file.read_text()).get("intended", [])]


def uncovered(entries: list[Entry], case: str, differences: list[Difference]) -> list[Difference]:
    """The differences that no entry covers; entries that cover one are marked as used."""
    left = []
    for difference in differences:
        covering = [entry for entry in entries if entry.covers(case, difference)]
        for entry in covering:
            entry.used = True
        if not covering:
            left.append(difference)
    return left


def _any(patterns: list[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
