"""The assertions that the component signs, held against those that Google's own library signs and accepts.

Started by run.sh, which says which gcf command in the environment variable GCF.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from google.auth import crypt, exceptions, jwt
from google.oauth2 import service_account

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
KEY_FILE = FIXTURES / "demo-key.json"
KEY = json.loads(KEY_FILE.read_text())
TOKEN_URL = "https://oauth2.googleapis.com/token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
RESOURCE = "projects/demo-project/locations/us-central1/functions/hello"
FUNCTION = "https://hello-x7f3k2q9aa-uc.a.run.app"
SECONDS = 30


class Google(ThreadingHTTPServer):
    """The token endpoint, one function and the API that describes it. `forms` holds what was asked of the first."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.forms = []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def maps(self):
        here = f"http://127.0.0.1:{self.server_port}"
        origins = ["https://oauth2.googleapis.com", "https://cloudfunctions.googleapis.com", FUNCTION]
        return [word for origin in origins for word in ("--map", f"{origin}={here}")]

    def assertions(self, claim):
        """Each assertion that was sent with this claim in it."""
        found = [form["assertion"] for form in self.forms]
        return [assertion for assertion in found if claim in jwt.decode(assertion, verify=False)]


class Handler(BaseHTTPRequestHandler):
    """Grants whatever it is asked for: what deserves it is judged by the tests."""

    def do_GET(self):
        if self.headers["host"] == "cloudfunctions.googleapis.com":
            self.reply(
                {
                    "name": RESOURCE,
                    "state": "ACTIVE",
                    "environment": "GEN_2",
                    "url": "https://us-central1-demo-project.cloudfunctions.net/hello",
                    "buildConfig": {"runtime": "python312"},
                    "serviceConfig": {"timeoutSeconds": 60, "ingressSettings": "ALLOW_ALL", "uri": FUNCTION},
                }
            )
        else:
            self.reply({"hello": "world"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: value for name, [value] in parse_qs(body, strict_parsing=True).items()}
        self.server.forms.append(form)
        audience = jwt.decode(form["assertion"], verify=False).get("target_audience")
        if audience:
            self.reply({"id_token": id_token(audience)})
        else:
            self.reply({"access_token": "ya29.access", "expires_in": 3599, "token_type": "Bearer"})

    def reply(self, body):
        body = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def id_token(audience):
    """As Google would sign it, but with the one key there is here."""
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": audience,
        "sub": "110000000000000000001",
        "email": KEY["client_email"],
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode(crypt.RSASigner.from_service_account_info(KEY), claims).decode()


def public_key(pem):
    key = serialization.load_pem_private_key(pem.encode(), password=None).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


PUBLIC_KEY = public_key(KEY["private_key"])


def shape(claims):
    return {name: type(value) for name, value in claims.items()}


class AssertionTest:
    """The properties of every assertion, whoever signs it: the host with its copy of the key, or the component."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.google = cls.enterClassContext(Google())
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        # Of the caller's own settings, nothing may decide what is tested.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GCF_")}
        cls.environment = {**kept, "GCF_KEY_FILE": str(Path(folder, "key"))}
        cls.store = str(Path(folder, "store"))
        cls.gcf("connect", "--nickname", "n", "--credentials", str(KEY_FILE))
        cls.answer = json.loads(cls.gcf("invoke", RESOURCE, "--json"))

    @classmethod
    def gcf(cls, *words):
        command = [os.environ["GCF"], *words, "--store", cls.store, *cls.google.maps(), *cls.options]
        done = subprocess.run(command, env=cls.environment, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode != 0:
            raise AssertionError(f"gcf {words[0]} exited with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def only(self, claim):
        """The one assertion with this claim, and its claims as Google's verifier reads them."""
        [assertion] = self.google.assertions(claim)
        return assertion, jwt.decode(assertion, certs={KEY["private_key_id"]: PUBLIC_KEY}, audience=TOKEN_URL)

    def assert_like(self, assertion, claims, reference):
        """`reference` is what Google's library signs for the same purpose with the same key."""
        googles = jwt.decode(reference, certs=PUBLIC_KEY, audience=TOKEN_URL)
        self.assertEqual(shape(claims), shape(googles))
        timeless = [{**each, "iat": 0, "exp": 0} for each in (claims, googles)]
        self.assertEqual(*timeless)
        self.assertEqual(claims["exp"] - claims["iat"], googles["exp"] - googles["iat"])
        self.assertEqual(jwt.decode_header(assertion), jwt.decode_header(reference))

    def test_the_grant_for_an_access_token_is_googles(self):
        assertion, claims = self.only("scope")
        reference = service_account.Credentials.from_service_account_info(KEY, scopes=claims["scope"].split(" "))
        self.assert_like(assertion, claims, reference._make_authorization_grant_assertion())
        self.assertIn("https://www.googleapis.com/auth/cloud-platform", claims["scope"].split(" "))

    def test_the_grant_for_an_id_token_is_googles(self):
        assertion, claims = self.only("target_audience")
        reference = service_account.IDTokenCredentials.from_service_account_info(KEY, target_audience=FUNCTION)
        self.assert_like(assertion, claims, reference._make_authorization_grant_assertion())
        self.assertEqual((self.answer["status"], self.answer["audience"]), (200, FUNCTION))

    def test_it_lives_for_an_hour_and_does_not_begin_in_the_future(self):
        for claim in ["scope", "target_audience"]:
            with self.subTest(claim):
                _, claims = self.only(claim)
                self.assertEqual(claims["exp"] - claims["iat"], 3600)
                self.assertLessEqual(claims["iat"], time.time())

    def test_it_is_the_only_thing_sent(self):
        self.assertEqual([set(form) for form in self.google.forms], [{"grant_type", "assertion"}] * 2)
        self.assertEqual({form["grant_type"] for form in self.google.forms}, {JWT_BEARER})
        for form in self.google.forms:
            self.assertNotIn("=", form["assertion"])

    def test_the_verifier_refuses_any_other_key_audience_and_text(self):
        assertion, _ = self.only("scope")
        other = public_key((FIXTURES / "rsa-2056.pem").read_text())
        head, claims, signature = assertion.split(".")
        text = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        forged = base64.urlsafe_b64encode(text.replace(b"gcf-demo@", b"gcf-evil@")).rstrip(b"=").decode()
        for what, token, key, audience in [
            ("key", assertion, other, TOKEN_URL),
            ("audience", assertion, PUBLIC_KEY, f"{TOKEN_URL}/"),
            ("text", f"{head}.{forged}.{signature}", PUBLIC_KEY, TOKEN_URL),
        ]:
            with self.subTest(what), self.assertRaises((exceptions.InvalidValue, exceptions.MalformedError)):
                jwt.decode(token, certs=key, audience=audience)


class SignedByTheHost(AssertionTest, unittest.TestCase):
    pass


class SignedByTheComponent(AssertionTest, unittest.TestCase):
    options = ("--no-host-signing",)


def main():
    suite = unittest.TestSuite()
    for case in [SignedByTheHost, SignedByTheComponent]:
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len({str(test) for test, _ in result.failures + result.errors})
    print(f"{max(0, result.testsRun - failed)} passed, {failed} failed")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
