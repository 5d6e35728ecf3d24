"""OpenAI's realtime API with OpenAI's Python SDK, through the gateway: sessions over WebSockets, of both of its clients."""

import asyncio
import base64
import json

import openai
import pytest
from harness.providers import KEY, TIDE
from websockets.exceptions import InvalidStatus

MODEL = "gpt-realtime"


@pytest.fixture
def headers(fakes):
    target = {"provider": "openai", "api_key": KEY, "custom_host": fakes["realtime"]}
    return {"x-portkey-config": json.dumps(target)}


def client(gateway, kind=openai.OpenAI):
    return kind(base_url=gateway.v1, api_key=KEY, max_retries=0, timeout=180)


def test_a_session(gateway, headers):
    with client(gateway).realtime.connect(model=MODEL, extra_headers=headers) as connection:
        created = connection.recv()
        assert (created.type, created.session.model) == ("session.created", MODEL)
        connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
        assert connection.recv().type == "session.updated"
        audio = base64.b64encode(bytes(48_000)).decode()
        connection.input_audio_buffer.append(audio=audio)
        connection.input_audio_buffer.commit()
        assert connection.recv().type == "input_audio_buffer.committed"
        text = ""
        connection.response.create()
        for event in connection:
            if event.type == "response.output_text.delta":
                text += event.delta
            if event.type == "response.done":
                break
        assert text == TIDE
        assert event.response.usage.total_tokens == 253
        assert event.response.usage.output_token_details.audio_tokens == 91


def test_a_session_of_the_async_client(gateway, headers):
    async def run():
        async with client(gateway, openai.AsyncOpenAI).realtime.connect(
            model=MODEL, extra_headers=headers
        ) as connection:
            assert (await connection.recv()).type == "session.created"
            await connection.response.create(response={"metadata": {"bytes": "400000", "fragments": "5"}})
            kinds = []
            async for event in connection:
                kinds.append(event.type)
                if event.type == "response.done":
                    break
            assert kinds[0] == "response.created" and len(kinds) == 4

    asyncio.run(run())


def test_a_refusal_comes_before_the_session(gateway, headers):
    with pytest.raises(InvalidStatus) as refused:
        with client(gateway).realtime.connect(model="refuse-429", extra_headers=headers):
            pass
    assert refused.value.response.status_code == 429
    assert json.loads(refused.value.response.body)["error"]["code"] == "refused"
