"""The programs that are compared: how each is started, and how a request must look to reach the mock through it."""

import json
import shutil
from pathlib import Path

MOCK_PORT = 9100
KEY = "sk-bench"
PEERS = Path(__file__).resolve().parent / "peers"


class Floor:
    """Passes everything on, the path included."""

    def __init__(self, name, port, programs):
        self.name, self.port = name, port
        self.size_of = programs / "floor"
        self.command = [self.size_of, "--port", port, "--upstream", f"127.0.0.1:{MOCK_PORT}"]
        self.env = {}

    def untouched(self, case):
        """Whether the bytes of this case pass as they are, both ways."""
        return True

    def address(self, case):
        """Path, headers and model of a request of this case."""
        return f"/{case.mock}/v1/chat/completions", {"authorization": f"Bearer {KEY}"}, "gpt-bench-2026"


class Direct(Floor):
    """No gateway at all: the requests go to the mock."""

    def __init__(self):
        self.name, self.port = "direct", MOCK_PORT


class PortkeyLike:
    """Tidegate and Portkey take the same headers."""

    env = {}

    def untouched(self, case):
        return False

    def address(self, case):
        host = f"http://127.0.0.1:{MOCK_PORT}/{case.mock}"
        if case.retries:
            config = {"provider": case.provider, "api_key": KEY, "custom_host": host, "retry": {"attempts": case.retries}}
            headers = {"x-portkey-config": json.dumps(config)}
        else:
            headers = {"x-portkey-provider": case.provider, "x-portkey-custom-host": host, "authorization": f"Bearer {KEY}"}
        return "/v1/chat/completions", headers, "gpt-bench-2026"


class Tidegate(PortkeyLike):
    name, port = "tidegate", 8787

    def __init__(self, programs):
        self.size_of = programs / "tidegate"
        self.command = [self.size_of, "serve", "--port", self.port]

    def missing(self):
        """What to do before it can be run, as a command; None when nothing."""
        return None if self.size_of.exists() else "cargo build -p tidegate"

    def untouched(self, case):
        return case.provider == "openai"


class Portkey(PortkeyLike):
    name, port, size_of = "portkey", 8788, None
    script = PEERS / "node_modules/@portkey-ai/gateway/build/start-server.js"
    command = ["node", script, f"--port={port}", "--headless"]

    def missing(self):
        if self.script.exists() and shutil.which("node"):
            return None
        return f"npm install --prefix {PEERS}"


class LiteLlm:
    """One worker, no database. Each case is a model of its own, since the model decides where a request goes."""

    name, port, size_of = "litellm", 4000, None
    program = PEERS / "litellm/bin/litellm"
    config = PEERS / "litellm/bench.json"
    command = [program, "--config", config, "--host", "127.0.0.1", "--port", port]
    env = {"LITELLM_LOG": "ERROR"}

    def __init__(self, cases):
        self.cases = cases

    def missing(self):
        if not self.program.exists():
            return f"python3 -m venv {PEERS}/litellm && {PEERS}/litellm/bin/pip install -r {PEERS}/litellm.txt"
        # JSON is YAML.
        self.config.write_text(json.dumps({"model_list": [_litellm_model(case) for case in self.cases]}))
        return None

    def untouched(self, case):
        return False

    def address(self, case):
        return "/v1/chat/completions", {"authorization": f"Bearer {KEY}"}, case.name


def _litellm_model(case):
    provider = {"model": f"{case.provider}/gpt-bench-2026", "api_key": KEY, "api_base": f"http://127.0.0.1:{MOCK_PORT}/{case.mock}"}
    return {"model_name": case.name, "litellm_params": provider}
