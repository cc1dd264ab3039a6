#!/bin/sh
# Reads Google's answers on the cassettes with Google's own clients.
#
#     tests/google-clients/run.sh
#
# Needs Python 3.11 or newer with its venv module. The clients are installed once, into target/google-clients (some
# seconds, 150 MB); after that nothing here needs the network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="${CARGO_TARGET_DIR:-$root/target}/google-clients"

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
exec "$venv/bin/python" "$here/test_cassettes.py" "$@"
