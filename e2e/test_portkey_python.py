"""Portkey's Python SDK through the gateway."""

import json

import pytest
from harness.providers import ARGUMENTS, KEY, OPENAI_TOOL, QUESTION, TIDE
from portkey_ai import Portkey, createHeaders

ASK = [{"role": "user", "content": QUESTION}]


# The SDK asks for the providers' own words unless told otherwise.
FINISHED = {"openai": "stop", "azure": "stop", "anthropic": "end_turn", "gemini": "STOP", "cohere": "COMPLETE"}


def client(gateway, provider, how, **more):
    """A client that names the provider in its constructor, or has a config."""
    if how == "config":
        return Portkey(base_url=gateway.v1, api_key="unused", config=provider.target(), **more)
    options = {
        name if provider.id != "azure-openai" else f"azure_{name}": value for name, value in provider.options.items()
    }
    return Portkey(
        base_url=gateway.v1, api_key="unused", provider=provider.id, custom_host=provider.host,
        Authorization=f"Bearer {KEY}", **options, **more,
    )  # fmt: skip


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("how", ["constructor", "config"])
def test_chat(gateway, fake, how, strict):
    options = {"strict_open_ai_compliance": True} if strict else {}
    portkey = client(gateway, fake, how, **options)
    answer = portkey.chat.completions.create(model=fake.model, messages=ASK)
    finished = "stop" if strict else FINISHED[fake.name]
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (TIDE, finished)


@pytest.mark.parametrize("how", ["constructor", "config"])
def test_stream(gateway, fake, how):
    stream = client(gateway, fake, how).chat.completions.create(model=fake.model, messages=ASK, stream=True)
    assert "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices) == TIDE


def test_tool_round_trip(gateway, fake):
    portkey = client(gateway, fake, "config")
    answer = portkey.chat.completions.create(model=fake.model, messages=ASK, tools=[OPENAI_TOOL])
    (call,) = answer.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("tide", ARGUMENTS)
    said = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
        ],
    }
    messages = [*ASK, said, {"role": "tool", "tool_call_id": call.id, "content": "12:04"}]
    answer = portkey.chat.completions.create(model=fake.model, messages=messages, tools=[OPENAI_TOOL])
    assert answer.choices[0].message.content == TIDE


def test_embeddings(gateway, embedding_fake):
    portkey = client(gateway, embedding_fake, "config")
    answer = portkey.embeddings.create(model=embedding_fake.embedding_model, input=["a", "b"])
    assert len(answer.data) == 2


def test_fallback_config(gateway, upstreams, fakes):
    dead = upstreams["openai"].target(custom_host=f"{fakes['refused']}/v1")
    config = {"strategy": {"mode": "fallback"}, "targets": [dead, upstreams["anthropic"].target()]}
    portkey = Portkey(base_url=gateway.v1, api_key="unused", config=config)
    answer = portkey.chat.completions.create(model="claude-sonnet-4-5", messages=ASK, max_tokens=50)
    assert answer.choices[0].message.content == TIDE
    headers = {name.lower(): value for name, value in answer.get_headers().items()}
    assert headers["last-used-option-index"] == "config.targets[1]"


def test_saved_config(gateway, upstreams):
    portkey = Portkey(base_url=gateway.v1, api_key="unused", config="pc-e2e")
    answer = portkey.chat.completions.create(model=upstreams["cohere"].model, messages=ASK)
    assert answer.choices[0].message.content == TIDE


def test_trace_and_metadata(gateway, upstreams):
    portkey = client(gateway, upstreams["openai"], "config").with_options(trace_id="t1", metadata={"a": "b"})
    answer = portkey.chat.completions.create(model="gpt-4o", messages=ASK)
    headers = {name.lower(): value for name, value in answer.get_headers().items()}
    assert headers["trace-id"] == "t1"


def test_create_headers_for_other_sdks(upstreams):
    headers = createHeaders(provider=upstreams["openai"].id, custom_host=upstreams["openai"].host)
    assert headers["x-portkey-provider"] == "openai"


def test_real_chat_and_stream(gateway, real):
    portkey = client(gateway, real, "constructor")
    answer = portkey.chat.completions.create(model=real.model, messages=ASK, max_tokens=8)
    assert answer.choices[0].message.content
    stream = portkey.chat.completions.create(model=real.model, messages=ASK, max_tokens=8, stream=True)
    assert "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)


def test_real_embeddings(gateway, real):
    answer = client(gateway, real, "config").embeddings.create(model=real.model, input=["a", "b"])
    assert len(answer.data) == 2
