"""What a release consists of: a bill of materials that is whole, and a signature that says who made it."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-gnu"
# What features of tests and benches bring into the workspace, and no feature of the binary's.
OF_TESTS = {"const-random", "getrandom", "ring", "untrusted", "zlib-rs"}


def run(*command, **more):
    return subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, **more)


def bill():
    made = run(sys.executable, "release/sbom.py", "--target", TARGET, "--commit", "c0ffee", "--epoch", "1700000000")
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.fixture(scope="module")
def sbom():
    return json.loads(bill())


def linked():
    """Another way to what is linked than the script's: Cargo's own graph, walked from the binary over normal dependencies."""
    told = run("cargo", "metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", TARGET)
    assert told.returncode == 0, told.stderr
    told = json.loads(told.stdout)
    packages = {package["id"]: package for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    is_macro = {key: any("proc-macro" in one["kind"] for one in package["targets"]) for key, package in packages.items()}
    waiting = [key for key, package in packages.items() if package["name"] == "tidegate" and package["source"] is None]
    seen = set()
    while waiting:
        key = waiting.pop()
        if key in seen or is_macro[key]:
            continue
        seen.add(key)
        for dependency in nodes[key]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    return {(packages[key]["name"], packages[key]["version"]) for key in seen}


def test_every_package_that_is_linked_is_listed_with_licence_and_checksum(sbom):
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    lock = {(package["name"], package["version"]): package.get("checksum") for package in lock}
    cargo = [one for one in sbom["components"] if one["purl"].startswith("pkg:cargo/")]
    listed = {(one["name"], one["version"]): one for one in cargo}
    assert len(listed) == len(cargo), "nothing stands there twice"
    required = {key for key, one in listed.items() if one["scope"] == "required"}
    # The graph has the features of all packages of the workspace together, tests and benches too.
    graph = linked()
    assert required <= graph, required - graph
    assert {name for name, _ in graph - required} <= OF_TESTS, graph - required
    assert len(required) > 150
    for key, one in listed.items():
        assert one["licenses"][0]["expression"], key
        checksum = lock[key]
        if checksum is None:
            assert one["group"] == "tidegate"
        else:
            assert one["hashes"] == [{"alg": "SHA-256", "content": checksum}], key
    for name in ("tokio", "rustls", "tidegate-ledger", "hyper"):
        assert any(key[0] == name for key in required), name


def test_what_the_console_is_made_of_is_listed_too(sbom):
    npm = {one["name"]: one for one in sbom["components"] if one["purl"].startswith("pkg:npm/")}
    wanted = json.loads((ROOT / "console/package.json").read_text())["dependencies"]
    assert set(wanted) <= set(npm)
    assert all(len(one["hashes"][0]["content"]) == 128 and one["licenses"] for one in npm.values())


def test_the_same_commit_gives_the_same_bill():
    assert bill() == bill()


@pytest.fixture
def signed(tmp_path):
    """A directory as `build.sh` leaves it, without the build."""
    key = tmp_path / "key"
    assert run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "maintainer", "-f", key).returncode == 0
    out = tmp_path / "out"
    out.mkdir()
    (out / "tidegate").write_bytes(b"binary")
    sums = subprocess.run("sha256sum tidegate > SHA256SUMS", shell=True, cwd=out)
    assert sums.returncode == 0
    made = run("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "tidegate-release", out / "SHA256SUMS")
    assert made.returncode == 0, made.stderr
    signers = tmp_path / "signers"
    signers.write_text("maintainer " + (tmp_path / "key.pub").read_text())
    return out, signers


def test_what_somebody_else_made_is_refused(signed, tmp_path):
    out, signers = signed
    assert run("bash", "release/verify.sh", out, signers).returncode == 0
    (out / "tidegate").write_bytes(b"another")
    assert run("bash", "release/verify.sh", out, signers).returncode != 0, "a binary that was changed"
    (out / "tidegate").write_bytes(b"binary")
    sums = (out / "SHA256SUMS").read_text()
    (out / "SHA256SUMS").write_text(sums.replace(sums[0], "0" if sums[0] != "0" else "1", 1))
    assert run("bash", "release/verify.sh", out, signers).returncode != 0, "checksums that were changed"
    (out / "SHA256SUMS").write_text(sums)
    stranger = tmp_path / "stranger"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger)
    signers.write_text("maintainer " + (tmp_path / "stranger.pub").read_text())
    assert run("bash", "release/verify.sh", out, signers).returncode != 0, "a key that may not sign"


def test_nothing_is_built_without_a_key_or_of_what_no_commit_has(tmp_path):
    none = run("bash", "release/build.sh")
    assert none.returncode == 2 and "--key is missing" in none.stderr
    missing = run("bash", "release/build.sh", "--key", tmp_path / "none")
    assert missing.returncode == 2 and "there is no file" in missing.stderr
    # Not in the repository itself, which other tests use at this moment.
    copy = tmp_path / "copy"
    assert run("git", "init", "-q", copy).returncode == 0
    (copy / "release").mkdir()
    (copy / "release/build.sh").write_bytes((ROOT / "release/build.sh").read_bytes())
    (tmp_path / "key").write_text("")
    dirty = subprocess.run(["bash", "release/build.sh", "--key", tmp_path / "key"], cwd=copy, capture_output=True, text=True,
                           env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)})
    assert dirty.returncode == 1 and "no commit has" in dirty.stderr
