#!/bin/sh
# Fuzzes on the stable compiler: fuzz/run.sh [runs [target...]]. Stops at the first input that breaks something and says
# where it is. 20000 runs and all targets unless told otherwise.
set -eu
cd "$(dirname "$0")"
runs=${1:-20000}
[ $# -eq 0 ] || shift
host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# What cargo-fuzz would set, in flags that stable accepts. --target keeps them off build scripts.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --release --target "$host"

for target in ${*:-$(cd targets && ls ./*.rs | sed 's|^\./||; s|\.rs$||')}; do
    # Recorded answers are seeds as they are; corpus/ holds what they lack, and every input that once broke something.
    case $target in
        answer_*) fixtures=${target#answer_} ;;
        sse | error | tap) fixtures=. ;;
        ndjson) fixtures=ollama ;;
        json_array) fixtures=gemini ;;
        *) fixtures= ;;
    esac
    seeds=corpus/$target
    [ -z "$fixtures" ] || seeds="$seeds ../crates/dialect/fixtures/$fixtures"
    mkdir -p "found/$target" "corpus/$target"
    echo "== $target"
    # What is found goes to the first folder, which is not kept. A fixed seed makes a run repeatable. The timeout counts
    # the time of the clock: a short one takes a machine that stood still for an input that never ends.
    # shellcheck disable=SC2086
    if ! "$CARGO_TARGET_DIR/$host/release/$target" -runs="$runs" -max_len=4096 -timeout=120 -rss_limit_mb=1024 -seed=1 \
        -artifact_prefix="found/$target-" "found/$target" $seeds >"found/$target.log" 2>&1; then
        tail -n 40 "found/$target.log"
        exit 1
    fi
done
echo "nothing broke"
