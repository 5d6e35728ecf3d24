"""The upstreams of the SDK suites, and how a client says through the gateway which one it means."""

import json
from dataclasses import dataclass, field

KEY = "sk-e2e"
AZURE_VERSION = "2024-10-21"

# What every strict fake answers (see the test kit): the text, the tool call, the usage.
TIDE = "The tide at Brest is high at 12:04."
ARGUMENTS = {"port": "Brest"}
QUESTION = "When is high water?"


@dataclass(frozen=True)
class Provider:
    """One upstream. `id` is what Portkey's clients call the provider."""

    name: str
    id: str
    host: str
    model: str
    embedding_model: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    """Further members of a target, such as an Azure deployment."""
    settings: dict[str, str] = field(default_factory=dict)
    """The same, as the settings file has them."""
    base: str = ""
    """What the settings' base URL has behind the host that Portkey's clients name."""

    def headers(self) -> dict[str, str]:
        """For clients that choose by headers; they bring the key in their own."""
        headers = {f"x-portkey-{self._header(name)}": value for name, value in self.options.items()}
        return headers | {"x-portkey-provider": self.id, "x-portkey-custom-host": self.host}

    def target(self, **more: object) -> dict:
        """For clients that choose by a config."""
        return {"provider": self.id, "api_key": KEY, "custom_host": self.host} | self.options | more

    def config(self) -> dict[str, str]:
        return {"x-portkey-config": json.dumps(self.target())}

    def qualified(self, model: str | None = None) -> str:
        """For clients that choose by the model's name."""
        return f"@e2e-{self.name}/{model or self.model}"

    def section(self) -> str:
        """Its section of the settings file, which `qualified` refers to."""
        options = ", ".join(f"{name} = {json.dumps(value)}" for name, value in self.settings.items())
        lines = [
            f"[providers.e2e-{self.name}]",
            f'provider = "{self.id}"',
            f'api_key = "{KEY}"',
            f'base_url = "{self.host}{self.base}"',
        ]
        return "\n".join(lines + ([f"options = {{ {options} }}"] if options else [])) + "\n"

    def _header(self, option: str) -> str:
        name = option.replace("_", "-")
        return f"azure-{name}" if self.id == "azure-openai" else name


FAKES = ("openai", "anthropic", "gemini", "azure", "cohere")
EMBEDDING_FAKES = ("openai", "gemini", "azure", "cohere")


def describe(fakes: dict[str, str], model_server: str) -> dict[str, Provider]:
    """All upstreams by name: the strict fakes, and `real`, the model server."""
    azure = {"resource_name": "e2e", "deployment_id": "gpt-4o", "api_version": AZURE_VERSION}
    azure_settings = {"resource": "e2e", "deployment": "gpt-4o", "api_version": AZURE_VERSION}
    found = (
        Provider("openai", "openai", f"{fakes['openai']}/v1", "gpt-4o", "text-embedding-3-small"),
        Provider("anthropic", "anthropic", f"{fakes['anthropic']}/v1", "claude-sonnet-4-5"),
        Provider("gemini", "google", fakes["gemini"], "gemini-2.5-flash", "gemini-embedding-001", base="/v1beta"),
        Provider("azure", "azure-openai", f"{fakes['azure']}/openai", "gpt-4o", "gpt-4o", azure, azure_settings),
        Provider("cohere", "cohere", fakes["cohere"], "command-a-03-2025", "embed-v4.0"),
        Provider("real", "openai", f"{model_server}/v1", "smollm2-135m-instruct", "smollm2-135m-instruct"),
    )
    return {provider.name: provider for provider in found}


TOOL_PARAMETERS = {
    "type": "object",
    "properties": {"port": {"type": "string", "description": "Name of the port"}},
    "required": ["port"],
}
OPENAI_TOOL = {
    "type": "function",
    "function": {"name": "tide", "description": "Tide at a port", "parameters": TOOL_PARAMETERS},
}
ANTHROPIC_TOOL = {"name": "tide", "description": "Tide at a port", "input_schema": TOOL_PARAMETERS}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
