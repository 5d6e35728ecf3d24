"""async-openai through the gateway: the crate in `rust/`, with cargo's own test runner."""

import subprocess

from harness import given, paths


def test_rust(gateway, upstreams, fakes):
    environment = given.environment(gateway, upstreams, fakes)
    environment["CARGO_TARGET_DIR"] = str(paths.target_dir() / "e2e-rust")
    ended = subprocess.run(
        ["cargo", "test", "--offline", "--locked", "--quiet"],
        cwd=paths.RUST,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-6000:]
    assert " passed" in ended.stdout
