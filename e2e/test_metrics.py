"""`/metrics`, read by Prometheus' own code: promtool and its linter, and a server that scrapes the gateway."""

import json
import re
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from harness import office, processes
from openai import OpenAI, OpenAIError

SETTINGS = """
[rate_limits]
queue = 10
queue_wait = "10s"
[egress]
allow_private = ["127.0.0.1/32"]
[otlp]
endpoint = "{collector}"
[redis]
url = "{redis}"
"""
HELLO = [{"role": "user", "content": "Hello!"}]


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is needed for this test: apt-get install -y {package}"
    return found


class Collector(BaseHTTPRequestHandler):
    """Takes whatever it is told."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def busy():
    """A gateway that has done a bit of everything, so that every metric has a value."""
    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    port = str(processes.free_port())
    command = [program("redis-server", "redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", ""]
    redis = processes.Process("redis-server", command)
    redis.wait_for("eady to accept connections")
    settings = SETTINGS.format(
        collector=f"http://127.0.0.1:{collector.server_port}", redis=f"redis://127.0.0.1:{port}/"
    )
    gateway = processes.start_tidegate(settings=settings, TIDEGATE_ADMIN_KEY=office.ADMIN)
    try:
        traffic(gateway)
        yield gateway
    finally:
        gateway.process.stop()
        redis.stop()
        collector.shutdown()


def traffic(gateway) -> None:
    workspace = office.workspace(gateway)
    client = OpenAI(base_url=gateway.v1, api_key=workspace.key, max_retries=0)
    asked = {"model": "@demo/echo", "messages": HELLO}
    client.chat.completions.create(**asked)
    list(client.chat.completions.create(**asked, stream=True))
    with pytest.raises(OpenAIError):
        client.chat.completions.create(**asked | {"model": "@nobody/nothing"})
    with pytest.raises(OpenAIError):
        OpenAI(base_url=gateway.v1, api_key="tg-svc-unknown", max_retries=0).chat.completions.create(**asked)
    # The second one within a second waits.
    limited = workspace.service_key("limited", rate_limits=[{"type": "requests", "unit": "rps", "value": 1}])
    hurried = OpenAI(base_url=gateway.v1, api_key=limited["key"], max_retries=0)
    for _ in range(2):
        hurried.chat.completions.create(**asked)


def described(text: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


def without_samples(text: str) -> set[str]:
    """The metrics that are described and have no value."""
    names = set(re.findall(r"^(\w+)[{ ]", text, re.MULTILINE))
    suffixes = ("", "_total", "_count")
    return {name for name in described(text) if not any(name + suffix in names for suffix in suffixes)}


def scraped(gateway, accept: str = "*/*") -> httpx.Response:
    """What is told behind an answer (a collector is, in batches) is waited for."""
    deadline = time.monotonic() + 30
    while True:
        answer = httpx.get(f"{gateway.url}/metrics", headers={"accept": accept})
        if not without_samples(answer.text) or time.monotonic() > deadline:
            return answer


def test_every_metric_is_there_and_promtool_has_nothing_to_say(busy):
    answer = scraped(busy)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert without_samples(answer.text) == set()
    assert len(described(answer.text)) > 30
    check = [program("promtool", "prometheus"), "check", "metrics"]
    ended = subprocess.run(check, input=answer.text, capture_output=True, text=True, timeout=180)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


def test_a_prometheus_server_scrapes_it(busy, tmp_path):
    scraped(busy)
    target = busy.url.removeprefix("http://")
    config = {"scrape_configs": [{"job_name": "tidegate", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    port = processes.free_port()
    server = processes.Process(
        "prometheus",
        [
            program("prometheus", "prometheus"),
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
    )
    try:
        server.wait_for("Server is ready to receive web requests")

        def ask(path: str, **query: str):
            answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/{path}", params=query, timeout=120)
            return answer.raise_for_status().json()["data"]

        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            (row,) = ask("targets")["activeTargets"] or [{"health": "unknown", "lastError": ""}]
            if row["health"] != "unknown":
                break
        assert (row["health"], row["lastError"]) == ("up", "")
        values = ask("query", query='sum(tidegate_requests_total{provider="demo"})')["result"]
        assert values and float(values[0]["value"][1]) >= 4, values
        # OpenMetrics: it asks for that, and so is told the units.
        units = {name: rows[0]["unit"] for name, rows in ask("metadata").items() if name.startswith("tidegate_")}
        assert units["tidegate_request_duration_seconds"] == "seconds"
        answer = scraped(busy, "application/openmetrics-text;version=1.0.0")
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert described(answer.text) == set(units)
    finally:
        server.stop()
