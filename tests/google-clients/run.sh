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

if [ -z "${GCF:-}" ]; then
    for GCF in "$target/release/gcf" "$target/debug/gcf"; do
        if [ -x "$GCF" ]; then break; fi
    done
fi
if [ ! -x "$GCF" ]; then
    echo "no gcf command at $GCF; build it first: cargo xtask build && cargo build --release --package gcf-host" >&2
    exit 2
fi

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
export GCF_PLAYED="$venv/played.json"
python3 "$here/play.py" "$GCF" "$GCF_PLAYED"
"$venv/bin/python" -m unittest discover --verbose --start-directory "$here" "$@"

. "$root/tests/left-out.sh"
command -v npm >/dev/null || left_out google-clients-node "there is no npm"
folder="$target/google-clients-node"
if ! cmp -s "$here/package-lock.json" "$folder/installed.json"; then
    mkdir -p "$folder"
    cp "$here/package.json" "$here/package-lock.json" "$folder/"
    (cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts) ||
        left_out google-clients-node "npm cannot install the clients"
    cp "$here/package-lock.json" "$folder/installed.json"
fi
GCF_CLIENTS="$folder/package.json" exec node --test "$here/cassettes.test.mjs" "$here/gcf.test.mjs"
