#!/bin/sh
# Runs the tests of the Python host in a virtual environment of their own, under target/. `cargo xtask test` has built the Google
# that it asks; needs openssl for certificates.
#
#     tests/hosts/python/run.sh [gcf-connector.wasm]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv="${CARGO_TARGET_DIR:-$root/target}/python-host"

# Made anew whenever the requirements change.
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    if ! python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || ! python3 -m venv --clear "$venv"; then
        echo "cannot make a virtual environment: install Python 3.11 or newer with its venv module" >&2
        exit 1
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi

export PYTHONDONTWRITEBYTECODE=1
export GCF_COMPONENT="${1:-}"
cd "$here"
exec "$venv/bin/python" -m unittest -v test_parts test_network test_host
