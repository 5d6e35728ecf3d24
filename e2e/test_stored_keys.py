"""What applications get from a gateway that keeps the providers' keys: whole scenarios, with the clients people use."""

import time

import pytest
from harness import office
from harness.providers import AZURE_VERSION, QUESTION, TIDE
from langchain_openai import ChatOpenAI
from openai import OpenAI
from portkey_ai import Portkey, createHeaders

ASK = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def pair(workspace, fakes):
    """Two virtual keys: an OpenAI that is down for the model `st503`, and an Azure that is up."""
    return (
        workspace.virtual_key("OpenAI", "openai", fakes["scripted"]),
        workspace.virtual_key(
            "Azure", "azure-openai", f"{fakes['azure']}/openai",
            resourceName="e2e", deploymentName="gpt-4o", apiVersion=AZURE_VERSION,
        ),
    )  # fmt: skip


@pytest.fixture
def fallback(workspace, pair):
    """The saved config that goes from the first to the second."""
    down, up = pair
    return workspace.config(
        "main",
        {
            "strategy": {"mode": "fallback", "on_status_codes": [503]},
            "targets": [{"virtual_key": down, "override_params": {"model": "st503"}}, {"virtual_key": up}],
        },
    )


def logs_of(workspace, trace: str) -> list[dict]:
    """What the gateway keeps of the requests of a trace. Records are written behind the answer: asked for until there."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        rows = office.call(workspace.gateway, "GET", f"/logs?trace_id={trace}", workspace.key)["data"]
        if rows:
            return rows
    raise AssertionError(f"no log of the trace {trace}")


def test_fallback_through_portkeys_sdk(workspace, fallback):
    portkey = Portkey(base_url=workspace.gateway.v1, api_key=workspace.key, config=fallback, trace_id="tr-portkey")
    answer = portkey.chat.completions.create(model="gpt-4o", messages=ASK)
    assert answer.choices[0].message.content == TIDE
    headers = {name.lower(): value for name, value in answer.get_headers().items()}
    assert headers["last-used-option-index"] == "config.targets[1]"
    assert headers["trace-id"] == "tr-portkey"
    assert headers["provider"] == "azure-openai"


def test_fallback_through_openais_sdk(workspace, fallback):
    headers = {"x-portkey-config": fallback, "x-portkey-trace-id": "tr-openai"}
    client = OpenAI(base_url=workspace.gateway.v1, api_key=workspace.key, default_headers=headers, max_retries=0)
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=ASK)
    assert raw.parse().choices[0].message.content == TIDE
    assert raw.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
    assert raw.headers["x-portkey-trace-id"] == "tr-openai"
    stream = client.chat.completions.create(model="gpt-4o", messages=ASK, stream=True)
    assert "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices) == TIDE


def test_the_log_tells_of_the_fallback(workspace, pair, fallback):
    headers = {"x-portkey-config": fallback, "x-portkey-trace-id": f"tr-{workspace.slug}"}
    client = OpenAI(base_url=workspace.gateway.v1, api_key=workspace.key, default_headers=headers, max_retries=0)
    client.chat.completions.create(model="gpt-4o", messages=ASK)
    (row,) = logs_of(workspace, f"tr-{workspace.slug}")
    assert (row["trace_id"], row["attempts"], row["response_status_code"]) == (f"tr-{workspace.slug}", 2, 200)
    log = office.call(workspace.gateway, "GET", f"/logs/{row['id']}", workspace.key)
    assert log["response"]["lastUsedOptionJsonPath"] == "config.targets[1]"
    first, second = log["tidegate"]["attempts"]
    assert (first["virtual_key"], first["status"]) == (pair[0], 503)
    assert (second["virtual_key"], second["status"]) == (pair[1], 200)
    # Nobody of another workspace sees it, or that it is there.
    other = office.workspace(workspace.gateway)
    assert office.call(workspace.gateway, "GET", f"/logs?trace_id=tr-{workspace.slug}", other.key)["data"] == []
    assert office.ask(workspace.gateway, "GET", f"/logs/{row['id']}", other.key).status_code == 404


def test_a_new_version_of_the_config_is_used_at_once(workspace, pair, fallback):
    client = Portkey(base_url=workspace.gateway.v1, api_key=workspace.key, config=fallback)
    client.configs.update(slug=fallback, config={"virtual_key": pair[1]})
    headers = client.chat.completions.create(model="gpt-4o", messages=ASK).get_headers()
    assert "1" not in {name.lower(): value for name, value in headers.items()}["last-used-option-index"]


def test_half_and_half_through_langchain(workspace, fakes):
    slugs = [workspace.virtual_key(name, "openai", f"{fakes['openai']}/v1") for name in ("One", "Two")]
    config = workspace.config(
        "half",
        {
            "strategy": {"mode": "loadbalance"},
            "targets": [{"virtual_key": slug, "weight": 0.5} for slug in slugs],
        },
    )
    headers = createHeaders(api_key=workspace.key, config=config)
    model = ChatOpenAI(
        base_url=workspace.gateway.v1, api_key=workspace.key, model="gpt-4o", default_headers=headers,
        max_retries=0, timeout=180, include_response_headers=True,
    )  # fmt: skip
    used = []
    for _ in range(60):
        answer = model.invoke(QUESTION)
        assert answer.content == TIDE
        used.append(answer.response_metadata["headers"]["x-portkey-last-used-option-index"])
    counts = [used.count(f"config.targets[{at}]") for at in (0, 1)]
    # Fewer than 12 of 60 by chance: once in 1.3 million runs.
    assert sum(counts) == 60 and min(counts) >= 12, counts


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4-5"])
def test_a_key_alone_and_the_models_name(workspace, fakes, model, stream):
    workspace.virtual_key("OpenAI", "openai", f"{fakes['openai']}/v1")
    workspace.virtual_key("Anthropic", "anthropic", f"{fakes['anthropic']}/v1")
    assert workspace.key.startswith("tg-svc-")
    client = OpenAI(base_url=workspace.gateway.v1, api_key=workspace.key, max_retries=0)
    asked = {"model": model, "messages": ASK, "max_tokens": 50}
    if stream:
        chunks = client.chat.completions.create(**asked, stream=True)
        said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    else:
        said = client.chat.completions.create(**asked).choices[0].message.content
    assert said == TIDE


def test_the_models_that_a_key_can_call_are_listed(workspace, fakes):
    workspace.virtual_key("OpenAI", "openai", f"{fakes['openai']}/v1")
    client = OpenAI(base_url=workspace.gateway.v1, api_key=workspace.key)
    assert any("gpt-4o" in model.id for model in client.models.list().data)
