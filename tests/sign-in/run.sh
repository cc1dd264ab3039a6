#!/usr/bin/env bash
# Signs in with `gcf connect --oauth`: Chromium clicks through the pages of an OpenID provider on loopback.
#
#     tests/sign-in/run.sh                    with target/debug/gcf and target/gcf-connector.wasm
#     tests/sign-in/run.sh path/to/gcf
#     tests/sign-in/run.sh serve FOLDER       only the provider, to try by hand; FOLDER gets client_secret.json
#
# Needs node 20.20 or newer, npm, and a Chromium (Debian's package chromium, or CHROMIUM=path): what is missing fails,
# unless GCF_ALLOW_SKIPS names sign-in. The packages in package-lock.json are installed once, into target/sign-in (20 MB);
# after that nothing here needs the network. Screenshots of the pages are put into target/sign-in too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
folder=$target/sign-in

. "$root/tests/left-out.sh"
. "$root/tests/packages.sh"
skip() {
  left_out sign-in "$1"
}

# The oldest one that it was tried with; the provider itself asks for 22, and says so.
recent='const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major * 100 + minor < 2020 ? 1 : 0)'
if ! command -v npm >/dev/null || ! node -e "$recent"; then
  skip "needs node 20.20 or newer, and npm"
fi

node_with "$folder" "$here"
export NODE_PATH=$folder/node_modules

if [ "${1:-}" = serve ]; then
  exec node "$here/provider.js" "${2:?say which folder client_secret.json goes to}"
fi

if [ -z "${CHROMIUM:-}" ]; then
  CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
fi
[ -x "$CHROMIUM" ] || skip "needs a Chromium (apt-get install chromium), or CHROMIUM=path"

gcf=${1:-$target/debug/gcf}
if [ ! -x "$gcf" ]; then
  printf 'no gcf command at %s; build it first: cargo xtask build && cargo build --package gcf-host\n' "$gcf" >&2
  exit 2
fi

GCF=$(realpath "$gcf")
export CHROMIUM GCF SCREENSHOTS=$folder
exec node --test "$here/sign-in.test.js"
