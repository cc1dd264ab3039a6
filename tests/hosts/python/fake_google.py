"""A Google on loopback: the token endpoint, two calls of the Cloud Functions API, and two functions.

It answers in Google's shapes and is as strict as Google where that matters: a wrong signature, a wrong
audience or the wrong kind of token is refused. Requests are told apart by their Host header.
"""

import base64
import hashlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

TOKEN_URL = "https://oauth2.googleapis.com/token"
API = "https://cloudfunctions.googleapis.com"
GEN1 = "https://us-central1-demo-project.cloudfunctions.net"
GEN2 = "https://hello-gen2-x7f3k2q9aa-ew.a.run.app"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Every byte there is: a body that is text to nobody.
BINARY = bytes(range(256))


def function(region, name, generation, url, **service):
    resource = f"projects/demo-project/locations/{region}/functions/{name}"
    return {
        "name": resource,
        "state": "ACTIVE",
        "environment": generation,
        "url": url,
        "buildConfig": {"runtime": "python312"},
        "serviceConfig": {"timeoutSeconds": 60, "ingressSettings": "ALLOW_ALL", **service},
        "updateTime": "2026-01-02T03:04:05.678901234Z",
    }


FUNCTIONS = [
    function("us-central1", "hello-gen1", "GEN_1", f"{GEN1}/hello-gen1"),
    function(
        "europe-west1",
        "hello-gen2",
        "GEN_2",
        "https://europe-west1-demo-project.cloudfunctions.net/hello-gen2",
        uri=GEN2,
    ),
]
# The audience that a call to each host must be for.
AUDIENCES = {urlsplit(GEN1).netloc: f"{GEN1}/hello-gen1", urlsplit(GEN2).netloc: GEN2}


class FakeGoogle(ThreadingHTTPServer):
    """Listens on a port that the system picks. `seen` holds every request: (host, method, target, body)."""

    def __init__(self, key):
        super().__init__(("127.0.0.1", 0), Handler)
        self.modulus, self.exponent = public_key(key["private_key"])
        self.account = key["client_email"]
        self.seen = []
        self.serial = 0

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def origins(self):
        """Which origins this server stands for, and where it listens."""
        here = f"http://127.0.0.1:{self.server_port}"
        return {origin: here for origin in ["https://oauth2.googleapis.com", API, GEN1, GEN2]}

    def sent_to(self, origin):
        return [request for request in self.seen if request[0] == urlsplit(origin).netloc]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer_request(self):
        host = self.headers["host"]
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        self.server.seen.append((host, self.command, self.path, body))
        if host == "oauth2.googleapis.com":
            self.token(body)
        elif host == "cloudfunctions.googleapis.com":
            self.api()
        else:
            self.function(host, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer_request

    def token(self, body):
        form = dict(parse_qsl(body.decode()))
        claims = self.verified(form.get("assertion", ""))
        now = time.time()
        fresh = claims and claims["iat"] <= now <= claims["exp"] <= claims["iat"] + 3600
        issued = claims and claims["iss"] == self.server.account and claims["aud"] == TOKEN_URL
        if form.get("grant_type") != JWT_BEARER or not fresh or not issued:
            self.reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        elif "target_audience" in claims:
            self.reply(200, {"id_token": self.id_token(claims["target_audience"])})
        else:
            self.server.serial += 1
            token = f"ya29.access-{self.server.serial}"
            self.reply(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def verified(self, assertion):
        """The claims of an RS256 JWT (RFC 7518, section 3.3) that the fixture's key has signed."""
        signed, _, signature = assertion.rpartition(".")
        number = pow(int.from_bytes(from_base64url(signature)), self.server.exponent, self.server.modulus)
        # DigestInfo of SHA-256: RFC 8017, section 9.2, note 1.
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(signed.encode()).digest()
        size = (self.server.modulus.bit_length() + 7) // 8
        padded = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        if number.to_bytes(size) != padded:
            return None
        return json.loads(from_base64url(signed.split(".")[1]))

    def id_token(self, audience):
        now = int(time.time())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": audience,
            "sub": "110000000000000000001",
            "email": self.server.account,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        }
        parts = [{"alg": "RS256", "typ": "JWT", "kid": "fake"}, claims]
        return ".".join([to_base64url(json.dumps(part).encode()) for part in parts] + [to_base64url(b"signature")])

    def api(self):
        if not self.headers.get("authorization", "").startswith("Bearer ya29."):
            return self.reply(401, google_error(401, "UNAUTHENTICATED", "Request had invalid credentials."))
        url = urlsplit(self.path)
        listing = re.fullmatch(r"/v2/projects/demo-project/locations/([^/]+)/functions", url.path)
        resource = url.path.removeprefix("/v2/")
        if listing:
            return self.page(listing[1], parse_qs(url.query).get("pageToken", [""])[0])
        for known in FUNCTIONS:
            if known["name"] == resource:
                return self.reply(200, known)
        return self.reply(404, google_error(404, "NOT_FOUND", f"Resource '{resource}' was not found"))

    def page(self, region, token):
        """One function a page; an empty list has no key, as in all of Google's JSON."""
        found = [known for known in FUNCTIONS if region == "-" or f"/locations/{region}/" in known["name"]]
        start = int(token or 0)
        page = {"functions": found[start : start + 1]} if found else {}
        if start + 1 < len(found):
            page["nextPageToken"] = str(start + 1)
        if region == "-":
            page["unreachable"] = ["asia-east1"]
        self.reply(200, page)

    def function(self, host, body):
        """Answers in a way that a host could spoil: a rare status, a repeated header, a binary body."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        claims = token.split(".")[1] if scheme == "Bearer" and token.count(".") == 2 else ""
        if not claims or json.loads(from_base64url(claims))["aud"] != AUDIENCES[host]:
            return self.reply(401, b"<html><title>401</title></html>", [("content-type", "text/html")])
        received = hashlib.sha256(body).hexdigest()
        return self.reply(418, BINARY, [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-received", received)])

    def reply(self, status, body, headers=(("content-type", "application/json; charset=UTF-8"),)):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def google_error(code, status, message):
    return {"error": {"code": code, "message": message, "status": status}}


def public_key(pem):
    """Modulus and exponent from a PKCS #8 RSA key (RFC 5958 around RFC 8017, appendix A.1.2)."""
    der = base64.b64decode("".join(pem.strip().splitlines()[1:-1]))
    _version, _algorithm, key = elements(elements(der)[0])
    _version, modulus, exponent, *_secret = elements(elements(key)[0])
    return int.from_bytes(modulus), int.from_bytes(exponent)


def elements(der):
    """The contents of the DER elements that follow each other in `der`."""
    found = []
    while der:
        size, start = der[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[2:start])
        found.append(der[start : start + size])
        der = der[start + size :]
    return found


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
