"""The cassettes of lists and drop-downs."""

import base64

from blocks import (
    CRASH_GEN1,
    DISCOVERY,
    FROM_LOCATIONS,
    GOBLET,
    HELLO,
    NUMBER,
    PROJECT,
    RUN_DISCOVERY,
    access_token,
    function,
    list_functions,
    list_locations,
    list_services,
    made,
    service,
    tape,
    together,
    transcribed,
)


def tapes():
    tape("empty-project", made(DISCOVERY, "proto3 JSON leaves an empty list out"), [access_token(), *nowhere_else(list_functions({}))])

    source = transcribed(
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
                list_locations(status=403, body=functions_off, source=source),
                list_services("us-central1", status=403, body=run_off, source=source),
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
                list_locations(["asia-east2", "us-central1"]),
                list_services("us-central1", status=403, body=run_off, source=source),
            ),
        ],
    )

    source = transcribed(
        "gcloud error output of iamcredentials", "the details of that answer with the message of a cloudfunctions one"
    )
    here = f"projects/{PROJECT}/locations"
    regions_denied = denied("cloudfunctions.locations.list", f"projects/{PROJECT}")
    tape(
        "iam-denied-list",
        source,
        [
            access_token(),
            *together(
                list_functions(
                    denied("cloudfunctions.functions.list", f"{here}/-/functions"), status=403, source=source
                ),
                list_locations(status=403, body=regions_denied, source=source),
                list_services(
                    "us-central1",
                    status=403,
                    body=denied("run.services.list", f"{here}/us-central1"),
                    source=source,
                ),
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
        [access_token(), list_locations(status=403, body=regions_denied, source=source)],
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
    """These lists of functions, one region, and nothing of Cloud Run in it."""
    return together(*lists, list_locations(["us-central1"]), list_services("us-central1"))


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
