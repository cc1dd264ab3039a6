#!/bin/sh
# Reads Google's answers on the cassettes with Google's own clients, for Python and for Node, and compares what gcf shows of
# each function with what they have read.
#
#     tests/google-clients/run.sh           with target/release/gcf, else target/debug/gcf
#     GCF=path/to/gcf tests/google-clients/run.sh
#
# Needs Python 3.11 or newer with its venv module, and Node 20.20 with npm: where that is missing, GCF_ALLOW_SKIPS has to name
# google-clients-node. The clients are installed once, into target/google-clients and target/google-clients-node (some seconds,
# 150 MB and 50 MB); after that nothing here needs the network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
venv="$target/google-clients"

. "$root/tests/gcf.sh"

. "$root/tests/packages.sh"
python_with "$venv" "$here/requirements.txt"

export PYTHONDONTWRITEBYTECODE=1
export GCF_PLAYED="$venv/played.json"
python3 "$here/play.py" "$GCF" "$GCF_PLAYED"
"$venv/bin/python" -m unittest discover --verbose --start-directory "$here" "$@"

. "$root/tests/left-out.sh"
command -v npm >/dev/null || left_out google-clients-node "there is no npm"
folder="$target/google-clients-node"
node_with "$folder" "$here" || left_out google-clients-node "npm cannot install the clients"
GCF_CLIENTS="$folder/package.json" exec node --test "$here/cassettes.test.mjs" "$here/gcf.test.mjs"
