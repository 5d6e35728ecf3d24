"""One request, five providers, one answer.

A chat with a tool and an image goes to each strict fake, streamed and not, from OpenAI's SDK and from Anthropic's: what
the application sees must be the same. What differs all the same is printed as a table.
"""

import json
from dataclasses import asdict, dataclass

import anthropic
import openai
import pytest
from harness.providers import ANTHROPIC_TOOL, ARGUMENTS, FAKES, KEY, OPENAI_TOOL, PIXEL, TIDE
from pydantic import BaseModel

# The fakes call the tool once, or for both ports when asked about both.
TEXTS = {
    "image": "What does the picture say about the tide?",
    "tool": "When is the tide at the port in the picture?",
    "tools": "When is the tide at both ports in the picture?",
}
OPENAI_IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
ANTHROPIC_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
SEEN = f"I see 1 image. {TIDE}"
CALLS = {"image": [], "tool": [("tide", ARGUMENTS)], "tools": [("tide", ARGUMENTS), ("tide", {"port": "Calais"})]}


@dataclass
class Heard:
    """What an application sees of an answer."""

    role: str
    text: str
    tools: list[tuple[str, dict]]
    finish: str


@dataclass
class Aside:
    """What may differ without harm."""

    model: str
    id_prefix: str
    input_tokens: int
    output_tokens: int


# --- OpenAI's SDK ---


def openai_ask(gateway, provider, what: str, stream: bool) -> tuple[Heard, Aside]:
    sdk = openai.OpenAI(base_url=gateway.v1, api_key=KEY, default_headers=provider.headers(), max_retries=0)
    content = [{"type": "text", "text": TEXTS[what]}, OPENAI_IMAGE]
    ask = {"model": provider.model, "max_tokens": 60, "messages": [{"role": "user", "content": content}]}
    ask |= {"tools": [OPENAI_TOOL]} if CALLS[what] else {}
    if stream:
        with sdk.chat.completions.stream(**ask, stream_options={"include_usage": True}) as events:
            answer = events.get_final_completion()
    else:
        answer = sdk.chat.completions.create(**ask)
    (choice,) = answer.choices
    calls = choice.message.tool_calls or []
    tools = [(call.function.name, json.loads(call.function.arguments)) for call in calls]
    heard = Heard(choice.message.role, choice.message.content or "", tools, choice.finish_reason)
    return heard, Aside(answer.model, _prefix(answer.id), answer.usage.prompt_tokens, answer.usage.completion_tokens)


# --- Anthropic's SDK ---


def anthropic_ask(gateway, provider, what: str, stream: bool) -> tuple[Heard, Aside]:
    sdk = anthropic.Anthropic(base_url=gateway.url, api_key=KEY, default_headers=provider.headers(), max_retries=0)
    content = [{"type": "text", "text": TEXTS[what]}, ANTHROPIC_IMAGE]
    ask = {"model": provider.model, "max_tokens": 60, "messages": [{"role": "user", "content": content}]}
    ask |= {"tools": [ANTHROPIC_TOOL]} if CALLS[what] else {}
    if stream:
        with sdk.messages.stream(**ask) as events:
            message = events.get_final_message()
    else:
        message = sdk.messages.create(**ask)
    text = "".join(block.text for block in message.content if block.type == "text")
    tools = [(block.name, block.input) for block in message.content if block.type == "tool_use"]
    heard = Heard(message.role, text, tools, message.stop_reason)
    return heard, Aside(message.model, _prefix(message.id), message.usage.input_tokens, message.usage.output_tokens)


ASKERS = {"openai": (openai_ask, "stop", "tool_calls"), "anthropic": (anthropic_ask, "end_turn", "tool_use")}
asides: dict[tuple[str, str, str, str], Aside] = {}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("sdk", ASKERS)
def test_the_answer_is_the_same(gateway, fake, sdk, what, stream):
    ask, stopped, called = ASKERS[sdk]
    heard, aside = ask(gateway, fake, what, stream)
    asides[sdk, what, "stream" if stream else "whole", fake.name] = aside
    if CALLS[what]:
        assert heard == Heard("assistant", "", CALLS[what], called)
    else:
        assert heard == Heard("assistant", SEEN, [], stopped)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_limits_and_stop_words(gateway, fake, stream):
    sdk = openai.OpenAI(base_url=gateway.v1, api_key=KEY, default_headers=fake.headers(), max_retries=0)
    ask = {"model": fake.model, "messages": [{"role": "user", "content": "When is high water?"}]}
    for limit, text, finish in [
        ({"max_tokens": 3}, "The tide at", "length"),
        ({"stop": ["Brest"]}, "The tide at ", "stop"),
    ]:
        if stream:
            with sdk.chat.completions.stream(**ask, **limit) as events:
                chunks = [event.chunk for event in events if event.type == "chunk"]
            choices = [choice for chunk in chunks for choice in chunk.choices]
            said = "".join(choice.delta.content or "" for choice in choices)
            finished = next(choice.finish_reason for choice in choices if choice.finish_reason)
        else:
            (choice,) = sdk.chat.completions.create(**ask, **limit).choices
            said, finished = choice.message.content, choice.finish_reason
        assert (said, finished) == (text, finish)


class Tide(BaseModel):
    port: str
    time: str


def test_structured_output(gateway, fake):
    sdk = openai.OpenAI(base_url=gateway.v1, api_key=KEY, default_headers=fake.headers(), max_retries=0)
    ask = [{"role": "user", "content": "When is high water, in JSON?"}]
    answer = sdk.chat.completions.parse(model=fake.model, messages=ask, response_format=Tide)
    assert answer.choices[0].message.parsed == Tide(port="Brest", time="12:04")


def test_what_differs_is_told(capsys):
    assert asides, "the other tests of this file run first"
    rows: dict[tuple[str, ...], list[str]] = {}
    for sdk, what, how in sorted({key[:3] for key in asides}):
        seen = [asdict(asides[sdk, what, how, name]) for name in FAKES if (sdk, what, how, name) in asides]
        for member in Aside.__dataclass_fields__:
            values = [str(aside[member]) for aside in seen]
            if len(set(values)) > 1:
                rows.setdefault((sdk, member, *values), []).append(f"{what} {how}")
    told = [[*row[:2], f"{len(where)} of 6", *row[2:]] for row, where in rows.items()]
    with capsys.disabled():
        print("\n" + _table([["SDK", "member", "requests", *FAKES], *told]))


def _prefix(id: str) -> str:
    """What tells an id's kind."""
    return id.rstrip("0123456789abcdef").split("-")[0].split("_")[0] or "digits"


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
