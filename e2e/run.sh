#!/usr/bin/env bash
# Installs what the end-to-end suites need, builds the binaries under test, and runs every suite.
# Arguments go to pytest: e2e/run.sh -k anthropic
set -euo pipefail
cd "$(dirname "$0")"

python3 setup.py
(cd .. && cargo build --quiet --profile quick -p tidegate -p tidegate-testkit)

started=$(date +%s)
status=0
.cache/venv/bin/python -m pytest "$@" || status=$?
# Figures of a slow machine: told, and only the size of the scripts is a reason to fail.
[ $# -gt 0 ] || (cd console && node interactive.mjs) || status=$?
echo "end to end: $([ $status = 0 ] && echo passed || echo FAILED) in $(($(date +%s) - started)) s"
exit $status
