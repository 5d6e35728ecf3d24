"""Portkey's Python SDK against the admin API: keys, workspaces, people. Its types refuse what is not in their shape."""

import httpx
import pytest
from harness import processes
from portkey_ai import Portkey
from portkey_ai.api_resources.exceptions import APIStatusError

ADMIN = "an-admin-key-of-the-operators-0123456789"


@pytest.fixture(scope="module")
def admin_gateway():
    """A gateway of its own: what is made here is nobody else's."""
    running = processes.start_tidegate(TIDEGATE_ADMIN_KEY=ADMIN)
    yield running
    running.process.stop()


@pytest.fixture(scope="module")
def admin(admin_gateway):
    return Portkey(base_url=admin_gateway.v1, api_key=ADMIN)


def test_a_workspaces_life(admin):
    made = admin.admin.workspaces.create(name="Search", description="d", defaults={"metadata": {"team": "search"}})
    assert made.slug.startswith("ws-search-")
    assert admin.admin.workspaces.list(exact_name="Search").total == 1
    assert admin.admin.workspaces.retrieve(workspace_id=made.slug).name == "Search"
    admin.admin.workspaces.update(workspace_id=made.slug, name="Find")
    assert admin.admin.workspaces.retrieve(workspace_id=made.id).name == "Find"
    admin.admin.workspaces.delete(workspace_id=made.slug, name="Find")
    with pytest.raises(APIStatusError) as refused:
        admin.admin.workspaces.retrieve(workspace_id=made.slug)
    assert refused.value.status_code == 404


def test_a_keys_life(admin, admin_gateway):
    made = admin.api_keys.create(
        name="ci",
        type="workspace",
        sub_type="service",
        workspace_id="ws-default",
        scopes=["workspaces.list", "logs.view"],
        usage_limits={"type": "cost", "credit_limit": 10, "alert_threshold": 8},
        rate_limits=[{"type": "requests", "unit": "rpm", "value": 100}],
        defaults={"metadata": {"team": "build"}},
    )
    assert made.key.startswith("tg-svc-")
    row = admin.api_keys.retrieve(id=made.id)
    assert (row.name, row.status, row.scopes) == ("ci", "active", ["workspaces.list", "logs.view"])
    assert row.key != made.key and row.key.endswith(made.key[-4:])
    own = Portkey(base_url=admin_gateway.v1, api_key=made.key)
    assert own.admin.workspaces.list().total == 1
    admin.api_keys.update(id=made.id, name="ci 2", scopes=["workspaces.list"])
    listed = admin.api_keys.list(workspace_id="ws-default", page_size=10, current_page=0)
    assert [row["name"] for row in listed.data] == ["ci 2"]
    admin.api_keys.delete(id=made.id)
    with pytest.raises(APIStatusError) as refused:
        own.admin.workspaces.list()
    assert refused.value.status_code == 401


def test_people(admin, admin_gateway):
    invite = admin.admin.users.invites.create(
        email="new@example.org",
        role="member",
        workspaces=[{"id": "ws-default", "role": "member"}],
        workspace_api_key_details={"scopes": ["completions.write"]},
    )
    assert admin.admin.users.invites.retrieve(invite_id=invite.id).status == "pending"
    link = admin.admin.users.invites.resend(invite_id=invite.id).inviteLink
    token = link.split("token=")[1]
    session = httpx.post(f"{admin_gateway.v1}/session", json={"token": token})
    assert (session.status_code, len(session.json()["api_keys"])) == (200, 1)
    assert admin.admin.users.invites.list(status="pending").total == 0
    assert admin.admin.users.invites.retrieve(invite_id=invite.id).status == "accepted"
    (user,) = admin.admin.users.list(email="new@example.org").data
    members = admin.admin.workspaces.users
    assert [row["id"] for row in members.list(workspace_id="ws-default").data] == [user.id]
    members.update(workspace_id="ws-default", user_id=user.id, role="manager")
    assert members.retrieve(workspace_id="ws-default", user_id=user.id).role == "manager"
    members.delete(workspace_id="ws-default", user_id=user.id)
    members.create(workspace_id="ws-default", users=[{"id": user.id, "role": "member"}])
    admin.admin.users.update(user_id=user.id, role="admin")
    assert admin.admin.users.retrieve(user_id=user.id).role == "admin"
    admin.admin.users.delete(user_id=user.id)
    assert admin.admin.users.list(email="new@example.org").total == 0


def test_refusals_are_readable(admin, admin_gateway):
    with pytest.raises(APIStatusError) as refused:
        admin.api_keys.create(
            name="k", type="workspace", sub_type="service", workspace_id="ws-default", scopes=["everything"]
        )
    assert refused.value.status_code == 400 and 'unknown scope "everything"' in str(refused.value)
    stranger = Portkey(base_url=admin_gateway.v1, api_key="nobody-knows-this-key-0123456789")
    with pytest.raises(APIStatusError) as refused:
        stranger.api_keys.list()
    assert refused.value.status_code == 401
