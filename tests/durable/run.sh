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
command -v npm >/dev/null || left_out durable "there is no npm"
wasmtime=$target/hosts/wasmtime/programs/wasmtime_cli/wasmtime
composed=$target/hosts/wasmtime/composed.wasm
[ -x "$wasmtime" ] && [ -f "$composed" ] || left_out durable "tests/hosts/wasmtime/run.sh has not run here"

folder=$target/durable
mkdir -p "$folder"
if ! cmp -s "$here/package-lock.json" "$folder/installed.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$folder/"
  (cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts) || left_out durable "npm cannot install Restate"
  cp "$here/package-lock.json" "$folder/installed.json"
fi
server=$(find "$folder/node_modules/@restatedev" -path '*/bin/restate-server' -type f)
[ -n "$server" ] && "$server" --version || left_out durable "Restate does not run here"

venv=$folder/venv
requirements=$root/examples/durable/requirements.txt
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
  python3 -m venv --clear "$venv" || left_out durable "Python has no venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$venv/requirements.txt"
fi

export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/test_durable.py" "$server" "$wasmtime" "$composed"
