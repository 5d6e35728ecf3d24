"""The Node SDKs (OpenAI's, Anthropic's, Portkey's) through the gateway: node's own test runner, one file for each."""

import json
import os
import subprocess

import pytest
from harness import paths, providers


def described(provider):
    return {
        "name": provider.name,
        "model": provider.model,
        "embeddingModel": provider.embedding_model,
        "headers": provider.headers(),
        "target": provider.target(),
    }


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "portkey"])
def test_node(gateway, upstreams, fakes, sdk):
    given = {
        "gateway": gateway.url,
        "key": providers.KEY,
        "question": providers.QUESTION,
        "text": providers.TIDE,
        "arguments": providers.ARGUMENTS,
        "refused": fakes["refused"],
        "openaiTool": providers.OPENAI_TOOL,
        "anthropicTool": providers.ANTHROPIC_TOOL,
        "providers": {
            "fakes": [described(upstreams[name]) for name in providers.FAKES],
            "real": described(upstreams["real"]),
        },
    }
    ended = subprocess.run(
        ["node", "--test", "--test-reporter=spec", f"{sdk}.test.mjs"],
        cwd=paths.NODE,
        env=os.environ | {"TIDEGATE_E2E": json.dumps(given)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    assert "tests 0" not in ended.stdout
