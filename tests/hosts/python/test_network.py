"""The way to the network: whose certificates are taken, and who is waited for, and how long."""

import collections
import functools
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from contextlib import suppress
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

from fake_google import API, COMPONENT, KEY_FILE, RUN, FakeGoogle
from host import Connector, ConnectorError, Limits
from network import Network, NotSent
from store import DictStore
from wasi_http import Request, Timeouts

KEY = KEY_FILE.read_text()
NAMES = ["*.googleapis.com", "*.cloudfunctions.net", "*.a.run.app"]


class Server:
    """A server on loopback; `serve` gets each connection, and says how it behaves."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.ended, self.serve = threading.Event(), serve
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with suppress(OSError):
            while True:
                threading.Thread(target=self.one, args=self.listener.accept()[:1], daemon=True).start()

    def one(self, connection):
        with suppress(OSError), connection:
            self.serve(connection, self.ended)

    def __enter__(self):
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_):
        self.ended.set()
        self.listener.close()


def over_tls(certificate, port):
    """Passes on to a port what arrives over TLS, and the answer back."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def serve(connection, _ended):
        with context.wrap_socket(connection, server_side=True) as near, socket.create_connection(("127.0.0.1", port)) as far:
            threading.Thread(target=copy, args=(near, far), daemon=True).start()
            copy(far, near)

    return serve


def copy(one, other):
    with suppress(OSError):
        while piece := one.recv(1 << 16):
            other.sendall(piece)


def drips_headers(connection, ended, head=b"HTTP/1.1 200 OK\r\nx-long: "):
    """Answers by a byte at a time, and never ends."""
    connection.sendall(head)
    while not ended.wait(0.02):
        connection.sendall(b"x")


def drips_a_body(connection, ended):
    drips_headers(connection, ended, b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")


def speaks_plainly(connection, ended):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    ended.wait()


def is_silent(_connection, ended):
    ended.wait()


class Keeps:
    """A server that keeps the request it gets, byte for byte, and answers that there is nothing."""

    def __init__(self):
        self.head = self.body = b""

    def __call__(self, connection, _ended):
        with connection.makefile("rb") as arriving:
            lines = list(iter(arriving.readline, b"\r\n"))
            lengths = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
            self.head, self.body = b"".join(lines), arriving.read(sum(lengths))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def needs_openssl(test):
    """Leaves a test out, by its name, where there is nobody who makes certificates."""

    @functools.wraps(test)
    def tested(self):
        if not shutil.which("openssl"):
            left_out("openssl", "there is no openssl, which makes the certificates of this test")
            self.skipTest("there is no openssl")
        test(self)

    return tested


def left_out(name, why):
    """As tests/left-out.sh has it: what is not allowed by its name fails."""
    if name not in os.environ.get("GCF_ALLOW_SKIPS", "").split(","):
        raise AssertionError(f"{name}: {why}; leave it out with GCF_ALLOW_SKIPS={name}")
    # A line of its own: unittest has begun one.
    print(f"\nleft out: {name}: {why}", flush=True)


def certificate(folder, name, names):
    """One that signs itself, with its key, in one file."""
    path = folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName={','.join(f'DNS:{host}' for host in names)}",
         "-keyout", path, "-out", folder / f"{name}.crt"], check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + (folder / f"{name}.crt").read_text())
    return path


class NetworkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.google = cls.enterClassContext(FakeGoogle(json.loads(KEY)))
        cls.network, cls.store = Network(instead=cls.google.origins()), DictStore()
        cls.connector = Connector(COMPONENT, cls.store, cls.network, cache=cls.folder / "cache")
        request = {"nickname": "demo", "project": "demo-project", "credential": ("google-json", KEY)}
        cls.connection = cls.connector.call("connections", "connect", request, None)["connection"]["id"]

    def setUp(self):
        self.network.instead = self.google.origins()
        self.addCleanup(setattr, self.network, "context", self.network.context)
        self.addCleanup(setattr, self.connector, "seconds", self.connector.seconds)

    def list(self, deadline_ms=None):
        return self.connector.call("functions", "list", self.connection, {"regions": []}, deadline_ms)

    def refused(self, deadline_ms=None):
        with self.assertRaises(ConnectorError) as caught:
            self.list(deadline_ms)
        return caught.exception.error

    def answers_at(self, address, scheme="http"):
        self.network.instead = {API: f"{scheme}://{address}", RUN: f"{scheme}://{address}"}

    @needs_openssl
    def test_https_to_whom_the_certificate_names(self):
        ours = certificate(self.folder, "ours", NAMES)
        self.network.context = ssl.create_default_context(cafile=ours.with_suffix(".crt"))
        with Server(over_tls(ours, self.google.port)) as address:
            self.answers_at(address, "https")
            self.assertEqual(len(self.list()["functions"]), 3)

    @needs_openssl
    def test_nothing_is_sent_to_whom_nobody_vouches_for(self):
        ours, others = certificate(self.folder, "ours", NAMES), certificate(self.folder, "others", ["evil.example"])
        trusting = ssl.create_default_context(cafile=ours.with_suffix(".crt"))
        trusting.load_verify_locations(others.with_suffix(".crt"))
        # Nobody who is trusted; and somebody who is, for another name.
        for shown, context in [(ours, ssl.create_default_context()), (others, trusting)]:
            self.network.context, seen = context, len(self.google.seen)
            with self.subTest(shown.name), Server(over_tls(shown, self.google.port)) as address:
                self.answers_at(address, "https")
                self.assertEqual((self.code(), len(self.google.seen)), ("TLS-certificate-error", seen))
        with Server(speaks_plainly) as address:
            self.answers_at(address, "https")
            self.assertEqual(self.code(), "TLS-protocol-error")

    def test_nowhere_but_to_the_stand_in(self):
        for instead in [{}, {API: "http://192.0.2.1:80"}, {API: "http://localhost:80"}]:
            self.network.instead = instead
            self.assertEqual(self.code(), "destination-IP-prohibited")

    def code(self):
        """The code with which a request for the API is not sent."""
        request = Request("GET", urlsplit(API).netloc, "/v2", (), b"")
        with self.assertRaises(NotSent) as caught:
            self.network.send(request, Timeouts(10, 10), Limits(10))
        return caught.exception.code

    def test_a_body_is_announced_as_long_as_it_is(self):
        for given, body, announced in [
            ([("content-length", b"2")], b"four", b"4"),
            ([("Content-Length", b"400")], b"four", b"4"),
            ([], b"four", b"4"),
            ([("content-length", b"5")], b"", b"0"),
            ([], b"", None),
        ]:
            kept = Keeps()
            with self.subTest(given=given, body=body), Server(kept) as address:
                self.answers_at(address)
                headers = (*given, ("host", b"cloudfunctions.googleapis.com:443"), ("x-note", b"a"))
                request = Request("POST", urlsplit(API).netloc, "/v2", headers, body)
                self.network.send(request, Timeouts(10, 10), Limits(10)).close()
                lines = [line.lower() for line in kept.head.split(b"\r\n")]
                lengths = [line.split(b": ")[1] for line in lines if line.startswith(b"content-length")]
                self.assertEqual((lengths, kept.body), ([announced] if announced else [], body))
                self.assertEqual([line for line in lines if line.startswith(b"host")], [b"host: cloudfunctions.googleapis.com"])
                self.assertIn(b"x-note: a", lines)

    def test_the_connector_waits_and_asks_again(self):
        self.answers_at("192.0.2.1:80")
        with mock.patch.object(self.network, "send", wraps=self.network.send) as send:
            error = self.refused()
        self.assertEqual((error["kind"], error["origin"]), ("network", "network"))
        self.assertIn("prohibited", json.dumps(error))
        asked = collections.Counter(call.args[0].host for call in send.call_args_list)
        self.assertEqual(asked.keys(), {urlsplit(API).netloc, urlsplit(RUN).netloc})
        self.assertTrue(all(times > 1 for times in asked.values()), asked)
        # By docs/guide/invoke.md, the requests of one call together are repeated at most ten times.
        self.assertLessEqual(asked.total() - len(asked), 10)

    def test_the_deadline_of_a_call_holds_against_whoever_is_slow(self):
        # Who does not get through the handshake is told so: nothing was sent.
        for serve, scheme, kind in [
            (is_silent, "http", "deadline-exceeded"),
            (is_silent, "https", "network"),
            (drips_headers, "http", "deadline-exceeded"),
            # Here the host ends it, and all that the connector sees is that the answer is not whole.
            (drips_a_body, "http", "network"),
        ]:
            with self.subTest(serve.__name__, scheme=scheme), Server(serve) as address:
                self.answers_at(address, scheme)
                began = time.monotonic()
                self.assertEqual(self.refused(700)["kind"], kind)
                self.assertLess(time.monotonic() - began, 10)

    def test_the_host_ends_a_call_that_sets_itself_no_deadline(self):
        self.connector.seconds = 0.7
        with Server(is_silent) as address:
            self.answers_at(address)
            began = time.monotonic()
            with self.assertRaises(TimeoutError):
                self.list()
            self.assertLess(time.monotonic() - began, 10)
        # The next call has all of its time again.
        self.connector.seconds = 60
        self.network.instead = self.google.origins()
        self.assertEqual(len(self.list()["functions"]), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
