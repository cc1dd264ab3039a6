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

. "$root/tests/gcf.sh"

. "$root/tests/packages.sh"
python_with "$venv" "$here/requirements.txt"

export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/test_assertion.py" "$@"
