"""The cassettes of every way to sign in but a service account's own key, and those of the doctor."""

from urllib.parse import quote

from blocks import (
    API,
    API_HEADERS,
    CALLING,
    DISCOVERY,
    FROM_AUTH,
    FROM_GET,
    FUNCTION_MASK,
    HELLO,
    HELLO_URI,
    KEY,
    NOW,
    PROJECT,
    RUN_DISCOVERY,
    SCOPE,
    TOKEN_HEADERS,
    TOKEN_URL,
    access_token,
    adapted,
    api,
    front_end,
    get_function,
    get_service,
    interaction,
    jwt,
    made,
    service,
    tape,
    token_exchange,
    trace,
    transcribed,
)

CLIENT = "123456789012-test.apps.googleusercontent.com"
USER = "ada@example.com"
SCOPES = f"openid https://www.googleapis.com/auth/userinfo.email {SCOPE}"
DEFAULT_ACCOUNT = f"{PROJECT}@appspot.gserviceaccount.com"
TARGET = f"deployer@{PROJECT}.iam.gserviceaccount.com"
DELEGATE = f"gate@{PROJECT}.iam.gserviceaccount.com"
POOL = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/providers/actions"

IAM = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
RUN = "https://run.googleapis.com/v2"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}

FROM_IAM = made("iamcredentials v1 discovery document", "the answer itself was not captured")
FROM_STS = made("sts v1 discovery document and google-auth 2.62.2, google/oauth2/sts.py", "the form is that of the library")
FROM_RUN = made("run v2 discovery document", "the answer itself was not captured")
FROM_ERRORS = adapted(
    "https://developers.google.com/identity/protocols/oauth2#expiration, and google-auth 2.62.2, google/oauth2/reauth.py",
    "the codes; the descriptions are those that people saw in logs, and the headers were not captured",
)


def bearer(number):
    return f"Bearer [redacted:access-token:{number}]"


def grant(form, status, body, source=FROM_AUTH, note=None, headers=None):
    return interaction(source, "POST", TOKEN_URL, FORM, {"form": form}, status, headers or TOKEN_HEADERS, {"json": body}, note)


def user_token():
    """A user's own ID token: its audience is the OAuth client."""
    claims = {
        "aud": CLIENT,
        "azp": CLIENT,
        "email": USER,
        "email_verified": True,
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": "https://accounts.google.com",
        "sub": "109876543210987654321",
    }
    return jwt({"alg": "RS256", "kid": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c", "typ": "JWT"}, claims)


def refresh_form(number=1):
    return [
        ["grant_type", "refresh_token"],
        ["refresh_token", f"[redacted:refresh-token:{number}]"],
        ["client_id", CLIENT],
        ["client_secret", "[redacted:client-secret:1]"],
    ]


def refresh(number=1, token=1, life=3599, rotated=None, note=None):
    body = {
        "access_token": f"[redacted:access-token:{token}]",
        "expires_in": life,
        "scope": SCOPES,
        "token_type": "Bearer",
        "id_token": user_token(),
    }
    if rotated:
        body["refresh_token"] = f"[redacted:refresh-token:{rotated}]"
    return grant(refresh_form(number), 200, body, note=note)


def call(method, url, token, body, status, answer, source, note=None):
    headers = {"authorization": bearer(token)} | (JSON if body is not None else {})
    sent = {"json": body} if body is not None else None
    return interaction(source, method, url, headers, sent, status, API_HEADERS, {"json": answer}, note)


def minted(account, audience):
    claims = {
        "aud": audience,
        "azp": "112233445566778899001",
        "email": account,
        "email_verified": True,
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": "https://accounts.google.com",
        "sub": "112233445566778899001",
    }
    return jwt({"alg": "RS256", "kid": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c", "typ": "JWT"}, claims)


def mint(account, audience, token=1, status=200, answer=None, source=FROM_IAM, note=None):
    body = {"audience": audience, "includeEmail": True}
    answer = answer or {"token": minted(account, audience)}
    return call("POST", f"{IAM}/{account}:generateIdToken", token, body, status, answer, source, note)


def invoke_with(token):
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    source = made(CALLING, "the headers of 1st gen functions that Cloud Run has too, as curl shows them")
    answer = {"json": {"message": "Hello, world!"}}
    response_headers = front_end("application/json; charset=utf-8", trace("hello"))
    return interaction(source, "POST", f"{HELLO_URI}/", headers, {"json": {"name": "world"}}, 200, response_headers, answer)


def denied(permission, resource, service):
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": permission, "resource": resource},
    }
    message = f"Permission '{permission}' denied on resource '{resource}' (or it may not exist)."
    return {"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED", "details": [info]}}


def disabled(title, service):
    url = f"https://console.developers.google.com/apis/api/{service}/overview?project=123456789012"
    message = (
        f"{title} has not been used in project 123456789012 before or it is disabled. Enable it by visiting {url} then retry. "
        "If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
    )
    help_ = {
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{"description": "Google developers console API activation", "url": url}],
    }
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"consumer": "projects/123456789012", "service": service},
    }
    return {"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED", "details": [help_, info]}}


def query(url, pairs):
    return url + "?" + "&".join(f"{name}={quote(value, safe='()*-._')}" for name, value in pairs)


def probe_functions(token=1, status=200, answer=None, source=None):
    url = query(f"{API}/v2/projects/{PROJECT}/locations/-/functions", [("pageSize", "1"), ("fields", "functions(name)")])
    answer = {"functions": [{"name": HELLO["name"]}]} if answer is None else answer
    return call("GET", url, token, None, status, answer, source or made(DISCOVERY))


def probe_services(token=1, status=200, answer=None):
    url = query(f"{RUN}/projects/{PROJECT}/locations/us-central1/services", [("pageSize", "1"), ("fields", "services(name)")])
    return call("GET", url, token, None, status, {} if answer is None else answer, FROM_RUN)


def may(url, permission, granted, token=1):
    answer = {"permissions": [permission]} if granted else {}
    source = made(DISCOVERY if url.startswith(API) else "run v2 discovery document", "an empty list is left out, as in proto3 JSON")
    return call("POST", f"{url}:testIamPermissions", token, {"permissions": [permission]}, 200, answer, source)


def users():
    mint_url = HELLO_URI
    tape(
        "user-invoke",
        FROM_AUTH,
        [refresh(), get_function(HELLO), mint(DEFAULT_ACCOUNT, mint_url), invoke_with(minted(DEFAULT_ACCOUNT, mint_url))],
    )
    refused = denied("iam.serviceAccounts.getOpenIdToken", f"projects/-/serviceAccounts/{DEFAULT_ACCOUNT}", "iamcredentials")
    source = adapted(
        "https://github.com/google-github-actions/auth/issues/340, the same API's refusal of generateAccessToken",
        "with the permission of generateIdToken, and its resource beside it, which that one lacks",
    )
    tape(
        "user-mint-denied",
        source,
        [refresh(), get_function(HELLO), mint(DEFAULT_ACCOUNT, mint_url, status=403, answer=refused, source=source)],
    )
    gone = {
        "error": {
            "code": 404,
            "message": f"Not found; Gaia id not found for email {DEFAULT_ACCOUNT}",
            "status": "NOT_FOUND",
        }
    }
    source = transcribed(
        "https://github.com/GoogleCloudPlatform/python-docs-samples/pull/10759, comment of 12 October 2023",
        "with another address; the headers were not captured",
    )
    tape("user-mint-404", source, [refresh(), get_function(HELLO), mint(DEFAULT_ACCOUNT, mint_url, status=404, answer=gone, source=source)])
    tape("user-own-token", FROM_AUTH, [refresh(), get_function(HELLO), invoke_with(user_token())])


def refreshes():
    # 200 seconds are less than the refresh margin: the next call refreshes.
    listed = call("GET", f"{API}/v2/projects/{PROJECT}/locations", 2, None, 200, {}, made(DISCOVERY))
    tape("refresh-rotated", FROM_AUTH, [refresh(life=200, note="soon over"), refresh(token=2, rotated=2, note="another refresh token"), listed])
    for name, description, subtype in [
        ("refresh-revoked", "Token has been expired or revoked.", None),
        ("refresh-rapt", "reauth related error (invalid_rapt)", "invalid_rapt"),
    ]:
        body = {"error": "invalid_grant", "error_description": description}
        if subtype:
            body["error_subtype"] = subtype
        # Less than 10 seconds: the old token is no help.
        tape(name, FROM_ERRORS, [refresh(life=5), grant(refresh_form(), 400, body, FROM_ERRORS)])
    deleted = {"error": "deleted_client", "error_description": "The OAuth client was deleted."}
    source = made("Using OAuth 2.0 to Access Google APIs, error table", "wording and status were not captured")
    tape("refresh-deleted-client", source, [grant(refresh_form(), 401, deleted, source)])
    partial = {"access_token": "[redacted:access-token:1]", "expires_in": 3599, "scope": "openid", "token_type": "Bearer"}
    tape("refresh-scope-missing", FROM_AUTH, [grant(refresh_form(), 200, partial)])


def revocations():
    def revoke(status, body):
        source = made("Using OAuth 2.0 for Web Server Applications, revoking a token", "the body was not captured")
        form = {"form": [["token", "[redacted:refresh-token:1]"]]}
        url = "https://oauth2.googleapis.com/revoke"
        return interaction(source, "POST", url, FORM, form, status, TOKEN_HEADERS, {"json": body})

    tape("revoke", made("Using OAuth 2.0 for Web Server Applications"), [refresh(), revoke(200, {})])
    fault = {"error": "internal_failure", "error_description": "Backend Error"}
    tape("revoke-503", made("Using OAuth 2.0 for Web Server Applications"), [refresh(), *(revoke(503, fault) for _ in range(3))])


def service_accounts():
    late = "Sun, 01 Mar 2026 13:00:00 GMT"
    skew = {
        "error": "invalid_grant",
        "error_description": "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
        "Check your iat and exp values in the JWT claim.",
    }
    headers = [["content-type", "application/json; charset=utf-8"], ["date", late], ["cache-control", "private"]]
    source = transcribed("https://developers.google.com/identity/protocols/oauth2/service-account#error-codes", "the headers were not captured")
    first = token_exchange({"scope": SCOPE}, 400, headers, {"json": skew}, source, "the host's clock is an hour behind")
    claims = {"iss": KEY["client_email"], "scope": SCOPE, "aud": TOKEN_URL, "iat": NOW + 3590, "exp": NOW + 7190}
    corrected = jwt({"typ": "JWT", "alg": "RS256", "kid": KEY["private_key_id"]}, claims)
    form = [["grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"], ["assertion", corrected]]
    body = {"access_token": "[redacted:access-token:1]", "expires_in": 3599, "token_type": "Bearer"}
    tape("clock-skew", source, [first, grant(form, 200, body, note="with Google's own time")])
    gone = {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
    exchange = token_exchange({"scope": SCOPE}, 400, TOKEN_HEADERS, {"json": gone}, source, None)
    tape("account-deleted", source, [exchange])


def impersonation():
    def access(account, source_token, number, delegates):
        body = {"scope": [SCOPE]} | ({"delegates": [f"projects/-/serviceAccounts/{name}" for name in delegates]} if delegates else {})
        answer = {"accessToken": f"[redacted:access-token:{number}]", "expireTime": "2026-03-01T13:00:00Z"}
        return call("POST", f"{IAM}/{account}:generateAccessToken", source_token, body, 200, answer, FROM_IAM)

    locations = f"{API}/v2/projects/{PROJECT}/locations"
    tape(
        "impersonated",
        FROM_IAM,
        [
            refresh(note="of the user behind it"),
            access(TARGET, 1, 2, [DELEGATE]),
            access(TARGET, 1, 3, [DELEGATE]),
            call("GET", locations, 3, None, 200, {}, made(DISCOVERY)),
        ],
    )

    def exchange(number):
        form = [
            ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"],
            ["audience", POOL],
            ["scope", SCOPE],
            ["requested_token_type", "urn:ietf:params:oauth:token-type:access_token"],
            ["subject_token", "[redacted:subject-token:1]"],
            ["subject_token_type", "urn:ietf:params:oauth:token-type:jwt"],
        ]
        body = {
            "access_token": f"[redacted:access-token:{number}]",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 3599,
        }
        url = "https://sts.googleapis.com/v1/token"
        return interaction(FROM_STS, "POST", url, FORM, {"form": form}, 200, API_HEADERS, {"json": body})

    tape("federation", FROM_STS, [exchange(1), call("GET", locations, 1, None, 200, {}, made(DISCOVERY))])
    tape(
        "federation-impersonated",
        FROM_STS,
        [exchange(1), access(TARGET, 1, 2, []), access(TARGET, 1, 3, []), call("GET", locations, 3, None, 200, {}, made(DISCOVERY))],
    )
    expired = {
        "error": {
            "code": 401,
            "message": "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
            "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
            "status": "UNAUTHENTICATED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "ACCESS_TOKEN_EXPIRED",
                    "domain": "googleapis.com",
                    "metadata": {"service": "cloudfunctions.googleapis.com"},
                }
            ],
        }
    }
    source = made(
        "google/api/error_reason.proto, ACCESS_TOKEN_EXPIRED",
        "the message is that of other services of Google's; no answer of this one could be found",
    )
    tape("supplied-expired", source, [call("GET", locations, 1, None, 401, expired, source)])


def doctor():
    tape("doctor-good", made(DISCOVERY), [access_token(), probe_functions(), probe_services()])
    behind = HELLO["serviceConfig"]["service"]
    for name, granted in [("doctor-may-invoke", True), ("doctor-may-not-invoke", False)]:
        exchanges = [access_token(), probe_functions(), probe_services(), get_function(HELLO)]
        exchanges.append(may(f"{RUN}/{behind}", "run.routes.invoke", granted))
        if not granted:
            source = made(RUN_DISCOVERY, "a field that is false is left out, as in proto3 JSON")
            url = query(f"{RUN}/{behind}", [("fields", "name,invokerIamDisabled")])
            exchanges.append(call("GET", url, 1, None, 200, {"name": behind}, source))
        tape(name, FROM_GET, exchanges)
    on_run = service("us-central1", "slack-bot")
    function_name = f"projects/{PROJECT}/locations/us-central1/functions/slack-bot"
    missing = {"error": {"code": 404, "message": f"Resource '{function_name}' was not found", "status": "NOT_FOUND"}}
    tape(
        "doctor-cloud-run",
        made(DISCOVERY, "a function that was made through the Cloud Run Admin API"),
        [
            access_token(),
            probe_functions(),
            probe_services(),
            api(f"/v2/{function_name}", [("fields", FUNCTION_MASK)], 404, {"json": missing}, made(DISCOVERY)),
            get_service(on_run),
            may(f"{RUN}/{on_run['name']}", "run.routes.invoke", True),
        ],
    )
    source = made(
        "google/api/error_reason.proto, IAM_PERMISSION_DENIED",
        "one refusal for each API, in the shape of https://github.com/google-github-actions/auth/issues/340",
    )
    here = f"projects/{PROJECT}"
    project = f"https://cloudresourcemanager.googleapis.com/v3/{here}"
    unseen = denied("resourcemanager.projects.get", here, "cloudresourcemanager")
    no_token = denied("iam.serviceAccounts.getOpenIdToken", f"projects/-/serviceAccounts/{DEFAULT_ACCOUNT}", "iam")
    tape(
        "doctor-no-roles",
        source,
        [
            refresh(),
            probe_functions(status=403, answer=denied("cloudfunctions.functions.list", f"{here}/locations/-/functions", "cf"), source=source),
            probe_services(status=403, answer=denied("run.services.list", f"{here}/locations/us-central1/services", "run")),
            call("GET", project, 1, None, 403, unseen, source),
            mint(DEFAULT_ACCOUNT, "https://gcf-connector.invalid", status=403, answer=no_token, source=source),
        ],
    )
    off = disabled("IAM Service Account Credentials API", "iamcredentials.googleapis.com")
    source = adapted(
        "goblet/goblet@69fb3d8a832f3605a3e812d7b4169f7d6697c363, goblet/tests/data/http/bqremotefunction-destroy",
        "with this service's name and another project; the headers were not captured",
    )
    tape(
        "doctor-iam-off",
        source,
        [
            refresh(),
            probe_functions(),
            probe_services(),
            mint(DEFAULT_ACCOUNT, "https://gcf-connector.invalid", status=403, answer=off, source=source),
        ],
    )


def tapes():
    for write_tapes in (users, refreshes, revocations, service_accounts, impersonation, doctor):
        write_tapes()
