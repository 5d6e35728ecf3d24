"""What README.md shows works as written: each block below `<!-- e2e:name -->`, against the gateway of this run.

Only the port is another one. Blocks that ask the demo model are asked of the real model server as well.
"""

import json
import re
import subprocess
import time

import httpx
import pytest
from harness import office, paths, processes
from harness.providers import KEY, QUESTION, TIDE
from openai import OpenAI, RateLimitError

README = (paths.ROOT / "README.md").read_text()
BLOCK = re.compile(r"<!-- e2e:(?P<name>\S+) -->\n```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
BLOCKS = {match["name"]: (match["language"], match["text"]) for match in BLOCK.finditer(README)}

# How each language is run. Node resolves imports from the folder it runs in.
COMMANDS = {
    "bash": (["bash", "-euo", "pipefail", "-c"], None),
    "python": ([str(paths.PYTHON), "-c"], None),
    "js": (["node", "--input-type=module", "--eval"], paths.NODE),
}
ADDRESS = "http://127.0.0.1:8787"
DEMO = "@demo/echo"


def block(name: str, language: str) -> str:
    assert name in BLOCKS, f"README.md has no block <!-- e2e:{name} -->"
    found, text = BLOCKS[name]
    assert found == language, f"the block {name} of README.md is {found}, not {language}"
    return text


def run(text: str, language: str) -> str:
    command, folder = COMMANDS[language]
    ended = subprocess.run([*command, text], cwd=folder, capture_output=True, text=True, timeout=180)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_marked_block_is_run():
    assert set(BLOCKS) == {"curl", "python", "node", "keys", "fallback"}


@pytest.mark.parametrize("model", ["demo", "real"])
@pytest.mark.parametrize(("name", "language"), [("curl", "bash"), ("python", "python"), ("node", "js")])
def test_block(gateway, real, name, language, model):
    text = block(name, language)
    assert ADDRESS in text and DEMO in text
    text = text.replace(ADDRESS, gateway.url)
    if model == "real":
        text = text.replace(DEMO, real.qualified())
    said = run(text, language)
    assert said.strip()
    if name == "curl":
        assert said.rstrip().endswith("data: [DONE]")
    elif model == "demo":
        assert "Hello!" in said


def test_fallback(gateway, fakes, upstreams):
    config = json.loads(block("fallback", "json"))
    providers = [target["provider"] for target in config["targets"]]
    assert providers == ["openai", "azure-openai", "anthropic"]
    # The config as written, but for keys and for where the providers are: OpenAI is down, Azure is up.
    for target in config["targets"]:
        target["api_key"] = KEY
    config["targets"][0] |= {"custom_host": fakes["scripted"], "override_params": {"model": "st503"}}
    config["targets"][1]["custom_host"] = upstreams["azure"].host
    config["targets"][2]["custom_host"] = upstreams["anthropic"].host
    config["retry"]["attempts"] = 1
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}]}
    headers = {"x-portkey-config": json.dumps(config).encode()}
    answer = httpx.post(f"{gateway.v1}/chat/completions", headers=headers, json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"


def test_keys_of_your_own(fakes, tmp_path):
    """The three commands as they stand there, in an empty directory, and then OpenAI's SDK with what the last one said."""
    started = time.monotonic()
    serve, add, create = (line.split() for line in block("keys", "bash").splitlines())
    port = str(processes.free_port())
    env = processes.clean_env(TIDEGATE_PORT=port) | {"PATH": f"{paths.binary('tidegate').parent}:/usr/bin:/bin"}
    gateway = processes.Process("tidegate", serve, env=env, cwd=tmp_path)
    try:
        url = gateway.wait_for(r"listening on (http://\S+)")[1]
        said = "".join(command(line, env, tmp_path) for line in (add, create))
        assert KEY not in said
        # OpenAI's stand-in; the address of a provider takes its key along only when that is entered again.
        running = processes.Tidegate(gateway, url, tmp_path / "tidegate-data")
        admin = (running.data / "admin.key").read_text().strip()
        (provider,) = office.call(running, "GET", "/providers?workspace_id=ws-default", admin)["data"]
        change = {"key": KEY, "configurations": {"custom_host": f"{fakes['openai']}/v1"}}
        office.call(running, "PUT", f"/integrations/{provider['integration_id']}", admin, json=change)

        (key,) = set(re.findall(r"tg-svc-[A-Za-z0-9_-]+", said))
        client = OpenAI(base_url=running.v1, api_key=key, max_retries=0)
        asked = {"model": "@openai/gpt-4o-mini", "messages": [{"role": "user", "content": QUESTION}]}
        assert client.chat.completions.create(**asked).choices[0].message.content == TIDE
        print(f"from nothing to the first answer: {time.monotonic() - started:.2f} s")
        # A million tokens of gpt-4o could cost 10 dollars: the answer is held to what the budget pays for.
        dear = client.chat.completions.create(**asked | {"model": "@openai/gpt-4o", "max_tokens": 1_000_000})
        assert dear.choices[0].message.content == TIDE
        with pytest.raises(RateLimitError):
            for _ in range(101):
                client.chat.completions.create(**asked)
    finally:
        gateway.stop()


def command(line: list[str], env: dict[str, str], folder) -> str:
    """What a command says, with a provider's key on its standard input."""
    ended = subprocess.run(line, env=env, cwd=folder, input=KEY, capture_output=True, text=True, timeout=180)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
