"""The admin API does what its own description says: schemathesis asks every operation of `/openapi.json` for right and for
wrong things, with the administrator's key and with a workspace's.

It fails when an answer is a 5xx, has a status or a media type that is not in the description, or is not of the described
shape. The seed is fixed, so that a failure can be asked for again.
"""

import os
import subprocess

import pytest
from harness import office, paths, processes

SEED = 17
EXAMPLES = 12
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Seconds for one caller: a quarter of that where nothing else runs.
TIME_LIMIT = 240


@pytest.fixture
def fresh():
    """A gateway that may be left in any state."""
    running = processes.start_tidegate(TIDEGATE_ADMIN_KEY=office.ADMIN)
    yield running
    running.process.stop()


@pytest.mark.parametrize("caller", ["admin", "workspace"])
def test_every_operation_is_as_described(fresh, caller, tmp_path):
    key = office.ADMIN if caller == "admin" else office.workspace(fresh).key
    command = [
        str(paths.PYTHON), "-m", "schemathesis.cli", "run", f"{fresh.url}/openapi.json",
        "--header", f"x-portkey-api-key: {key}", "--checks", CHECKS, "--seed", str(SEED),
        "--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing", "--no-color",
        "--continue-on-failure", "--request-timeout", "20", "--warnings", "off",
        # An answer without an end.
        "--exclude-path", "/v1/logs/tail",
    ]  # fmt: skip
    ended = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"NO_PROXY": "*"}, capture_output=True, text=True, timeout=TIME_LIMIT
    )
    assert ended.returncode == 0, ended.stdout[-12000:] + ended.stderr[-2000:]
    assert " 0 selected" not in ended.stdout
