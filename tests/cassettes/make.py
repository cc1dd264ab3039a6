#!/usr/bin/env python3
"""Writes the cassettes of this folder: `python3 make.py`, or `python3 make.py --check` to compare only.

Every value follows from this file and from tests/fixtures/demo-key.json, so that two runs are identical.
Shapes come from the public sources that each provenance names; `made` says that no such answer was
captured, only that the documented shape is kept. The format is described in host-harness/src/tape/mod.rs.
A tape may be edited by hand to try something; what stays belongs in here.
"""

import base64
import hashlib
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
KEY = json.loads((HERE.parent / "fixtures" / "demo-key.json").read_text(encoding="utf-8"))

CLOCK = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
NOW = int(CLOCK.timestamp())
DATE = CLOCK.strftime("%a, %d %b %Y %H:%M:%S GMT")
PROJECT = KEY["project_id"]
NUMBER = "123456789012"
TOKEN_URL = "https://oauth2.googleapis.com/token"
API = "https://cloudfunctions.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
BEARER = "Bearer [redacted:access-token:1]"

FUNCTION_MASK = (
    "name,state,environment,url,labels,updateTime,buildConfig/runtime,"
    "serviceConfig(uri,service,timeoutSeconds,availableMemory,ingressSettings,serviceAccountEmail),"
    "eventTrigger/eventType"
)
LIST_MASK = f"functions({FUNCTION_MASK}),nextPageToken,unreachable"

# --- where it comes from -----------------------------------------------------------------------------

DISCOVERY = "cloudfunctions v2 discovery document, revision 20261029"
GOBLET = "goblet/goblet@69fb3d8a832f3605a3e812d7b4169f7d6697c363, goblet/tests/data/http"


def made(source, note=None):
    return provenance("made", source, note)


def transcribed(source, note=None):
    return provenance("transcribed", source, note)


def provenance(kind, source, note):
    return {"kind": kind, "from": source} | ({"note": note} if note else {})


FROM_AUTH = made(
    "google-auth 2.62.2, google/oauth2/_client.py",
    "the keys that the library reads; the headers were not captured",
)
FROM_GET = made(
    DISCOVERY,
    "in the shape that gcloud functions describe printed for gen2 in 2025 and 2026, cut down to the mask; "
    "no GEN_1 answer of v2 was captured",
)
FROM_LIST = made(
    DISCOVERY,
    "no list of v2 with GEN_1 items, with a page token or with unreachable regions was captured",
)

# --- building blocks ---------------------------------------------------------------------------------

API_HEADERS = [
    ["content-type", "application/json; charset=UTF-8"],
    ["vary", "Origin"],
    ["vary", "X-Origin"],
    ["vary", "Referer"],
    ["date", DATE],
    ["server", "ESF"],
    ["cache-control", "private"],
    ["x-content-type-options", "nosniff"],
]
TOKEN_HEADERS = [["content-type", "application/json; charset=utf-8"], ["date", DATE], ["cache-control", "private"]]


def interaction(source, method, url, headers, body, status, response_headers, response_body, note=None):
    request = {"method": method, "url": url}
    if headers:
        request["headers"] = headers
    if body is not None:
        request["body"] = body
    response = {"status": status, "headers": response_headers}
    if response_body is not None:
        response["body"] = response_body
    about = ({"note": note} if note else {}) | {"provenance": source}
    return about | {"request": request, "response": response}


def jwt(header, claims):
    def part(value):
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}.redacted"


def assertion(purpose):
    header = {"typ": "JWT", "alg": "RS256", "kid": KEY["private_key_id"]}
    claims = {"iss": KEY["client_email"]} | purpose
    claims |= {"aud": TOKEN_URL, "iat": NOW - 10, "exp": NOW - 10 + 3600}
    return jwt(header, claims)


def token_exchange(purpose, status, headers, body, source, note):
    form = [["grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"], ["assertion", assertion(purpose)]]
    content_type = {"content-type": "application/x-www-form-urlencoded"}
    return interaction(source, "POST", TOKEN_URL, content_type, {"form": form}, status, headers, body, note)


def access_token():
    body = {"access_token": "[redacted:access-token:1]", "expires_in": 3599, "token_type": "Bearer"}
    return token_exchange({"scope": SCOPE}, 200, TOKEN_HEADERS, {"json": body}, FROM_AUTH, "access token")


def id_token(audience):
    header = {"alg": "RS256", "kid": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c", "typ": "JWT"}
    claims = {
        "aud": audience,
        "azp": KEY["client_id"],
        "email": KEY["client_email"],
        "email_verified": True,
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": "https://accounts.google.com",
        "sub": KEY["client_id"],
    }
    return jwt(header, claims)


def id_token_exchange(audience):
    body = {"json": {"id_token": id_token(audience)}}
    note = f"ID token for {audience}"
    return token_exchange({"target_audience": audience}, 200, TOKEN_HEADERS, body, FROM_AUTH, note)


def api(path, query, status, body, source, note=None, headers=None):
    """An answer of a Google API to a GET with the access token."""
    encoded = "&".join(f"{name}={quote(value, safe='()*-._')}" for name, value in query)
    url = f"{API}{path}" + (f"?{encoded}" if encoded else "")
    auth = {"authorization": BEARER}
    return interaction(source, "GET", url, auth, None, status, headers or API_HEADERS, body, note)


def list_functions(body, size=1000, page=None, status=200, source=FROM_LIST, note=None):
    query = [("pageSize", str(size)), ("fields", LIST_MASK)] + ([("pageToken", page)] if page else [])
    path = f"/v2/projects/{PROJECT}/locations/-/functions"
    return api(path, query, status, {"json": body}, source, note)


def get_function(function):
    return api(f"/v2/{function['name']}", [("fields", FUNCTION_MASK)], 200, {"json": function}, FROM_GET)


def invoke(url, audience, status, headers, body, source, note=None, method="POST", data=None):
    if method == "POST" and data is None:
        data = {"json": {"name": "world"}}
    request_headers = {"authorization": f"Bearer {id_token(audience)}"}
    if data is not None:
        request_headers["content-type"] = "application/json"
    return interaction(source, method, url, request_headers, data, status, headers, body, note)


# --- functions ---------------------------------------------------------------------------------------

# Cloud Run's short names of regions, as they stand in its hosts.
REGION_CODES = {
    "us-central1": "uc",
    "us-east1": "ue",
    "europe-west1": "ew",
    "europe-west3": "ey",
    "asia-northeast1": "an",
}
PUBSUB_2, PUBSUB_1 = "google.cloud.pubsub.topic.v1.messagePublished", "google.pubsub.topic.publish"
STORAGE_2, STORAGE_1 = "google.cloud.storage.object.v1.finalized", "google.storage.object.finalize"
FIRESTORE_2 = "google.cloud.firestore.document.v1.written"


def function(region, name, generation=2, event=None, runtime="nodejs22", state="ACTIVE", timeout=60, memory="256M"):
    digest = hashlib.sha256(f"{PROJECT}/{region}/{name}".encode()).digest()
    resource = f"projects/{PROJECT}/locations/{region}/functions/{name}"
    url = f"https://{region}-{PROJECT}.cloudfunctions.net/{name}"
    service = {"timeoutSeconds": timeout, "availableMemory": memory, "ingressSettings": "ALLOW_ALL"}
    if generation == 2:
        # The service's name is the function's in lower case, so nobody may derive one from the other.
        service_name = name.lower().replace("_", "-")
        host = "".join("abcdefghijklmnopqrstuvwxyz"[byte % 26] for byte in digest[:10])
        service["service"] = f"projects/{PROJECT}/locations/{region}/services/{service_name}"
        if state != "FAILED":
            service["uri"] = f"https://{service_name}-{host}-{REGION_CODES[region]}.a.run.app"
        service["serviceAccountEmail"] = f"{NUMBER}-compute@developer.gserviceaccount.com"
    else:
        service["serviceAccountEmail"] = f"{PROJECT}@appspot.gserviceaccount.com"
    made_function = {"name": resource, "buildConfig": {"runtime": runtime}, "serviceConfig": service}
    if event:
        made_function["eventTrigger"] = {"eventType": event}
    made_function["state"] = state
    month, day, hour, minute = 1 + digest[10] % 12, 1 + digest[11] % 28, digest[12] % 24, digest[13] % 60
    nanos = int.from_bytes(digest[14:17], "big") * 59 % 1_000_000_000
    made_function["updateTime"] = f"2025-{month:02}-{day:02}T{hour:02}:{minute:02}:{digest[17] % 60:02}.{nanos:09}Z"
    if digest[18] % 3:
        made_function["labels"] = {"deployment-tool": "cli-gcloud" if digest[18] % 2 else "console-cloud"}
    made_function["environment"] = f"GEN_{generation}"
    if generation == 2 or not event:
        made_function["url"] = url
    return made_function


# (name, generation, event, runtime); each region of the demo takes some of these.
CATALOGUE = [
    ("audit-log-export", 2, PUBSUB_2, "python312"),
    ("billing-alert", 2, PUBSUB_2, "python312"),
    ("checkout-webhook", 2, None, "nodejs22"),
    ("csv-import", 2, STORAGE_2, "python312"),
    ("geo-lookup", 2, None, "go122"),
    ("hello-http", 2, None, "nodejs22"),
    ("helloGET", 1, None, "nodejs20"),
    ("image-resize", 2, STORAGE_2, "nodejs22"),
    ("inventory_sync", 2, None, "python312"),
    ("legacyMailer", 1, PUBSUB_1, "python39"),
    ("legacy_report", 1, None, "python39"),
    ("loginWithPin", 2, None, "nodejs22"),
    ("nightly-cleanup", 2, PUBSUB_2, "nodejs22"),
    ("onOrderWritten", 2, FIRESTORE_2, "nodejs22"),
    ("order-api", 2, None, "java21"),
    ("pdf-render", 2, None, "nodejs22"),
    ("thumbnailer", 1, STORAGE_1, "nodejs20"),
    ("translate-proxy", 2, None, "go122"),
    ("user-export", 2, None, "python312"),
    ("webhook-relay", 1, None, "nodejs20"),
]
# How many of the catalogue a region has, from the front; unusual states by (region, name).
DEMO_REGIONS = {"asia-northeast1": 8, "europe-west1": 14, "europe-west3": 6, "us-central1": 20, "us-east1": 12}
DEMO_STATES = {
    ("europe-west1", "onOrderWritten"): "DEPLOYING",
    ("us-central1", "user-export"): "FAILED",
    ("us-east1", "geo-lookup"): "UNKNOWN",
}


def demo_functions():
    functions = [
        function(region, name, generation, event, runtime, DEMO_STATES.get((region, name), "ACTIVE"))
        for region, count in DEMO_REGIONS.items()
        for name, generation, event, runtime in CATALOGUE[:count]
    ]
    assert len(functions) == 60
    return functions


def locations():
    names = {
        "asia-east2": "Hong Kong",
        "asia-northeast1": "Tokyo",
        "europe-west1": "Belgium",
        "europe-west3": "Frankfurt",
        "us-central1": "Iowa",
        "us-east1": "South Carolina",
    }
    return [
        {
            "name": f"projects/{PROJECT}/locations/{region}",
            "locationId": region,
            "displayName": name,
            "labels": {"cloud.googleapis.com/region": region},
        }
        for region, name in names.items()
    ]


HELLO = function("us-central1", "hello-http")
HELLO_URI = HELLO["serviceConfig"]["uri"]
HELLO_GEN1 = function("europe-west1", "helloGET", 1, runtime="nodejs20")
CRASH_GEN1 = function("us-central1", "legacy_report", 1, runtime="python39")


def front_end(content_type, *more):
    return [["content-type", content_type], *more, ["date", DATE], ["server", "Google Frontend"]]


def trace(seed):
    return ["x-cloud-trace-context", hashlib.sha256(seed.encode()).hexdigest()[:32] + ";o=1"]


# --- the tapes ---------------------------------------------------------------------------------------

TAPES = {}


def tape(name, source, interactions):
    TAPES[f"{name}.json"] = {
        "format": "gcf-tape",
        "version": "1.0",
        "provenance": source,
        "clock": CLOCK.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seed": 1,
        "interactions": interactions,
    }


def demo():
    functions = demo_functions()
    page = base64.b64encode(b"demo-page-2").decode()
    first = {"functions": functions[:40], "nextPageToken": page, "unreachable": ["asia-east2"]}
    hello = {"json": {"message": "Hello, world!"}}
    tape(
        "demo",
        made(DISCOVERY, "the tour of `gcf demo`: 60 functions of both generations in 5 regions, one more unreachable"),
        [
            access_token(),
            list_functions(first, size=40, note="page 1 of 2"),
            list_functions({"functions": functions[40:]}, size=40, page=page, note="page 2 of 2"),
            get_function(HELLO),
            id_token_exchange(HELLO_URI),
            invoke(
                f"{HELLO_URI}/",
                HELLO_URI,
                200,
                front_end("application/json; charset=utf-8", trace("demo")),
                hello,
                made("curl -v output of a 1st gen function, 27 June 2024", "the headers that Cloud Run shares with it"),
            ),
            api(
                f"/v2/projects/{PROJECT}/locations",
                [],
                200,
                {"json": {"locations": locations()}},
                made(DISCOVERY, "displayName as documented; the labels as v1 answered in 2020"),
            ),
        ],
    )


def listings():
    tape("empty-project", made(DISCOVERY, "proto3 JSON leaves an empty list out"), [access_token(), list_functions({})])

    service = "cloudfunctions.googleapis.com"
    activation = f"https://console.developers.google.com/apis/api/{service}/overview?project={NUMBER}"
    disabled = {
        "error": {
            "code": 403,
            "message": f"Cloud Functions API has not been used in project {NUMBER} before or it is disabled. "
            f"Enable it by visiting {activation} then retry. If you enabled this API recently, wait a few minutes "
            "for the action to propagate to our systems and retry.",
            "status": "PERMISSION_DENIED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.Help",
                    "links": [{"description": "Google developers console API activation", "url": activation}],
                },
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "SERVICE_DISABLED",
                    "domain": "googleapis.com",
                    "metadata": {"consumer": f"projects/{NUMBER}", "service": service},
                },
            ],
        }
    }
    source = transcribed(
        f"{GOBLET}/bqremotefunction-destroy", "service and project changed; the headers were not captured"
    )
    tape("service-disabled", source, [access_token(), list_functions(disabled, status=403, source=source)])

    permission = "cloudfunctions.functions.list"
    denied = {
        "error": {
            "code": 403,
            "message": f"Permission '{permission}' denied on 'projects/{PROJECT}/locations/-/functions'",
            "status": "PERMISSION_DENIED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "IAM_PERMISSION_DENIED",
                    "domain": "iam.googleapis.com",
                    "metadata": {"permission": permission},
                }
            ],
        }
    }
    source = transcribed(
        "gcloud error output of iamcredentials", "the details of that answer with the message of a cloudfunctions one"
    )
    tape("iam-denied-list", source, [access_token(), list_functions(denied, status=403, source=source)])

    page = base64.b64encode(b"again").decode()
    once = {"functions": [HELLO], "nextPageToken": page}
    tape(
        "page-loop",
        made(DISCOVERY, "a server that gives out the same page token for ever"),
        [access_token(), list_functions(once), list_functions(once, page=page)],
    )

    twice = {"functions": [function("europe-west1", "hello-http"), HELLO]}
    tape(
        "ambiguous",
        made(DISCOVERY, "the same name in two regions"),
        [access_token(), list_functions(twice)],
    )


def invocations():
    unauthorized = (
        '<html><head>\n<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
        "<title>401 Unauthorized</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
        "<h1>Error: Unauthorized</h1>\n<h2>Your client does not have permission to the requested URL "
        "<code>/</code>.</h2>\n<h2></h2>\n</body></html>\n"
    )
    challenge = 'Bearer error="invalid_token" error_description="The access token could not be verified"'
    source = transcribed(
        "error page of Cloud Run's front end, as quoted in public reports",
        "the page around the quoted lines is that of the 403; www-authenticate is reported as text only, "
        "the other headers were not captured",
    )
    html = front_end("text/html; charset=UTF-8")
    tape(
        "invoke-401-front-end",
        source,
        [
            access_token(),
            get_function(HELLO),
            id_token_exchange(HELLO_URI),
            invoke(
                f"{HELLO_URI}/",
                HELLO_URI,
                401,
                [["www-authenticate", challenge], *html],
                {"text": unauthorized},
                source,
            ),
        ],
    )

    forbidden = (
        '\n<html><head>\n<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
        "<title>403 Forbidden</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
        "<h1>Error: Forbidden</h1>\n<h2>Your client does not have permission to get URL "
        "<code>/</code> from this server.</h2>\n<h2></h2>\n</body></html>\n"
    )
    source = transcribed("curl output in two codelabs", "the headers were not captured")
    tape(
        "invoke-403-front-end",
        source,
        [
            access_token(),
            get_function(HELLO),
            id_token_exchange(HELLO_URI),
            invoke(f"{HELLO_URI}/", HELLO_URI, 403, html, {"text": forbidden}, source),
        ],
    )

    source = transcribed("curl -v output of a lab, 27 June 2024", "date and trace changed")
    tape(
        "invoke-gen1-200",
        source,
        [
            access_token(),
            get_function(HELLO_GEN1),
            id_token_exchange(HELLO_GEN1["url"]),
            invoke(
                HELLO_GEN1["url"],
                HELLO_GEN1["url"],
                200,
                [
                    *front_end(
                        "text/html; charset=utf-8", ["function-execution-id", "f9w1xts7agka"], trace("gen1-200")
                    ),
                    ["content-length", "12"],
                ],
                {"text": "Hello World!"},
                source,
                method="GET",
            ),
        ],
    )

    source = transcribed("curl -i output of a crashed 1st gen function, 23 November 2018", "date and trace changed")
    tape(
        "invoke-gen1-crash",
        source,
        [
            access_token(),
            get_function(CRASH_GEN1),
            id_token_exchange(CRASH_GEN1["url"]),
            invoke(
                CRASH_GEN1["url"],
                CRASH_GEN1["url"],
                500,
                [
                    *front_end("text/plain; charset=utf-8", ["x-content-type-options", "nosniff"], trace("gen1-crash")),
                    ["content-length", "36"],
                ],
                {"text": "Error: could not handle the request\n"},
                source,
            ),
        ],
    )

    source = made("RFC 9110 and RFC 6265", "a function may answer with any status, headers and bytes")
    tape(
        "binary-response",
        source,
        [
            access_token(),
            get_function(HELLO),
            id_token_exchange(HELLO_URI),
            invoke(
                f"{HELLO_URI}/",
                HELLO_URI,
                418,
                front_end(
                    "application/octet-stream",
                    ["set-cookie", "id=[redacted:cookie:1]; Path=/; HttpOnly; Secure"],
                    ["set-cookie", "theme=[redacted:cookie:2]; Path=/"],
                    ["x-repeated", "one"],
                    ["x-repeated", "two"],
                ),
                {"base64": base64.b64encode(bytes(range(256)) + b"\xff\xfe\x00\x80").decode()},
                source,
            ),
        ],
    )

    name = f"projects/{PROJECT}/locations/us-central1/functions/missing-function"
    missing = {
        "error": {
            "code": 404,
            "message": f"Resource '{name}' was not found",
            "status": "NOT_FOUND",
            "details": [{"@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceName": name}],
        }
    }
    source = transcribed(f"{GOBLET}/redis-deploy-functionv2", "names changed; the headers were not captured")
    query = [("fields", FUNCTION_MASK)]
    tape("get-404", source, [access_token(), api(f"/v2/{name}", query, 404, {"json": missing}, source)])


def custom_api():
    path = f"/v2/projects/{PROJECT}/locations"
    service = "cloudfunctions.googleapis.com"
    exceeded = {
        "error": {
            "code": 429,
            "message": "Quota exceeded for quota metric 'All requests' and limit 'All requests per minute' of service "
            f"'{service}' for consumer 'project_number:{NUMBER}'.",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "RATE_LIMIT_EXCEEDED",
                    "domain": "googleapis.com",
                    "metadata": {
                        "quota_unit": "1/min/{project}",
                        "quota_limit": "StandardQuotaPerMinutePerProject",
                        "service": service,
                        "quota_limit_value": "400",
                        "consumer": f"projects/{NUMBER}",
                        "quota_metric": f"{service}/standard_quota",
                        "quota_location": "global",
                    },
                },
                {
                    "@type": "type.googleapis.com/google.rpc.Help",
                    "links": [
                        {
                            "description": "Request a higher quota limit.",
                            "url": "https://cloud.google.com/docs/quotas/help/request_increase",
                        }
                    ],
                },
            ],
        }
    }
    source = transcribed(
        "firebase/firebase-tools issue 9895, debug log of 9 February 2026",
        "the answer of cloudbilling with the service changed; it had no RetryInfo and no Retry-After",
    )
    # A GET is tried four times; the last answer is the one that is returned.
    refusals = [api(path, [], 429, {"json": exceeded}, source) for _ in range(4)]
    tape("custom-api-429", source, [access_token(), *refusals])

    source = made("RFC 9110, section 15.4.3", "a redirect to another host, which nobody may follow with a token")
    moved = [["location", "https://elsewhere.example/collect"], ["content-type", "text/html; charset=UTF-8"]]
    page = {"text": "<a href=\"https://elsewhere.example/collect\">Found</a>\n"}
    tape("redirect", source, [access_token(), api(path, [], 302, page, source, headers=moved)])


def tokens():
    tape("connect-only", FROM_AUTH, [access_token()])

    refused = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    source = transcribed(
        "Using OAuth 2.0 for Server to Server Applications, error table",
        "the key was deleted, disabled, or is another account's; the headers were not captured",
    )
    exchange = token_exchange({"scope": SCOPE}, 400, TOKEN_HEADERS, {"json": refused}, source, None)
    tape("token-invalid-grant", source, [exchange])

    source = made("no document", "a captive portal or a proxy that answers for Google")
    page = {"text": "<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head><body></body></html>\n"}
    html = [["content-type", "text/html; charset=utf-8"]]
    tape("token-html", source, [token_exchange({"scope": SCOPE}, 200, html, page, source, None)])


# --- writing -----------------------------------------------------------------------------------------


def pretty(value, indent=0, width=116):
    """JSON with each small object or list on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= width or not isinstance(value, (dict, list)) or not value:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {pretty(item, indent + 2, width)}" for key, item in value.items()]
        brackets = "{}"
    else:
        items = [pretty(item, indent + 2, width) for item in value]
        brackets = "[]"
    joined = f",\n{inner}".join(items)
    return f"{brackets[0]}\n{inner}{joined}\n{' ' * indent}{brackets[1]}"


def check_lengths(name, document):
    for index, exchange in enumerate(document["interactions"]):
        response = exchange["response"]
        for header, value in response["headers"]:
            if header == "content-length":
                actual = len(response["body"]["text"].encode())
                assert int(value) == actual, f"{name}, interactions[{index}]: content-length {value}, body {actual}"


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit("usage: make.py [--check]")
    for write_tapes in (demo, listings, invocations, custom_api, tokens):
        write_tapes()
    stale = []
    for name, document in TAPES.items():
        check_lengths(name, document)
        text = pretty(document) + "\n"
        path = HERE / name
        if arguments and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(name)
        if not arguments:
            path.write_text(text, encoding="utf-8", newline="\n")
    if stale:
        sys.exit(f"not as make.py writes them: {', '.join(stale)}; run python3 tests/cassettes/make.py")


if __name__ == "__main__":
    main(sys.argv[1:])
