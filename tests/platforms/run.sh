#!/usr/bin/env bash
# Checks that the library and the command compile for systems other than this one. The C and assembly of
# dependencies is not compiled where there is no cross compiler: nothing is linked.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/platforms

check() {
  local target=$1 compiler=$2 name
  if ! rustup target add "$target" 2>/dev/null; then
    echo "left out: $target cannot be added here"
    return
  fi
  name=${target//-/_}
  if ! command -v "$compiler" >/dev/null; then
    export "CC_$name=$here/cc.sh" "AR_$name=$here/ar.sh"
  fi
  cargo check --quiet --locked --workspace --exclude gcf-connector --exclude gcf-hostile-guest --lib --bins --target "$target"
  echo "checked: $target"
}

check x86_64-pc-windows-gnu x86_64-w64-mingw32-gcc
check aarch64-apple-darwin oa64-clang
check aarch64-unknown-linux-gnu aarch64-linux-gnu-gcc
