#!/usr/bin/env python3
"""Measures Tidegate beside the floor, and beside Portkey and LiteLLM where they are installed.

    bench/run.py                            build with the release profile, 5 rounds, print the table
    bench/run.py --quick                    one short round, to see that everything works
    bench/run.py --gateways tidegate        without the peers
    bench/run.py --profile quick --no-build

Needs Linux, two cores, python3. bench/README.md says how to read the table.
"""

import argparse
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

from cases import CASES, HOLD, METRICS, PORTKEY_BAR
from gateways import MOCK_PORT, Direct, Floor, LiteLlm, Portkey, Tidegate, TidegateFull, TidegateRecorded
from processes import GATEWAY_CORE, LOAD_CORE, Process

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench/results"
HELD = [1000, 9500]
# What starting took is given back by then.
IDLE_S = 3


def main():
    options = read_options()
    RESULTS.mkdir(exist_ok=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    programs = build(options)
    gateways = [Floor("floor", 9200, programs), *chosen(options, programs), Floor("floor again", 9201, programs)]
    bench = Bench(programs, options)
    rounds = []
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}")
        rounds.append(bench.round(gateways))
    report(gateways, rounds)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each load")
    parser.add_argument("--turns", type=int, default=1, help="parts of a load: all gateways take the first part, then all the second")
    parser.add_argument("--profile", default="release")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--plain", action="store_true", help="as cargo builds it, without the flags of a release")
    parser.add_argument("--quick", action="store_true", help="one round of short loads, fewer streams held")
    parser.add_argument("--cases", help="only these loads, by commas; `hold` for open streams")
    parser.add_argument("--keys", type=int, default=1, help="API keys in tidegate-full's store")
    parser.add_argument("--gateways", default="tidegate,portkey,litellm", help="any of these, by commas")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 0.5
    return options


def build(options):
    """Builds what is compared, and gives the folder with the programs."""
    if not options.no_build:
        command = ["cargo", "build", "--profile", options.profile]
        subprocess.run([*command, "-p", "tidegate-bench"], cwd=ROOT, check=True)
        if any(name.startswith("tidegate") for name in options.gateways.split(",")):
            subprocess.run([*command, "-p", "tidegate"], cwd=ROOT, check=True, env={**os.environ, **release_flags(options)})
    programs = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / options.profile
    for name in ["mock", "floor", "drive"]:
        if not (programs / name).exists():
            sys.exit(f"{programs / name} is not built: run without --no-build")
    return programs


def release_flags(options):
    """What a release is built with; the programs that it is compared with are built as cargo builds them."""
    if options.profile != "release" or options.plain:
        return {}
    flags = subprocess.run([ROOT / "release/flags.sh"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return {"RUSTFLAGS": flags}


def chosen(options, programs):
    known = {"tidegate": Tidegate(programs), "tidegate-recorded": TidegateRecorded(programs), "tidegate-full": TidegateFull(programs, options.keys), "portkey": Portkey(), "litellm": LiteLlm([*CASES, HOLD])}
    found = []
    for name in filter(None, options.gateways.split(",")):
        if name not in known:
            sys.exit(f"--gateways {name}: known are {', '.join(known)}")
        if command := known[name].missing():
            say(f"{name} is left out; to have it: {command}")
        else:
            found.append(known[name])
    return found


class Bench:
    def __init__(self, programs, options):
        self.drive = programs / "drive"
        self.mock = programs / "mock"
        self.seconds, self.turns = options.seconds, options.turns
        self.held = HELD[:1] if options.quick else HELD
        self.cases = CASES
        if options.cases:
            names = options.cases.split(",")
            if unknown := set(names) - {case.name for case in [*CASES, HOLD]}:
                sys.exit(f"--cases: no load is called {', '.join(sorted(unknown))}")
            self.cases = [case for case in CASES if case.name in names]
            self.held = self.held if HOLD.name in names else []

    def round(self, gateways):
        """One sample of each metric for each gateway: {gateway: {metric: value}}."""
        log = RESULTS / "processes.log"
        mock = Process([self.mock, "--port", MOCK_PORT], LOAD_CORE, log)
        running = {}
        samples = {gateway.name: {} for gateway in gateways}
        try:
            await_count()
            for gateway in gateways:
                if isinstance(gateway, Tidegate):
                    gateway.prepare(RESULTS / "data")
                running[gateway.name] = process = Process(gateway.command, GATEWAY_CORE, log, gateway.env)
                samples[gateway.name] |= self.start(gateway, process)
            for name, process in {"the mock": mock, **running}.items():
                if not process.alive():
                    sys.exit(f"{name} has ended, and somebody else answers at its port; see {log}")
            for case in self.cases:
                taken = self.added(gateways, case) if case.is_timed else self.cpu(gateways, running, case)
                for name, sample in taken.items():
                    samples[name] |= sample
            for gateway in gateways:
                for streams in self.held:
                    samples[gateway.name] |= self.hold(gateway, running[gateway.name], streams)
        finally:
            for process in [*running.values(), mock]:
                process.stop()
        return samples

    def start(self, gateway, process):
        """Waits for the first answer; the time to it, the memory three seconds later, the size on disk."""
        path, headers, model = gateway.address(CASES[0])
        body = CASES[0].body.replace("MODEL", model)
        if isinstance(gateway, Tidegate):
            while not listens(gateway.port):
                time.sleep(0.001)
            gateway.started()
            path, headers, model = gateway.address(CASES[0])
        while not asked(gateway.port, path, headers, body):
            if not process.alive() or time.perf_counter() - process.started > 60:
                sys.exit(f"{gateway.name} does not answer; see {RESULTS / 'processes.log'}")
            time.sleep(0.001)
        started = {"start.ms": (time.perf_counter() - process.started) * 1e3}
        time.sleep(IDLE_S)
        started["idle.rss"] = process.rss_bytes() / 2**20
        if gateway.size_of:
            started["binary.mb"] = gateway.size_of.stat().st_size / 1e6
        return started

    def cpu(self, gateways, running, case):
        """What a request, or a chunk, takes through each gateway. Where the machine changes its mind within a load, turns that
        are shorter than that make it the same for all."""
        spent = {gateway.name: [0.0, 0] for gateway in gateways}
        for _ in range(self.turns):
            for gateway in [gateway for gateway in gateways if gateway.name in spent]:
                before = running[gateway.name].cpu_seconds()
                result = self.answered(gateway, case, self.seconds / self.turns)
                if result is None:
                    del spent[gateway.name]
                    continue
                spent[gateway.name][0] += running[gateway.name].cpu_seconds() - before
                spent[gateway.name][1] += result["marks"] if "chunks" in case.name else result["requests"]
        return {name: {f"{case.name}.cpu": cpu / pieces * 1e6} for name, (cpu, pieces) in spent.items()}

    def added(self, gateways, case):
        """Times through each gateway over those without one, in the same turns; of several turns the median."""
        first = case.name == "ttfb"
        wanted = {"p50": "first_chunk_p50_us"} if first else {"p50": "p50_us", "p99": "p99_us"}
        turns = {gateway.name: [] for gateway in gateways}
        for _ in range(self.turns):
            direct = self.load(Direct(), case, self.seconds / self.turns)
            for gateway in [gateway for gateway in gateways if gateway.name in turns]:
                result = self.answered(gateway, case, self.seconds / self.turns)
                if result is None:
                    del turns[gateway.name]
                    continue
                turns[gateway.name].append({name: result[of] - direct[of] for name, of in wanted.items()})
        return {
            gateway: {f"{case.name}.{name}": median(turn[name] for turn in taken) for name in wanted}
            for gateway, taken in turns.items()
        }

    def answered(self, gateway, case, seconds):
        """What a load was like; None when something about it was wrong."""
        reached = count()
        result = self.load(gateway, case, seconds)
        time.sleep(0.4)  # what was left for later counts
        if result["failures"] or not result["requests"]:
            say(f"{gateway.name}, {case.name}: {result['failures']} wrong answers, first: {result['failure']}")
            return None
        if count() - reached < result["requests"]:
            say(f"{gateway.name}, {case.name}: not every request reached the provider")
            return None
        return result

    def load(self, gateway, case, seconds):
        done = subprocess.run(
            [*self.driven(gateway, case, case.connections), "--seconds", str(seconds)],
            capture_output=True, text=True, check=False,
        )
        if done.returncode:
            return {"requests": 0, "failures": 1, "failure": done.stderr.strip()}
        return json.loads(done.stdout)

    def hold(self, gateway, process, streams):
        """Memory that each of so many open streams takes. A few are opened and closed first, to warm up."""
        name = f"hold{streams}.stream"
        with Held(self.driven(gateway, HOLD, 50)):
            pass
        time.sleep(0.5)
        before = process.rss_bytes()
        with Held(self.driven(gateway, HOLD, streams)) as held:
            if held.opened.get("open") != streams:
                say(f"{gateway.name}: {held.opened} of {streams} streams")
                return {}
            time.sleep(2)
            taken = process.rss_bytes() - before
        time.sleep(1)
        if held.left.get("open") != streams:
            say(f"{gateway.name}: only {held.left} of {streams} streams stayed open")
            return {}
        return {name: taken / 1024 / streams}

    def driven(self, gateway, case, connections):
        """The driver's command line for a case."""
        path, headers, model = gateway.address(case)
        tail = (gateway.untouched(case) and case.untouched) or case.tail
        mode = "hold" if case is HOLD else "rate" if case.rate else "closed"
        command = ["taskset", "-c", LOAD_CORE, self.drive, "--to", f"127.0.0.1:{gateway.port}", "--path", path,
                   "--mode", mode, "--connections", connections, "--marks", case.marks, "--tail", tail,
                   "--body", case.body.replace("MODEL", model), "--pad", case.size]
        if case.rate:
            command += ["--rate", case.rate]
        for name, value in headers.items():
            command += ["--header", f"{name}: {value}"]
        return [str(word) for word in command]


class Held:
    """Streams that are open as long as the block runs. `opened` and `left` are what the driver said."""

    def __init__(self, command):
        self.driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.opened = json.loads(self.driver.stdout.readline() or "{}")
        return self

    def __exit__(self, *_):
        rest, _ = self.driver.communicate("")
        self.left = json.loads(rest or "{}")


def asked(port, path, headers, body):
    """Whether one request is answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", path, body, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        response.read()
        return response.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def count():
    """Requests that the mock has answered."""
    connection = http.client.HTTPConnection("127.0.0.1", MOCK_PORT, timeout=5)
    try:
        connection.request("GET", "/__count")
        return int(connection.getresponse().read())
    finally:
        connection.close()


def await_count():
    for _ in range(1000):
        try:
            return count()
        except OSError:
            time.sleep(0.01)
    sys.exit("the mock does not start")


def report(gateways, rounds):
    names = [gateway.name for gateway in gateways if gateway.name != "floor"]
    lines = [f"| | floor | {' | '.join(names)} | bar | |", "|---" * (len(names) + 4) + "|"]
    for metric in METRICS:
        floor = middle(rounds, "floor", metric.name)
        if floor is None:
            continue
        cells = [cell(rounds, name, metric) for name in names]
        lines.append(f"| {metric.label} | {shown(floor)} {metric.unit} | {' | '.join(cells)} | {bar_of(metric)} | {verdict(rounds, metric)} |")
    table = "\n".join(lines)
    print(table)
    if over := ratios(rounds, "portkey", "chat.cpu", "tidegate"):
        print(f"\nPortkey takes {median(over):.0f} times Tidegate's CPU per chat request (bar: {PORTKEY_BAR}).")
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    saved = RESULTS / f"{stamp}.json"
    saved.write_text(json.dumps({"machine": os.uname(), "cores": os.cpu_count(), "rounds": rounds, "table": table}, indent=1))
    say(f"saved to {saved}")


def cell(rounds, name, metric):
    """The median, and beside it the median ratio to the floor of the same round with its extremes."""
    value = middle(rounds, name, metric.name)
    if value is None:
        return "–"
    each = ratios(rounds, name, metric.name)
    spread = f" ({min(each):.2f}–{max(each):.2f})" if len(each) > 1 else ""
    return f"{shown(value)} {metric.unit}, ×{median(each):.2f}{spread}" if each else f"{shown(value)} {metric.unit}"


def ratios(rounds, name, metric, base="floor"):
    pairs = [(one.get(name, {}).get(metric), one.get(base, {}).get(metric)) for one in rounds]
    return [value / floor for value, floor in pairs if value is not None and floor and floor > 0]


def middle(rounds, name, metric):
    values = [one[name][metric] for one in rounds if metric in one.get(name, {})]
    return median(values) if values else None


def bar_of(metric):
    """Tidegate's, and beside it that of Tidegate with everything on."""
    own = "" if metric.bar is None else f"≤ {metric.bar:g} {metric.unit}" if metric.absolute else f"≤ ×{metric.bar:g}"
    return own + (f" (all on: ≤ ×{metric.full:g})" if metric.full else "")


def verdict(rounds, metric):
    found = []
    for name, bar, absolute in [("tidegate", metric.bar, metric.absolute), ("tidegate-full", metric.full, False)]:
        each = ratios(rounds, name, metric.name)
        value = middle(rounds, name, metric.name) if absolute else median(each) if each else None
        if bar is not None and value is not None:
            found.append("met" if value <= bar else "**missed**")
    return ", all on ".join(found)


def shown(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"


def say(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
