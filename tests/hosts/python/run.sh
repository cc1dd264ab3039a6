#!/bin/sh
# Runs the tests of the Python host in a virtual environment of their own, under target/. `cargo xtask test` has built the Google
# that it asks. The tests that need certificates of their own need openssl; where it is missing, GCF_ALLOW_SKIPS has to name it.
#
#     tests/hosts/python/run.sh [gcf-connector.wasm]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv="${CARGO_TARGET_DIR:-$root/target}/python-host"

. "$root/tests/packages.sh"
python_with "$venv" "$here/requirements.txt"

export PYTHONDONTWRITEBYTECODE=1
export GCF_COMPONENT="${1:-}"
cd "$here"
exec "$venv/bin/python" -m unittest -v test_parts test_connecting test_network test_host
