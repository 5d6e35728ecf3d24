#!/usr/bin/env bash
# Whether what was downloaded is what a maintainer signed.
#   release/verify.sh DIR ALLOWED_SIGNERS [SIGNER]
# ALLOWED_SIGNERS has lines of `name key`, as ssh-keygen's manual says; SIGNER is one of the names.
set -euo pipefail
directory=${1:?the directory with SHA256SUMS} signers=$(realpath "${2:?the file of keys that may sign}")
cd "$directory"
signer=${3:-$(ssh-keygen -Y find-principals -s SHA256SUMS.sig -f "$signers" | head -n 1)}
[ -n "$signer" ] || { echo "nobody in $signers made this signature" >&2; exit 3; }
ssh-keygen -Y verify -f "$signers" -I "$signer" -n tidegate-release -s SHA256SUMS.sig < SHA256SUMS
sha256sum --check --strict SHA256SUMS
