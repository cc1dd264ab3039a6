#!/usr/bin/env bash
# Checks the manifests of examples/ against the schemas of the systems that take them.
#
#     tests/manifests/run.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="${CARGO_TARGET_DIR:-$root/target}/manifests"

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
exec "$venv/bin/python" "$here/test_manifests.py"
