#!/usr/bin/env python3
"""Writes the cassettes of this folder: `python3 make.py`, or `python3 make.py --check` to compare only.

Every value follows from this file and from tests/fixtures/demo-key.json, so that two runs are identical.
Shapes come from the public sources that each provenance names; `made` says that no such answer was
captured, only that the documented shape is kept. The format is described in host-harness/src/tape.rs.
A tape may be edited by hand to try something; what stays belongs in here.
"""

import base64
import json
import sys

import lists
import signing_in
from blocks import (
    API,
    CALLING,
    CRASH_GEN1,
    DETACHED,
    DISCOVERY,
    FROM_AUTH,
    FROM_DETACHED,
    FROM_SERVICES,
    FUNCTION_MASK,
    GOBLET,
    HELLO,
    HELLO_GEN1,
    HELLO_URI,
    HERE,
    NUMBER,
    PROJECT,
    RUN_DISCOVERY,
    SCOPE,
    TAPES,
    THUMBNAILS_GEN1,
    TOKEN_HEADERS,
    access_token,
    adapted,
    api,
    call_function,
    demo_functions,
    demo_services,
    front_end,
    get_function,
    get_service,
    id_token_exchange,
    invoke,
    list_everywhere,
    list_functions,
    list_services,
    locations,
    made,
    service,
    tape,
    together,
    token_exchange,
    trace,
    transcribed,
)


def demo():
    functions = demo_functions()
    page = base64.b64encode(b"demo-page-2").decode()
    first = {"functions": functions[:40], "nextPageToken": page, "unreachable": ["asia-east2"]}
    services, more = demo_services(functions), base64.b64encode(b"demo-services-2").decode()
    silent = {"error": {"code": 503, "message": "The service is currently unavailable.", "status": "UNAVAILABLE"}}
    hello = {"json": {"message": "Hello, world!"}}
    tape(
        "demo",
        made(
            DISCOVERY,
            "the tour of `gcf demo`: 60 functions of both generations and 3 of Cloud Run in 5 regions, one more unreachable",
        ),
        [
            access_token(),
            *together(
                list_functions(first, size=40, note="page 1 of 2"),
                list_functions({"functions": functions[40:]}, size=40, page=page, note="page 2 of 2"),
                list_everywhere(services[:40], size=40, following=more, unreachable=["asia-east2"], note="page 1 of 2"),
                list_everywhere(services[40:], size=40, page=more, note="page 2 of 2"),
            ),
            list_services("asia-east2", size=40, status=503, body=silent, source=made(RUN_DISCOVERY, "AIP-193")),
            get_function(HELLO),
            id_token_exchange(HELLO_URI),
            invoke(
                f"{HELLO_URI}/",
                HELLO_URI,
                200,
                front_end("application/json; charset=utf-8", trace("demo")),
                hello,
                made(CALLING, "the headers of 1st gen functions that Cloud Run has too, as curl shows them"),
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


def invocations():
    unauthorized = (
        '<html><head>\n<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
        "<title>401 Unauthorized</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
        "<h1>Error: Unauthorized</h1>\n<h2>Your client does not have permission to the requested URL "
        "<code>/</code>.</h2>\n<h2></h2>\n</body></html>\n"
    )
    challenge = 'Bearer error="invalid_token" error_description="The access token could not be verified"'
    source = adapted(
        "https://github.com/pomerium/pomerium/issues/1623, and meteatamel/cloudrun-tutorial@"
        "1c38dac99015c70518432cabd60895927b9efa24, docs/private.md",
        "the two lines that the issue quotes in the page of the 403; www-authenticate is from reports that have it "
        "as text only, the other headers were not captured",
    )
    html = front_end("text/html; charset=UTF-8")
    tape(
        "invoke-401-front-end",
        source,
        [
            access_token(),
            get_function(HELLO),
            # A token that is refused is minted once more.
            *(
                exchange
                for _ in range(2)
                for exchange in (
                    id_token_exchange(HELLO_URI),
                    invoke(
                        f"{HELLO_URI}/",
                        HELLO_URI,
                        401,
                        [["www-authenticate", challenge], *html],
                        {"text": unauthorized},
                        source,
                    ),
                )
            ),
        ],
    )

    forbidden = (
        '\n<html><head>\n<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
        "<title>403 Forbidden</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
        "<h1>Error: Forbidden</h1>\n<h2>Your client does not have permission to get URL "
        "<code>/</code> from this server.</h2>\n<h2></h2>\n</body></html>\n"
    )
    source = transcribed(
        "meteatamel/cloudrun-tutorial@1c38dac99015c70518432cabd60895927b9efa24, docs/private.md",
        "the headers were not captured",
    )
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

    not_found = (
        '\n<html><head>\n<meta http-equiv="content-type" content="text/html;charset=utf-8">\n'
        "<title>404 Page not found</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
        "<h1>Error: Page not found</h1>\n<h2>The requested URL was not found on this server.</h2>\n"
        "<h2></h2>\n</body></html>\n"
    )
    source = adapted(
        "meteatamel/cloudrun-tutorial@1c38dac99015c70518432cabd60895927b9efa24, docs/private.md",
        "the page of that 403, with the two lines that somebody saw of a 404, in a place that cannot be found again; "
        "that the ingress is the reason is made",
    )
    inside = {**HELLO, "serviceConfig": {**HELLO["serviceConfig"], "ingressSettings": "ALLOW_INTERNAL_ONLY"}}
    tape(
        "invoke-404-front-end",
        source,
        [
            access_token(),
            get_function(inside),
            id_token_exchange(HELLO_URI),
            invoke(f"{HELLO_URI}/", HELLO_URI, 404, html, {"text": not_found}, source, method="GET"),
        ],
    )

    data = '{"message": "hell\\"oThere"}'
    source = transcribed(
        "demisto/content@1c2fea16e7fd4f862e99ec53db3502986020cfb5, Packs/GoogleCloudFunctions/Integrations/"
        "GoogleCloudFunctions/README.md",
        "the function's name changed; the headers were not captured",
    )
    answer = {"executionId": "xp9hifb4y996", "result": 'hell"oThere'}
    call = call_function(THUMBNAILS_GEN1, data, answer, source)
    tape("call-result", source, [access_token(), get_function(THUMBNAILS_GEN1), call])

    source = made("cloudfunctions v1 discovery document, revision 20261029", "the text of the error is Node's")
    answer = {"executionId": "xp9hifb4y996", "error": "TypeError: Cannot read properties of undefined (reading 'x')"}
    call = call_function(THUMBNAILS_GEN1, data, answer, source)
    tape("call-error", source, [access_token(), get_function(THUMBNAILS_GEN1), call])

    source = made(
        CALLING,
        "the headers are those that curl showed for 1st gen functions in 2019, 2022 and 2024, in places that cannot be "
        "found again",
    )
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

    source = adapted(
        "https://github.com/firebase/functions-samples/issues/383",
        "its line, with the headers that curl showed for a 1st gen function that had crashed, in a place that cannot be "
        "found again",
    )
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
    on_run = f"projects/{PROJECT}/locations/us-central1/services/missing-function"
    not_there = {
        "error": {
            "code": 404,
            "message": f"Resource 'missing-function' of kind 'SERVICE' in region 'us-central1' in project '{PROJECT}' "
            "does not exist.",
            "status": "NOT_FOUND",
        }
    }
    no_service = made(RUN_DISCOVERY, "the message as recorded answers of the API have it")
    tape(
        "get-404",
        source,
        [
            access_token(),
            api(f"/v2/{name}", query, 404, {"json": missing}, source),
            get_service(on_run, status=404, body=not_there, source=no_service),
        ],
    )

    name = name.replace("missing-function", "slack-bot")
    missing = json.loads(json.dumps(missing).replace("missing-function", "slack-bot"))
    slack_bot = service("us-central1", "slack-bot")
    by_name = [access_token(), api(f"/v2/{name}", query, 404, {"json": missing}, source), get_service(slack_bot)]
    tape("get-cloud-run", FROM_SERVICES, by_name)

    name, missing = (json.loads(json.dumps(text).replace("slack-bot", "ejectRequest")) for text in (name, missing))
    tape(
        "get-detached",
        FROM_DETACHED,
        [access_token(), api(f"/v2/{name}", query, 404, {"json": missing}, source), get_service(DETACHED, source=FROM_DETACHED)],
    )
    uri = slack_bot["uri"]
    tape(
        "invoke-cloud-run",
        FROM_SERVICES,
        [
            *by_name,
            id_token_exchange(uri),
            invoke(
                f"{uri}/",
                uri,
                200,
                front_end("application/json; charset=utf-8", trace("cloud-run")),
                {"json": {"message": "Hello, world!"}},
                made(CALLING, "the headers of 1st gen functions that Cloud Run has too, as curl shows them"),
            ),
        ],
    )


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
    source = adapted(
        "https://github.com/firebase/firebase-tools/issues/9895, debug log of 9 February 2026",
        "the answer of cloudbilling with the service changed; it had no RetryInfo and no Retry-After",
    )
    # A GET is tried four times; the last answer is the one that is returned.
    refusals = [api(path, [], 429, {"json": exceeded}, source) for _ in range(4)]
    tape("custom-api-429", source, [access_token(), *refusals])

    source = made(
        "the discovery document of Cloud Functions v2, ListLocationsResponse",
        "three pages; nobody published a page of this list with a token",
    )
    names = [["asia-east2", "us-central1"], ["europe-west1"], ["us-east1"]]
    pages = []
    for at, ids in enumerate(names):
        regions = [
            {
                "name": f"projects/{PROJECT}/locations/{region}",
                "locationId": region,
                "labels": {"cloud.googleapis.com/region": region},
            }
            for region in ids
        ]
        page = {"locations": regions}
        query = [["pageSize", "2"]]
        if at > 0:
            query.append(["pageToken", f"page.{at + 1}"])
        if at + 1 < len(names):
            page["nextPageToken"] = f"page.{at + 2}"
        pages.append(api(path, query, 200, {"json": page}, source))
    tape("all-pages", source, [access_token(), *pages])

    source = made("RFC 9110, section 15.4.3", "a redirect to another host, which nobody may follow with a token")
    moved = [["location", "https://elsewhere.example/collect"], ["content-type", "text/html; charset=UTF-8"]]
    page = {"text": "<a href=\"https://elsewhere.example/collect\">Found</a>\n"}
    tape("redirect", source, [access_token(), api(path, [], 302, page, source, headers=moved)])


def tokens():
    tape("connect-only", FROM_AUTH, [access_token()])

    refused = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    source = transcribed(
        "https://developers.google.com/identity/protocols/oauth2/service-account#error-codes",
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
    for write_tapes in (demo, lists.tapes, invocations, custom_api, tokens, signing_in.tapes):
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
