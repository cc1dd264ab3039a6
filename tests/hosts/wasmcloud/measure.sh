#!/usr/bin/env bash
# Measures an invocation in a program's own process, in `wasmtime serve`, and on a fleet of wasmCloud: docs/guide/fleet.md has
# the figures.
#
#     tests/hosts/wasmcloud/measure.sh
#
# tests/hosts/wasmcloud/run.sh has fetched wasmCloud. Builds the bench, optimised: minutes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"
. "$root/tests/hosts/wasmtime/installed.sh"
folder=$target/hosts/wasmcloud
needs_wasmtime wasmtime-serve

cd "$root"
cargo xtask build
# The same component in all of them.
GCF_EMBED=$target/gcf-connector.wasm cargo build --quiet --release --locked --manifest-path bench/Cargo.toml \
  --target-dir "$target/bench"
cargo xtask stores
cargo xtask fronts
cargo xtask compose --front "$target/gcf-front-http.wasm" --store "$target/gcf-store-etcd.wasm" \
  --reroute "$target/gcf-reroute.wasm" --out "$folder/measured.wasm"

GCF_WASH=$folder/programs/wash_cli/wash
GCF_NATS_SERVER=$(find "$folder/programs" -name nats-server -type f)
export GCF_WASH GCF_NATS_SERVER PYTHONDONTWRITEBYTECODE=1
exec "$folder/venv/bin/python" "$here/measure.py" "$target/bench/release/gcf-bench" \
  "$wasmtime" "$folder/measured.wasm"
