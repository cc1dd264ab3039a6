# Ends a script as left-out.sh does, if there is no etcd: Debian's is installed where root runs this.
#
#     . tests/left-out.sh
#     . tests/etcd.sh
#     needs_etcd
needs_etcd() {
  if ! command -v etcd >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends etcd-server >/dev/null; } ||
      echo "etcd cannot be installed"
  fi
  command -v etcd >/dev/null || left_out etcd "there is no etcd, and it cannot be installed"
}
