"""The parts of the host, each alone: the policy, the arguments of a call, the kept machine code."""

import json
import os
import tempfile
import time
import unittest
from pathlib import Path

import wasmtime

import compiled
from egress import Denied, Policy
from fake_google import COMPONENT, ROOT
from host import Connector
from network import Network, is_public
from store import DictStore
from values import FieldError, Ok
from wasi import FUNCTIONS
from wasi_http import HTTP, Fields, OutgoingRequest, Request, outgoing_handler


class PolicyTest(unittest.TestCase):
    """Against the table that every host is held to."""

    def setUp(self):
        self.table = json.loads((ROOT / "tests/fixtures/egress.json").read_text())

    def test_lets_through_what_the_manifest_allows_and_nothing_else(self):
        policy, judged = Policy(self.table["manifest"]), 0
        for row in self.table["requests"]:
            for url in row["urls"]:
                for headers in row["headers"]:
                    with self.subTest(row["what"], url=url, headers=headers):
                        self.assertEqual(self.is_allowed(policy, url, headers), row["allowed"])
                        judged += 1
        self.assertGreater(judged, 300)

    def test_takes_no_manifest_that_asks_for_too_much(self):
        for manifest in [*self.table["refused-manifests"], {}, None]:
            with self.subTest(manifest=manifest), self.assertRaises(ValueError):
                Policy(manifest)

    def test_an_operator_only_narrows(self):
        allowed = [{"host": "cloudfunctions.googleapis.com", "carries": ["access-token"]}]
        token = [["authorization", "Bearer ya29.canary"]]
        policy = Policy(self.table["manifest"], within=allowed)
        self.assertTrue(self.is_allowed(policy, "https://cloudfunctions.googleapis.com/v2", token))
        self.assertFalse(self.is_allowed(policy, "https://oauth2.googleapis.com/token", []))
        policy = Policy(allowed, within=self.table["manifest"])
        self.assertFalse(self.is_allowed(policy, "https://oauth2.googleapis.com/token", []))

    def test_no_method_or_path_makes_it_another_request(self):
        policy, host = Policy(self.table["manifest"]), "fn-abcdef-uc.a.run.app"
        self.assertEqual(policy.check("PATCH", "https", host, "/a?b=%20c", []), host)
        for method in self.table["refused-methods"]:
            with self.subTest(method=method), self.assertRaisesRegex(Denied, "method"):
                policy.check(method, "https", host, "/", [])
        for path in self.table["refused-paths"]:
            with self.subTest(path=path), self.assertRaisesRegex(Denied, "path"):
                policy.check("GET", "https", host, path, [])

    def is_allowed(self, policy, url, headers):
        scheme, _, rest = url.partition("://")
        authority = rest.partition("/")[0].partition("?")[0]
        headers = [(name, value.encode("latin-1")) for name, value in headers]
        try:
            policy.check("GET", scheme, authority, rest.removeprefix(authority), headers)
        except Denied as denied:
            self.assertNotIn("canary", str(denied))
            return False
        return True


class OutgoingTest(unittest.TestCase):
    """A request on its way from the guest to the network."""

    def setUp(self):
        manifest = [{"host-suffix": ".run.app", "labels": [1, 2], "carries": ["none"]}]
        self.sent = []
        self.handle = outgoing_handler(lambda: Policy(manifest), lambda request, _: self.sent.append(request))["handle"]
        self.fields = Fields([("x-note", b"1")])
        self.request = OutgoingRequest(self.fields)
        self.request.authority, self.request.path_with_query = "fn-abcdef-uc.a.run.app", "/"

    def of_guest(self, function, *arguments):
        return FUNCTIONS[HTTP][function](*arguments)

    def test_what_is_judged_is_what_is_sent(self):
        answer = self.handle(self.request, None).value
        # A guest keeps all that it has had in hand.
        for fields in [self.fields, self.request.headers, self.of_guest("[method]outgoing-request.headers", self.request)]:
            self.of_guest("[method]fields.append", fields, "x-goog-api-key", b"canary")
            self.of_guest("[method]fields.set", fields, "x-note", [b"2"])
        self.request.authority, self.request.path_with_query, self.request.method = "evil.example", "/x", ("post", None)
        self.of_guest("[static]outgoing-body.finish", self.request.body, None)
        answer.get()
        [sent] = self.sent
        self.assertEqual((sent.method, sent.host, sent.path), ("GET", "fn-abcdef-uc.a.run.app", "/"))
        self.assertEqual(sent.headers, (("x-note", b"1"),))

    def test_the_headers_that_a_guest_is_handed_are_its_own(self):
        handed = self.of_guest("[method]outgoing-request.headers", self.request)
        self.of_guest("[method]fields.append", handed, "cookie", b"canary")
        self.assertEqual(self.fields.entries, [("x-note", b"1")])

    def test_a_finished_body_takes_no_more(self):
        stream = self.of_guest("[method]outgoing-body.write", self.request.body).value
        self.assertEqual(stream.write(b"whole"), Ok())
        self.of_guest("[static]outgoing-body.finish", self.request.body, None)
        self.assertNotEqual(stream.write(b", and more"), Ok())
        self.assertEqual(self.request.body.data, b"whole")

    def test_no_secret_is_printed_with_what_holds_it(self):
        headers = [("authorization", b"Bearer canary")]
        for holding in [
            Fields(headers),
            OutgoingRequest(Fields(headers)).headers,
            Request("POST", "fn-abcdef-uc.a.run.app", "/?code=canary", tuple(headers), b"canary"),
            Ok({"value": "canary", "version": "1"}),
        ]:
            self.assertNotIn("canary", f"{holding} {holding!r} {[holding]}")


class AddressTest(unittest.TestCase):
    def test_only_those_of_the_public_internet(self):
        for address in ["142.250.74.10", "2a00:1450:4001:810::200a", "64:ff9b::8efa:4a0a", "2002:8efa:4a0a::1"]:
            self.assertTrue(is_public(address), address)
        local = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "192.168.0.1", "0.0.0.0", "224.0.0.1"]
        local += ["::1", "fe80::1", "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "ff02::1"]
        for address in local:
            self.assertFalse(is_public(address), address)


class ArgumentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.connector = Connector(COMPONENT, DictStore(), Network(instead={}))

    def test_an_error_names_the_field(self):
        connect = {"nickname": "n", "project": "p", "credential": ("google-json", "canary")}
        invoke = {
            "function": ("named", {"name": "f", "region": "r"}), "method": "GET", "path": "", "headers": [],
            "auth": "id-token", "serverless-authorization": False, "idempotent": False, "raise-for-status": False,
        }  # fmt: skip
        table = [
            ("connections", "connect", [{**connect, "nickname": 7}, None], "request.nickname", "a string"),
            ("connections", "connect", [{**connect, "nicknam": "canary"}, None], "request.nicknam", "nickname?"),
            ("connections", "connect", [{"nickname": "n"}, None], "request.credential", "missing"),
            ("connections", "connect", [{**connect, "credential": ("gogle-json", "canary")}, None], "request.credential", "google-json"),
            ("connections", "connect", [{**connect, "credential": "canary"}, None], "request.credential", "tuple"),
            ("connections", "connect", [{**connect, "credential": ("google-json", b"canary")}, None], "request.credential.google-json", "bytes"),
            ("connections", "connect", [connect, -1], "deadline-ms", "0 to 4294967295"),
            ("connections", "connect", [connect, True], "deadline-ms", "a number"),
            ("connections", "connect", ["canary", None], "request", "a dict"),
            ("connections", "connect", [connect], "connections.connect", "request, deadline-ms"),
            ("connections", "conect", [], "connections.conect", "no such function"),
            ("functions", "list", ["id", {"regions": "canary"}, None], "request.regions", "a list"),
            ("functions", "list", ["id", {"regions": ["r", 1]}, None], "request.regions[1]", "a string"),
            ("functions", "invoke", ["id", {**invoke, "auth": "canary"}, None], "request.auth", "id-token"),
            ("functions", "invoke", ["id", {**invoke, "idempotent": 1}, None], "request.idempotent", "True or False"),
            ("functions", "invoke", ["id", {**invoke, "function": ("named", {"name": None})}, None], "request.function.named.name", "a string"),
            ("functions", "invoke", ["id", {**invoke, "headers": [{"name": "x"}]}, None], "request.headers[0].value", "missing"),
            ("functions", "invoke", ["id", {**invoke, "body": ("bytes", {"content-type": "x/y", "data": "canary"})}, None], "request.body.bytes.data", "bytes"),
        ]  # fmt: skip
        for interface, function, arguments, field, words in table:
            with self.subTest(field), self.assertRaises(FieldError) as caught:
                self.connector.call(interface, function, *arguments)
            self.assertEqual(caught.exception.field, field)
            self.assertIn(words, str(caught.exception))
            self.assertNotIn("canary", str(caught.exception))


class CompiledTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "cache"

    def start(self):
        began = time.monotonic()
        connector = Connector(COMPONENT, DictStore(), Network(instead={}), cache=self.folder)
        return connector.was_cached, (time.monotonic() - began) * 1000

    def test_only_the_first_start_compiles(self):
        (was_cached, first), (is_cached, second) = self.start(), self.start()
        self.assertEqual((was_cached, is_cached), (False, True))
        print(f"first start in {first:.0f} ms, second in {second:.0f} ms, ", end="")
        [entry] = self.folder.iterdir()
        self.assertEqual((self.folder.stat().st_mode & 0o777, entry.stat().st_mode & 0o777), (0o700, 0o600))

    def test_what_is_damaged_or_anybodys_is_made_anew(self):
        small, engine = self.folder.parent / "small.wasm", wasmtime.Engine()
        small.write_bytes(wasmtime.wat2wasm("(component)"))

        def is_cached():
            return compiled.load(engine, small, self.folder)[1]

        self.assertEqual([is_cached(), is_cached()], [False, True])
        [entry] = self.folder.iterdir()
        whole = entry.read_bytes()
        for damage in [b"", b"\n", whole[:-1], b"x" + whole[1:], whole[:64] + b"\n"]:
            with self.subTest(len(damage)):
                entry.write_bytes(damage)
                self.assertEqual([is_cached(), is_cached()], [False, True])
        entry.chmod(0o666)
        self.assertEqual([is_cached(), is_cached()], [False, True])
        elsewhere = self.folder.parent / "elsewhere"
        os.replace(entry, elsewhere)
        entry.symlink_to(elsewhere)
        self.assertEqual([is_cached(), is_cached()], [False, True])
        self.folder.chmod(0o777)
        self.assertEqual([is_cached(), is_cached()], [False, False])

    def test_code_of_another_engine_is_not_run(self):
        config = wasmtime.Config()
        config.epoch_interruption = True
        small = self.folder.parent / "small.wasm"
        small.write_bytes(wasmtime.wat2wasm("(component)"))
        for engine in [wasmtime.Engine(config), wasmtime.Engine()]:
            self.assertFalse(compiled.load(engine, small, self.folder)[1])
        self.assertTrue(compiled.load(engine, small, self.folder)[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
