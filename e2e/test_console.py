"""The console in a browser: node's own test runner, one file for each way of using it. Each starts a gateway of its own."""

import os
import subprocess

import pytest
from harness import paths


@pytest.mark.parametrize("part", ["way-in", "logs", "pages", "manage", "manage-pages", "new-user", "alerts", "traces"])
def test_console(part):
    ended = subprocess.run(
        ["node", "--test", "--test-reporter=spec", f"{part}.test.mjs"],
        cwd=paths.E2E / "console",
        env=os.environ | {"TIDEGATE_BIN": str(paths.binary("tidegate"))},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    assert "tests 0" not in ended.stdout
