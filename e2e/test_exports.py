"""Exports as Parquet, read by a program that is not ours."""

import decimal
import io
import json
import time
import uuid

import httpx
import pyarrow
import pyarrow.parquet
import pytest
from harness import office, processes

SCOPES = [*office.SCOPES, "logs.write", "logs.export", "logs.list", "logs.view"]
FIELDS = ["id", "created_at", "ai_model", "total_units", "cost", "is_success", "metadata", "request"]


@pytest.fixture(scope="module")
def client():
    gateway = processes.start_tidegate(settings='[records]\nbodies = "all"\n', TIDEGATE_ADMIN_KEY=office.ADMIN)
    try:
        key = office.workspace(gateway, "Exports").service_key("exports", SCOPES)["key"]
        with httpx.Client(base_url=gateway.v1, headers={"x-portkey-api-key": key}) as client:
            yield client
    finally:
        gateway.process.stop()


def told(i: int) -> dict:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"tide {i}"}]}
    usage = {"prompt_tokens": 10, "completion_tokens": i}
    return {
        "request": {"url": "https://api.openai.com/v1/chat/completions", "method": "POST", "provider": "openai", "body": body},
        "response": {"status": 200, "response_time": 10, "body": {"model": "gpt-4o", "usage": usage, "choices": []}},
        "metadata": {"traceId": f"t-{uuid.uuid4()}", "spanId": f"s-{i}", "n": str(i)},
    }


def done(answer: httpx.Response) -> dict:
    assert answer.status_code == 200, answer.text
    return answer.json()


def exported(client: httpx.Client, file_format: str) -> bytes:
    wanted = {"filters": {}, "requested_data": FIELDS, "format": file_format}
    job = done(client.post("/logs/exports", json=wanted))["id"]
    done(client.post(f"/logs/exports/{job}/start", json={}))
    deadline = time.monotonic() + 20
    while done(client.get(f"/logs/exports/{job}"))["status"] == "in_progress" and time.monotonic() < deadline:
        time.sleep(0.05)
    link = done(client.get(f"/logs/exports/{job}/download"))["signed_url"]
    # The gateway is reached at another port than it says of itself: any free one.
    answer = httpx.get(client.base_url.join(httpx.URL(link).raw_path.decode()))
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_table_is_what_the_lines_are(client):
    done(client.post("/logs", json=[told(i) for i in range(30)]))
    deadline = time.monotonic() + 20
    while done(client.get("/logs"))["total"] < 30 and time.monotonic() < deadline:
        time.sleep(0.05)
    lines = [json.loads(line) for line in exported(client, "jsonl").decode().splitlines()]
    table = pyarrow.parquet.read_table(io.BytesIO(exported(client, "parquet")))
    assert table.column_names == FIELDS
    assert table.schema.field("created_at").type == pyarrow.timestamp("ms", tz="UTC")
    assert table.schema.field("cost").type == pyarrow.decimal128(38, 18)
    assert table.schema.field("total_units").type == pyarrow.int64()
    rows = table.to_pylist()
    assert len(rows) == len(lines) == 30
    for row, line in zip(rows, lines, strict=True):
        assert {name: row[name] for name in ("id", "ai_model", "total_units", "is_success")} == {
            name: line[name] for name in ("id", "ai_model", "total_units", "is_success")
        }
        assert row["created_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z") == line["created_at"]
        assert row["cost"] == decimal.Decimal(str(line["cost"]))
        assert json.loads(row["metadata"]) == line["metadata"]
        assert json.loads(row["request"]) == line["request"]
