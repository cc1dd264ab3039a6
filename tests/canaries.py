#!/usr/bin/env python3
"""Looks for the secrets of the tests in files: what a test run printed, snapshots, cassettes.

    tests/canaries.py FILE-OR-FOLDER...

Exits 1, naming the secret and the file but printing neither, if one is there in any form: as it is, in base64
or base64url at any offset, in hexadecimal of either case, percent-encoded; also inside of gzip.
"""

import base64
import gzip
import json
import pathlib
import sys
import urllib.parse

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def canaries():
    found = json.loads((FIXTURES / "canaries.json").read_text())
    key = json.loads((FIXTURES / "demo-key.json").read_text())["private_key"]
    # Any line of the key's own base64 is enough to give it away; the last one is short.
    for number, line in enumerate(key.splitlines()[1:-2]):
        found[f"private key, line {number + 1}"] = line
    return found


def forms(secret):
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield "".join(f"%{byte:02X}" for byte in raw).encode()
    yield urllib.parse.quote(secret, safe="").encode()
    for before in range(3):
        padded = bytes(before) + raw
        # Six bits a letter: the first and the last one may belong to the neighbours, too.
        first, last = -(-before * 8 // 6), len(padded) * 8 // 6
        yield base64.b64encode(padded)[first:last]
        yield base64.urlsafe_b64encode(padded)[first:last]


def texts(path):
    content = path.read_bytes()
    yield content
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)


def main(places):
    looked_for = {name: list(forms(secret)) for name, secret in canaries().items()}
    files = [file for place in map(pathlib.Path, places) for file in (place.rglob("*") if place.is_dir() else [place])]
    files = [file for file in files if file.is_file()]
    size, leaks = 0, []
    for file in files:
        for text in texts(file):
            size += len(text)
            leaks += [(name, file) for name, written in looked_for.items() if any(form in text for form in written)]
    for name, file in leaks:
        print(f"the {name} is in {file}", file=sys.stderr)
    if not files or leaks:
        sys.exit(1)
    print(f"none of {len(looked_for)} secrets is in {len(files)} files, {size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
