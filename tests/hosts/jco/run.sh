#!/usr/bin/env bash
# Runs the component in Node, by jco: unmodified, with a store in JavaScript; and composed, in `jco serve`, with a store in
# etcd.
#
#     tests/hosts/jco/run.sh
#
# `cargo xtask test` has built the Google that it asks. The packages are fetched once, into target/, as package-lock.json
# names them; etcd is Debian's.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target="${CARGO_TARGET_DIR:-$root/target}"
. "$root/tests/left-out.sh"
. "$root/tests/packages.sh"
. "$root/tests/etcd.sh"
. "$here/installed.sh"
cp "$here"/*.js "$here/host.test.mjs" "$folder/"

cd "$root"
cargo xtask build
cargo xtask stores
cargo xtask fronts
cargo xtask compose --front "$target/gcf-front-http.wasm" --store "$target/gcf-store-etcd.wasm" \
  --reroute "$target/gcf-reroute.wasm" --out "$folder/composed.wasm"

cd "$folder"
rm -rf out
node_modules/.bin/jco transpile --quiet "$target/gcf-connector.wasm" --name connector --out-dir out --instantiation async
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$root/tests/hosts/python"
python3 -c 'import json, fake_google as fake
print(json.dumps(fake.project(json.loads(fake.KEY_FILE.read_text())["client_email"])))' >project.json
GCF_GOOGLE="$target/debug/strict-google" GCF_KEY="$root/tests/fixtures/demo-key.json" GCF_PROJECT="$folder/project.json" \
  GCF_TABLE="$root/tests/fixtures/egress.json" node --test host.test.mjs

needs_etcd
exec python3 "$here/test_serve.py" composed.wasm
