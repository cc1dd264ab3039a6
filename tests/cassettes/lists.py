"""The cassettes of lists and drop-downs."""

import base64

from blocks import (
    CALLING,
    CRASH_GEN1,
    DISCOVERY,
    FROM_LOCATIONS,
    GOBLET,
    HELLO,
    HELLO_URI,
    NUMBER,
    PROJECT,
    RUN_DISCOVERY,
    RUN_V1_DISCOVERY,
    access_token,
    adapted,
    front_end,
    function,
    id_token_exchange,
    invoke,
    list_everywhere,
    list_functions,
    list_locations,
    list_services,
    made,
    refuse_locations,
    service,
    tape,
    together,
    trace,
)


def tapes():
    tape("empty-project", made(DISCOVERY, "proto3 JSON leaves an empty list out"), [access_token(), *nowhere_else(list_functions({}))])

    source = adapted(
        f"{GOBLET}/bqremotefunction-destroy", "service and project changed; the headers were not captured"
    )
    functions_off = disabled("Cloud Functions API", "cloudfunctions.googleapis.com")
    run_off = disabled("Cloud Run Admin API", "run.googleapis.com")
    tape(
        "service-disabled",
        source,
        [
            access_token(),
            *together(
                list_functions(functions_off, status=403, source=source),
                list_everywhere(status=403, body=run_off, source=source),
            ),
        ],
    )
    tape(
        "list-run-disabled",
        source,
        [
            access_token(),
            *together(
                list_functions({"functions": [HELLO], "unreachable": ["asia-east2"]}),
                list_everywhere(status=403, body=run_off, source=source),
            ),
        ],
    )

    source = adapted(
        "https://github.com/google-github-actions/auth/issues/340, an answer of IAM Credentials",
        "its details, with this permission, and the message that Cloud Functions has for it",
    )
    here = f"projects/{PROJECT}/locations"
    regions_denied = denied("run.locations.list", f"projects/{PROJECT}")
    tape(
        "iam-denied-list",
        source,
        [
            access_token(),
            *together(
                list_functions(
                    denied("cloudfunctions.functions.list", f"{here}/-/functions"), status=403, source=source
                ),
                list_everywhere(status=403, body=denied("run.services.list", f"{here}/-"), source=source),
            ),
            list_services(
                "us-central1", status=403, body=denied("run.services.list", f"{here}/us-central1"), source=source
            ),
        ],
    )
    functions_denied = denied("cloudfunctions.functions.list", f"{here}/europe-west1/functions")
    on_run = service("europe-west1", "rag-indexer", "python312", memory="1Gi", timeout=900)
    tape(
        "list-services-only",
        made(RUN_DISCOVERY, "somebody with roles/run.viewer and no other, in one region"),
        [
            access_token(),
            *together(
                list_functions(functions_denied, status=403, source=source, location="europe-west1"),
                list_services("europe-west1", [on_run]),
            ),
        ],
    )
    tape("options-regions", FROM_LOCATIONS, [access_token(), list_locations()])
    tape(
        "options-regions-denied",
        source,
        [
            access_token(),
            list_locations(status=403, body=regions_denied, source=source),
            refuse_locations(denied("cloudfunctions.locations.list", f"projects/{PROJECT}"), source),
        ],
    )
    tape(
        "options-functions",
        made(DISCOVERY, "a region with functions of every kind"),
        [
            access_token(),
            *together(
                list_functions({"functions": [HELLO, CRASH_GEN1]}, location="us-central1"),
                list_services("us-central1", [service("us-central1", "slack-bot")]),
            ),
        ],
    )

    closed = adapted(
        "https://github.com/firezone/firezone/pull/7711, 9 January 2025",
        "the answer of Compute Engine, as Terraform printed it; the headers were not captured",
    )
    in_each = [
        list_services("us-central1", [service("us-central1", "slack-bot")]),
        list_services("asia-southeast3", [service("asia-southeast3", "tuk-tuk")]),
        list_services("me-central2", status=403, body=closed_region("me-central2"), source=closed),
    ]
    regions = [
        {"locationId": "asia-southeast3", "displayName": "Bangkok"},
        {"locationId": "me-central2", "displayName": "Dammam"},
        {"locationId": "us-central1", "displayName": "Iowa"},
    ]
    tape(
        "list-in-each-region",
        made(
            RUN_V1_DISCOVERY,
            "somebody who may list services in some regions only; one region that the project may not use, and one "
            "that Cloud Functions does not name",
        ),
        [
            access_token(),
            *together(
                list_functions({"functions": [HELLO]}),
                list_everywhere(status=403, body=denied("run.services.list", f"{here}/-"), source=source),
            ),
            in_each[0],
            list_locations(body={"locations": regions}),
            *together(*in_each[1:]),
        ],
    )
    lookup = [
        access_token(),
        *together(list_functions({"functions": [HELLO]}), list_everywhere(unreachable=["me-central2"])),
        in_each[2],
    ]
    tape(
        "list-closed-region",
        made(
            RUN_V1_DISCOVERY,
            "a region that the project may not use is silent among all regions, as tools that verify deployments found",
        ),
        lookup,
    )
    tape(
        "invoke-closed-region",
        made(RUN_V1_DISCOVERY, "the same, by a bare name"),
        [
            *lookup,
            id_token_exchange(HELLO_URI),
            *(
                invoke(
                    f"{HELLO_URI}/",
                    HELLO_URI,
                    200,
                    front_end("application/json; charset=utf-8", trace("closed-region")),
                    {"json": {"message": "Hello, world!"}},
                    made(CALLING, "the headers of 1st gen functions that Cloud Run has too, as curl shows them"),
                )
                for _ in range(2)
            ),
        ],
    )
    firebase = service("us-central1", "ejectrequest")
    del firebase["buildConfig"]
    firebase["labels"] = {"goog-cloudfunctions-runtime": "nodejs22", "goog-managed-by": "firebase-functions"}
    firebase["annotations"] = {"firebase-functions-metadata": '{"functionId":"ejectRequest"}'}
    tape(
        "list-firebase",
        made(
            "firebase/firebase-tools, src/gcp/runv2.ts, serviceFromEndpoint",
            "a service as firebase-tools deploys it to Cloud Run by itself, without a build; no answer was captured",
        ),
        [
            access_token(),
            *together(list_functions({}, location="us-central1"), list_services("us-central1", [firebase])),
        ],
    )

    page = base64.b64encode(b"again").decode()
    once = {"functions": [HELLO], "nextPageToken": page}
    tape(
        "page-loop",
        made(DISCOVERY, "a server that gives out the same page token for ever"),
        [access_token(), *nowhere_else(list_functions(once), list_functions(once, page=page))],
    )

    twice = {"functions": [function("europe-west1", "hello-http"), HELLO]}
    tape(
        "ambiguous",
        made(DISCOVERY, "the same name in two regions"),
        [access_token(), *nowhere_else(list_functions(twice))],
    )


def nowhere_else(*lists):
    """These lists of functions, and nothing of Cloud Run."""
    return together(*lists, list_everywhere())


def closed_region(region):
    message = f"Permission denied on 'locations/{region}' (or it may not exist)."
    return {
        "error": {
            "code": 403,
            "message": message,
            "status": "PERMISSION_DENIED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "LOCATION_POLICY_VIOLATED",
                    "domain": "googleapis.com",
                    "metadata": {"consumer": f"projects/{PROJECT}", "location": region, "service": ""},
                },
                {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message},
                {
                    "@type": "type.googleapis.com/google.rpc.Help",
                    "links": [
                        {
                            "description": "Access to the region is unavailable. Please contact our sales team at "
                            "https://cloud.google.com/contact for further assistance."
                        }
                    ],
                },
            ],
        }
    }


def disabled(title, service):
    activation = f"https://console.developers.google.com/apis/api/{service}/overview?project={NUMBER}"
    return {
        "error": {
            "code": 403,
            "message": f"{title} has not been used in project {NUMBER} before or it is disabled. "
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


def denied(permission, resource):
    return {
        "error": {
            "code": 403,
            "message": f"Permission '{permission}' denied on '{resource}'",
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
