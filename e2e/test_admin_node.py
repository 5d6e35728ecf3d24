"""Portkey's Node SDK against the admin API."""

import json
import os
import subprocess

from harness import office, paths


def test_admin_node(managed, workspace):
    given = {
        "gateway": managed.url,
        "admin": office.ADMIN,
        "workspace": workspace.slug,
        "key": workspace.key,
        "signIn": f"{managed.v1}/session",
    }
    ended = subprocess.run(
        ["node", "--test", "--test-reporter=spec", "admin.test.mjs"],
        cwd=paths.NODE,
        env=os.environ | {"TIDEGATE_E2E": json.dumps(given)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    assert "tests 0" not in ended.stdout
