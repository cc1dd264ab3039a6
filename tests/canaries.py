#!/usr/bin/env python3
"""Looks for the secrets of the tests in files: what a test run printed, snapshots, cassettes.

    tests/canaries.py [--planted FILE] [--least BYTES] FILE-OR-FOLDER...
    tests/canaries.py --plant

Exits 1, naming the secret and the file but printing neither, if one is there in any form: as it is, in base64
or base64url at any offset, in hexadecimal of either case, percent-encoded; also inside of gzip. The secrets are those of
fixtures/canaries.json, which every fake draws from, and the key's; whatever has the shape of a token of Google's is one too,
whoever made it up.

`--plant` prints one of them in one of its forms, for a file that is searched later: with `--planted` it must be found there,
and nothing else. `--least` is how much there must be to search.
"""

import argparse
import base64
import gzip
import json
import pathlib
import re
import sys
import urllib.parse

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def canaries():
    registry = json.loads((FIXTURES / "canaries.json").read_text())
    found = {f"{name} of the core's tests": secret for name, secret in registry.pop("core").items()} | registry
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


# A token that is in no registry is one all the same, however short a test has made it: access tokens, refresh tokens, client
# secrets and codes. So what a test writes down in place of Google's need not be in the registry to be found.
#
# A short `1//` or `4/0` inside of a word is the end of a path or a fraction, so those begin a word. What is as long as Google's
# own is a token wherever it stands: glued to a name, or in the middle of a URL. Base64 alone has such a row of letters once in
# tens of megabytes.
SHAPES = re.compile(
    rb"ya29\.[A-Za-z0-9_-]+|GOCSPX-[A-Za-z0-9_-]+"
    rb"|(?<![A-Za-z0-9_.:/-])1//[A-Za-z0-9_-]+|1//0[A-Za-z0-9_-]{30,}"
    rb"|(?<![A-Za-z0-9_.:/-])4/0[A-Za-z0-9_-]{4,}|4/0A[A-Za-z0-9_-]{30,}"
)

PLANTED = "planted"

# What the search is tried on. By themselves, and glued to what stands before them; of the length of Google's own.
SHORT = [b"ya29.x", b"1//x", b"GOCSPX-x", b"4/0Abcd"]
LONG = [b"ya29." + 40 * b"x", b"GOCSPX-" + 28 * b"x", b"1//0" + 40 * b"x", b"4/0A" + 40 * b"x"]
GLUE = [b"so", b"so_", b"/", b"so.", b"so:", b"\\n"]
HARMLESS = [b"https://a/1//x", b"n1//0x", b"2024/0x12", b"14/0Abcd"]


def control(looked_for):
    """The search finds each secret in each form, or it is no search."""
    for name, written in looked_for.items():
        for form in written:
            text = b"before " + form + b" after"
            if not any(found in text for found in looked_for[name]) or not leaks_in(text, {name: written}):
                sys.exit(f"the search is blind to the {name}")
    for before, token in [(b"so ", token) for token in SHORT] + [(glue, token) for glue in GLUE for token in LONG]:
        if not leaks_in(before + token, {}):
            text = (before + token).decode()
            sys.exit(f"the search is blind to tokens that it does not know: it finds none in {text!r}, which is made up")
    for text in HARMLESS:
        if leaks_in(text, {}):
            sys.exit(f"the search takes what is none for a token: {text.decode()!r}, which is made up")


def leaks_in(text, looked_for):
    found = {name for name, written in looked_for.items() if any(form in text for form in written)}
    known = {form for written in looked_for.values() for form in written}
    strange = [token for token in SHAPES.findall(text) if not any(form in token for form in known)]
    return found | ({"unknown token"} if strange else set())


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--plant", action="store_true")
    parser.add_argument("--planted", type=pathlib.Path)
    parser.add_argument("--least", type=int, default=1)
    parser.add_argument("places", type=pathlib.Path, nargs="*")
    options = parser.parse_args(arguments)
    looked_for = {name: list(forms(secret)) for name, secret in canaries().items()}
    if options.plant:
        print(f"planted: {looked_for[PLANTED][5].decode()}")
        return
    control(looked_for)
    files = [file for place in options.places for file in (place.rglob("*") if place.is_dir() else [place])]
    files = [file for file in files if file.is_file()]
    size, leaks = 0, set()
    for file in files:
        for text in texts(file):
            size += len(text)
            leaks |= {(name, file) for name in leaks_in(text, looked_for)}
    if options.planted:
        if (PLANTED, options.planted) not in leaks:
            sys.exit(f"the secret that was planted in {options.planted} was not found")
        leaks.discard((PLANTED, options.planted))
    for name, file in sorted(leaks):
        print(f"the {name} is in {file}", file=sys.stderr)
    if size < options.least:
        print(f"there are only {size:,} bytes to search", file=sys.stderr)
    if not files or leaks or size < options.least:
        sys.exit(1)
    print(f"none of {len(looked_for)} secrets is in {len(files)} files, {size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
