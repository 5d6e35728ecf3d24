"""The commands of docs/guides work as they stand there, block after block, against a gateway in an empty directory.

Only the port and the addresses of the providers are others. `tg-svc-…` and `pc-…` are what the commands before have
shown, as they are for a reader. The Chinese pages have the same commands, so running the English ones runs both.
"""

import re
import subprocess
import time
from pathlib import Path

import pytest
from harness import paths, processes
from harness.providers import KEY

ENGLISH = paths.ROOT / "docs" / "guides"
CHINESE = paths.ROOT / "docs" / "zh-CN"
PAGES = sorted(page.name for page in ENGLISH.glob("*.md") if page.name != "README.md")
BLOCK = re.compile(r"^<!-- e2e:(?P<mark>\w+) -->$|^```(?P<language>bash|python)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
ANY_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
SHOWN = {"tg-svc-…": re.compile(r"tg-svc-[A-Za-z0-9_-]+"), "pc-…": re.compile(r"pc-[a-z0-9]+-[0-9a-f]{6}")}
# Providers are added as written, at the address of their stand-in unless the page gives one.
ADDRESSED = """#!/bin/bash
if [ "$1 $2" = "providers add" ] && [[ "$*" != *--base-url* ]]; then
  upstream="UPSTREAM_$3"
  set -- "$@" --base-url "${!upstream}/v1"
fi
exec "$TIDEGATE" "$@"
"""
ADDRESS = "127.0.0.1:8787"


class Reader:
    """Somebody who follows a page, with a terminal for the gateway and one for the rest."""

    def __init__(self, folder: Path, fakes: dict[str, str]):
        self.folder = folder
        self.shown: dict[str, str] = {}
        self.gateway: processes.Process | None = None
        self.said = ""
        port = str(processes.free_port())
        self.address = f"127.0.0.1:{port}"
        programs = folder / "bin"
        programs.mkdir()
        (programs / "tidegate").write_text(ADDRESSED)
        (programs / "tidegate").chmod(0o755)
        upstreams = {f"UPSTREAM_{name}": fakes[name] for name in ("openai", "anthropic")}
        self.env = processes.clean_env(TIDEGATE_PORT=port, TIDEGATE=str(paths.binary("tidegate")), **upstreams)
        self.env["PATH"] = f"{programs}:/usr/bin:/bin"

    def follow(self, page: str) -> int:
        """Runs the blocks of a page; how many there were."""
        count = 0
        for found in BLOCK.finditer(page):
            if found["mark"]:
                assert found["mark"] == "stop", found[0]
                self.stop()
            elif found["text"].startswith("tidegate serve"):
                self.serve(found["text"].split())
            else:
                self.run(found["text"], found["language"])
            count += 1
        return count

    def serve(self, command: list[str]) -> None:
        self.stop()
        self.gateway = processes.Process("tidegate", command, env=self.env, cwd=self.folder)
        self.gateway.wait_for(r"listening on http://\S+")

    def stop(self) -> None:
        if self.gateway:
            self.gateway.stop()
        self.gateway = None

    def run(self, text: str, language: str) -> None:
        text = text.replace(ADDRESS, self.address)
        for placeholder, value in self.shown.items():
            text = text.replace(placeholder, value)
        assert not any(placeholder in text for placeholder in SHOWN), f"nothing has shown what to put here: {text}"
        if "@broken/" not in text:
            text = text.replace("curl ", "curl --fail-with-body ")
        run = ["bash", "-euo", "pipefail", "-c"] if language == "bash" else [str(paths.PYTHON), "-c"]
        said = self.command(run, text)
        # Records are written a moment after their request.
        deadline = time.monotonic() + processes.PATIENCE
        while "/v1/logs" in text and '"data":[]' in said and time.monotonic() < deadline:
            said = self.command(run, text)
        self.said += said
        for placeholder, pattern in SHOWN.items():
            if values := pattern.findall(said):
                self.shown[placeholder] = values[-1]

    def command(self, run: list[str], text: str) -> str:
        """What commands say, which must succeed."""
        # They alone know a provider's key: with it in its environment the gateway would make a provider of it.
        env = self.env | {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
        ended = subprocess.run([*run, text], env=env, cwd=self.folder, capture_output=True, text=True, timeout=180)
        assert ended.returncode == 0, f"{self.said}\n$ {text}{ended.stdout}{ended.stderr}"
        return ended.stdout


@pytest.fixture
def reader(tmp_path, fakes):
    someone = Reader(tmp_path, fakes)
    someone.serve(["tidegate", "serve"])
    yield someone
    someone.stop()


# What a page promises, said by some command of it.
PROMISED = {
    "first-request.md": "You said: Hello!",
    "connect-a-provider.md": "The tide at Brest",
    "limited-key.md": "200/minute",
    "budget.md": "20usd/month",
    "fallback-and-balance.md": "x-portkey-last-used-option-index: config.targets[1]",
    "what-it-cost.md": '"unpriced":false',
    "failing-request.md": "connect_refused",
    "trace-an-agent.md": '"step":"search"',
    "own-warehouse.md": "wrote 0 logs to logs.parquet",
    "production.md": "ok: settings",
    "backup-and-upgrade.md": "ready",
}


@pytest.mark.parametrize("name", PAGES)
def test_guide(reader, name):
    assert reader.follow((ENGLISH / name).read_text()) > 0
    assert PROMISED[name] in reader.said, reader.said


def test_the_chinese_guides_are_the_same_guides():
    assert PAGES == sorted(page.name for page in CHINESE.glob("*.md") if page.name != "README.md")
    for name in PAGES:
        english, chinese = ((folder / name).read_text() for folder in (ENGLISH, CHINESE))
        assert ANY_BLOCK.findall(english) == ANY_BLOCK.findall(chinese), f"{name}: other commands"
        assert headings(english) == headings(chinese), f"{name}: other headings"


def test_the_chinese_readme_is_the_same_readme():
    english, chinese = ((paths.ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    assert ANY_BLOCK.findall(english) == ANY_BLOCK.findall(chinese)
    assert headings(english) == headings(chinese)
    assert set(re.findall(r"<!-- .*? -->", english)) == set(re.findall(r"<!-- .*? -->", chinese))


def test_links_of_the_guides_lead_somewhere():
    for page in (*ENGLISH.glob("*.md"), *CHINESE.glob("*.md"), paths.ROOT / "README.zh-CN.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"


def headings(page: str) -> list[int]:
    text = ANY_BLOCK.sub("", page)
    return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]
