"""Fails if a crate of somebody else's is built twice, with other features or for other dependencies.

    cargo build --message-format json | python3 .ci/twice.py

Cargo unifies the features of programs and those of build scripts apart: what both need is built once only if they ask
for the same, of it and of everything beneath it (xtask/workspace-hack).
"""

import collections
import json
import sys

libraries = collections.Counter()
for line in sys.stdin:
    message = json.loads(line)
    if message["reason"] == "compiler-artifact" and "lib" in message["target"]["kind"]:
        libraries[message["package_id"]] += 1
assert any("#wasmtime@" in package for package in libraries), "cargo has said what it built"
twice = [package for package, times in libraries.items() if times > 1 and package.startswith("registry+")]
for package in twice:
    print("built twice:", package.partition("#")[2])
print(f"{len(libraries)} libraries, {len(twice)} of them built twice")
sys.exit(bool(twice))
