#!/usr/bin/env bash
# A release: the binary, its bill of materials (CycloneDX), checksums, and a signature over the checksums.
#   release/build.sh --key FILE [--profile release] [--target TRIPLE] [--out DIR] [--allow-dirty]
#
# The key is an SSH key of the maintainer (`ssh-keygen -t ed25519`), best one on a hardware token; it is never in the
# repository. The same commit, toolchain and target give the same bytes wherever they are built: paths are taken out, the
# time is the commit's, and everything is locked.
set -euo pipefail
cd "$(dirname "$0")/.."

key="" profile=release target="" out="" dirty=no
while [ $# -gt 0 ]; do
  case $1 in
    --key) key=${2:?}; shift 2 ;;
    --profile) profile=${2:?}; shift 2 ;;
    --target) target=${2:?}; shift 2 ;;
    --out) out=${2:?}; shift 2 ;;
    --allow-dirty) dirty=yes; shift ;;
    *) sed -n 3p "$0" >&2; exit 2 ;;
  esac
done
[ -n "$key" ] || { echo "--key is missing: the file of the SSH key that signs" >&2; exit 2; }
[ -f "$key" ] || { echo "--key: there is no file $key" >&2; exit 2; }
command -v ssh-keygen >/dev/null || { echo "missing: ssh-keygen. Install it with: apt-get install openssh-client" >&2; exit 1; }
if [ "$dirty" = no ] && [ -n "$(git status --porcelain)" ]; then
  echo "the working tree has changes that no commit has: commit them, or say --allow-dirty for a trial" >&2
  exit 1
fi

triple=${target:-$(rustc -vV | sed -n 's/^host: //p')}
commit=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
name=tidegate-$version-$triple
out=${out:-$PWD/release/out}
built=${CARGO_TARGET_DIR:-$PWD/target}
crates=${CARGO_HOME:-$HOME/.cargo}

# The target directory is within the source as a rule, so it is taken out first: the last mapping that fits is used.
maps=("$crates=/cargo" "$PWD=/tidegate" "$built=/build")
RUSTFLAGS=$(printf -- '--remap-path-prefix=%s ' "${maps[@]}")
# The profile of a gateway at work is of the machine's own kind.
if [ "$profile" = release ] && [ -z "$target" ]; then
  RUSTFLAGS="$(release/flags.sh) $RUSTFLAGS"
fi
# With what .cargo/config.toml has, which this takes the place of.
CFLAGS="-fno-asynchronous-unwind-tables $(printf -- '-ffile-prefix-map=%s ' "${maps[@]}")"
export RUSTFLAGS CFLAGS CARGO_INCREMENTAL=0
unset CARGO_ENCODED_RUSTFLAGS

cargo build --locked --profile "$profile" ${target:+--target "$target"} -p tidegate
directory=$profile
[ "$profile" = dev ] && directory=debug

rm -rf "$out" && mkdir -p "$out"
install -m 755 "$built/${target:+$target/}$directory/tidegate" "$out/$name"
python3 release/sbom.py --target "$triple" --commit "$commit" --epoch "$SOURCE_DATE_EPOCH" > "$out/$name.cdx.json"
{
  echo "commit $commit"
  rustc -vV
  echo "profile $profile"
} > "$out/$name.build.txt"
(cd "$out" && sha256sum "$name" "$name.cdx.json" "$name.build.txt" > SHA256SUMS)
ssh-keygen -q -Y sign -f "$key" -n tidegate-release "$out/SHA256SUMS"
echo "$out:" && ls -l "$out"
