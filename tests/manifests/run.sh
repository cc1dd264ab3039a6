#!/usr/bin/env bash
# Checks the manifests of examples/ against the schemas of the systems that take them.
#
#     tests/manifests/run.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="${CARGO_TARGET_DIR:-$root/target}/manifests"

. "$root/tests/packages.sh"
python_with "$venv" "$here/requirements.txt"

export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/test_manifests.py"
