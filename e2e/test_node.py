"""The Node SDKs (OpenAI's, Anthropic's, Portkey's) through the gateway: node's own test runner, one file for each."""

import subprocess

import pytest
from harness import given, paths


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "portkey"])
def test_node(gateway, upstreams, fakes, sdk):
    ended = subprocess.run(
        ["node", "--test", "--test-reporter=spec", f"{sdk}.test.mjs"],
        cwd=paths.NODE,
        env=given.environment(gateway, upstreams, fakes),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    assert "tests 0" not in ended.stdout
