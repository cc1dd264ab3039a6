#!/usr/bin/env bash
# Runs the composed component in `wasmtime serve`: front, connector and store in one file; and as a command.
#
#     tests/hosts/wasmtime/run.sh
#
# `cargo xtask test` has built the Google that it asks. What it needs of others is fetched once, into target/.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"
. "$root/tests/packages.sh"
. "$root/tests/hosts/wasmtime/installed.sh"

needs_wasmtime wasmtime-serve

venv=$target/hosts/wasmtime/venv
python_with "$venv" "$here/requirements.txt" || left_out wasmtime-serve "its packages cannot be had here"

composed=$target/hosts/wasmtime/composed.wasm
command=$target/hosts/wasmtime/command.wasm
cd "$root"
cargo xtask stores
cargo xtask fronts
for front in http:"$composed" command:"$command"; do
  cargo xtask compose --front "$target/gcf-front-${front%%:*}.wasm" --store "$target/gcf-store-files.wasm" \
    --reroute "$target/gcf-reroute.wasm" --out "${front#*:}"
done

export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/test_wasmtime.py" "$wasmtime" "$composed" "$command"
