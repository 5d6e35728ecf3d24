"""Incidents of other gateways, each as a test by which it cannot become ours. `incidents.md` says which row is which, and
what covers the others."""

import base64
import hashlib
import http.server
import itertools
import json
import re
import socket
import sqlite3
import stat
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest
from harness import office, processes
from harness.providers import KEY, QUESTION, TIDE

CHAT = {"model": "gpt-4o", "max_tokens": 50, "messages": [{"role": "user", "content": QUESTION}]}


def chat(workspace, key=None, **headers):
    headers = {"authorization": f"Bearer {key or workspace.key}"} | headers
    return httpx.post(f"{workspace.gateway.v1}/chat/completions", headers=headers, json=CHAT, timeout=120)


@pytest.fixture
def alone():
    """A gateway of the test's own."""
    running = processes.start_tidegate(TIDEGATE_ADMIN_KEY=office.ADMIN)
    yield running
    running.process.stop()


@pytest.fixture
def canary():
    """A server that keeps the headers of whatever reaches it."""
    seen: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()


HOSTILE_KEYS = [
    "' OR '1'='1", "'; DROP TABLE api_key;--", "\" OR \"\"=\"", "1 UNION SELECT * FROM api_key", "%27%20OR%201=1", "tg-svc-' --",
    "\\x00", "{}", "null", "true", "[]", "../../admin.key", "tg-svc-" + "A" * 4_000, "${jndi:ldap://x}", "Bearer Bearer x",
]  # fmt: skip


@pytest.mark.parametrize("header", ["x-portkey-api-key", "authorization", "x-api-key", "x-tidegate-api-key"])
def test_incident_02_sql_in_the_authorization_header(workspace, header):
    for text in HOSTILE_KEYS:
        headers = {header: f"Bearer {text}" if header == "authorization" else text}
        for method, path in [("GET", "/api-keys"), ("GET", "/configs"), ("POST", "/chat/completions")]:
            answer = httpx.request(method, f"{workspace.gateway.v1}{path}", headers=headers, json=CHAT, timeout=120)
            assert answer.status_code in (400, 401), f"{path} {text}: {answer.status_code}: {answer.text}"
    assert office.ask(workspace.gateway, "GET", "/configs", workspace.key).status_code == 200


def test_incident_02_a_stolen_data_directory_holds_no_key(alone, fakes):
    own = office.workspace(alone)
    own.virtual_key("OpenAI", "openai", f"{fakes['openai']}/v1", key="sk-e2e", note="n")
    secret = "sk-secret-of-the-provider-3"
    own.virtual_key("Other", "anthropic", f"{fakes['anthropic']}/v1", key=secret)
    assert chat(own).status_code == 200
    alone.process.stop()
    for file in alone.data.rglob("*"):
        if not file.is_file() or file.name == "master.key":
            continue
        data = file.read_bytes()
        for text in (own.key, office.ADMIN, secret):
            assert text.encode() not in data, f"{file.name} holds {text[:10]}…"
    for line in alone.process.lines:
        assert not any(text in line for text in (own.key, office.ADMIN, secret)), line


HOSTS = ["x/#@y", "x/v1/models", "127.0.0.1@x", "x?y", "/healthz", "localhost/#/v1/chat/completions", "[::1", "a b"]


def disguised(path: str) -> list[str]:
    """The path as somebody would write it who wants to be let in by one reader of it and served by another."""
    rest = path.removeprefix("/v1/")
    return [
        path, f"/{path}", f"/v1/./{rest}", f"/healthz/..{path}", f"/v1/chat/..%2f{rest}", f"/v1/chat/%2e%2e/{rest}",
        f"/V1/{rest}", f"{path}/", f"{path};x=1", f"{path}%00", f"/v1//{rest}", f"/openapi.json/..{path}", f"{path}?x-portkey-api-key=1",
        f"http://x{path}", f"/v1/{rest[:1]}%{ord(rest[1]):02x}{rest[2:]}",
    ]  # fmt: skip


def raw(url: str, method: str, target: str, host: str) -> int:
    """The status of a request that no client would send; 0 when the connection is closed without an answer."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=120) as line:
        body = "" if method == "GET" else '{"name": "forged", "scopes": ["completions.write"]}'
        head = f"{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n"
        line.sendall(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        answer = b""
        while b"\r\n" not in answer and (more := line.recv(4096)):
            answer += more
    return int(answer.split(b" ")[1]) if answer else 0


@pytest.mark.parametrize("keyless", ["loopback", "anywhere"])
def test_incident_03_no_host_and_no_path_opens_an_admin_route(keyless):
    gateway = processes.start_tidegate(
        settings=f'[access]\nkeyless = "{keyless}"\nkeyless_after_first_key = true\n', TIDEGATE_ADMIN_KEY=office.ADMIN
    )
    try:
        paths = httpx.get(f"{gateway.url}/openapi.json").json()["paths"]
        guarded = [
            (method.upper(), re.sub(r"\{\w+\}", "x", path))
            for path, operations in paths.items()
            for method, operation in operations.items()
            if "x-tidegate-permission" in operation
        ]
        assert len(guarded) > 50
        before = office.call(gateway, "GET", "/audit-logs")
        for method, path in guarded:
            assert raw(gateway.url, method, path, "127.0.0.1") == 401, f"{method} {path}"
            tries = itertools.chain(
                ((path, host) for host in HOSTS), ((target, "127.0.0.1") for target in disguised(path))
            )
            for target, host in tries:
                status = raw(gateway.url, method, target, host)
                assert status in (0, 400, 401, 403, 404, 405), f"{method} {target} with host {host}: {status}"
        assert office.call(gateway, "GET", "/audit-logs")["total"] == before["total"]
    finally:
        gateway.process.stop()


def test_incident_04_what_is_stored_of_a_key_is_no_key(alone):
    own = office.workspace(alone)
    shown = json.dumps(office.call(alone, "GET", "/api-keys"))
    digest = hashlib.sha256(own.key.encode()).digest()
    assert own.key not in shown and digest.hex() not in shown
    tries = {digest.hex(), base64.b64encode(digest).decode(), base64.urlsafe_b64encode(digest).decode().rstrip("=")}
    with sqlite3.connect(f"file:{alone.data / 'tidegate.db'}?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for row in itertools.chain.from_iterable(database.execute(f'SELECT * FROM "{table}"') for table in tables):
            for value in row:
                if isinstance(value, bytes) and 16 <= len(value) <= 64:
                    tries |= {value.hex(), base64.b64encode(value).decode()}
                elif isinstance(value, str):
                    tries |= set(re.findall(r"[A-Za-z0-9_+/=-]{16,128}", value))
    assert len(tries) > 10 and own.key not in tries
    for text in tries:
        assert office.ask(alone, "GET", "/configs", text).status_code == 401, text


def test_incident_07_what_is_revoked_ends_at_once(managed, workspace, fakes):
    workspace.virtual_key("OpenAI", "openai", f"{fakes['openai']}/v1")
    key = workspace.service_key("short-lived")
    assert chat(workspace, key["key"]).status_code == 200
    office.call(managed, "DELETE", f"/api-keys/{key['id']}")
    revoked = time.monotonic()
    assert chat(workspace, key["key"]).status_code == 401
    assert office.ask(managed, "GET", "/configs", key["key"]).status_code == 401
    assert time.monotonic() - revoked < 1

    email = "leaves@example.org"
    invite = office.call(managed, "POST", "/admin/users/invites", json={"email": email, "role": "admin"})
    token = invite["invite_link"].split("token=")[1]
    with httpx.Client(base_url=managed.v1) as browser, httpx.Client(base_url=managed.v1) as stranger:
        assert browser.post("/session", json={"token": token}).status_code == 200
        # A link signs in once.
        assert stranger.post("/session", json={"token": token}).status_code == 401
        assert browser.get("/session").status_code == 200
        (user,) = office.call(managed, "GET", f"/admin/users?email={email}")["data"]
        office.call(managed, "DELETE", f"/admin/users/{user['id']}")
        assert browser.get("/session").status_code == 401
        assert browser.get("/admin/users").status_code == 401


FORBIDDEN = [
    "http://169.254.169.254/latest", "http://[::ffff:169.254.169.254]/", "http://127.0.0.1:1", "http://127.1:1", "http://0:1",
    "http://2130706433:1", "http://[::1]:1", "http://[::]:1", "http://10.0.0.1", "http://metadata.google.internal", "http://localhost:1",
    "file:///etc/passwd", "gopher://x.example", "http://user@127.0.0.1:1", "http://api.example\\@127.0.0.1", "//127.0.0.1:1",
]  # fmt: skip


def test_incident_08_no_address_is_stored_that_nobody_may_call(canary):
    gateway = processes.start_tidegate("--host", "0.0.0.0", TIDEGATE_ADMIN_KEY=office.ADMIN)
    try:
        own = office.workspace(gateway)
        made = office.call(
            gateway, "POST", "/virtual-keys", own.key, json={"name": "k", "provider": "openai", "key": KEY}
        )
        integration = office.call(
            gateway, "POST", "/integrations", json={"name": "i", "ai_provider_id": "openai", "key": KEY}
        )
        for url in [*FORBIDDEN, canary[0]]:
            tries = [
                ("POST", "/virtual-keys", own.key, {"name": "x", "provider": "openai", "key": KEY, "custom_host": url}),
                ("POST", "/providers", own.key, {"name": "x", "provider": "openai", "key": KEY, "base_url": url}),
                ("PUT", f"/virtual-keys/{made['slug']}", own.key, {"key": KEY, "custom_host": url}),
                (
                    "POST", "/integrations", office.ADMIN,
                    {"name": "x", "ai_provider_id": "openai", "key": KEY, "configurations": {"custom_host": url}},
                ),
                (
                    "PUT", f"/integrations/{integration['slug']}", office.ADMIN,
                    {"key": KEY, "configurations": {"custom_host": url}},
                ),
            ]  # fmt: skip
            for method, path, key, body in tries:
                answer = office.ask(gateway, method, path, key, json=body)
                assert answer.status_code == 400, f"{method} {path} {url}: {answer.status_code}: {answer.text}"
            config = {"provider": "openai", "api_key": KEY, "custom_host": url}
            assert chat(own, **{"x-portkey-config": json.dumps(config)}).status_code >= 400
        assert canary[1] == []
    finally:
        gateway.process.stop()


def test_incident_09_a_stored_provider_that_is_the_gateway_itself(workspace):
    workspace.virtual_key("Mirror", "openai", workspace.gateway.v1, key=workspace.key)
    started = time.monotonic()
    answer = chat(workspace)
    assert answer.status_code >= 400, answer.text
    assert time.monotonic() - started < 10
    assert office.ask(workspace.gateway, "GET", "/configs", workspace.key).status_code == 200


def test_incident_12_a_key_does_not_follow_a_changed_address(managed, workspace, canary, fakes):
    url, seen = canary
    slug = workspace.virtual_key("OpenAI", "openai", f"{fakes['openai']}/v1")
    assert chat(workspace).status_code == 200
    office.ask(managed, "PUT", f"/virtual-keys/{slug}", workspace.key, json={"custom_host": url})
    answer = chat(workspace)
    assert answer.status_code >= 400
    assert not any(KEY in json.dumps(headers) or workspace.key in json.dumps(headers) for headers in seen)
    # Entered again it is used.
    office.call(managed, "PUT", f"/virtual-keys/{slug}", workspace.key, json={"key": "sk-new", "custom_host": url})
    chat(workspace)
    assert seen[-1]["authorization"] == "Bearer sk-new"


def test_incident_13_the_first_key_is_random_and_told_once(tmp_path):
    keys = set()
    for name in ("one", "two"):
        data = tmp_path / name
        for start in ("first", "second"):
            command = [str(processes.paths.binary("tidegate")), "serve", "--port", "0", "--data-dir", str(data)]
            gateway = processes.Process("tidegate", command, env=processes.clean_env(), cwd=tmp_path)
            url = gateway.wait_for(r"listening on (http://\S+)")[1]
            key = (data / "admin.key").read_text().strip()
            assert httpx.get(f"{url}/v1/api-keys", headers={"x-portkey-api-key": key}).status_code == 200
            assert httpx.get(f"{url}/v1/api-keys").status_code == 401
            for guess in ("123456", "admin", "password", "tidegate", "changeme"):
                answer = httpx.get(f"{url}/v1/api-keys", headers={"x-portkey-api-key": guess})
                assert answer.status_code == 401, guess
            gateway.stop()
            assert sum(key in line for line in gateway.lines) == (1 if start == "first" else 0)
        assert stat.S_IMODE((data / "admin.key").stat().st_mode) == 0o600
        keys.add(key)
    assert len(keys) == 2 and all(len(key) >= 32 for key in keys)


DOORS = [
    ("POST", "/chat/completions"), ("POST", "/completions"), ("POST", "/embeddings"), ("POST", "/messages"),
    ("POST", "/responses"), ("POST", "/images/generations"), ("POST", "/audio/speech"), ("POST", "/rerank"), ("POST", "/moderations"),
    ("POST", "/proxy/chat/completions"), ("GET", "/files"), ("POST", "/batches"), ("GET", "/fine_tuning/jobs"), ("POST", "/threads"),
    ("POST", "/anything/else"), ("DELETE", "/files/f"), ("GET", "/responses/r"), ("POST", "/messages/count_tokens"),
]  # fmt: skip


def test_incident_14_no_side_door_around_a_limit(workspace, fakes):
    slug = workspace.virtual_key("OpenAI", "openai", f"{fakes['openai']}/v1")
    key = workspace.service_key(
        "limited", ["completions.write"], rate_limits=[{"type": "requests", "unit": "rpd", "value": 1}]
    )["key"]
    headers = {"authorization": f"Bearer {key}", "x-portkey-provider": f"@{slug}"}
    ask = lambda method, path: httpx.request(  # noqa: E731
        method, f"{workspace.gateway.v1}{path}", headers=headers, json=None if method == "GET" else CHAT, timeout=120
    )
    assert ask("POST", "/chat/completions").status_code == 200
    for method, path in DOORS:
        answer = ask(method, path)
        assert answer.status_code == 429, f"{method} {path}: {answer.status_code}: {answer.text}"
        assert int(answer.headers["retry-after"]) > 0, path


def test_incident_15_the_database_is_away_and_calls_go_on(alone, fakes):
    own = office.workspace(alone)
    own.virtual_key("OpenAI", "openai", f"{fakes['openai']}/v1")
    assert chat(own).status_code == 200
    with sqlite3.connect(alone.data / "tidegate.db", isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        for _ in range(20):
            started = time.monotonic()
            answer = chat(own)
            assert answer.status_code == 200, answer.text
            assert time.monotonic() - started < 2
            assert answer.json()["choices"][0]["message"]["content"] == TIDE
        refused = office.ask(alone, "POST", "/configs", own.key, json={"name": "c", "config": {"provider": "openai"}})
        assert refused.status_code == 503, refused.text
        database.execute("ROLLBACK")
    assert own.config("c", {"provider": "openai", "api_key": KEY}).startswith("pc-")
