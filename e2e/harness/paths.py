"""Where the suites find what `setup.py` installed and what cargo built."""

import os
from pathlib import Path

E2E = Path(__file__).resolve().parents[1]
ROOT = E2E.parent
CACHE = E2E / ".cache"
NODE = E2E / "node"
RUST = E2E / "rust"
REFERENCE = E2E / "reference" / "node_modules" / "@portkey-ai" / "gateway"
PYTHON = CACHE / "venv" / "bin" / "python"


def target_dir() -> Path:
    """Cargo's target directory for the binaries under test."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def binary(name: str) -> Path:
    """A binary of the workspace, built with the profile that `run.sh` builds.

    `TIDEGATE_E2E_BIN` names another directory to take them from.
    """
    folder = os.environ.get("TIDEGATE_E2E_BIN")
    path = (Path(folder) if folder else target_dir() / "quick") / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run e2e/run.sh, which builds it")
    return path
