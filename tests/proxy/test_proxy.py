"""gcf behind tinyproxy and squid. Google is played by a server that is reached through a second proxy, the parent of the
one under test: so the proxy resolves no name, and no packet leaves this machine."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY = ROOT / "tests" / "fixtures" / "demo-key.json"
USER, PASSWORD = "ada", "canary-s3cret"
HOST = "oauth2.googleapis.com"


class World:
    """The parent proxy, and behind it the TLS server of whichever host is asked for."""

    def __init__(self, folder):
        self.targets, self.requests = [], []
        certificate, key = folder / "world.pem", folder / "world.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=world",
             "-addext", f"subjectAltName=DNS:{HOST}", "-addext", "basicConstraints=critical,CA:FALSE",
             "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        self.certificate = certificate
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            words = head(client).split("\r\n")[0].split(" ")
            # Squid looks first whether somebody listens.
            if len(words) != 3 or words[0] != "CONNECT":
                return
            target = words[1]
            self.targets.append(target)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                with self.tls.wrap_socket(client, server_side=True) as inside:
                    request = head(inside)
                    self.requests.append(request)
                    length = next(int(line.split(":")[1]) for line in request.lower().split("\r\n")
                                  if line.startswith("content-length:"))
                    while length > 0:
                        length -= len(inside.recv(min(length, 4096)))
                    body = json.dumps({"access_token": "ya29.a", "expires_in": 3599, "token_type": "Bearer"}).encode()
                    inside.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                                   + str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body)
            except (OSError, ssl.SSLError):
                pass

    def close(self):
        self.listener.close()


def head(stream):
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            break
        data += byte
    return data.decode("latin-1")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def await_port(port, process):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the proxy ended: {process.communicate()}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the proxy does not listen")


def tinyproxy(folder, parent, denied):
    port = free_port()
    lines = [f"Port {port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 60", "MaxClients 20", "ConnectPort 443",
             f"BasicAuth {USER} {PASSWORD}", f"Upstream http 127.0.0.1:{parent}"]
    if denied:
        (folder / "filter").write_text(HOST.replace(".", r"\.") + "\n")
        lines += [f'Filter "{folder / "filter"}"']
    configuration = folder / "tinyproxy.conf"
    configuration.write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(["tinyproxy", "-d", "-c", configuration], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    await_port(port, process)
    return process, port


def squid(folder, parent, denied):
    port = free_port()
    passwords = folder / "passwords"
    hashed = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], check=True, capture_output=True, text=True).stdout
    passwords.write_text(f"{USER}:{hashed}")
    helper = next(path for path in ("/usr/lib/squid/basic_ncsa_auth", "/usr/lib/squid3/basic_ncsa_auth")
                  if os.path.exists(path))
    rules = [f"acl denied dstdomain {HOST}", "http_access deny denied"] if denied else []
    configuration = folder / "squid.conf"
    configuration.write_text("\n".join([
        f"http_port 127.0.0.1:{port}",
        f"auth_param basic program {helper} {passwords}",
        "acl users proxy_auth REQUIRED",
        *rules,
        "http_access allow users",
        "http_access deny all",
        f"cache_peer 127.0.0.1 parent {parent} 0 no-query no-digest default",
        "never_direct allow all",
        "cache deny all", "access_log none", "cache_log /dev/null", "cache_store_log none",
        "pid_filename none", "shutdown_lifetime 1 seconds", "pinger_enable off",
        "connect_timeout 2 seconds", "forward_timeout 3 seconds",
    ]) + "\n")
    # Started by root, it reads all this as somebody else.
    folder.chmod(0o755)
    passwords.chmod(0o644)
    process = subprocess.Popen(["squid", "--foreground", "-f", configuration], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    await_port(port, process)
    return process, port


class Behind:
    """The tests, for one proxy."""

    start = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.world = World(self.folder)
        self.addCleanup(self.world.close)

    def proxy(self, parent=None, denied=False):
        process, port = type(self).start(self.folder, parent or self.world.port, denied)

        def stop():
            process.terminate()
            process.communicate(timeout=30)

        self.addCleanup(stop)
        return port

    def gcf(self, *options, **environment):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "GCF_COMPONENT") if name in os.environ}
        done = subprocess.run(
            [os.environ["GCF"], "connect", "--nickname", "n", "--credentials", KEY, "--ca", self.world.certificate,
             "--store", self.folder / "store", "--key-file", self.folder / "key.txt", "--timeout", "20", *options],
            capture_output=True, text=True, env=kept | environment, timeout=120)
        for text in (done.stdout, done.stderr):
            self.assertNotIn("s3cret", text)
        return done

    def test_the_right_password_opens_the_way(self):
        url = f"http://{USER}:{PASSWORD}@127.0.0.1:{self.proxy()}"
        for options, environment in [(["--proxy", url], {}), ([], {"GCF_PROXY": url}),
                                     (["--proxy", "env"], {"HTTPS_PROXY": url})]:
            self.world.targets.clear()
            done = self.gcf(*options, **environment)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.world.targets, [f"{HOST}:443"])
        self.assertTrue(all("proxy-authorization" not in request.lower() for request in self.world.requests))

    def test_a_tape_does_not_hold_the_password(self):
        tape = self.folder / "tape.json"
        done = self.gcf("--record", tape, GCF_PROXY=f"http://{USER}:{PASSWORD}@127.0.0.1:{self.proxy()}")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = tape.read_text()
        self.assertIn(HOST, text)
        for secret in ("s3cret", USER + ":", "127.0.0.1", "proxy"):
            self.assertNotIn(secret, text.lower())

    def test_no_password_and_a_wrong_one_are_told_apart(self):
        port = self.proxy()
        without = self.gcf("--proxy", f"http://127.0.0.1:{port}")
        self.assertEqual(without.returncode, 4, without.stderr)
        self.assertIn("wants a user name and a password", without.stderr)
        wrong = self.gcf(GCF_PROXY=f"http://{USER}:other@127.0.0.1:{port}")
        self.assertEqual(wrong.returncode, 4, wrong.stderr)
        self.assertIn("does not accept the user name and the password", wrong.stderr)
        self.assertEqual(self.world.targets, [])

    def test_a_host_that_is_not_let_through_is_named(self):
        port = self.proxy(denied=True)
        done = self.gcf(GCF_PROXY=f"http://{USER}:{PASSWORD}@127.0.0.1:{port}")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn(f"refused a connection to {HOST}:443 (403)", done.stderr)
        self.assertEqual(self.world.targets, [])

    def test_a_far_side_that_is_gone_is_not_the_proxys_fault(self):
        port = self.proxy(parent=free_port())
        done = self.gcf(GCF_PROXY=f"http://{USER}:{PASSWORD}@127.0.0.1:{port}")
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn(f"could not reach {HOST}:443", done.stderr)


@unittest.skipUnless(shutil.which("tinyproxy"), "tinyproxy is not installed")
class BehindTinyproxy(Behind, unittest.TestCase):
    start = staticmethod(tinyproxy)


@unittest.skipUnless(shutil.which("squid"), "squid is not installed")
class BehindSquid(Behind, unittest.TestCase):
    start = staticmethod(squid)


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromModule(__import__("__main__"))
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    passed = outcome.testsRun - len(outcome.skipped) - len(outcome.failures) - len(outcome.errors)
    out = sorted({reason for _, reason in outcome.skipped})
    print(f"{passed} passed, {len(outcome.skipped)} left out{': ' + ', '.join(out) if out else ''}")
    raise SystemExit(not outcome.wasSuccessful())
