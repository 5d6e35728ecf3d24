"""The programs that are compared: how each is started, and how a request must look to reach the mock through it."""

import http.client
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
    """Passes on for whoever brings a provider's key, as peers do with their logs off."""

    name, port = "tidegate", 8787
    settings = "[records]\nenabled = false\n"

    def __init__(self, programs):
        self.size_of = programs / "tidegate"

    def prepare(self, folder):
        """An empty data directory, and settings."""
        self.data = folder / self.name
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True)
        (self.data / "tidegate.toml").write_text(self.settings)
        self.command = [self.size_of, "serve", "--port", self.port, "--config", self.data / "tidegate.toml", "--data-dir", self.data]

    def started(self):
        """It listens."""

    def missing(self):
        """What to do before it can be run, as a command; None when nothing."""
        return None if self.size_of.exists() else "cargo build -p tidegate"

    def untouched(self, case):
        return case.provider == "openai"


class TidegateRecorded(Tidegate):
    """As it is out of the box: each request leaves a record."""

    name, port, settings = "tidegate-recorded", 8790, ""


class TidegateFull(Tidegate):
    """Everything on: an API key with two rate limits and a budget that never run out, and records."""

    name, port = "tidegate-full", 8789
    settings = f'[providers.openai]\napi_key = "{KEY}"\n[egress]\nallow_private = ["127.0.0.0/8"]\n'

    def __init__(self, programs, keys):
        super().__init__(programs)
        self.keys, self.key = keys, None

    def started(self):
        """Makes the keys; the last one is used."""
        admin = (self.data / "admin.key").read_text().strip()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for number in range(self.keys):
            asked = {
                "name": f"key {number}", "workspace_id": "ws-default", "scopes": ["completions.write"],
                "rate_limits": [{"type": "requests", "unit": "rpm", "value": 10**9}, {"type": "tokens", "unit": "rpm", "value": 10**12}],
                "usage_limits": {"type": "cost", "credit_limit": 10**9},
            }
            connection.request("POST", "/v1/api-keys/workspace/service", json.dumps(asked),
                               {"content-type": "application/json", "x-portkey-api-key": admin})
            self.key = json.load(connection.getresponse())["key"]
        connection.close()

    def address(self, case):
        headers = {"x-portkey-api-key": self.key or "", "x-portkey-provider": case.provider, "authorization": f"Bearer {KEY}"}
        # With a place of its own for each load, as the others have it.
        headers["x-portkey-custom-host"] = f"http://127.0.0.1:{MOCK_PORT}/{case.mock}"
        return "/v1/chat/completions", headers, "gpt-4o"


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
