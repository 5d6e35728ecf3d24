#!/usr/bin/env bash
# Prints what the compiler is told for a release:
#   RUSTFLAGS=$(release/flags.sh) cargo build --release -p tidegate
#
# - The profile of a gateway at work, where there is one that fits (decision 0018). It knows functions by names that the
#   compiler, the crates with their features and the profiles of Cargo.toml go into: one of others would have no effect, and
#   nobody would hear of it, so it is left out, and this says so.
# - What runs on every request in one place, what runs now and then in another, and what ran never while the profile was made behind
#   it: what is not run is not in memory then (the kernel brings 64 KB around whatever is).
# - Relocations packed, where the C library can read them (glibc 2.36 and newer).
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --key ]; then
  {
    rustc -vV
    cargo tree --locked -p tidegate -e normal,build --prefix none -f '{p} {f}' | sed 's/ ([^)]*)//g' | sort -u
    sed -n '/^\[profile\./,/^$/p' Cargo.toml
  } | sha256sum | cut -d' ' -f1
  exit
fi

# A file that is the same stays as old as it is.
unpack() {
  xz -dc "$1" > "$2.new"
  if cmp -s "$2.new" "$2"; then rm "$2.new"; else mv "$2.new" "$2"; fi
}

flags=() ordered=()
packed=release/tidegate.profdata.xz
if [ ! -f $packed ]; then
  echo "release: no profile (release/train.sh makes one)" >&2
elif [ "$(cat release/tidegate.profdata.key)" != "$(release/flags.sh --key)" ]; then
  echo "release: the profile is of another compiler or other crates, and is left out (release/train.sh makes one)" >&2
else
  plain=${CARGO_TARGET_DIR:-$PWD/target}/tidegate.profdata
  mkdir -p "$(dirname "$plain")"
  unpack $packed "$plain"
  flags+=("-Cprofile-use=$plain")
  order=${CARGO_TARGET_DIR:-$PWD/target}/tidegate.order
  unpack release/tidegate.order.xz "$order"
  # Names that nothing has any more are no news: functions are made parts of others, or changed.
  ordered=("-Clink-arg=-Wl,--symbol-ordering-file=$order" "-Clink-arg=-Wl,--no-warn-symbol-ordering")
fi
if [ "$(rustc -vV | sed -n 's/^host: //p')" = x86_64-unknown-linux-gnu ]; then
  flags+=(-Clink-arg=-Wl,-z,keep-text-section-prefix "${ordered[@]}")
  version=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
  if [ "$(printf '%s\n' 2.36 "$version" | sort -V | head -1)" = 2.36 ]; then
    flags+=(-Clink-arg=-Wl,-z,pack-relative-relocs)
  fi
fi
echo "${flags[*]}"
