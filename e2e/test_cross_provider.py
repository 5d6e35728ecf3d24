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

TEXT = "What does the picture say about the tide?"
OPENAI_IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
ANTHROPIC_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
SEEN = f"I see 1 image. {TIDE}"


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


def openai_ask(gateway, provider, tool: bool, stream: bool) -> tuple[Heard, Aside]:
    sdk = openai.OpenAI(base_url=gateway.v1, api_key=KEY, default_headers=provider.headers(), max_retries=0)
    content = [{"type": "text", "text": TEXT}, OPENAI_IMAGE]
    ask = {"model": provider.model, "max_tokens": 60, "messages": [{"role": "user", "content": content}]}
    ask |= {"tools": [OPENAI_TOOL]} if tool else {}
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


def anthropic_ask(gateway, provider, tool: bool, stream: bool) -> tuple[Heard, Aside]:
    sdk = anthropic.Anthropic(base_url=gateway.url, api_key=KEY, default_headers=provider.headers(), max_retries=0)
    content = [{"type": "text", "text": TEXT}, ANTHROPIC_IMAGE]
    ask = {"model": provider.model, "max_tokens": 60, "messages": [{"role": "user", "content": content}]}
    ask |= {"tools": [ANTHROPIC_TOOL]} if tool else {}
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
@pytest.mark.parametrize("tool", [False, True], ids=["image", "tool"])
@pytest.mark.parametrize("sdk", ASKERS)
def test_the_answer_is_the_same(gateway, fake, sdk, tool, stream):
    ask, stopped, called = ASKERS[sdk]
    heard, aside = ask(gateway, fake, tool, stream)
    asides[sdk, "tool" if tool else "image", "stream" if stream else "whole", fake.name] = aside
    if tool:
        assert heard == Heard("assistant", "", [("tide", ARGUMENTS)], called)
    else:
        assert heard == Heard("assistant", SEEN, [], stopped)


def test_what_differs_is_told(capsys):
    rows = []
    for sdk, what, how in sorted({key[:3] for key in asides}):
        seen = {name: asdict(asides[sdk, what, how, name]) for name in FAKES if (sdk, what, how, name) in asides}
        for member in Aside.__dataclass_fields__:
            values = {name: str(aside[member]) for name, aside in seen.items()}
            if len(set(values.values())) > 1:
                rows.append([sdk, what, how, member, *(values.get(name, "?") for name in FAKES)])
    assert asides, "the other tests of this file run first"
    with capsys.disabled():
        print("\n" + _table([["SDK", "request", "answer", "member", *FAKES], *rows]))


def _prefix(id: str) -> str:
    """What tells an id's kind."""
    return id.rstrip("0123456789abcdef").split("-")[0].split("_")[0] or "digits"


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
