"""A gateway that keeps keys, providers and configs: its administrator, and a workspace for whoever wants one."""

from dataclasses import dataclass
from itertools import count

import httpx

from .processes import Tidegate
from .providers import KEY

ADMIN = "an-admin-key-of-the-operators-0123456789"

# What a program may do that calls models and looks after its own workspace.
SCOPES = [
    "completions.write",
    *(f"{kind}.{verb}" for kind in ("configs", "virtual_keys", "providers", "policies")
      for verb in ("create", "read", "update", "delete", "list")),
    "workspace_integrations.list",
    "logs.list",
    "logs.read",
    "logs.view",
    "workspaces.read",
]  # fmt: skip
_numbers = count(1)


@dataclass(frozen=True)
class Workspace:
    """A workspace of a test's own, with the key of a program in it."""

    gateway: Tidegate
    slug: str
    key: str

    def virtual_key(self, name: str, provider: str, host: str, **more: object) -> str:
        """A provider's key kept by the gateway, for an upstream on this machine; its slug."""
        body = {"name": name, "provider": provider, "key": KEY, "custom_host": host} | more
        return call(self.gateway, "POST", "/virtual-keys", self.key, json=body)["slug"]

    def config(self, name: str, config: dict) -> str:
        """A saved config; its slug."""
        return call(self.gateway, "POST", "/configs", self.key, json={"name": name, "config": config})["slug"]

    def service_key(self, name: str = "app", scopes: list[str] = SCOPES, **more: object) -> dict:
        """A further key: `id` and `key`."""
        body = {"name": name, "scopes": scopes, "workspace_id": self.slug} | more
        return call(self.gateway, "POST", "/api-keys/workspace/service", json=body)


def workspace(gateway: Tidegate, name: str = "Tides") -> Workspace:
    """A new one."""
    made = call(gateway, "POST", "/admin/workspaces", json={"name": f"{name} {next(_numbers)}"})
    body = {"name": "app", "scopes": SCOPES, "workspace_id": made["slug"]}
    key = call(gateway, "POST", "/api-keys/workspace/service", json=body)
    return Workspace(gateway, made["slug"], key["key"])


def ask(gateway: Tidegate, method: str, path: str, key: str = ADMIN, **more: object) -> httpx.Response:
    """One request to the admin API, whatever it answers."""
    headers = {"x-portkey-api-key": key}
    return httpx.request(method, f"{gateway.v1}{path}", headers=headers, timeout=120, **more)


def call(gateway: Tidegate, method: str, path: str, key: str = ADMIN, **more: object) -> dict:
    """The same, which must be accepted."""
    answer = ask(gateway, method, path, key, **more)
    assert answer.status_code == 200, f"{method} {path}: {answer.status_code}: {answer.text}"
    return answer.json()
