"""What suites in other languages are told, as JSON in the variable TIDEGATE_E2E."""

import json
import os

from . import providers
from .processes import Tidegate
from .providers import Provider


def environment(gateway: Tidegate, upstreams: dict[str, Provider], fakes: dict[str, str]) -> dict[str, str]:
    """This process's environment with `TIDEGATE_E2E`."""
    given = {
        "gateway": gateway.url,
        "key": providers.KEY,
        "question": providers.QUESTION,
        "text": providers.TIDE,
        "arguments": providers.ARGUMENTS,
        "refused": fakes["refused"],
        "openaiTool": providers.OPENAI_TOOL,
        "anthropicTool": providers.ANTHROPIC_TOOL,
        "providers": {
            "fakes": [_described(upstreams[name]) for name in providers.FAKES],
            "real": _described(upstreams["real"]),
        },
    }
    return os.environ | {"RUST_BACKTRACE": "0", "TIDEGATE_E2E": json.dumps(given)}


def _described(provider: Provider) -> dict:
    return {
        "name": provider.name,
        "model": provider.model,
        "embeddingModel": provider.embedding_model,
        "headers": provider.headers(),
        "target": provider.target(),
    }
