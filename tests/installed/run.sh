#!/usr/bin/env bash
# Installs gcf as the README says, copies it alone into an empty folder, and runs it there: demo, connections, connect and
# list on a tape, without a network, a home folder of anybody's, or this repository.
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
target=${CARGO_TARGET_DIR:-$PWD/target}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Into a folder of its own, not the one in which a person keeps programs; built where the next run finds it.
cargo install --quiet --path host-harness --locked --root "$folder/installed" --target-dir "$target" --no-track
mkdir "$folder/alone"
cp "$folder/installed/bin/gcf" "$folder/alone/"
cp "$repository/tests/cassettes/demo.json" "$folder/alone/tape.json"
cp "$repository/tests/fixtures/demo-key.json" "$folder/alone/key.json"
cd "$folder/alone"

gcf() {
  env -i HOME="$folder/alone" ./gcf "$@"
}
offline=(--replay tape.json --tape-mode stub --replay-store replays)

gcf --version
gcf demo | grep -q 'all answered by the tape'
gcf connections >/dev/null
gcf connect --nickname demo --credentials key.json "${offline[@]}" | grep -q '^connected demo$'
[ "$(gcf connections "${offline[@]}" | wc -l)" -eq 2 ]
[ "$(gcf list --page-size 40 "${offline[@]}" 2>/dev/null | wc -l)" -eq 64 ]
gcf demo --long | grep -q 'compiled component inside this program'
if [ -e .cache ]; then
  echo "a start has compiled the component" >&2
  exit 1
fi
echo "installed, copied, and run alone"
