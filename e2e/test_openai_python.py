"""OpenAI's Python SDK through the gateway."""

import json

import openai
import pytest
from harness.providers import ARGUMENTS, KEY, OPENAI_TOOL, QUESTION, TIDE

ASK = [{"role": "user", "content": QUESTION}]


def client(gateway, headers=None, key=KEY):
    return openai.OpenAI(base_url=gateway.v1, api_key=key, default_headers=headers or {}, max_retries=0, timeout=180)


def chosen(gateway, provider, how):
    """A client and a model's name, with the provider chosen by headers, by a config or by the model's name."""
    headers = {"headers": provider.headers(), "config": provider.config(), "model": {}}[how]
    return client(gateway, headers), provider.qualified() if how == "model" else provider.model


@pytest.mark.parametrize("how", ["headers", "config", "model"])
def test_chat(gateway, fake, how):
    sdk, model = chosen(gateway, fake, how)
    answer = sdk.chat.completions.create(model=model, messages=ASK, max_tokens=50)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content == TIDE
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


@pytest.mark.parametrize("how", ["headers", "config", "model"])
def test_stream(gateway, fake, how):
    sdk, model = chosen(gateway, fake, how)
    options = {"include_usage": True}
    chunks = list(sdk.chat.completions.create(model=model, messages=ASK, stream=True, stream_options=options))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == TIDE
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert len([choice for choice in choices if choice.delta.content]) > 3, "it arrives in pieces"
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(usages) == 1 and usages[0].total_tokens > 0


def test_tool_round_trip(gateway, fake):
    sdk = client(gateway, fake.headers())
    answer = sdk.chat.completions.create(model=fake.model, messages=ASK, tools=[OPENAI_TOOL])
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    (call,) = message.tool_calls
    assert (call.type, call.function.name, json.loads(call.function.arguments)) == ("function", "tide", ARGUMENTS)
    result = {"role": "tool", "tool_call_id": call.id, "content": "12:04"}
    messages = [*ASK, message.model_dump(exclude_none=True), result]
    answer = sdk.chat.completions.create(model=fake.model, messages=messages, tools=[OPENAI_TOOL])
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (TIDE, "stop")


def test_streamed_tool_call(gateway, fake):
    sdk = client(gateway, fake.headers())
    stream = sdk.chat.completions.create(model=fake.model, messages=ASK, tools=[OPENAI_TOOL], stream=True)
    names, arguments, finish = [], "", None
    for chunk in stream:
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            for piece in choice.delta.tool_calls or []:
                assert piece.index == 0
                names += [piece.function.name] if piece.function.name else []
                arguments += piece.function.arguments or ""
    assert (names, json.loads(arguments), finish) == (["tide"], ARGUMENTS, "tool_calls")


def test_streamed_tool_call_as_the_sdk_puts_it_together(gateway, fake):
    sdk = client(gateway, fake.headers())
    with sdk.chat.completions.stream(model=fake.model, messages=ASK, tools=[OPENAI_TOOL]) as stream:
        answer = stream.get_final_completion()
    (call,) = answer.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("tide", ARGUMENTS)


def test_embeddings(gateway, embedding_fake):
    sdk = client(gateway, embedding_fake.headers())
    answer = sdk.embeddings.create(model=embedding_fake.embedding_model, input=["a tide", "a wind"])
    assert [item.index for item in answer.data] == [0, 1]
    assert all(isinstance(number, float) for item in answer.data for number in item.embedding)
    assert len({len(item.embedding) for item in answer.data}) == 1 and len(answer.data[0].embedding) > 0


def test_errors_are_the_classes_that_the_sdk_has(gateway, fake):
    with pytest.raises(openai.AuthenticationError):
        client(gateway, fake.headers(), key="bad").chat.completions.create(model=fake.model, messages=ASK)
    sdk = client(gateway, fake.headers() | {"x-portkey-azure-deployment-id": "missing"})
    with pytest.raises(openai.NotFoundError):
        sdk.chat.completions.create(model="missing", messages=ASK)


def test_a_missing_parameter_is_named(gateway, upstreams):
    sdk = client(gateway, upstreams["openai"].headers())
    with pytest.raises(openai.BadRequestError, match="messages"):
        sdk.post("/chat/completions", body={"model": "gpt-4o"}, cast_to=object)


def test_responses(gateway, upstreams):
    sdk = client(gateway, upstreams["openai"].headers())
    assert sdk.responses.create(model="gpt-4o", input=QUESTION).output_text == TIDE
    events = list(sdk.responses.create(model="gpt-4o", input=QUESTION, stream=True))
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == TIDE


def test_models(gateway, upstreams):
    assert client(gateway, upstreams["openai"].headers()).models.list().data


@pytest.mark.parametrize("how", ["headers", "config", "model"])
def test_real_chat(gateway, real, how):
    sdk, model = chosen(gateway, real, how)
    answer = sdk.chat.completions.create(model=model, messages=ASK, max_tokens=8)
    assert answer.choices[0].message.content
    assert 0 < answer.usage.completion_tokens <= 8


def test_real_stream(gateway, real):
    sdk = client(gateway, real.headers())
    options = {"include_usage": True}
    stream = sdk.chat.completions.create(
        model=real.model, messages=ASK, max_tokens=8, stream=True, stream_options=options
    )
    chunks = list(stream)
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert chunks[-1].usage.completion_tokens <= 8


def test_real_tools_are_accepted(gateway, real):
    # A model this small seldom calls a tool: an answer in words is one.
    sdk = client(gateway, real.headers())
    answer = sdk.chat.completions.create(model=real.model, messages=ASK, max_tokens=8, tools=[OPENAI_TOOL])
    assert answer.choices[0].message.content or answer.choices[0].message.tool_calls


def test_real_completions(gateway, real):
    sdk = client(gateway, real.headers())
    assert sdk.completions.create(model=real.model, prompt="Once upon a time", max_tokens=4).choices[0].text
    assert len(list(sdk.completions.create(model=real.model, prompt="Once", max_tokens=4, stream=True))) > 1


def test_real_embeddings(gateway, real):
    sdk = client(gateway, real.headers())
    for encoding in ("base64", "float"):
        answer = sdk.embeddings.create(model=real.model, input=["a cat", "a dog"], encoding_format=encoding)
        assert len(answer.data) == 2


def test_real_responses(gateway, real):
    sdk = client(gateway, real.headers())
    events = list(sdk.responses.create(model=real.model, input="Say hi.", max_output_tokens=8, stream=True))
    assert events[-1].type == "response.completed"


def test_real_error(gateway, real):
    with pytest.raises(openai.BadRequestError):
        sdk = client(gateway, real.headers())
        sdk.chat.completions.create(model=real.model, messages="not a list")
