"""Processes under test: started on a free port, waited for by what they print, ended with the test run."""

import json
import os
import queue
import re
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import paths

PATIENCE = 120.0


class Process:
    """A child whose output is collected line by line."""

    def __init__(self, name: str, command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None):
        self.name = name
        self.lines: list[str] = []
        self._news: queue.Queue[str | None] = queue.Queue()
        self._child = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._collect, daemon=True).start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first new line that the pattern is found in; fails when the process ends or takes too long."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._news.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise RuntimeError(f"{self.name} printed no line like {pattern!r}:\n" + "\n".join(self.lines[-40:]))
            if match := re.search(pattern, line):
                return match

    def stop(self) -> None:
        self._child.terminate()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _collect(self) -> None:
        for line in self._child.stdout:
            self.lines.append(line.rstrip("\n"))
            self._news.put(self.lines[-1])
        self._news.put(None)


@dataclass(frozen=True)
class Tidegate:
    """A running gateway."""

    process: Process
    url: str
    data: Path
    """Its data directory."""

    @property
    def v1(self) -> str:
        """The base URL of clients of OpenAI's dialect."""
        return f"{self.url}/v1"


def clean_env(**more: str) -> dict[str, str]:
    """This environment without anything a gateway could take for a key or a proxy."""
    unwanted = re.compile(r"(_API_KEY|_BASE_URL|_PROXY|_proxy|^AWS_|^AZURE_|^TIDEGATE_|^PORT)")
    kept = {name: value for name, value in os.environ.items() if not unwanted.search(name)}
    return kept | {"NO_PROXY": "*"} | more


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_tidegate(*arguments: str, settings: str = "", configs: dict | None = None, **env: str) -> Tidegate:
    """The gateway under test, with a settings file of this text, saved configs by id, and further variables."""
    folder = Path(tempfile.mkdtemp(prefix="tidegate-e2e-"))
    (folder / "tidegate.toml").write_text(settings)
    data = folder / "data"
    (data / "configs").mkdir(parents=True)
    for id, config in (configs or {}).items():
        (data / "configs" / f"{id}.json").write_text(json.dumps(config))
    command = [str(paths.binary("tidegate")), "serve", "--port", "0", "--data-dir", str(data), *arguments]
    process = Process("tidegate", command, env=clean_env(**env), cwd=folder)
    address = process.wait_for(r"listening on (http://\S+)")[1]
    return Tidegate(process, address.replace("0.0.0.0", "127.0.0.1"), data)


def start_fakes() -> tuple[Process, dict]:
    """The strict stand-ins for providers, and what they say about themselves."""
    process = Process("testkit-upstream", [str(paths.binary("testkit-upstream"))], env=clean_env())
    return process, json.loads(process.wait_for(r"^READY (\{.*\})$")[1])


def start_model_server() -> tuple[Process, str]:
    """A real model behind llama.cpp's own server, and its address."""
    script = str(paths.E2E / "real_upstream.py")
    process = Process("real_upstream", [str(paths.PYTHON), script], env=clean_env())
    return process, process.wait_for(r"^READY (http://\S+)")[1]


def start_reference() -> tuple[Process, str]:
    """Portkey's gateway from npm, and its address."""
    port = free_port()
    script = str(paths.REFERENCE / "build" / "start-server.js")
    process = Process("reference", ["node", script, f"--port={port}", "--headless"], env=clean_env())
    process.wait_for("Ready for connections")
    return process, f"http://127.0.0.1:{port}"
