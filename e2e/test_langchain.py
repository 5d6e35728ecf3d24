"""LangChain's OpenAI classes through the gateway, with the headers that Portkey's SDK makes for them."""

import pytest
from harness.providers import ARGUMENTS, KEY, QUESTION, TIDE
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from portkey_ai import createHeaders


@tool
def tide(port: str) -> str:
    """Tide at a port."""
    return f"12:04 at {port}"


def chat(gateway, provider, **more):
    headers = createHeaders(config=provider.target())
    return ChatOpenAI(
        base_url=gateway.v1,
        api_key=KEY,
        model=provider.model,
        default_headers=headers,
        max_retries=0,
        timeout=180,
        **more,
    )


def test_invoke(gateway, fake):
    answer = chat(gateway, fake).invoke(QUESTION)
    assert answer.content == TIDE
    assert answer.usage_metadata["total_tokens"] > 0
    assert answer.response_metadata["finish_reason"] == "stop"


def test_stream(gateway, fake):
    chunks = list(chat(gateway, fake, stream_usage=True).stream(QUESTION))
    assert "".join(chunk.content for chunk in chunks) == TIDE
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    assert total.usage_metadata["total_tokens"] > 0


def test_tool_round_trip(gateway, fake):
    model = chat(gateway, fake).bind_tools([tide])
    turns = [HumanMessage(QUESTION)]
    turns.append(model.invoke(turns))
    (call,) = turns[-1].tool_calls
    assert (call["name"], call["args"]) == ("tide", ARGUMENTS)
    turns.append(ToolMessage(tide.invoke(call["args"]), tool_call_id=call["id"]))
    assert model.invoke(turns).content == TIDE


def test_streamed_tool_call(gateway, fake):
    total = None
    for chunk in chat(gateway, fake).bind_tools([tide]).stream(QUESTION):
        total = chunk if total is None else total + chunk
    (call,) = total.tool_calls
    assert (call["name"], call["args"]) == ("tide", ARGUMENTS)


def test_provider_headers(gateway, upstreams):
    openai = upstreams["openai"]
    headers = createHeaders(provider=openai.id, custom_host=openai.host)
    model = ChatOpenAI(base_url=gateway.v1, api_key=KEY, model=openai.model, default_headers=headers)
    assert model.invoke(QUESTION).content == TIDE


@pytest.mark.parametrize("name", ["openai", "gemini", "azure", "cohere", "real"])
def test_embeddings(gateway, upstreams, name):
    provider = upstreams[name]
    # The check would fetch a tokenizer.
    embeddings = OpenAIEmbeddings(
        base_url=gateway.v1, api_key=KEY, model=provider.embedding_model, check_embedding_ctx_length=False,
        default_headers=createHeaders(config=provider.target()),
    )  # fmt: skip
    assert len(embeddings.embed_documents(["a tide", "a wind"])) == 2


def test_real_invoke_and_stream(gateway, real):
    model = chat(gateway, real, max_tokens=8)
    assert model.invoke(QUESTION).content
    assert "".join(chunk.content for chunk in model.stream(QUESTION))
