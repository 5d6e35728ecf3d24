"""Feedback, told logs, exports and traces: Portkey's Python SDK and its callback handlers, unchanged."""

import json
import time
import uuid

import httpx
import pytest
from harness import agents, office
from harness.providers import TIDE
from portkey_ai import Portkey

SCOPES = [*office.SCOPES, "logs.write", "logs.export", "logs.list", "logs.view", "analytics.view"]


@pytest.fixture(scope="module")
def place(managed):
    """A workspace, and a key in it that may tell."""
    workspace = office.workspace(managed, "Traces")
    key = workspace.service_key("tells", SCOPES)["key"]
    return managed, key


@pytest.fixture
def client(place):
    gateway, key = place
    return Portkey(base_url=gateway.v1, api_key=key)


def get(place, path):
    gateway, key = place
    answer = httpx.get(f"{gateway.v1}{path}", headers={"x-portkey-api-key": key})
    assert answer.status_code == 200, answer.text
    return answer.json()


def eventually(find):
    """What is told is written a moment later."""
    deadline = time.monotonic() + 10
    while True:
        found = find()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def trace(place, trace_id, requests):
    """When all of its calls are written."""
    gateway, key = place

    def whole():
        answer = httpx.get(f"{gateway.v1}/traces/{trace_id}", headers={"x-portkey-api-key": key})
        return answer.json() if answer.status_code == 200 and answer.json()["requests"] >= requests else None

    found = eventually(whole)
    assert found, trace_id
    return found


def told(trace_id, span):
    return {
        "request": {
            "url": "https://api.openai.com/v1/chat/completions",
            "method": "POST",
            "provider": "openai",
            "headers": {},
            "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "When is high tide?"}]},
        },
        "response": {
            "status": 200,
            "headers": {},
            "body": {"model": "gpt-4o", "usage": {"prompt_tokens": 10, "completion_tokens": 4}, "choices": []},
            "response_time": 250,
        },
        "metadata": {"traceId": trace_id, "spanId": span, "spanName": "ask", "user": "alice"},
    }


def test_feedback(client, place):
    trace_id = f"t-{uuid.uuid4()}"
    first = client.feedback.create(trace_id=trace_id, value=5, weight=0.5, metadata={"_user": "alice"})
    assert first.status == "success" and len(first.feedback_ids) == 1
    both = [{"trace_id": trace_id, "value": -10}, {"trace_id": trace_id, "value": 10, "weight": 1}]
    assert len(client.feedback.bulk_create(feedbacks=both).feedback_ids) == 2
    client.feedback.update(feedback_id=first.feedback_ids[0], value=7)
    client.logs.create(**told(trace_id, "s"))
    marks = trace(place, trace_id, 1)["feedback"]
    assert sorted(mark["value"] for mark in marks) == [-10, 7, 10]


def test_a_told_log_is_priced(client, place):
    trace_id = f"t-{uuid.uuid4()}"
    client.logs.create(**told(trace_id, "s-1"))
    found = trace(place, trace_id, 1)
    (span,) = found["spans"]
    assert (span["kind"], span["model"], span["input_tokens"]) == ("log", "gpt-4o", 10)
    assert float(span["cost"]) == pytest.approx((10 * 2.5 + 4 * 10) / 1e6)
    log = get(place, f"/logs/{span['log_id']}")
    assert log["metrics"]["source"] == "log" and log["metrics"]["metadata.value"] == ["alice"]


def test_an_exports_life(client, place):
    trace_id = f"t-{uuid.uuid4()}"
    client.logs.create(**told(trace_id, "s-1"))
    trace(place, trace_id, 1)
    exports = client.logs.exports
    made = exports.create(
        filters={"trace_id": trace_id}, requested_data=["id", "trace_id", "ai_model", "cost"], description="one"
    )
    assert made.object == "export" and made.total == 1
    exports.start(export_id=made.id)
    done = eventually(lambda: (row := exports.retrieve(export_id=made.id)).status == "success" and row)
    assert done.total_records == 1
    link = exports.download(export_id=made.id).signed_url
    # The gateway is reached at another port than it says of itself: any free one.
    gateway, _ = place
    got = httpx.get(gateway.url + link[link.index("/v1/logs") :])
    assert got.status_code == 200, got.text
    lines = got.text.splitlines()
    assert [json.loads(line)["trace_id"] for line in lines] == [trace_id]
    assert made.id in [row["id"] for row in exports.list(workspace_id="").data]
    other = exports.create(filters={"status_code": "200"}, requested_data=["id"])
    exports.update(export_id=other.id, filters={"status_code": "500"}, requested_data=["id"])
    exports.cancel(export_id=other.id)
    assert exports.retrieve(export_id=other.id).status == "stopped"


def settled(place, trace_id, names):
    """The trace when every step with such a name is there as often as it is to be, and all stand below one."""

    def whole():
        gateway, key = place
        answer = httpx.get(f"{gateway.v1}/traces/{trace_id}", headers={"x-portkey-api-key": key})
        spans = answer.json()["spans"] if answer.status_code == 200 else []
        found = {name: sum(1 for span in spans if kind(span) == name) for name in names}
        roots = [span for span in spans if span["parent_span_id"] is None]
        return answer.json() if found == names and len(roots) == 1 else None

    found = eventually(whole)
    assert found, get(place, f"/traces/{trace_id}")
    return found


def kind(span):
    """A tool, or what kind of span the gateway says it is."""
    return "tool" if span["attributes"].get("kind") in ("tool", "function_call") else span["kind"]


def calls_stand_below_their_step(found, calls):
    """Every call of a model is there once: as the gateway served it, where the agent's library told of it."""
    requests = [span for span in found["spans"] if span["kind"] == "request"]
    (root,) = [span for span in found["spans"] if span["parent_span_id"] is None]
    assert found["requests"] == len(requests) == calls, found
    assert {span["parent_span_id"] for span in requests} == {root["span_id"]}, found
    assert all(span["input_tokens"] and span["log_id"] for span in requests), found
    assert found["input_tokens"] == sum(span["input_tokens"] for span in requests)
    return root


def counted(place, trace_id):
    """What analytics make of a trace."""
    path = f"/analytics/query?metrics=requests,tokens,cost&bucket=none&trace_id={trace_id}"
    return get(place, path)["groups"][0]["total"]


@pytest.mark.parametrize("agent", [agents.langchain, agents.llama_index], ids=lambda agent: agent.__name__)
def test_an_agents_calls_stand_in_its_tree(place, fakes, agent):
    gateway, key = place
    trace_id, said = agent(gateway.v1, key, fakes["openai"])
    assert said == TIDE
    found = settled(place, trace_id, {"tool": 3, "request": 4, "log": 0})
    root = calls_stand_below_their_step(found, 4)
    steps = [span for span in found["spans"] if kind(span) in ("tool", "request")]
    assert [kind(span) for span in steps] == ["request", "tool"] * 3 + ["request"]
    tools = [span for span in steps if kind(span) == "tool"]
    assert {(span["name"], span["parent_span_id"]) for span in tools} == {("tide", root["span_id"])}
    assert found["user"] == "alice"
    figures = counted(place, trace_id)
    assert figures["tokens"] == found["input_tokens"] + found["output_tokens"]
    assert figures["cost"] == pytest.approx(float(found["cost"]))


def test_an_agents_session(place, fakes):
    gateway, key = place
    trace_id, _ = agents.langchain(gateway.v1, key, fakes["openai"])
    settled(place, trace_id, {"tool": 3, "request": 4, "log": 0})
    session = get(place, f"/sessions/{trace_id}")
    assert (session["requests"], [trace["trace_id"] for trace in session["traces"]]) == (4, [trace_id])


def test_llama_indexs_handler_makes_one_tree(place):
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.callbacks.schema import CBEventType, EventPayload
    from portkey_ai.llamaindex import LlamaIndexCallbackHandler

    gateway, key = place
    trace_id = str(uuid.uuid4())
    handler = LlamaIndexCallbackHandler(api_key=key, metadata={"traceId": trace_id}, base_url=gateway.v1)
    manager = CallbackManager([handler])
    with manager.as_trace("query"):
        with manager.event(CBEventType.QUERY, payload={EventPayload.QUERY_STR: "When?"}) as query:
            for port in ("Brest", "Dover", "Ostend"):
                with manager.event(CBEventType.FUNCTION_CALL, payload={EventPayload.FUNCTION_CALL: port}) as call:
                    call.on_end(payload={EventPayload.FUNCTION_OUTPUT: "12:04"})
            query.on_end(payload={EventPayload.RESPONSE: "12:04"})
    found = trace(place, trace_id, 0)
    calls = [span for span in found["spans"] if span["name"] == "function_call"]
    assert len(calls) == 3, found
