"""A fallback, as the documentation promises it: over HTTP, with nothing between the test and the wire."""

import json

import httpx
import pytest
from harness.providers import QUESTION, TIDE

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 50}


def failing(fakes, script):
    """OpenAI, answering as the script says."""
    return {
        "provider": "openai",
        "api_key": "k",
        "custom_host": fakes["scripted"],
        "override_params": {"model": script},
    }


def ask(gateway, *targets, **more):
    config = {"strategy": {"mode": "fallback"}, "targets": list(targets)}
    headers = {"x-portkey-config": json.dumps(config)}
    return httpx.post(f"{gateway.v1}/chat/completions", headers=headers, json=BODY | more, timeout=120)


@pytest.mark.parametrize("script", ["st503", "st500", "st429", "st401", "html"])
def test_the_second_target_answers_and_is_named(gateway, fakes, upstreams, script):
    answer = ask(gateway, failing(fakes, script), upstreams["azure"].target())
    assert answer.status_code == 200
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
    assert answer.headers["x-portkey-provider"] == "azure-openai"
    assert answer.json()["choices"][0]["message"]["content"] == TIDE


def test_a_refused_connection(gateway, fakes, upstreams):
    dead = {"provider": "openai", "api_key": "k", "custom_host": fakes["refused"]}
    answer = ask(gateway, dead, upstreams["cohere"].target(override_params={"model": "command-a-03-2025"}))
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
    assert answer.json()["choices"][0]["message"]["content"] == TIDE


def test_a_stream(gateway, fakes, upstreams):
    answer = ask(gateway, failing(fakes, "st503"), upstreams["azure"].target(), stream=True)
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_across_dialects(gateway, fakes, upstreams):
    answer = ask(
        gateway,
        failing(fakes, "st503"),
        upstreams["gemini"].target(override_params={"model": "gemini-2.5-flash"}, api_key="bad"),
        upstreams["anthropic"].target(override_params={"model": "claude-sonnet-4-5"}),
    )
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[2]"
    assert answer.json()["choices"][0]["message"]["content"] == TIDE


def test_all_fail(gateway, fakes, upstreams):
    answer = ask(gateway, failing(fakes, "st503"), failing(fakes, "st429"))
    assert answer.status_code == 429
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
