#!/bin/sh
# Checks the assertions that the component signs with Google's own library, on loopback.
#
#     tests/google-auth/run.sh              with target/release/gcf, else target/debug/gcf
#     GCF=path/to/gcf tests/google-auth/run.sh
#
# Needs Python 3.11 or newer with its venv module. The library is installed once, into target/google-auth
# (some seconds); after that nothing here needs the network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
venv="$target/google-auth"

if [ -z "${GCF:-}" ]; then
    for GCF in "$target/release/gcf" "$target/debug/gcf"; do
        if [ -x "$GCF" ]; then break; fi
    done
fi
if [ ! -x "$GCF" ]; then
    echo "no gcf command at $GCF; build it first: cargo xtask build && cargo build --release --package gcf-host" >&2
    exit 2
fi
export GCF

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
exec "$venv/bin/python" "$here/test_assertion.py" "$@"
