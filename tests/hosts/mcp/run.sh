#!/usr/bin/env bash
# Runs the MCP front in `wasmtime serve`, and asks it by the client of the protocol's own SDK for Python.
#
#     tests/hosts/mcp/run.sh
#
# `cargo xtask test` has built the Google that it asks. What it needs of others is fetched once, into target/.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"
. "$root/tests/packages.sh"
. "$root/tests/hosts/wasmtime/installed.sh"

needs_wasmtime mcp

venv=$target/hosts/mcp/venv
python_with "$venv" "$here/requirements.txt" || left_out mcp "its packages cannot be had here"

cd "$root"
cargo xtask stores
cargo xtask fronts
for front in mcp command; do
  cargo xtask compose --front "$target/gcf-front-$front.wasm" --store "$target/gcf-store-files.wasm" \
    --reroute "$target/gcf-reroute.wasm" --out "$target/hosts/mcp/$front.wasm"
done

export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/test_mcp.py" "$wasmtime" "$target/hosts/mcp/mcp.wasm" "$target/hosts/mcp/command.wasm"
