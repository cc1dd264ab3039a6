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

export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/test_proxy.py" "$@"
