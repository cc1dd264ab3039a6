# Finds the gcf command: `$GCF`, or the optimised one, or else the other. `$target` is the folder that cargo builds into.
#
#     . tests/gcf.sh
if [ -z "${GCF:-}" ]; then
    for GCF in "$target/release/gcf" "$target/debug/gcf"; do
        if [ -x "$GCF" ]; then break; fi
    done
fi
if [ ! -x "$GCF" ]; then
    echo "no gcf command at $GCF; build it first: cargo xtask build && cargo build --release --package gcf-host" >&2
    exit 2
fi
export GCF
