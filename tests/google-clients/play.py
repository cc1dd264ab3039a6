"""Plays every list and get of functions on the cassettes by gcf, and writes what it says of each function.

    play.py GCF FILE

Into FILE goes, for each command, the answers of Google that it has read, and the functions that it shows. What has to be
true of them is in test_gcf.py and gcf.test.mjs, by Google's clients.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TESTS = Path(__file__).resolve().parents[1]
CASSETTES = TESTS / "cassettes"

# A list or a resource, as functions and as services of Cloud Run v2: Google's clients know these.
KNOWN = re.compile(
    r"https://(?:cloudfunctions|run)\.googleapis\.com/v2/projects/[^/]+/locations/([^/]+)/(functions|services)(?:/([^/:]+))?"
)
# The same services by v1, of every region at once, for which Google has no such client.
KNATIVE = re.compile(r"https://run\.googleapis\.com/v1/projects/[^/]+/locations/-/services")
# What `gcf doctor` asks for: it shows no function.
OF_DOCTOR = {"functions(name)", "services(name)", "name,invokerIamDisabled"}
# Its list has no end: gcf shows an error, and nothing of it.
ENDLESS = {"page-loop.json"}
TOKEN = "https://oauth2.googleapis.com/token"


class Exchange:
    """An answer on a cassette, and what was asked."""

    def __init__(self, recorded):
        self.request, self.response = recorded["request"], recorded.get("response") or {}
        url = urlsplit(self.request["url"])
        self.url = f"{url.scheme}://{url.netloc}{url.path}"
        self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
        found = KNOWN.fullmatch(self.url) if self.request["method"] == "GET" else None
        self.region, self.kind, self.name = found.groups() if found else (None, None, None)

    @property
    def body(self):
        body = self.response.get("body")
        return body["json"] if isinstance(body, dict) and set(body) == {"json"} else body

    def is_success(self):
        return self.response.get("status") == 200 and isinstance(self.body, dict)

    def is_compared(self):
        return bool(self.kind) and self.is_success() and self.query.get("fields") not in OF_DOCTOR


class Gcf:
    """The command, with a connection that every tape accepts."""

    def __init__(self, gcf, folder):
        self.gcf, self.folder = gcf, folder
        tape = json.loads((CASSETTES / "connect-only.json").read_text())
        self.token = next(each for each in tape["interactions"] if each["request"]["url"] == TOKEN)
        key = TESTS / "fixtures/demo-key.json"
        self.run(tape, "connect", "--nickname", "clients", "--credentials", str(key))

    def run(self, tape, *arguments):
        """The JSON that a command prints, with the tape in place of Google."""
        path = self.folder / "tape.json"
        path.write_text(json.dumps(tape))
        replay = ["--replay", str(path), "--tape-mode", "stub", "--replay-store", str(self.folder / "store"), "--json"]
        ran = subprocess.run([self.gcf, *arguments, *replay], capture_output=True, text=True, env={})
        if ran.returncode:
            sys.exit(f"gcf {' '.join(arguments)} exits with {ran.returncode}: {ran.stdout}{ran.stderr}")
        return json.loads(ran.stdout)

    def signed_in(self, tape):
        """The tape with the sign-in of this connection, whoever signed in there."""
        others = [each for each in tape["interactions"] if each["request"]["url"] != TOKEN]
        return {**tape, "interactions": [self.token, *others]}


def plays(gcf, path):
    """Each command that the tape has answers for."""
    tape = json.loads(path.read_text())
    exchanges = [Exchange(each) for each in tape["interactions"]]
    compared = [each for each in exchanges if each.is_compared()]
    tape = gcf.signed_in(tape)

    lists = [each for each in compared if not each.name]
    if lists and path.name not in ENDLESS:
        asked = next(each for each in exchanges if each.kind == "functions" and not each.name)
        arguments = ["list", *(["--region", asked.region] if asked.region != "-" else [])]
        arguments += ["--page-size", asked.query["pageSize"]]
        said = gcf.run(tape, *arguments)["functions"]
        by_v1 = [each.body for each in exchanges if KNATIVE.fullmatch(each.url) and each.is_success()]
        names = {item["metadata"]["name"] for body in by_v1 for item in body.get("items", [])}
        known = [each for each in said if each["generation"] != "cloud-run" or each["name"] not in names]
        yield play(path, arguments, lists, known)

    for got in [each for each in compared if each.name]:
        # A service is asked for after the function of the name, which is not there.
        before = [each for each in exchanges[: exchanges.index(got)] if each.kind == "functions" and each.name]
        name = got.name if got.kind == "functions" else before[-1].name
        arguments = ["get", name, "--region", got.region]
        yield play(path, arguments, [got], [gcf.run(tape, *arguments)])


def play(path, arguments, answers, functions):
    return {
        "where": f"{path.name}, gcf {' '.join(arguments)}",
        "answers": [{"request": each.request, "url": each.url, "kind": each.kind, "body": each.body} for each in answers],
        "functions": functions,
    }


def main(command, file):
    with tempfile.TemporaryDirectory() as folder:
        gcf = Gcf(command, Path(folder))
        played = [each for path in sorted(CASSETTES.glob("*.json")) for each in plays(gcf, path)]
    Path(file).write_text(json.dumps(played, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
