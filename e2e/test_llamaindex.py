"""LlamaIndex's OpenAI classes through the gateway."""

import pytest
from harness.providers import ARGUMENTS, KEY, QUESTION, TIDE
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike


def tide(port: str) -> str:
    """Tide at a port."""
    return f"12:04 at {port}"


def llm(gateway, provider, **more):
    return OpenAILike(
        model=provider.model, api_base=gateway.v1, api_key=KEY, default_headers=provider.config(), is_chat_model=True,
        is_function_calling_model=True, context_window=8192, max_retries=0, **more,
    )  # fmt: skip


def test_complete(gateway, fake):
    assert llm(gateway, fake).complete(QUESTION).text == TIDE


def test_chat(gateway, fake):
    turns = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content=QUESTION)]
    assert llm(gateway, fake).chat(turns).message.content == TIDE


def test_stream(gateway, fake):
    pieces = [
        piece.delta or "" for piece in llm(gateway, fake).stream_chat([ChatMessage(role="user", content=QUESTION)])
    ]
    assert "".join(pieces) == TIDE and len(pieces) > 3


def test_tool_round_trip(gateway, fake):
    model = llm(gateway, fake)
    tools = [FunctionTool.from_defaults(tide)]
    answer = model.chat_with_tools(tools, user_msg=QUESTION)
    (call,) = model.get_tool_calls_from_response(answer)
    assert (call.tool_name, call.tool_kwargs) == ("tide", ARGUMENTS)
    result = ChatMessage(role="tool", content="12:04", additional_kwargs={"tool_call_id": call.tool_id})
    turns = [ChatMessage(role="user", content=QUESTION), answer.message, result]
    assert model.chat_with_tools(tools, chat_history=turns).message.content == TIDE


def test_openai_class(gateway, upstreams):
    openai = upstreams["openai"]
    model = OpenAI(model="gpt-4o", api_base=gateway.v1, api_key=KEY, default_headers=openai.headers(), max_retries=0)
    assert model.complete(QUESTION).text == TIDE


@pytest.mark.parametrize("name", ["openai", "gemini", "azure", "cohere", "real"])
def test_embeddings(gateway, upstreams, name):
    provider = upstreams[name]
    embedding = OpenAILikeEmbedding(
        model_name=provider.embedding_model, api_base=gateway.v1, api_key=KEY, default_headers=provider.config()
    )
    assert len(embedding.get_text_embedding_batch(["a tide", "a wind"])) == 2


def test_real_complete_and_stream(gateway, real):
    model = llm(gateway, real, max_tokens=8)
    assert model.complete(QUESTION).text
    assert "".join(piece.delta or "" for piece in model.stream_complete(QUESTION))
