"""A Google on loopback: its consent page, its token endpoint, a few calls of its APIs, and two functions.

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
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

ISSUER = "https://accounts.google.com"
TOKEN_ORIGIN = "https://oauth2.googleapis.com"
TOKEN_URL = f"{TOKEN_ORIGIN}/token"
KEYS = "https://www.googleapis.com"
API = "https://cloudfunctions.googleapis.com"
RUN = "https://run.googleapis.com"
IAM = "https://iamcredentials.googleapis.com"
GEN1 = "https://us-central1-demo-project.cloudfunctions.net"
GEN2 = "https://hello-gen2-x7f3k2q9aa-ew.a.run.app"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
KEY_ID = "fake"
USER = {"sub": "110000000000000000002", "email": "ada@example.com", "email_verified": True}
# The file that Google hands out for an OAuth client of the type "desktop app".
CLIENT = {
    "client_id": "123456789012-fake.apps.googleusercontent.com",
    "client_secret": "GOCSPX-fake",
    "project_id": "demo-project",
    "auth_uri": f"{ISSUER}/o/oauth2/auth",
    "token_uri": TOKEN_URL,
    "redirect_uris": ["http://localhost"],
}
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
# Made through the Cloud Run Admin API; and the one that Cloud Functions keeps for its own function.
SERVICES = [
    {
        "name": "projects/demo-project/locations/us-central1/services/hello-run",
        "uri": "https://hello-run-x7f3k2q9aa-uc.a.run.app",
        "ingress": "INGRESS_TRAFFIC_ALL",
        "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
        "buildConfig": {"functionTarget": "hello"},
    },
    {
        "name": "projects/demo-project/locations/europe-west1/services/hello-gen2",
        "uri": GEN2,
        "labels": {"goog-managed-by": "cloudfunctions"},
        "buildConfig": {"functionTarget": "hello"},
    },
]
REGIONS = {"europe-west1": "Belgium", "us-central1": "Iowa"}
# The audience that a call to each host must be for.
AUDIENCES = {urlsplit(GEN1).netloc: f"{GEN1}/hello-gen1", urlsplit(GEN2).netloc: GEN2}


class FakeGoogle(ThreadingHTTPServer):
    """Listens on a port that the system picks. `seen` holds every request: (host, method, target, body)."""

    def __init__(self, key):
        super().__init__(("127.0.0.1", 0), Handler)
        self.modulus, self.exponent, self.secret = rsa_key(key["private_key"])
        self.account = key["client_email"]
        self.seen = []
        self.serial = 0
        self.consents = {}
        self.refresh_tokens = {}

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def origins(self):
        """Which origins this server stands for, and where it listens."""
        here = f"http://127.0.0.1:{self.server_port}"
        return {origin: here for origin in [TOKEN_ORIGIN, KEYS, API, RUN, IAM, GEN1, GEN2]}

    def sent_to(self, origin):
        return [request for request in self.seen if request[0] == urlsplit(origin).netloc]

    def consent(self, url):
        """The person allows all that the page at `url` asks for. Returns where the browser ends."""
        asked = dict(parse_qsl(urlsplit(url).query))
        self.serial += 1
        code = f"4/code-{self.serial}"
        self.consents[code] = asked
        answer = {"state": asked["state"], "iss": ISSUER, "code": code, "scope": asked["scope"]}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def access_token(self):
        self.serial += 1
        return f"ya29.access-{self.serial}"

    def id_token(self, **claims):
        now = int(time.time())
        claims = {"iss": ISSUER, **claims, "iat": now, "exp": now + 3600}
        parts = [{"alg": "RS256", "typ": "JWT", "kid": KEY_ID}, claims]
        signed = ".".join(to_base64url(json.dumps(part).encode()) for part in parts)
        number = pow(int.from_bytes(self.padded(signed)), self.secret, self.modulus)
        return f"{signed}.{to_base64url(number.to_bytes(self.key_size))}"

    @property
    def key_size(self):
        return (self.modulus.bit_length() + 7) // 8

    def padded(self, text):
        """What an RS256 signature of `text` encrypts (RFC 8017, section 9.2)."""
        # DigestInfo of SHA-256: note 1 of that section.
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
        return b"\x00\x01" + b"\xff" * (self.key_size - len(info) - 3) + b"\x00" + info

    def keys(self):
        numbers = {"n": self.modulus, "e": self.exponent}
        sizes = {name: (number.bit_length() + 7) // 8 for name, number in numbers.items()}
        key = {name: to_base64url(number.to_bytes(sizes[name])) for name, number in numbers.items()}
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, **key}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer_request(self):
        host = self.headers["host"]
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        self.server.seen.append((host, self.command, self.path, body))
        if host == urlsplit(TOKEN_ORIGIN).netloc:
            self.revoke(body) if self.path == "/revoke" else self.token(dict(parse_qsl(body.decode())))
        elif host == urlsplit(KEYS).netloc:
            self.reply(200, self.server.keys())
        elif host in (urlsplit(origin).netloc for origin in [API, RUN, IAM]):
            self.api(body)
        else:
            self.function(host, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer_request

    def token(self, form):
        grants = {JWT_BEARER: self.by_assertion, "authorization_code": self.by_code, "refresh_token": self.by_refresh}
        answer = grants.get(form.get("grant_type"), lambda _: None)(form)
        self.reply(200 if answer else 400, answer or {"error": "invalid_grant", "error_description": "Bad Request"})

    def by_assertion(self, form):
        claims = self.verified(form.get("assertion", ""))
        now = time.time()
        fresh = claims and claims["iat"] <= now <= claims["exp"] <= claims["iat"] + 3600
        if not fresh or claims["iss"] != self.server.account or claims["aud"] != TOKEN_URL:
            return None
        if "target_audience" in claims:
            return {"id_token": self.id_token_of(self.server.account, claims["target_audience"])}
        return {"access_token": self.server.access_token(), "expires_in": 3599, "token_type": "Bearer"}

    def by_code(self, form):
        """Once, for who began it: the verifier of RFC 7636 proves that."""
        asked = self.server.consents.pop(form.get("code"), None)
        challenge = to_base64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not asked or (asked["code_challenge_method"], asked["code_challenge"]) != ("S256", challenge):
            return None
        if form["redirect_uri"] != asked["redirect_uri"] or not self.is_client(form):
            return None
        self.server.serial += 1
        refresh_token = f"1//refresh-{self.server.serial}"
        self.server.refresh_tokens[refresh_token] = asked["scope"]
        return {**self.of_user(asked["scope"], nonce=asked["nonce"]), "refresh_token": refresh_token}

    def by_refresh(self, form):
        scope = self.server.refresh_tokens.get(form.get("refresh_token"))
        return self.of_user(scope) if scope and self.is_client(form) else None

    def is_client(self, form):
        return all(form.get(name) == CLIENT[name] for name in ["client_id", "client_secret"])

    def of_user(self, scope, **claims):
        access_token = self.server.access_token()
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        client = {"aud": CLIENT["client_id"], "azp": CLIENT["client_id"], "at_hash": to_base64url(half)}
        return {
            "access_token": access_token,
            "id_token": self.server.id_token(**USER, **client, **claims),
            "expires_in": 3599,
            "scope": scope,
            "token_type": "Bearer",
        }

    def revoke(self, body):
        token = dict(parse_qsl(body.decode())).get("token")
        known = self.server.refresh_tokens.pop(token, None)
        self.reply(200 if known else 400, {} if known else {"error": "invalid_token"})

    def verified(self, assertion):
        """The claims of an RS256 JWT (RFC 7518, section 3.3) that the fixture's key has signed."""
        signed, _, signature = assertion.rpartition(".")
        number = pow(int.from_bytes(from_base64url(signature)), self.server.exponent, self.server.modulus)
        if number.to_bytes(self.server.key_size) != self.server.padded(signed):
            return None
        return json.loads(from_base64url(signed.split(".")[1]))

    def id_token_of(self, account, audience):
        account = {"sub": "110000000000000000001", "email": account, "email_verified": True}
        return self.server.id_token(aud=audience, **account)

    def api(self, body):
        if not self.headers.get("authorization", "").startswith("Bearer ya29."):
            return self.reply(401, google_error(401, "UNAUTHENTICATED", "Request had invalid credentials."))
        url = urlsplit(self.path)
        listing = re.fullmatch(r"/v2/projects/demo-project/locations/([^/]+)/functions", url.path)
        services = re.fullmatch(r"/v2/projects/demo-project/locations/([^/]+)/services", url.path)
        minting = re.fullmatch(r"/v1/projects/-/serviceAccounts/([^/]+):generateIdToken", url.path)
        resource = url.path.removeprefix("/v2/")
        if listing:
            return self.page(listing[1], parse_qs(url.query).get("pageToken", [""])[0])
        if url.path == "/v1/projects/demo-project/locations/-/services":
            return self.reply(200, {"items": [knative(known) for known in SERVICES], "metadata": {"continue": ""}})
        if services:
            found = [known for known in SERVICES if f"/locations/{services[1]}/" in known["name"]]
            return self.reply(200, {"services": found} if found else {})
        if url.path == "/v1/projects/demo-project/locations":
            regions = [{"locationId": region, "displayName": name} for region, name in REGIONS.items()]
            return self.reply(200, {"locations": regions})
        if minting:
            return self.reply(200, {"token": self.id_token_of(minting[1], json.loads(body)["audience"])})
        if url.path.endswith(":testIamPermissions"):
            return self.reply(200, json.loads(body))
        for known in FUNCTIONS + SERVICES:
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


def knative(service):
    """A service as version 1 of Cloud Run has it, in its list of every region."""
    _, _, _, region, _, name = service["name"].split("/")
    annotations = {"run.googleapis.com/build-function-target": service["buildConfig"]["functionTarget"]}
    return {
        "metadata": {
            "name": name,
            "labels": {"cloud.googleapis.com/location": region} | service.get("labels", {}),
            "annotations": annotations,
        },
        "status": {"url": service["uri"], "conditions": [{"type": "Ready", "status": "True"}]},
    }


def google_error(code, status, message):
    return {"error": {"code": code, "message": message, "status": status}}


def rsa_key(pem):
    """Modulus, exponent and private exponent of a PKCS #8 RSA key (RFC 5958 around RFC 8017, appendix A.1.2)."""
    der = base64.b64decode("".join(pem.strip().splitlines()[1:-1]))
    _version, _algorithm, key = elements(elements(der)[0])
    _version, *numbers = elements(elements(key)[0])
    return tuple(int.from_bytes(number) for number in numbers[:3])


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
