"""Google's clients, with one answer in place of Google."""

import re

import google.auth.transport.requests as transport
from google.auth.credentials import AnonymousCredentials
from google.cloud import functions_v1, functions_v2, iam_credentials_v1, run_v2
from google.cloud.location import locations_pb2
from google.iam.v1 import iam_policy_pb2
from requests import Response
from requests.adapters import BaseAdapter

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


def route(request):
    """The message that answers a request, and the call of the client that asks for it."""
    asked = f"{request['method']} {request['url'].split('?')[0]}"
    found = [(message, call) for pattern, message, call in ROUTES if re.fullmatch(pattern, asked)]
    if len(found) != 1:
        raise LookupError(f"{len(found)} routes for {asked}")
    return found[0]


def by_client(text, call, request):
    """The answer as a client reads it. The client is made by `call`: its session is the tape's from the start."""
    tape, made = Tape(text), transport.AuthorizedSession.__init__

    def on_tape(session, *args, **kwargs):
        made(session, *args, **kwargs)
        session.mount("https://", tape)

    transport.AuthorizedSession.__init__ = on_tape
    try:
        return call(request)
    finally:
        transport.AuthorizedSession.__init__ = made
