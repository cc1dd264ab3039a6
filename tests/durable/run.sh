#!/usr/bin/env bash
# Runs the flow of examples/durable in Restate, kills its process, and counts what the function was called with.
#
#     tests/durable/run.sh
#
# `cargo xtask test` has built the Google that it asks, and tests/hosts/wasmtime/run.sh the front that it goes through.
# Restate's server is of npm, as package-lock.json names it; fetched once, into target/.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"
. "$root/tests/packages.sh"
. "$root/tests/hosts/wasmtime/installed.sh"
command -v npm >/dev/null || left_out durable "there is no npm"
composed=$target/hosts/wasmtime/composed.wasm
[ -f "$composed" ] || left_out durable "tests/hosts/wasmtime/run.sh has not run here"
needs_wasmtime durable

folder=$target/durable
node_with "$folder" "$here" || left_out durable "npm cannot install Restate"
server=$(find "$folder/node_modules/@restatedev" -path '*/bin/restate-server' -type f)
[ -n "$server" ] && "$server" --version || left_out durable "Restate does not run here"

venv=$folder/venv
python_with "$venv" "$root/examples/durable/requirements.txt" || left_out durable "its packages cannot be had here"

export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/test_durable.py" "$server" "$wasmtime" "$composed"
