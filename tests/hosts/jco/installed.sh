# Installs jco, once: `$folder` has it then. `$target` is the folder that cargo builds into, and `$root` that of the sources.
#
#     . tests/left-out.sh
#     . tests/hosts/jco/installed.sh
folder=$target/hosts/jco
command -v npm >/dev/null || left_out jco "there is no npm"
mkdir -p "$folder"
if ! cmp -s "$root/tests/hosts/jco/package-lock.json" "$folder/installed.json"; then
  cp "$root/tests/hosts/jco/package.json" "$root/tests/hosts/jco/package-lock.json" "$folder/"
  (cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts) || left_out jco "npm cannot install jco"
  cp "$root/tests/hosts/jco/package-lock.json" "$folder/installed.json"
fi
