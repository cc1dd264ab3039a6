#!/bin/sh
# Calls Google, played on loopback, through a proxy that nobody here wrote: Debian's tinyproxy, and squid if it is there.
#
#     tests/proxy/run.sh              with target/release/gcf, else target/debug/gcf
#     GCF=path/to/gcf tests/proxy/run.sh
#
# Needs Python 3.11 or newer and openssl. Where neither proxy is installed, nothing is tested, and the last line says so.
# Nothing here needs the network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"

. "$root/tests/gcf.sh"

export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/test_proxy.py" "$@"
