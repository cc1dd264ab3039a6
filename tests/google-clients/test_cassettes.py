"""Google's clients read every success of Google's that is on a cassette.

Twice: as a message, in which no field may be unknown; and by the client itself over REST, which asks the tape in place of
Google.
"""

import json
import re
import sys
import unittest
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import functions_v1, functions_v2, iam_credentials_v1, run_v2
from google.cloud.location import locations_pb2
from google.iam.v1 import iam_policy_pb2
from google.protobuf import json_format
from requests import Response
from requests.adapters import BaseAdapter

CASSETTES = Path(__file__).resolve().parents[1] / "cassettes"

PLACE = "projects/[^/]+/locations/[^/]+"
FUNCTIONS, RUN, IAM = (f"https://{api}.googleapis.com" for api in ["cloudfunctions", "run", "iamcredentials"])


def plus(message):
    return message.pb(message())


def client(kind):
    return kind(credentials=AnonymousCredentials(), transport="rest")


def named(request, part):
    """The resource in the URL of a request: `parent` of what is listed, `name` of what is got."""
    path = request["url"].split("?")[0].split("/", 4)[4]
    return path.rsplit("/", 1)[0] if part == "parent" else path.split(":")[0]


# Method and URL, the message, and the call of the client that asks for it, if it has one.
ROUTES = [
    (f"GET {FUNCTIONS}/v2/{PLACE}/functions", plus(functions_v2.ListFunctionsResponse),
     lambda request: client(functions_v2.FunctionServiceClient).list_functions(parent=named(request, "parent")).functions),
    (f"GET {FUNCTIONS}/v2/{PLACE}/functions/[^/:]+", plus(functions_v2.Function),
     lambda request: client(functions_v2.FunctionServiceClient).get_function(name=named(request, "name"))),
    (f"GET {FUNCTIONS}/v[12]/projects/[^/]+/locations", locations_pb2.ListLocationsResponse(), None),
    (f"POST {FUNCTIONS}/v1/{PLACE}/functions/[^/]+:call", plus(functions_v1.CallFunctionResponse),
     lambda request: client(functions_v1.CloudFunctionsServiceClient).call_function(name=named(request, "name"), data="{}")),
    (f"GET {RUN}/v2/{PLACE}/services", plus(run_v2.ListServicesResponse),
     lambda request: client(run_v2.ServicesClient).list_services(parent=named(request, "parent")).services),
    (f"GET {RUN}/v2/{PLACE}/services/[^/:]+", plus(run_v2.Service),
     lambda request: client(run_v2.ServicesClient).get_service(name=named(request, "name"))),
    (f"POST ({RUN}|{FUNCTIONS})/v[12]/.*:testIamPermissions", iam_policy_pb2.TestIamPermissionsResponse(), None),
    (f"POST {IAM}/v1/.*:generateIdToken", plus(iam_credentials_v1.GenerateIdTokenResponse),
     lambda request: client(iam_credentials_v1.IAMCredentialsClient).generate_id_token(name=named(request, "name"), audience="x")),
    (f"POST {IAM}/v1/.*:generateAccessToken", plus(iam_credentials_v1.GenerateAccessTokenResponse),
     lambda request: client(iam_credentials_v1.IAMCredentialsClient).generate_access_token(name=named(request, "name"), scope=["x"])),
]
# Google has no client in this form for what answers here.
OTHERS = re.compile(r"https://(oauth2|sts|www|cloudbilling|cloudresourcemanager)\.googleapis\.com/|https://run\.googleapis\.com/v1/")


class Tape(BaseAdapter):
    """Answers with one body, whatever is asked."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def send(self, request, **_):
        response = Response()
        response.status_code, response._content, response.request, response.url = 200, self.body, request, request.url
        response.headers["content-type"] = "application/json; charset=UTF-8"
        return response

    def close(self):
        pass


def bodies():
    """Cassette, request and body of every success of Google's that is JSON."""
    for path in sorted(CASSETTES.glob("*.json")):
        for number, exchange in enumerate(json.loads(path.read_text())["interactions"]):
            request, response = exchange["request"], exchange.get("response") or {}
            body = response.get("body")
            host = request["url"].split("/")[2]
            if host.endswith(".googleapis.com") and 200 <= response.get("status", 0) < 300 and isinstance(body, dict):
                yield f"{path.name}, interactions[{number}]", request, body


def content(body):
    """The JSON of a recorded body."""
    return body["json"] if set(body) == {"json"} else body


def names(answer):
    """Of a list its names, of a resource its own, and of anything else nothing: in JSON, and as a client gives it."""
    if isinstance(answer, dict):
        items = answer.get("functions", answer.get("services", [] if not answer else None))
        return [item["name"] for item in items] if items is not None else [answer.get("name", "")]
    if hasattr(answer, "__iter__"):
        return [item.name for item in answer]
    return [getattr(answer, "name", "")]


class Clients(unittest.TestCase):
    def test_every_success_is_read(self):
        read = called = 0
        for where, request, body in bodies():
            asked = f"{request['method']} {request['url'].split('?')[0]}"
            if OTHERS.match(request["url"]):
                continue
            with self.subTest(where):
                found = [route for route in ROUTES if re.fullmatch(route[0], asked)]
                self.assertEqual(len(found), 1, asked)
                _, message, call = found[0]
                text = json.dumps(content(body))
                json_format.Parse(text, type(message)(), ignore_unknown_fields=False)
                read += 1
                if call:
                    self.assertEqual(names(self.by_client(text.encode(), call, request)), names(content(body)))
                    called += 1
        print(f"{read} answers are messages of Google's, {called} of them were read by its clients")
        self.assertGreater(read, 60)
        self.assertGreater(called, 40)

    def by_client(self, text, call, request):
        """The client is made by `call`: its session is the tape's from the start."""
        import google.auth.transport.requests as transport

        tape, made = Tape(text), transport.AuthorizedSession.__init__

        def on_tape(session, *args, **kwargs):
            made(session, *args, **kwargs)
            session.mount("https://", tape)

        transport.AuthorizedSession.__init__ = on_tape
        try:
            return call(request)
        finally:
            transport.AuthorizedSession.__init__ = made

    def test_what_google_does_not_have_is_not_read(self):
        for message, text in [
            (plus(functions_v2.Function), '{"nam": "f"}'),
            (plus(functions_v2.Function), '{"state": "RUNNING"}'),
            (plus(run_v2.Service), '{"updateTime": "yesterday"}'),
            (plus(functions_v2.ListFunctionsResponse), '{"functions": {}}'),
        ]:
            with self.subTest(text), self.assertRaises(json_format.ParseError):
                json_format.Parse(text, message, ignore_unknown_fields=False)


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False, verbosity=2).result.wasSuccessful())
