"""Plays every case at both gateways and sorts the outcomes.

python -m side_by_side [PATTERN ..]     from e2e/; exit code 1 when a difference is not intended
"""

import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from shlex import quote

from harness import processes

from . import equivalent, intended
from .case import Case
from .cases import all_cases
from .compare import Difference, differences, equivalences
from .play import Played, play
from .upstream import Upstream

# Many cases wait (for backoffs and timeouts) rather than work.
WORKERS = 16
VERDICTS = ("identical", "equivalent", "intended", "wrong")
# What has to be the same, in percent of all cases: the way a request takes; and everything, but for what means nothing.
# The second bound is what is reached, not what is wanted, and only goes up: whoever raises the share raises it.
SAME_WAY = 95.0
SAME = 71.0
WAY = re.compile(
    r"calls$|answer\.\d+\.(status|broken|header\.)|call\.\d+\.(method|headers\.(authorization|x-api-key|api-key|x-goog-api-key))"
)


@dataclass(frozen=True)
class Outcome:
    case: Case
    reference: Played
    tidegate: Played
    differences: list[Difference]
    wrong: list[Difference]
    reasons: list[str]
    """Of the entries of `intended.toml` that cover something."""
    equivalences: list[str]
    """Rows of `equivalent.py` that took a difference away."""

    @property
    def verdict(self) -> str:
        if not self.differences:
            return "equivalent" if self.equivalences else "identical"
        return "wrong" if self.wrong else "intended"

    @property
    def area(self) -> str:
        return self.case.id.partition("/")[0]

    @property
    def vendor(self) -> str:
        """Whose answer the reference passed on."""
        return self.reference.answers[-1].headers.get("x-portkey-provider", "")

    @property
    def is_same_way(self) -> bool:
        """The same targets were called as often, with the same credentials, and the client was told the same of it."""
        return not any(WAY.match(difference.at) for difference in self.differences)

    @property
    def is_same_to_clients(self) -> bool:
        """Nothing differs in the answers; at most in what the upstream was sent."""
        return not any(difference.at.startswith("answer") for difference in self.differences)


@dataclass(frozen=True)
class Report:
    outcomes: list[Outcome]
    stale: list[str]
    """Entries of `intended.toml` and rows of `equivalent.py` that no difference needed."""

    @property
    def ok(self) -> bool:
        return not self.stale and self.count("wrong") == 0

    @property
    def same(self) -> float:
        """The share of cases without a difference that means anything, in percent."""
        return 100 * (self.count("identical") + self.count("equivalent")) / max(1, len(self.outcomes))

    def count(self, verdict: str) -> int:
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    def part(self, area: str) -> "Report":
        """The cases of a file, or those that are `generated`."""
        return Report([outcome for outcome in self.outcomes if outcome.area == area], [])

    @property
    def same_way(self) -> float:
        """The share of cases that took the same way, in percent."""
        return 100 * sum(outcome.is_same_way for outcome in self.outcomes) / max(1, len(self.outcomes))

    def summary(self) -> str:
        seen = 100 * sum(outcome.is_same_to_clients for outcome in self.outcomes) / max(1, len(self.outcomes))
        counts = ", ".join(f"{self.count(verdict)} {verdict}" for verdict in VERDICTS)
        return (
            f"{len(self.outcomes)} cases, {counts}; {self.same:.1f} % the same, {seen:.1f} % to the client, "
            f"{self.same_way:.1f} % in the way taken"
        )

    def summaries(self) -> list[str]:
        """Of the cases written by hand, of those drawn at random, and of all."""
        by_hand = Report([outcome for outcome in self.outcomes if outcome.area != "generated"], [])
        parts = {"by hand": by_hand, "generated": self.part("generated"), "all": self}
        return [f"side by side, {name}: {report.summary()}" for name, report in parts.items() if report.outcomes]

    def areas(self) -> list[str]:
        """The counts by file of cases, and of the numbered rows of the conformance table."""
        areas = dict.fromkeys(outcome.area for outcome in self.outcomes)
        reports = {area: self.part(area) for area in areas}
        numbered = [outcome for outcome in self.outcomes if re.match(r"\w+/\d{3} ", outcome.case.id)]
        reports["(numbered rows)"] = Report(numbered, [])
        lines = [f"{'':16}" + "".join(f"{verdict:>11}" for verdict in VERDICTS)]
        for area, report in reports.items():
            lines.append(f"{area:16}" + "".join(f"{report.count(verdict):11}" for verdict in VERDICTS))
        return lines

    def vendors(self) -> list[str]:
        """The share of generated cases that are the same, by whose answer the client got."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.part("generated").outcomes:
            groups.setdefault(outcome.vendor or "(none)", []).append(outcome)
        largest = sorted(groups.items(), key=lambda group: -len(group[1]))
        return [f"{vendor:16}{len(outcomes):6} cases{Report(outcomes, []).same:7.1f} % the same" for vendor, outcomes in largest]

    def reasons(self) -> list[str]:
        """How many cases each row of the two tables accounts for."""
        used = Counter(f"equivalent: {name}" for outcome in self.outcomes for name in outcome.equivalences)
        used.update(f"intended: {reason}" for outcome in self.outcomes for reason in outcome.reasons)
        return [f"{count:5} {name}" for name, count in used.most_common()]

    def lines(self) -> list[str]:
        """Every difference of the cases written by hand and every wrong one, those last played first; then the counts."""
        lines = []
        for verdict in ("intended", "wrong"):
            for outcome in self.outcomes:
                if outcome.verdict == verdict and (verdict == "wrong" or outcome.area != "generated"):
                    lines.append(f"{verdict.upper()} {outcome.case.id}")
                    shown = outcome.wrong if verdict == "wrong" else outcome.differences
                    lines += [f"    {difference}" for difference in shown]
                    if verdict == "wrong":
                        lines.append(f"    again: python -m side_by_side {quote(outcome.case.id)}")
        lines += [f"STALE {entry}" for entry in self.stale]
        return [*lines, *self.reasons(), *self.vendors(), *self.areas(), *self.summaries()]


def run(patterns: list[str], reference: str, tidegate: str) -> Report:
    """Plays the cases whose ids match any of the patterns, or all."""
    cases = [case for case in all_cases() if not patterns or any(fnmatchcase(case.id, p) for p in patterns)]
    dead = f"http://127.0.0.1:{processes.free_port()}"
    entries = intended.load()

    def outcome(case: Case) -> Outcome:
        # An upstream of its own for each: what a gateway remembers of one (failures, say) must not leak into others.
        with Upstream(case.answers) as upstream:
            theirs = play(case, reference, upstream, dead)
        with Upstream(case.answers) as upstream:
            ours = play(case, tidegate, upstream, dead)
        found = differences(theirs, ours, case.only_calls)
        wrong, reasons = intended.judge(entries, case.id, found)
        return Outcome(case, theirs, ours, found, wrong, reasons, equivalences(theirs, ours, case.only_calls))

    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(outcome, cases))
    # On a busy machine a timeout of some milliseconds can run out by itself: what is wrong is wrong twice.
    outcomes = [outcome(found.case) if found.verdict == "wrong" else found for found in outcomes]
    if patterns:
        return Report(outcomes, [])
    stale = [f"entry of intended.toml: {entry.cases} {entry.at}" for entry in entries if not entry.used]
    joined = {name for outcome in outcomes for name in outcome.equivalences}
    stale += [f"row of equivalent.py: {row.name}" for row in equivalent.ROWS if row.name not in joined]
    return Report(outcomes, stale)


def run_both(patterns: list[str]) -> Report:
    """Starts both gateways and plays the cases at them.

    Tidegate listens on all networks, as the reference does: on the loopback interface it would let its user call
    private hosts. Whatever it should try to reach beyond this machine ends at a proxy that nobody runs.
    """
    nowhere = f"http://127.0.0.1:{processes.free_port()}"
    proxies = {"HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "NO_PROXY": "127.0.0.1"}
    reference, reference_url = processes.start_reference()
    try:
        tidegate = processes.start_tidegate("--host", "0.0.0.0", TIDEGATE_EGRESS_ALLOW_PRIVATE="127.0.0.1", **proxies)
        try:
            return run(patterns, reference_url, tidegate.url)
        finally:
            tidegate.process.stop()
    finally:
        reference.stop()


def main() -> None:
    report = run_both(sys.argv[1:])
    print("\n".join(report.lines()))
    sys.exit(0 if report.ok else 1)
