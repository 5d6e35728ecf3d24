#!/usr/bin/env python3
"""Two thousand requests a second for five minutes with everything on: is every request on record, and does memory come back?

    bench/soak.py [--minutes 5] [--rate 2000] [--no-build]

Exits with 1 when a request has no record, the books are not proved, or memory a minute later is more than a tenth above what it was
when idle.
"""

import argparse
import http.client
import json
import subprocess
import sys
import time

from cases import CASES
from gateways import MOCK_PORT, TidegateFull
from processes import GATEWAY_CORE, LOAD_CORE, Process
from run import RESULTS, asked, await_count, build, count, listens, say

# Long enough for what comes now and then (roll-ups, checkpoints, the ids of the last records) to have come before memory is looked at.
WARM_UP_S, REST_S = 120, 60


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--profile", default="release")
    parser.add_argument("--no-build", action="store_true")
    options = parser.parse_args()
    options.gateways, options.plain = "tidegate-full", False
    RESULTS.mkdir(exist_ok=True)
    programs = build(options)
    gateway = TidegateFull(programs, 1)
    gateway.prepare(RESULTS / "data")
    log = RESULTS / "processes.log"
    mock = Process([programs / "mock", "--port", MOCK_PORT], LOAD_CORE, log)
    process = Process(gateway.command, GATEWAY_CORE, log)
    try:
        sys.exit(0 if soak(gateway, process, programs, options) else 1)
    finally:
        process.stop()
        mock.stop()


def soak(gateway, process, programs, options):
    await_count()
    while not listens(gateway.port):
        time.sleep(0.01)
    gateway.started()
    case = next(case for case in CASES if case.name == "rate")
    path, headers, model = gateway.address(case)
    body = case.body.replace("MODEL", model)
    if not asked(gateway.port, path, headers, body):
        sys.exit("the gateway does not answer")

    def drive(seconds):
        command = ["taskset", "-c", LOAD_CORE, programs / "drive", "--to", f"127.0.0.1:{gateway.port}", "--path", path, "--mode", "rate",
                   "--rate", options.rate, "--connections", 64, "--marks", 1, "--tail", case.tail, "--body", body, "--pad", case.size,
                   "--seconds", seconds]
        for name, value in headers.items():
            command += ["--header", f"{name}: {value}"]
        return json.loads(subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout)

    # Memory is compared with a process that has worked and was asked, and rests.
    drive(WARM_UP_S)
    records(gateway)
    time.sleep(REST_S)
    idle = process.rss_bytes() / 2**20
    result = drive(options.minutes * 60)
    peak = process.rss_bytes() / 2**20
    time.sleep(2)
    served, kept = count(), records(gateway)
    time.sleep(REST_S - 2)
    after = process.rss_bytes() / 2**20
    say(f"{result['requests']} requests in {result['seconds']:.0f} s, {result['failures']} wrong answers, p50 {result['p50_us']:.0f} us, p99 {result['p99_us']:.0f} us")
    say(f"the provider served {served}, {kept} are on record")
    say(f"memory: {idle:.1f} MiB idle, {peak:.1f} at the end of the load, {after:.1f} a minute later ({after / idle:.2f} of idle)")
    return result["failures"] == 0 and served == kept and after <= idle * 1.1


def records(gateway):
    """How many requests the analytics of the gateway know."""
    admin = (gateway.data / "admin.key").read_text().strip()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    begin, end = time.gmtime(time.time() - 86_400), time.gmtime(time.time() + 60)
    form = "%Y-%m-%dT%H:%M:%SZ"
    connection.request(
        "GET",
        f"/v1/analytics/query?metrics=requests&bucket=none&workspace_slug=ws-default&time_of_generation_min={time.strftime(form, begin)}&time_of_generation_max={time.strftime(form, end)}",
        headers={"x-portkey-api-key": admin},
    )
    answer = json.load(connection.getresponse())
    if "groups" not in answer:
        sys.exit(f"the analytics say: {answer}")
    return sum(int(group["total"]["requests"]) for group in answer["groups"])


if __name__ == "__main__":
    main()
