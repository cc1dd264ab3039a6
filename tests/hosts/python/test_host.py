"""The shipping component in a host that is not ours: Python, with WASI written by hand."""

import hashlib
import json
import unittest
from urllib.parse import urlsplit

from egress import Policy
from fake_google import API, BINARY, CANARIES, CLIENT, COMPONENT, GEN1, GEN2, IAM, KEY_FILE, RUN, TOKEN_ORIGIN, FakeGoogle
from host import Connector, ConnectorError
from network import Network
from store import DictStore

KEY = KEY_FILE.read_text()
REDIRECT_URI = "http://127.0.0.1:8085/"

REGIONS = {"hello-gen1": "us-central1", "hello-gen2": "europe-west1"}

# wit/world.wit, and the one import beyond it that it mentions.
GRANTED = {
    "gcf:connector/secret-store",
    "wasi:cli/stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
}


class HostTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = Network(instead={})
        cls.store = DictStore()
        cls.connector = Connector(COMPONENT, cls.store, cls.network)

    def setUp(self):
        self.google = FakeGoogle(json.loads(KEY))
        self.enterContext(self.google)
        self.network.instead = self.google.origins()
        self.store.entries.clear()

    def connect(self):
        request = {
            "nickname": "demo",
            "project": "demo-project",
            "credential": ("google-json", KEY),
        }
        return self.connector.call("connections", "connect", request, None)["connection"]["id"]

    def authorize(self, **more):
        client = json.dumps({"installed": CLIENT})
        request = {"nickname": "ada", "client": client, "redirect-uri": REDIRECT_URI, **more}
        return self.connector.call("connections", "authorize", request)

    def finish(self, authorization, callback_url):
        return self.connector.call("connections", "finish", authorization["id"], callback_url, None)["connection"]

    def sign_in(self, **more):
        authorization = self.authorize(**more)
        return self.finish(authorization, self.google.consent(authorization["url"]))

    def list_functions(self, connection):
        return self.connector.call("functions", "list", connection, {"regions": []}, None)["functions"]

    def invoke(self, connection, name, body=b"", path=""):
        request = {
            # A region of the fake does not answer, and then a bare name calls nothing.
            "function": ("named", {"name": name, "region": REGIONS[name]}),
            "method": "POST",
            "path": path,
            "headers": [],
            "body": ("bytes", {"content-type": "application/octet-stream", "data": body}),
            "auth": "id-token",
            "serverless-authorization": False,
            "idempotent": False,
            "raise-for-status": False,
        }
        return self.connector.call("functions", "invoke", connection, request, None)

    def tokens_asked_for(self):
        return len(self.google.sent_to(TOKEN_ORIGIN))

    def keys(self, prefix):
        return [key for key in self.store.entries if key.startswith(prefix)]

    def refused(self, *call):
        with self.assertRaises(ConnectorError) as caught:
            self.connector.call(*call)
        return caught.exception.error

    def test_imports_nothing_beyond_its_world(self):
        self.assertLessEqual(self.connector.imports(), GRANTED)

    def test_describe_needs_no_network_and_no_store(self):
        catalog = json.loads(self.connector.call("catalog", "describe"))
        self.assertTrue(catalog["actions"])
        self.assertEqual((self.google.seen, self.store.entries), ([], {}))

    def test_connects_and_keeps_the_key_apart(self):
        connection = self.connect()
        [listed] = self.connector.call("connections", "list")
        self.assertEqual((listed["id"], listed["nickname"]), (connection, "demo"))
        self.assertEqual((listed["project"], listed["region"]), ("demo-project", "us-central1"))
        self.assertEqual((listed["kind"], listed["account"]), ("service-account", json.loads(KEY)["client_email"]))
        line = json.loads(KEY)["private_key"].splitlines()[1]
        holding = [key for key, entry in self.store.entries.items() if line in entry["value"]]
        self.assertEqual(holding, [f"keys/{connection}"])
        self.assertNotIn(line, repr(listed))

    def test_lists_every_generation_over_all_pages(self):
        request = {"regions": []}
        listed = self.connector.call("functions", "list", self.connect(), request, None)
        found = {(item["name"], item["region"], item["generation"]) for item in listed["functions"]}
        on_run = ("hello-run", "us-central1", "cloud-run")
        self.assertEqual(found, {("hello-gen1", "us-central1", "gen1"), ("hello-gen2", "europe-west1", "gen2"), on_run})
        # Two of Cloud Functions, and one of Cloud Run for all regions.
        self.assertEqual((listed["unreachable"], listed["pages"]), (["asia-east1"], 3))
        self.assertEqual({item["trigger"] for item in listed["functions"]}, {("http", None), ("other", None)})
        self.assertEqual((listed["missing"], listed["notes"]), ([], []))

    def test_offers_regions_and_functions_while_somebody_types(self):
        connection = self.connect()
        [region] = self.options(connection, ("regions", None), "bel")
        self.assertEqual((region["value"], region["label"]), ("europe-west1", "Belgium (europe-west1)"))
        offered = self.options(connection, ("functions", "us-central1"), "HELLO")
        self.assertEqual([item["value"] for item in offered], ["hello-gen1", "hello-run"])

    def options(self, connection, field, prefix):
        request = {"field": field, "prefix": prefix}
        return self.connector.call("functions", "options", connection, request, None)["options"]

    def test_a_function_answers_unchanged(self):
        connection = self.connect()
        for name, generation, origin, audience in [
            ("hello-gen1", "gen1", GEN1, f"{GEN1}/hello-gen1"),
            ("hello-gen2", "gen2", GEN2, GEN2),
        ]:
            with self.subTest(name):
                result = self.invoke(connection, name)
                self.assertEqual((result["status"], result["body"]), (418, ("bytes", BINARY)))
                cookies = [header["value"] for header in result["headers"] if header["name"] == "set-cookie"]
                self.assertEqual(cookies, [b"a=1", b"b=2"])
                self.assertEqual((result["generation"], result["token"]), (generation, "id-token"))
                self.assertEqual(result["audience"], audience)
                self.assertEqual(len(self.google.sent_to(origin)), 1)

    def test_bodies_arrive_whole(self):
        connection = self.connect()
        for size in [0, 1, 4096, 4097, 100_000]:
            with self.subTest(size):
                body = (BINARY * (size // 256 + 1))[:size]
                result = self.invoke(connection, "hello-gen2", body)
                received = [header["value"] for header in result["headers"] if header["name"] == "x-received"]
                self.assertEqual(received, [hashlib.sha256(body).hexdigest().encode()])

    def test_a_large_answer_arrives_whole(self):
        connection = self.connect()
        for size in [65_536, 262_145, 1_000_000]:
            with self.subTest(size):
                body = (bytes(range(251)) * (size // 251 + 1))[:size]
                self.assertEqual(self.invoke(connection, "hello-gen2", body, "/echo")["body"], ("bytes", body))

    def test_a_fresh_instance_finds_the_tokens_of_the_last_one(self):
        connection = self.connect()
        self.invoke(connection, "hello-gen2")
        asked = self.tokens_asked_for()
        self.assertGreater(asked, 0)
        self.invoke(connection, "hello-gen2")
        self.assertEqual(self.tokens_asked_for(), asked)

    def test_any_other_call(self):
        request = {"method": "GET", "path": "/v2/projects/demo-project/locations/us-central1/functions", "headers": []}
        result = self.connector.call("api", "custom-api", self.connect(), request, None)
        self.assertEqual((result["status"], result["token"]), (200, "access-token"))
        [function] = json.loads(result["body"][1])["functions"]
        self.assertTrue(function["name"].endswith("/hello-gen1"))

    def test_errors_say_whose_they_are(self):
        error = self.refused("functions", "list", "no-such-connection", {"regions": []}, None)
        self.assertEqual((error["kind"], error["origin"]), ("connection-not-found", "connection"))
        missing = ("named", {"name": "missing", "region": "us-central1"})
        error = self.refused("functions", "get", self.connect(), missing, None)
        self.assertEqual((error["kind"], error["http-status"]), ("not-found", 404))

    def test_what_the_operator_of_the_host_denies_is_not_sent(self):
        connection = self.connect()
        theirs = self.connector.policy
        self.addCleanup(setattr, self.connector, "policy", theirs)
        manifest = json.loads(self.connector.call("catalog", "describe"))["egress"]
        allowed = [rule for rule in manifest if rule.get("host") not in [urlsplit(API).netloc, urlsplit(RUN).netloc]]
        self.connector.policy = Policy(manifest, within=allowed)
        error = self.refused("functions", "list", connection, {"regions": []}, None)
        self.assertEqual((error["kind"], self.google.sent_to(API)), ("egress-denied", []))

    def test_the_doctor_looks_at_a_function(self):
        for name in ["hello-gen1", "hello-gen2"]:
            with self.subTest(name):
                function = ("named", {"name": name})
                findings = self.connector.call("connections", "check", self.connect(), function, None)
                verdicts = {finding["name"]: finding["verdict"] for finding in findings}
                needless = [name for name, verdict in verdicts.items() if verdict == "not-needed"]
                self.assertEqual(needless, ["scopes", "iam-credentials-api", "mint-id-token"])
                self.assertLessEqual({"token", "project", "list-functions", "exists", "may-invoke"}, verdicts.keys())
                self.assertEqual(set(verdicts.values()), {"pass", "not-needed"}, findings)

    def test_rename(self):
        connection = self.connect()
        renamed = self.connector.call("connections", "rename", connection, "other")
        self.assertEqual((renamed["connection"]["id"], renamed["connection"]["nickname"]), (connection, "other"))
        self.assertEqual(renamed["warnings"], [])
        [listed] = self.connector.call("connections", "list")
        self.assertEqual(listed["nickname"], "other")

    def test_a_person_signs_in(self):
        connection = self.sign_in()
        self.assertEqual((connection["kind"], connection["account"]), ("authorized-user", "ada@example.com"))
        self.assertEqual((connection["project"], connection["fault"]), ("demo-project", None))
        self.assertEqual(len(self.list_functions(connection["id"])), 3)
        # One code, exchanged once, and no token asked for since.
        self.assertEqual((self.tokens_asked_for(), self.keys("pending/")), (1, []))
        for key in self.keys("tokens/"):
            self.store.delete(key, ("anything", None))
        self.assertEqual(len(self.list_functions(connection["id"])), 3)
        self.assertEqual(self.tokens_asked_for(), 2)

    def test_a_callback_of_somebody_else_changes_nothing(self):
        authorization = self.authorize()
        theirs = self.google.consent(self.authorize()["url"])
        error = self.refused("connections", "finish", authorization["id"], theirs, None)
        self.assertEqual((error["kind"], dict(error["details"])["check"]), ("authorization-failed", "state"))
        self.assertEqual((self.tokens_asked_for(), self.connector.call("connections", "list")), (0, []))
        # The person who began can still finish, once.
        ours = self.google.consent(authorization["url"])
        self.finish(authorization, ours)
        error = self.refused("connections", "finish", authorization["id"], ours, None)
        self.assertEqual((error["kind"], self.tokens_asked_for()), ("authorization-failed", 1))

    def test_signing_in_anew_keeps_the_id(self):
        connection = self.sign_in()
        again = self.sign_in(connection=connection["id"], nickname="not read")
        self.assertEqual((again["id"], again["nickname"]), (connection["id"], "ada"))
        replaced = self.connector.call("connections", "reauthorize", connection["id"], ("google-json", KEY), None, None)
        replaced = replaced["connection"]
        self.assertEqual((replaced["id"], replaced["kind"]), (connection["id"], "service-account"))
        self.assertEqual(len(self.list_functions(connection["id"])), 3)

    def test_disconnect_revokes_a_grant(self):
        connection = self.sign_in()
        self.assertEqual(len(self.google.grants), 1)
        left = self.connector.call("connections", "disconnect", connection["id"], None)
        self.assertEqual((left["warnings"], self.google.grants, self.store.entries), ([], [], {}))

    def test_a_token_that_the_host_supplies(self):
        self.store.put("supplied/token", CANARIES["supplied-token"] + "\n", ("anything", None))
        self.google.know(CANARIES["supplied-token"])
        credential = ("supplied-token", {"key": "supplied/token", "account": "robot@example.com"})
        request = {"nickname": "robot", "project": "demo-project", "credential": credential}
        connection = self.connector.call("connections", "connect", request, None)["connection"]
        self.assertEqual((connection["kind"], connection["account"]), ("supplied-token", "robot@example.com"))
        self.assertEqual(connection["invoker"][0], "service-account")
        self.assertEqual(len(self.list_functions(connection["id"])), 3)
        # It has no ID token of its own, so the project's service account lends it one.
        result = self.invoke(connection["id"], "hello-gen2")
        self.assertEqual((result["principal"], result["audience"]), ("demo-project@appspot.gserviceaccount.com", GEN2))
        self.assertEqual((len(self.google.sent_to(IAM)), self.tokens_asked_for()), (1, 0))
        # What the host has to renew, it is told to renew.
        self.store.delete("supplied/token", ("anything", None))
        error = self.refused("functions", "list", connection["id"], {"regions": []}, None)
        self.assertEqual((error["kind"], error["origin"]), ("invalid-credential", "host"))

    def test_disconnect_leaves_nothing(self):
        connection = self.connect()
        self.invoke(connection, "hello-gen1")
        self.connector.call("connections", "disconnect", connection, None)
        self.assertEqual(self.store.entries, {})


if __name__ == "__main__":
    unittest.main(verbosity=2)
