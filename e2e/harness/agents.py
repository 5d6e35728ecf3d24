"""An agent with three calls of a tool, written for LangChain and for LlamaIndex, each with Portkey's handler and with its calls
through the gateway.

`python -m harness.agents URL KEY UPSTREAM` runs both and prints their traces' ids, for suites in other languages.
"""

import json
import sys
import uuid

from .providers import KEY

QUESTION = "When?"
PORTS = ("Brest", "Dover", "Ostend")


def headers(key: str, upstream: str, trace_id: str) -> dict[str, str]:
    """For the strict fake of OpenAI's API, with the caller's own key for it."""
    return {
        "x-portkey-api-key": key,
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"{upstream}/v1",
        "x-portkey-trace-id": trace_id,
    }


def langchain(v1: str, key: str, upstream: str) -> tuple[str, str]:
    """The trace's id, which is its session's too, and what the agent said."""
    from langchain_core.messages import HumanMessage, ToolMessage
    from langchain_core.runnables import RunnableLambda
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from portkey_ai.langchain import LangchainCallbackHandler

    trace_id = str(uuid.uuid4())
    handler = LangchainCallbackHandler(api_key=key, metadata={"traceId": trace_id, "_user": "alice"}, base_url=v1)
    own = headers(key, upstream, trace_id) | {"x-portkey-session-id": trace_id}
    model = ChatOpenAI(base_url=v1, api_key=KEY, model="gpt-4o", default_headers=own, max_retries=0)

    @tool
    def tide(port: str) -> str:
        """Tide at a port."""
        return f"12:04 at {port}"

    with_tools = model.bind_tools([tide])

    def agent(question: str, config) -> str:
        for _ in PORTS:
            asked = with_tools.invoke([HumanMessage(question)], config=config)
            (call,) = asked.tool_calls
            told = tide.invoke(call["args"], config=config)
        turns = [HumanMessage(question), asked, ToolMessage(told, tool_call_id=call["id"])]
        return with_tools.invoke(turns, config=config).content

    return trace_id, RunnableLambda(agent).invoke(QUESTION, config={"callbacks": [handler]})


def llama_index(v1: str, key: str, upstream: str) -> tuple[str, str]:
    """The same. LlamaIndex tells of its models by itself; a program tells of its tools."""
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.callbacks.schema import CBEventType, EventPayload
    from llama_index.core.llms import ChatMessage
    from llama_index.core.tools import FunctionTool
    from llama_index.llms.openai_like import OpenAILike
    from portkey_ai.llamaindex import LlamaIndexCallbackHandler

    trace_id = str(uuid.uuid4())
    handler = LlamaIndexCallbackHandler(api_key=key, metadata={"traceId": trace_id, "_user": "alice"}, base_url=v1)
    manager = CallbackManager([handler])
    model = OpenAILike(
        model="gpt-4o", api_base=v1, api_key=KEY, default_headers=headers(key, upstream, trace_id), is_chat_model=True,
        is_function_calling_model=True, context_window=8192, max_retries=0, callback_manager=manager,
    )  # fmt: skip

    def tide(port: str) -> str:
        """Tide at a port."""
        return f"12:04 at {port}"

    tool = FunctionTool.from_defaults(tide)
    with manager.as_trace("query"), manager.event(CBEventType.QUERY, payload={EventPayload.QUERY_STR: QUESTION}) as query:
        for _ in PORTS:
            asked = model.chat_with_tools([tool], user_msg=QUESTION)
            (call,) = model.get_tool_calls_from_response(asked)
            given = {EventPayload.FUNCTION_CALL: call.tool_kwargs, EventPayload.TOOL: tool.metadata}
            with manager.event(CBEventType.FUNCTION_CALL, payload=given) as step:
                step.on_end(payload={EventPayload.FUNCTION_OUTPUT: str(tool(**call.tool_kwargs))})
        answer = model.chat([ChatMessage(role="user", content=QUESTION)]).message.content
        query.on_end(payload={EventPayload.RESPONSE: answer})
    return trace_id, answer


if __name__ == "__main__":
    url, key, upstream = sys.argv[1:]
    print(json.dumps({agent.__name__: agent(f"{url}/v1", key, upstream)[0] for agent in (langchain, llama_index)}))
