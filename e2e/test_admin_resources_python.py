"""Portkey's Python SDK against the admin API: configs, virtual keys, integrations, providers. Unchanged clients, whose
types refuse what is not in their shape."""

import pytest
from harness import office
from harness.providers import KEY
from portkey_ai import Portkey
from portkey_ai.api_resources import exceptions

CONFIG = {"retry": {"attempts": 2}, "targets": [{"provider": "openai", "api_key": KEY}]}
GONE = exceptions.NotFoundError


@pytest.fixture
def own(managed, workspace):
    """The SDK with the workspace's own key."""
    return Portkey(base_url=managed.v1, api_key=workspace.key)


@pytest.fixture
def admin(managed):
    """The SDK with the administrator's key."""
    return Portkey(base_url=managed.v1, api_key=office.ADMIN)


def slugs(listed) -> list[str]:
    return [row["slug"] for row in listed.data]


def test_a_configs_life(own):
    made = own.configs.create(name="main", config=CONFIG)
    assert made.slug.startswith("pc-") and made.id and made.version_id
    row = own.configs.retrieve(slug=made.slug)
    assert (row.name, row.version_id, row.slug) == ("main", made.version_id, made.slug)
    assert KEY not in str(row)
    assert slugs(own.configs.list()) == [made.slug]
    changed = own.configs.update(slug=made.slug, name="other", config={"retry": {"attempts": 3}, **CONFIG})
    assert changed.version_id != made.version_id
    assert own.configs.retrieve(slug=made.slug).name == "other"
    own.configs.delete(slug=made.slug)
    with pytest.raises(GONE):
        own.configs.retrieve(slug=made.slug)
    assert own.configs.list().total == 0


def test_a_virtual_keys_life(own):
    made = own.virtual_keys.create(
        name="OpenAI EU", provider="openai", key="sk-secret-of-the-provider-1", note="n",
        usage_limits={"type": "cost", "credit_limit": 10, "alert_threshold": 8, "periodic_reset": "monthly"},
        rate_limits=[{"type": "requests", "unit": "rpm", "value": 100}],
    )  # fmt: skip
    row = own.virtual_keys.retrieve(slug=made.slug)
    assert (row.name, row.slug, row.status, row.note) == ("OpenAI EU", made.slug, "active", "n")
    assert row.usage_limits["credit_limit"] == 10
    assert "sk-secret" not in str(row)
    assert slugs(own.virtual_keys.list()) == [made.slug]
    own.virtual_keys.update(slug=made.slug, name="OpenAI US", note="m")
    row = own.virtual_keys.retrieve(slug=made.slug)
    assert (row.name, row.note, row.usage_limits["credit_limit"]) == ("OpenAI US", "m", 10)
    own.virtual_keys.delete(slug=made.slug)
    with pytest.raises(GONE):
        own.virtual_keys.retrieve(slug=made.slug)


def test_azures_own_members(own, workspace):
    made = own.virtual_keys.create(
        name="Azure", provider="azure-openai", key=KEY,
        resourceName="my-resource", deploymentName="my-gpt", apiVersion="2024-10-21",
    )  # fmt: skip
    # Python's SDK loses the member `model_config` of a single row to its base class: asked without it.
    row = office.call(workspace.gateway, "GET", f"/virtual-keys/{made.slug}", workspace.key)
    shown = {name: row["model_config"][name] for name in ("resourceName", "deploymentName", "apiVersion")}
    assert shown == {"resourceName": "my-resource", "deploymentName": "my-gpt", "apiVersion": "2024-10-21"}


def test_an_integrations_life(admin, managed, workspace):
    made = admin.integrations.create(
        name="OpenAI of all", ai_provider_id="openai", key="sk-secret-of-the-provider-2", description="d",
        configurations={"openai_organization": "org-1"}, create_default_provider=False,
    )  # fmt: skip
    row = admin.integrations.retrieve(slug=made.slug)
    assert (row.name, row.ai_provider_id, row.slug) == ("OpenAI of all", "openai", made.slug)
    assert row.configurations["openai_organization"] == "org-1"
    assert "sk-secret" not in str(row)
    assert made.slug in slugs(admin.integrations.list())
    admin.integrations.update(slug=made.slug, name="OpenAI", description="e")
    assert admin.integrations.retrieve(slug=made.slug).name == "OpenAI"

    admin.integrations.models.update(
        slug=made.slug, allow_all_models=False,
        models=[{"slug": "gpt-4o", "enabled": True}, {"slug": "my-own", "enabled": True, "is_custom": True}],
    )  # fmt: skip
    listed = admin.integrations.models.list(slug=made.slug)
    assert {model.slug for model in listed.models if model.enabled} == {"gpt-4o", "my-own"}
    admin.integrations.models.delete(slug=made.slug, slugs="my-own")
    listed = admin.integrations.models.list(slug=made.slug)
    assert "my-own" not in {model.slug for model in listed.models}

    lent = {"id": workspace.slug, "enabled": True}
    admin.integrations.workspaces.update(slug=made.slug, workspaces=[lent])
    (found,) = admin.integrations.workspaces.list(slug=made.slug).workspaces
    assert found.enabled is True

    provider = admin.providers.create(
        name="OpenAI here", integration_id=made.slug, workspace_id=workspace.slug, slug="openai-here", note="n",
        usage_limits={"type": "cost", "credit_limit": 5}, rate_limits=[{"type": "requests", "unit": "rpm", "value": 60}],
    )  # fmt: skip
    assert provider.slug == "openai-here"
    row = admin.providers.retrieve(slug="openai-here", workspace_id=workspace.slug)
    assert (row.name, row.status, row.note) == ("OpenAI here", "active", "n")
    own = Portkey(base_url=managed.v1, api_key=workspace.key)
    assert "openai-here" in slugs(own.providers.list())
    admin.providers.update(slug="openai-here", workspace_id=workspace.slug, name="OpenAI there")
    assert own.providers.retrieve(slug="openai-here").name == "OpenAI there"
    with pytest.raises(exceptions.ConflictError):
        admin.integrations.delete(slug=made.slug)
    for slug in slugs(own.providers.list()):
        admin.providers.delete(slug=slug, workspace_id=workspace.slug)
    with pytest.raises(GONE):
        own.providers.retrieve(slug="openai-here")
    admin.integrations.delete(slug=made.slug)
    with pytest.raises(GONE):
        admin.integrations.retrieve(slug=made.slug)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda sdk: sdk.configs.create(name="x", config={"retry": {"attempts": "many"}}), "BadRequestError", "attempts"),
        (lambda sdk: sdk.configs.create(name="x", config={"targets": [{"provider": "nobody"}]}), "BadRequestError", "config.targets[0].provider"),
        (lambda sdk: sdk.virtual_keys.create(name="x", provider="nobody", key="k"), "BadRequestError", "provider"),
        (lambda sdk: sdk.virtual_keys.retrieve(slug="not-there"), "NotFoundError", ""),
        (lambda sdk: sdk.configs.delete(slug="pc-not-there"), "NotFoundError", ""),
        (lambda sdk: sdk.admin.users.list(), "PermissionDeniedError", "enough permissions"),
        (lambda sdk: sdk.with_options(api_key="nobody-knows-this-key").configs.list(), "AuthenticationError", ""),
    ],
)  # fmt: skip
def test_errors_have_the_sdks_types(own, call, kind, words):
    with pytest.raises(getattr(exceptions, kind)) as refused:
        call(own)
    assert words in str(refused.value)


def test_one_workspace_does_not_see_another(managed, own):
    other = office.workspace(managed)
    mine = own.virtual_keys.create(name="mine", provider="openai", key=KEY)
    config = own.configs.create(name="mine", config=CONFIG)
    stranger = Portkey(base_url=managed.v1, api_key=other.key)
    assert stranger.virtual_keys.list().total == 0 and stranger.configs.list().total == 0
    for attempt in (
        lambda: stranger.virtual_keys.retrieve(slug=mine.slug),
        lambda: stranger.virtual_keys.update(slug=mine.slug, name="theirs"),
        lambda: stranger.virtual_keys.delete(slug=mine.slug),
        lambda: stranger.configs.retrieve(slug=config.slug),
        lambda: stranger.configs.delete(slug=config.slug),
    ):
        with pytest.raises(GONE):
            attempt()
