"""Plays every case at both gateways and sorts the outcomes.

python -m side_by_side [PATTERN ..]     from e2e/; exit code 1 when a difference is not intended
"""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness import processes

from . import intended
from .case import Case
from .cases import all_cases
from .compare import Difference, differences
from .play import Played, play
from .upstream import Upstream

# Most cases wait (for backoffs and timeouts) rather than work.
WORKERS = 6
VERDICTS = ("identical", "intended", "wrong")


@dataclass(frozen=True)
class Outcome:
    case: Case
    reference: Played
    tidegate: Played
    differences: list[Difference]
    wrong: list[Difference]

    @property
    def verdict(self) -> str:
        return "identical" if not self.differences else "wrong" if self.wrong else "intended"

    @property
    def is_same_to_clients(self) -> bool:
        """Nothing differs in the answers; at most in what the upstream was sent."""
        return not any(difference.at.startswith("answer") for difference in self.differences)


@dataclass(frozen=True)
class Report:
    outcomes: list[Outcome]
    stale: list[intended.Entry]
    """Entries of `intended.toml` that no difference needed."""

    @property
    def ok(self) -> bool:
        return not self.stale and all(outcome.verdict != "wrong" for outcome in self.outcomes)

    def count(self, verdict: str) -> int:
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    def summary(self) -> str:
        total = len(self.outcomes)
        seen = sum(outcome.is_same_to_clients for outcome in self.outcomes)
        counts = ", ".join(f"{self.count(verdict)} {verdict}" for verdict in VERDICTS)
        return (
            f"side by side: {total} cases, {counts}; {_percent(self.count('identical'), total)} identical, "
            f"{_percent(seen, total)} to the client"
        )

    def areas(self) -> list[str]:
        """The counts by file of cases, and of the numbered rows of the conformance table."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            area, _, name = outcome.case.id.partition("/")
            groups.setdefault(area, []).append(outcome)
            if re.match(r"\d{3} ", name):
                groups.setdefault("(numbered rows)", []).append(outcome)
        lines = [f"{'':16}" + "".join(f"{verdict:>11}" for verdict in VERDICTS)]
        for area, outcomes in groups.items():
            report = Report(outcomes, [])
            lines.append(f"{area:16}" + "".join(f"{report.count(verdict):11}" for verdict in VERDICTS))
        return lines

    def lines(self) -> list[str]:
        """Every difference, those that are not meant first; then the counts."""
        lines = []
        for verdict in reversed(VERDICTS[1:]):
            for outcome in self.outcomes:
                if outcome.verdict == verdict:
                    lines.append(f"{verdict.upper()} {outcome.case.id}")
                    shown = outcome.wrong if verdict == "wrong" else outcome.differences
                    lines += [f"    {difference}" for difference in shown]
        lines += [f"STALE entry of intended.toml: {entry.cases} {entry.at}" for entry in self.stale]
        return [*lines, *self.areas(), self.summary()]


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
        return Outcome(case, theirs, ours, found, intended.uncovered(entries, case.id, found))

    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(outcome, cases))
    stale = [] if patterns else [entry for entry in entries if not entry.used]
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


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"
