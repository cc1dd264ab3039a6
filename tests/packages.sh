# Packages that tests need of PyPI and npm: installed once, and anew when the list of them changes.
#
#     . tests/packages.sh
#
# python_with FOLDER REQUIREMENTS   makes a virtual environment in FOLDER, with the packages that the file REQUIREMENTS names
# node_with FOLDER SOURCE           installs what SOURCE/package-lock.json names, in FOLDER/node_modules
#
# Both return 1 if that cannot be had here, and pip, npm or Python have said why.

python_with() {
    if cmp -s "$2" "$1/installed.txt"; then return 0; fi
    python3 -c 'import sys; sys.version_info >= (3, 11) or sys.exit("needs Python 3.11 or newer")' || return 1
    python3 -m venv --clear "$1" || return 1
    "$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2" || return 1
    cp "$2" "$1/installed.txt"
}

node_with() {
    if cmp -s "$2/package-lock.json" "$1/installed.json"; then return 0; fi
    # A half of these packages is none of them.
    rm -f "$1/installed.json"
    mkdir -p "$1" && cp "$2/package.json" "$2/package-lock.json" "$1/" || return 1
    (cd "$1" && npm ci --silent --no-audit --no-fund --ignore-scripts) || return 1
    cp "$2/package-lock.json" "$1/installed.json"
}
