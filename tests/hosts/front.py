"""One flow, which every host has to go through with the connector, whatever the host and the way in.

`FlowTest` has the tests of the actions, `FrontTest` those of the HTTP front with them, which `Front` speaks to. Google is the
strict one, which the connector reaches by `reroute`, or by what the host has of its own.
"""

import base64
import hashlib
import http.client
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parent / "python"))
from fake_google import BINARY, GEN2, KEY_FILE, TOKEN_ORIGIN, FakeGoogle  # noqa: E402

TOKEN = "a token of the tests, long enough to be taken"
# What the stores seal their values with.
STORE_KEY = base64.b64encode(bytes(range(32))).decode()
KEY = KEY_FILE.read_text()
ACCOUNT = json.loads(KEY)["client_email"]


# By docs/guide/hosts.md.
STATUS = {
    "connection-not-found": 404,
    "deadline-exceeded": 504,
    "invalid-input": 400,
    "not-found": 404,
}


class Front:
    """The API at an address; `host` is the name that it is asked by, where a host tells its workloads apart by that."""

    def __init__(self, address, token=TOKEN, host=None):
        self.address, self.token = urlsplit(address).netloc, token
        self.named = {"host": host} if host else {}

    def ask(self, method, target, body=None, **headers):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        given = {"authorization": f"Bearer {self.token}", "content-type": "application/json", **self.named, **headers}
        connection.request(method, target, body, {name: value for name, value in given.items() if value is not None})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text)

    def call(self, action, body=None, **query):
        parameters = {name.replace("_", "-"): value for name, value in query.items()}
        target = f"/gcf:connector/{action}" + (f"?{urlencode(parameters)}" if parameters else "")
        return self.ask("POST", target, json.dumps({} if body is None else body))

    def done(self, action, body=None, **query):
        status, answer = self.call(action, body, **query)
        assert status == 200, (action, status, answer)
        return answer

    def failed(self, action, body=None, **query):
        status, answer = self.call(action, body, **query)
        assert status == STATUS[answer["kind"]], (action, status, answer)
        return answer


class FlowTest:
    """Mixed into a TestCase whose `start(google)` returns what makes calls, and sees to it that all it starts is ended with the
    class (`enterClassContext`, `addClassCleanup`): also if it fails half way.

    `done(action, body, **query)` returns what an action does, `failed` the error that it ends with.
    """

    @classmethod
    def setUpClass(cls):
        cls.google = cls.enterClassContext(FakeGoogle(json.loads(KEY)))
        cls.front = cls.start(cls.google)

    def connect(self):
        request = {"nickname": self.id(), "project": "demo-project", "credential": {"google-json": KEY}}
        return self.front.done("connections/connect", request)["connection"]["id"]

    def invoke(self, connection, body, **query):
        request = {
            "function": {"named": {"name": "hello-gen2", "region": "europe-west1"}},
            "body": {"bytes": {"content-type": "application/octet-stream", "data": body}},
            "auth": "id-token",
        }
        return self.front.done("functions/invoke", request, connection=connection, **query)

    def test_connects_and_shows_no_secret(self):
        connection = self.connect()
        shown = self.front.done("connections/get", connection=connection)
        self.assertEqual((shown["kind"], shown["account"]), ("service-account", ACCOUNT))
        self.assertIn(connection, [each["id"] for each in self.front.done("connections/list")])
        self.assertNotIn(json.loads(KEY)["private_key"].splitlines()[1], json.dumps(shown))

    def test_lists_every_generation(self):
        listed = self.front.done("functions/list", connection=self.connect())
        found = {(item["name"], item["region"], item["generation"]) for item in listed["functions"]}
        self.assertEqual(
            found,
            {
                ("hello-gen1", "us-central1", "gen1"),
                ("hello-gen2", "europe-west1", "gen2"),
                ("hello-run", "us-central1", "cloud-run"),
            },
        )
        self.assertEqual(listed["unreachable"], ["asia-east1"])

    def test_invokes_with_an_id_token_and_the_answer_is_unchanged(self):
        answer = self.invoke(self.connect(), "AAEC/w==")
        self.assertEqual((answer["status"], answer["token"], answer["audience"]), (418, "id-token", GEN2))
        self.assertEqual(answer["principal"], ACCOUNT)
        self.assertEqual(base64.b64decode(answer["body"]["bytes"]), BINARY)
        headers = [(each["name"], base64.b64decode(each["value"]).decode()) for each in answer["headers"]]
        received = [value for name, value in headers if name == "x-received"]
        self.assertEqual(received, [hashlib.sha256(bytes([0, 1, 2, 255])).hexdigest()])

    def test_bodies_arrive_whole(self):
        connection = self.connect()
        for size in [0, 4096, 4097, 1_500_000]:
            with self.subTest(size):
                body = (BINARY * (size // 256 + 1))[:size]
                answer = self.invoke(connection, base64.b64encode(body).decode())
                received = [each["value"] for each in answer["headers"] if each["name"] == "x-received"]
                self.assertEqual(base64.b64decode(received[0]).decode(), hashlib.sha256(body).hexdigest())

    def test_a_fresh_instance_finds_the_tokens_of_the_last_one(self):
        connection = self.connect()
        self.invoke(connection, "")
        asked = len(self.google.sent_to(TOKEN_ORIGIN))
        self.invoke(connection, "")
        self.assertEqual(len(self.google.sent_to(TOKEN_ORIGIN)), asked)

    def test_any_other_call(self):
        request = {"path": "/v2/projects/demo-project/locations/us-central1/functions"}
        answer = self.front.done("api/custom-api", request, connection=self.connect())
        self.assertEqual((answer["status"], answer["token"]), (200, "access-token"))
        [function] = json.loads(answer["body"]["json"])["functions"]
        self.assertTrue(function["name"].endswith("/hello-gen1"))

    def test_offers_options_while_somebody_types(self):
        request = {"field": "regions", "prefix": "bel"}
        [region] = self.front.done("functions/options", request, connection=self.connect())["options"]
        self.assertEqual((region["value"], region["label"]), ("europe-west1", "Belgium (europe-west1)"))

    def test_errors_say_whose_they_are(self):
        error = self.front.failed("functions/list", connection="none")
        self.assertEqual((error["kind"], error["origin"]), ("connection-not-found", "connection"))
        connection = self.connect()
        sent = len(self.google.seen)
        error = self.front.failed("api/custom-api", {"path": "https://evil.example/"}, connection=connection)
        self.assertEqual((error["kind"], error["origin"]), ("invalid-input", "input"))
        self.assertEqual(len(self.google.seen), sent)
        missing = {"function": {"named": {"name": "missing", "region": "us-central1"}}}
        error = self.front.failed("functions/get", missing, connection=connection)
        self.assertEqual((error["kind"], error["origin"]), ("not-found", "google-api"))

    def test_a_deadline_ends_a_call_that_nobody_answers(self):
        connection = self.connect()
        self.google.stall()
        try:
            began = time.monotonic()
            error = self.front.failed("functions/list", connection=connection, deadline_ms=700)
            took = time.monotonic() - began
        finally:
            self.google.resume()
        self.assertEqual(error["kind"], "deadline-exceeded")
        self.assertGreater(took, 0.6)
        self.assertLess(took, 10)

    def test_disconnect_leaves_nothing_to_use(self):
        connection = self.connect()
        self.front.done("connections/disconnect", connection=connection)
        error = self.front.failed("functions/list", connection=connection)
        self.assertEqual(error["kind"], "connection-not-found")


class FrontTest(FlowTest):
    """The same, and what only the HTTP front has; `start(google)` returns a Front."""

    def test_a_field_that_nobody_knows_is_named(self):
        error = self.front.failed("functions/list", {"page-sise": 1}, connection=self.connect())
        self.assertEqual((error["kind"], error["details"]), ("invalid-input", [["field", "page-sise"]]))

    def test_only_who_has_the_token_is_answered(self):
        for authorization in [None, "Bearer no", f"Basic {TOKEN}"]:
            target = "/gcf:connector/connections/list"
            status, error = self.front.ask("POST", target, "{}", authorization=authorization)
            self.assertEqual((status, error["kind"]), (401, "unauthenticated"))
        self.assertEqual(self.front.ask("GET", "/healthz", authorization=None)[0], 200)

    def test_a_body_that_is_too_large_is_not_read(self):
        # It is announced, and not even sent.
        connection = http.client.HTTPConnection(self.front.address, timeout=60)
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        headers |= {"content-length": str((1 << 20) + 1), **self.front.named}
        connection.request("POST", "/gcf:connector/connections/list", headers=headers)
        response = connection.getresponse()
        self.assertEqual((response.status, json.loads(response.read())["kind"]), (413, "too-large"))
        connection.close()

    def test_describes_itself(self):
        status, document = self.front.ask("GET", "/openapi.json")
        self.assertEqual((status, document["openapi"]), (200, "3.1.0"))
        catalog = json.loads(self.front.done("catalog/describe"))
        routed = {path.removeprefix("/gcf:connector/").replace("/", ".") for path in document["paths"]}
        self.assertEqual(routed, {action["name"] for action in catalog["actions"]} | {"catalog.describe"})


__all__ = ["ACCOUNT", "KEY", "STORE_KEY", "TOKEN", "FakeGoogle", "FlowTest", "Front", "FrontTest"]
