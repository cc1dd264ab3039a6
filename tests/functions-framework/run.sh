#!/usr/bin/env bash
# Calls functions of Google's own Functions Framework, for Node and for Python, through the gcf command, on loopback; and
# compares what Flask and Fastify are told by it with what curl tells them.
#
#     tests/functions-framework/run.sh              with target/release/gcf, else target/debug/gcf
#     GCF=path/to/gcf tests/functions-framework/run.sh
#
# Needs node 20 or newer, npm and curl, and Python 3.11 with venv. What is missing fails, unless GCF_ALLOW_SKIPS names it:
# functions-framework, or functions-framework-python for what concerns Python. The frameworks are
# installed once, into target/functions-framework (some seconds); after that nothing here needs the network.
# Google is played by the strict Google of tests/google, and the connection is made with tests/fixtures/demo-key.json in a store
# of its own that is thrown away.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/left-out.sh
. tests/packages.sh
if ! command -v npm >/dev/null; then
  left_out functions-framework "needs node and npm"
fi

framework=5.0.5
fastify=5.12.8
target=$(realpath "${CARGO_TARGET_DIR:-target}")
folder=$target/functions-framework

. tests/gcf.sh

is_installed() {
  grep -qs "\"version\": \"$2\"" "$folder/node_modules/$1/package.json"
}
if ! is_installed @google-cloud/functions-framework "$framework" || ! is_installed fastify "$fastify"; then
  mkdir -p "$folder"
  npm install --silent --no-fund --no-audit --no-save --prefix "$folder" \
    "@google-cloud/functions-framework@$framework" "fastify@$fastify"
fi

python=$folder/python/bin/python
if ! python_with "$folder/python" tests/functions-framework/requirements.txt; then
  (left_out functions-framework-python "its packages cannot be had here")
  python=
fi

PYTHON=$python GCF=$(realpath "$GCF") NODE_PATH=$folder/node_modules \
  exec node --test tests/functions-framework/*.test.js
