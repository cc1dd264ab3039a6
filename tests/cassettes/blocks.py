"""The parts that cassettes are made of: provenance, exchanges, functions."""

import base64
import hashlib
import json
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
RUN = "https://run.googleapis.com"
CALLING = "https://cloud.google.com/functions/docs/calling/http"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
BEARER = "Bearer [redacted:access-token:1]"

FUNCTION_MASK = (
    "name,state,environment,url,labels,updateTime,buildConfig/runtime,"
    "serviceConfig(uri,service,timeoutSeconds,availableMemory,ingressSettings,serviceAccountEmail),"
    "eventTrigger/eventType"
)
LIST_MASK = f"functions({FUNCTION_MASK}),nextPageToken,unreachable"
SERVICE_MASK = (
    "name,uri,labels,annotations,updateTime,deleteTime,ingress,reconciling,terminalCondition/state,"
    "defaultUriDisabled,invokerIamDisabled,"
    "buildConfig(functionTarget,baseImage),"
    "template(annotations,serviceAccount,timeout,containers/resources/limits)"
)
SERVICES_MASK = f"services({SERVICE_MASK}),nextPageToken,unreachable"
KNATIVE_MASK = (
    "items("
    "metadata(name,labels,annotations,generation,deletionTimestamp),"
    "spec(template(metadata/annotations,spec(serviceAccountName,timeoutSeconds,containers/resources/limits))),"
    "status(url,observedGeneration,conditions(type,status,lastTransitionTime))"
    "),metadata/continue,unreachable"
)

# --- where it comes from -----------------------------------------------------------------------------

DISCOVERY = "cloudfunctions v2 discovery document, revision 20261029"
RUN_DISCOVERY = "run v2 discovery document, revision 20261031"
RUN_V1_DISCOVERY = "run v1 discovery document, revision 20261031 (google-api-python-client 2.202.0)"
GOBLET = "goblet/goblet@69fb3d8a832f3605a3e812d7b4169f7d6697c363, goblet/tests/data/http"


def made(source, note=None):
    return provenance("made", source, note)


def transcribed(source, note=None):
    return provenance("transcribed", source, note)


def adapted(source, note):
    """Put together from what others published: of several answers, or of another API's."""
    return provenance("adapted", source, note)


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
FROM_LOCATIONS = made(RUN_V1_DISCOVERY, "displayName as documented; a few of the regions only")
FROM_KNATIVE = made(
    RUN_V1_DISCOVERY,
    "the fields of services behind 2nd gen functions, as gcloud run services describe printed them on 25 September 2026, "
    "cut down to the mask; no list with functions, with a token or with unreachable regions was captured",
)
FROM_SERVICES = made(
    RUN_DISCOVERY,
    "the fields of a recorded service of 2023 (goblet), the labels and the base image of one behind a gen2 function "
    "as gcloud printed them in 2026; no list with buildConfig was captured",
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


def api(path, query, status, body, source, note=None, headers=None, host=API):
    """An answer of a Google API to a GET with the access token."""
    encoded = "&".join(f"{name}={quote(value, safe='()*-._')}" for name, value in query)
    url = f"{host}{path}" + (f"?{encoded}" if encoded else "")
    auth = {"authorization": BEARER}
    return interaction(source, "GET", url, auth, None, status, headers or API_HEADERS, body, note)


def list_functions(body, size=1000, page=None, status=200, source=FROM_LIST, note=None, location="-"):
    query = [("pageSize", str(size)), ("fields", LIST_MASK)] + ([("pageToken", page)] if page else [])
    path = f"/v2/projects/{PROJECT}/locations/{location}/functions"
    return api(path, query, status, {"json": body}, source, note)


def list_locations(regions=None, status=200, body=None, source=FROM_LOCATIONS):
    """Cloud Run's regions."""
    if body is None:
        few = [place for place in locations() if regions is None or place["locationId"] in regions]
        body = {"locations": [{"locationId": p["locationId"], "displayName": p["displayName"]} for p in few]}
    return api(f"/v1/projects/{PROJECT}/locations", LOCATIONS_QUERY, status, {"json": body}, source, host=RUN)


def refuse_locations(body, source):
    """Cloud Functions' regions, which are asked for after Cloud Run's."""
    return api(f"/v2/projects/{PROJECT}/locations", LOCATIONS_QUERY, 403, {"json": body}, source)


LOCATIONS_QUERY = [("fields", "locations(locationId,displayName),nextPageToken")]


def list_everywhere(services=(), size=1000, page=None, following=None, unreachable=(), status=200, body=None, **about):
    """Cloud Run's services of every region: v1, in the shape of Knative. `services` are in the shape of v2."""
    query = [("limit", str(size)), ("fields", KNATIVE_MASK)] + ([("continue", page)] if page else [])
    if body is None:
        body = {"items": [knative(service) for service in services]} if services else {}
        if following:
            body["metadata"] = {"continue": following}
        if unreachable:
            body["unreachable"] = list(unreachable)
    path = f"/v1/projects/{PROJECT}/locations/-/services"
    return api(path, query, status, {"json": body}, **({"source": FROM_KNATIVE} | about), host=RUN)


def list_services(region, services=(), size=1000, status=200, body=None, source=FROM_SERVICES):
    query = [("pageSize", str(size)), ("fields", SERVICES_MASK)]
    path = f"/v2/projects/{PROJECT}/locations/{region}/services"
    if body is None:
        body = {"services": list(services)} if services else {}
    return api(path, query, status, {"json": body}, source, host=RUN)


def get_service(service, status=200, body=None, source=FROM_SERVICES):
    """`service` is one, or its resource name."""
    name = service if isinstance(service, str) else service["name"]
    return api(f"/v2/{name}", [("fields", SERVICE_MASK)], status, {"json": body or service}, source, host=RUN)


def together(first, *others):
    """Sent side by side."""
    return [first, *({"side_by_side": True} | exchange for exchange in others)]


def call_function(function, data, body, source):
    """v1 `:call`, with the access token."""
    headers = {"authorization": BEARER, "content-type": "application/json"}
    url = f"{API}/v1/{function['name']}:call"
    return interaction(source, "POST", url, headers, {"json": {"data": data}}, 200, API_HEADERS, {"json": body})


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
    "asia-southeast3": "eu",
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


def service(region, name, runtime="nodejs22", target=None, managed=False, memory="512Mi", timeout=300):
    """A Cloud Run service that is built from a function: made through its own API, or managed by Cloud Functions."""
    digest = hashlib.sha256(f"{PROJECT}/{region}/{name}/service".encode()).digest()
    made_service = {"name": f"projects/{PROJECT}/locations/{region}/services/{name}"}
    if managed:
        made_service["labels"] = {
            "goog-cloudfunctions-runtime": runtime,
            "goog-drz-cloudfunctions-id": name,
            "goog-drz-cloudfunctions-location": region,
            "goog-managed-by": "cloudfunctions",
        }
    image = f"{region}-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/{runtime}"
    host = "".join("abcdefghijklmnopqrstuvwxyz"[byte % 26] for byte in digest[:10])
    month, day, hour, minute = 1 + digest[10] % 12, 1 + digest[11] % 28, digest[12] % 24, digest[13] % 60
    return made_service | {
        "updateTime": f"2025-{month:02}-{day:02}T{hour:02}:{minute:02}:07.431906Z",
        "ingress": "INGRESS_TRAFFIC_ALL",
        "template": {
            "timeout": f"{timeout}s",
            "serviceAccount": f"{NUMBER}-compute@developer.gserviceaccount.com",
            "containers": [{"resources": {"limits": {"cpu": "1000m", "memory": memory}}}],
        },
        "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
        "buildConfig": {"functionTarget": target or name, "baseImage": image},
        "uri": f"https://{name}-{host}-{REGION_CODES[region]}.a.run.app",
    }


def knative(service):
    """The same service as v1 has it, where annotations hold what v2 has fields for."""
    _, _, _, region, _, name = service["name"].split("/")
    template = service["template"]
    build, (container,) = service["buildConfig"], template["containers"]
    labels = {"cloud.googleapis.com/location": region} | service.get("labels", {})
    is_ready = service["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"
    ready = {"lastTransitionTime": service["updateTime"], "status": str(is_ready), "type": "Ready"}
    status = {"conditions": [ready], "observedGeneration": 1}
    if "uri" in service:
        status["url"] = service["uri"]
    annotations = service.get("annotations", {}) | {
        "run.googleapis.com/build-base-image": build["baseImage"],
        "run.googleapis.com/build-enable-automatic-updates": "true",
        "run.googleapis.com/build-function-target": build["functionTarget"],
        "run.googleapis.com/client-name": "gcloud",
        "run.googleapis.com/ingress": "all",
        "run.googleapis.com/ingress-status": "all",
    }
    return {
        "metadata": {"annotations": annotations, "generation": 1, "labels": labels, "name": name},
        "spec": {
            "template": {
                "metadata": {
                    "annotations": template.get("annotations", {})
                    | {"run.googleapis.com/base-images": json.dumps({"worker": build["baseImage"]})}
                },
                "spec": {
                    "containers": [{"resources": container["resources"]}],
                    "serviceAccountName": template["serviceAccount"],
                    "timeoutSeconds": int(template["timeout"].removesuffix("s")),
                },
            }
        },
        "status": status,
    }


def service_behind(function):
    """The service that Cloud Functions keeps for a function of 2nd gen."""
    _, _, _, region, _, name = function["serviceConfig"]["service"].split("/")
    config, runtime = function["serviceConfig"], function["buildConfig"]["runtime"]
    target = function["name"].split("/")[-1]
    behind = service(region, name, runtime, target, True, config["availableMemory"], config["timeoutSeconds"])
    trigger = function.get("eventTrigger", {}).get("eventType", "HTTP_TRIGGER")
    behind["annotations"] = {"cloudfunctions.googleapis.com/function-id": target}
    behind["template"]["annotations"] = {"cloudfunctions.googleapis.com/trigger-type": trigger}
    if "uri" in config:
        return behind | {"uri": config["uri"]}
    del behind["uri"]
    return behind | {"terminalCondition": {"state": "CONDITION_FAILED"}}


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


# Made through the Cloud Run Admin API, by region; the newest first, as Cloud Run lists them.
DEMO_SERVICES = {
    "europe-west1": [("rag-indexer", "python312", "1Gi", 900)],
    "us-central1": [("slack-bot", "nodejs22", "512Mi", 300), ("embed-api", "python312", "2Gi", 300)],
}


def demo_services(functions):
    """All services: those that are functions, and those behind functions of 2nd gen."""
    on_run = [
        service(region, name, runtime, memory=memory, timeout=timeout)
        for region, services in DEMO_SERVICES.items()
        for name, runtime, memory, timeout in services
    ]
    behind = [service_behind(f) for f in functions if f["environment"] == "GEN_2"]
    # Cloud Run lists the newest first.
    return sorted(on_run + behind, key=lambda made_service: made_service["updateTime"], reverse=True)


# A function of Cloud Functions that was detached: only Cloud Run knows it, under the name of its service.
FROM_DETACHED = transcribed(
    "firebase/firebase-tools, src/gcp/runv2.ts: the answer for a detached function of June 2025, in a comment",
    "names changed, cut down to the mask; the headers were not captured",
)
DETACHED = {
    "buildConfig": {
        "baseImage": "us-central1-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/nodejs22",
        "functionTarget": "ejectRequest",
    },
    "updateTime": "2025-06-13T21:23:05.883496Z",
    "labels": {
        "goog-cloudfunctions-runtime": "nodejs22",
        "goog-drz-cloudfunctions-id": "ejectrequest",
        "goog-drz-cloudfunctions-location": "us-central1",
        "goog-managed-by": "",
    },
    "ingress": "INGRESS_TRAFFIC_ALL",
    "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
    "template": {
        "annotations": {"cloudfunctions.googleapis.com/trigger-type": "HTTP_TRIGGER"},
        "containers": [{"resources": {"limits": {"cpu": "1", "memory": "256Mi"}}}],
        "serviceAccount": f"{NUMBER}-compute@developer.gserviceaccount.com",
        "timeout": "60s",
    },
    "annotations": {"cloudfunctions.googleapis.com/function-id": "ejectRequest"},
    "name": f"projects/{PROJECT}/locations/us-central1/services/ejectrequest",
    "uri": "https://ejectrequest-uvb3o4q2mq-uc.a.run.app",
}

HELLO = function("us-central1", "hello-http")
HELLO_URI = HELLO["serviceConfig"]["uri"]
HELLO_GEN1 = function("europe-west1", "helloGET", 1, runtime="nodejs20")
THUMBNAILS_GEN1 = function("europe-west1", "legacy-thumbnails", 1, STORAGE_1)
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
