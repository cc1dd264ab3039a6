"""The strict Google of tests/google on loopback, with two functions and a service, and somebody who signs in.

It is a program of its own, which `cargo xtask test` builds. Requests are told apart by their Host header.
"""

import http.client
import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
COMPONENT = Path(os.environ.get("GCF_COMPONENT") or TARGET / "gcf-connector.wasm")
KEY_FILE = ROOT / "tests/fixtures/demo-key.json"
CANARIES = json.loads((ROOT / "tests/fixtures/canaries.json").read_text())

ISSUER = "https://accounts.google.com"
TOKEN_ORIGIN = "https://oauth2.googleapis.com"
TOKEN_URL = f"{TOKEN_ORIGIN}/token"
KEYS = "https://www.googleapis.com"
API = "https://cloudfunctions.googleapis.com"
RUN = "https://run.googleapis.com"
IAM = "https://iamcredentials.googleapis.com"
GEN1 = "https://us-central1-demo-project.cloudfunctions.net"
GEN2 = "https://hello-gen2-x7f3k2q9aa-ew.a.run.app"
APPSPOT = "demo-project@appspot.gserviceaccount.com"
ROBOT = "robot@example.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# The file that Google hands out for an OAuth client of the type "desktop app".
CLIENT = {
    "client_id": "123456789012-fake.apps.googleusercontent.com",
    "client_secret": CANARIES["client-secret"],
    "project_id": "demo-project",
    "auth_uri": f"{ISSUER}/o/oauth2/auth",
    "token_uri": TOKEN_URL,
    "redirect_uris": ["http://localhost"],
}
# Every byte there is: a body that is text to nobody.
BINARY = bytes(range(256))

# Each is laid over a body with every field that Google's has; what is null is not there.
FUNCTIONS = [
    ["us-central1", "hello-gen1", {"environment": "GEN_1", "url": f"{GEN1}/hello-gen1", "eventTrigger": None, "serviceConfig": {"uri": None}}],
    [
        "europe-west1",
        "hello-gen2",
        {
            "environment": "GEN_2",
            "url": "https://europe-west1-demo-project.cloudfunctions.net/hello-gen2",
            "eventTrigger": None,
            "serviceConfig": {"uri": GEN2, "service": "projects/demo-project/locations/europe-west1/services/hello-gen2"},
        },
    ],
]
# Made through the Cloud Run Admin API; and the one that Cloud Functions keeps for its own function.
SERVICES = [
    [
        "us-central1",
        "hello-run",
        {
            "uri": "https://hello-run-x7f3k2q9aa-uc.a.run.app",
            "ingress": "INGRESS_TRAFFIC_ALL",
            "labels": {"goog-managed-by": None},
            "annotations": {},
            "template": {"annotations": None, "timeout": "60s"},
            "buildConfig": {"functionTarget": "hello"},
        },
    ],
    ["europe-west1", "hello-gen2", {"uri": GEN2, "labels": {"goog-managed-by": "cloudfunctions"}, "buildConfig": {"functionTarget": "hello"}}],
]


def project(account):
    people = [account, "ada@example.com", ROBOT, APPSPOT]
    return {
        "id": "demo-project",
        "access_token": CANARIES["access-token"],
        "regions": [["europe-west1", "Belgium"], ["us-central1", "Iowa"]],
        "silent": ["asia-east1"],
        "page": 1,
        "functions": FUNCTIONS,
        "services": SERVICES,
        "viewers": people,
        "grants": [[ROBOT, "iam.serviceAccounts.getOpenIdToken", APPSPOT]],
        "client": [CLIENT["client_id"], CLIENT["client_secret"]],
        "hosts": [
            [urlsplit(GEN1).netloc, "functions/hello-gen1", f"{GEN1}/hello-gen1", True],
            [urlsplit(GEN2).netloc, "services/hello-gen2", GEN2, False],
        ],
    }


class FakeGoogle:
    """Runs until the end of the `with`, which fails if something was asked for that Google does not have."""

    def __init__(self, key):
        self.project = project(key["client_email"])

    def __enter__(self):
        program = TARGET / "debug/strict-google"
        self.program = subprocess.Popen([program, KEY_FILE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.program.stdin.write(json.dumps(self.project) + "\n")
            self.program.stdin.flush()
            self.port = int(self.program.stdout.readline())
        except BaseException:
            self.end()
            raise
        return self

    def end(self):
        # It ends when nobody has anything more to say to it.
        with suppress(OSError):
            self.program.stdin.close()
        self.program.stdout.close()
        self.program.wait()

    def __exit__(self, failed, *_):
        try:
            unknown = self.control("/unknown")
        finally:
            self.end()
        assert failed or not unknown, f"Google has no such calls: {unknown}"

    def control(self, path, **said):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", path, json.dumps(said), {"host": "control"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def origins(self):
        """The origins that this server stands for, and where it listens."""
        here = f"http://127.0.0.1:{self.port}"
        return {origin: here for origin in [TOKEN_ORIGIN, KEYS, API, RUN, IAM, GEN1, GEN2]}

    @property
    def seen(self):
        """Every request: [host, method, target, body]."""
        return self.control("/seen")

    def sent_to(self, origin):
        return [request for request in self.seen if request[0] == urlsplit(origin).netloc]

    @property
    def grants(self):
        """The refresh tokens that nobody has revoked."""
        return self.control("/grants")

    def consent(self, url):
        """The person allows all that the page at `url` asks for. Returns where the browser ends."""
        return self.control("/consent", url=url, account="ada@example.com")

    def stall(self):
        """From now on nothing is answered."""
        self.control("/stall")

    def resume(self):
        self.control("/resume")

    def know(self, token):
        """A token that somebody else has got for the robot."""
        self.control("/know", token=token, account=ROBOT, scopes=SCOPE)
