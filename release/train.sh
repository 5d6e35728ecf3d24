#!/usr/bin/env bash
# Makes the profile that releases are compiled by: builds a gateway that counts what it runs, puts it under the loads of the
# benchmark (plain, translated and streamed; without keys, recorded, and with everything on), and keeps the counts.
#   release/train.sh [seconds of each load]
#
# About twenty minutes on two cores. Commit the three files that it writes.
set -euo pipefail
cd "$(dirname "$0")/.."

merge=${LLVM_PROFDATA:-}
for found in llvm-profdata-22 llvm-profdata-21 llvm-profdata-20 llvm-profdata-19; do
  [ -n "$merge" ] || merge=$(command -v $found || true)
done
[ -n "$merge" ] || { echo "missing: llvm-profdata, 19 or newer. Install it with: apt-get install llvm-19" >&2; exit 1; }

built=${CARGO_TARGET_DIR:-$PWD/target}/training
counts=$built/counts
rm -rf "$counts" && mkdir -p "$counts"
export CARGO_TARGET_DIR=$built CARGO_INCREMENTAL=0
cargo build --locked --release -p tidegate-bench
RUSTFLAGS="-Cprofile-generate=$built/unused" cargo build --locked --release -p tidegate
LLVM_PROFILE_FILE="$counts/%p.profraw" bench/run.py --no-build --rounds 1 --seconds "${1:-2}" \
  --gateways tidegate,tidegate-recorded,tidegate-full \
  --cases chat,rate,body100k,translated,chunks,translated_chunks,lat1,lat16,ttfb
"$merge" merge -o "$built/tidegate.profdata" "$counts"/*.profraw
xz -9 -c "$built/tidegate.profdata" > release/tidegate.profdata.xz
release/flags.sh --key > release/tidegate.profdata.key
"$merge" show --all-functions --counts "$built/tidegate.profdata" | python3 release/order.py | xz -9 > release/tidegate.order.xz
ls -l release/tidegate.profdata.xz release/tidegate.order.xz
