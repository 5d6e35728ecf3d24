"""Anthropic's Python SDK through the gateway, in front of every provider."""

import anthropic
import pytest
from harness.providers import ANTHROPIC_TOOL, ARGUMENTS, KEY, QUESTION, TIDE

ASK = [{"role": "user", "content": QUESTION}]


def client(gateway, headers=None, key=KEY):
    return anthropic.Anthropic(
        base_url=gateway.url, api_key=key, default_headers=headers or {}, max_retries=0, timeout=180
    )


@pytest.mark.parametrize("how", ["headers", "config", "model"])
def test_message(gateway, fake, how):
    headers = {"headers": fake.headers(), "config": fake.config(), "model": {}}[how]
    model = fake.qualified() if how == "model" else fake.model
    message = client(gateway, headers).messages.create(model=model, max_tokens=50, messages=ASK)
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert [block.text for block in message.content] == [TIDE]
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0


def test_system_and_turns(gateway, fake):
    turns = [*ASK, {"role": "assistant", "content": "At noon."}, {"role": "user", "content": "Sure?"}]
    message = client(gateway, fake.headers()).messages.create(
        model=fake.model, max_tokens=50, system="Be brief.", messages=turns
    )
    assert message.content[0].text == TIDE


def test_stream(gateway, fake):
    with client(gateway, fake.headers()).messages.stream(model=fake.model, max_tokens=50, messages=ASK) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert "".join(pieces) == TIDE and len(pieces) > 3
    assert (message.content[0].text, message.stop_reason) == (TIDE, "end_turn")
    assert message.usage.output_tokens > 0


def test_stream_events_are_in_order(gateway, fake):
    stream = client(gateway, fake.headers()).messages.create(model=fake.model, max_tokens=50, messages=ASK, stream=True)
    types = [event.type for event in stream if event.type != "ping"]
    deltas = [type for type in types if type == "content_block_delta"]
    assert types == [
        "message_start",
        "content_block_start",
        *deltas,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_tool_round_trip(gateway, fake):
    sdk = client(gateway, fake.headers())
    message = sdk.messages.create(model=fake.model, max_tokens=50, messages=ASK, tools=[ANTHROPIC_TOOL])
    assert message.stop_reason == "tool_use"
    (use,) = [block for block in message.content if block.type == "tool_use"]
    assert (use.name, use.input) == ("tide", ARGUMENTS)
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "12:04"}
    turns = [*ASK, {"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
    message = sdk.messages.create(model=fake.model, max_tokens=50, messages=turns, tools=[ANTHROPIC_TOOL])
    assert (message.content[0].text, message.stop_reason) == (TIDE, "end_turn")


def test_streamed_tool_call(gateway, fake):
    sdk = client(gateway, fake.headers())
    with sdk.messages.stream(model=fake.model, max_tokens=50, messages=ASK, tools=[ANTHROPIC_TOOL]) as stream:
        message = stream.get_final_message()
    (use,) = [block for block in message.content if block.type == "tool_use"]
    assert (use.name, use.input, message.stop_reason) == ("tide", ARGUMENTS, "tool_use")


def test_errors_are_the_classes_that_the_sdk_has(gateway, fake):
    with pytest.raises(anthropic.AuthenticationError):
        client(gateway, fake.headers(), key="bad").messages.create(model=fake.model, max_tokens=5, messages=ASK)
    headers = fake.headers() | {"x-portkey-azure-deployment-id": "missing"}
    with pytest.raises(anthropic.NotFoundError):
        client(gateway, headers).messages.create(model="missing", max_tokens=5, messages=ASK)


def test_count_tokens(gateway, upstreams):
    sdk = client(gateway, upstreams["anthropic"].headers())
    assert sdk.messages.count_tokens(model="claude-sonnet-4-5", messages=ASK).input_tokens == 4


def test_real_message(gateway, real):
    message = client(gateway, real.headers()).messages.create(model=real.model, max_tokens=8, messages=ASK)
    assert message.content[0].text and message.usage.output_tokens <= 8


def test_real_stream(gateway, real):
    with client(gateway, real.headers()).messages.stream(model=real.model, max_tokens=8, messages=ASK) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert text and message.stop_reason in ("max_tokens", "end_turn")


def test_real_tools_are_accepted(gateway, real):
    sdk = client(gateway, real.headers())
    assert sdk.messages.create(model=real.model, max_tokens=8, messages=ASK, tools=[ANTHROPIC_TOOL]).content
