# Installs jco, once: `$folder` has it then. `$target` is the folder that cargo builds into, and `$root` that of the sources.
#
#     . tests/left-out.sh
#     . tests/packages.sh
#     . tests/hosts/jco/installed.sh
folder=$target/hosts/jco
command -v npm >/dev/null || left_out jco "there is no npm"
node_with "$folder" "$root/tests/hosts/jco" || left_out jco "npm cannot install jco"
