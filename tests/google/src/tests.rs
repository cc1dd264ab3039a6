//! Each of the refusals, beside what is accepted: a Google that says yes to everything would fail here.

use serde_json::{Value, json};

use crate::{Answer, Asked, Called, Client, Function, Google, Key, Project, serve};

const KEY: &str = include_str!("../../fixtures/demo-key.json");
const ACCOUNT: &str = "gcf-demo@demo-project.iam.gserviceaccount.com";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const NOW: u64 = 1_772_366_400;
const HOST: &str = "hello-abc123-uc.a.run.app";
const FUNCTIONS: &str =
    "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations/-/functions";
const IAM: &str = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts";

fn google() -> Google {
    let uri = format!("https://{HOST}");
    let mut project = Project::new("demo-project", "ya29.strict")
        .region("europe-west1", "Belgium")
        .with_function(
            "us-central1",
            "hello",
            &json!({"environment": "GEN_2", "serviceConfig": {"uri": uri}}),
        )
        .with_function("europe-west1", "other", &json!({"environment": "GEN_1"}))
        .with_service("us-central1", "hello", &json!({"uri": uri}))
        .viewer_and_invoker(ACCOUNT);
    project.client = Some(Client { id: "client".to_owned(), secret: "secret".to_owned() });
    project.refresh_tokens =
        vec![("1//0".to_owned(), "ada@example.com".to_owned(), format!("openid {SCOPE}"))];
    let answer = |called: &Called| {
        Answer::json(200, &json!({"claims": called.claims, "headers": called.asked.headers}))
    };
    Google::new(KEY, project)
        .function(HOST, Function::on_cloud_run("services/hello", &[&format!("https://{HOST}")], answer))
}

fn asked(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Asked {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Asked { method: method.to_owned(), url: url.to_owned(), headers, body: body.as_bytes().to_vec() }
}

/// The status, and what the body says: its `error`, `reason` or nothing.
fn said(answer: &Answer) -> (u16, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let error = &body["error"];
    let reason = &error["details"][0]["reason"];
    let said = [error, reason, &error["status"]].into_iter().filter_map(Value::as_str).next();
    (answer.status, said.unwrap_or_default().to_owned())
}

fn body(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

fn form(google: &Google, pairs: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    google.answer(&asked("POST", "https://oauth2.googleapis.com/token", &headers, &body), NOW)
}

/// Signed as a service account signs: the key id is the account's.
fn assertion(claims: &Value) -> String {
    let key = Key::read(KEY);
    key.signed(&key.key_id, claims)
}

fn claims(over: &Value) -> Value {
    let mut claims = json!({"iss": ACCOUNT, "aud": "https://oauth2.googleapis.com/token", "iat": NOW, "exp": NOW + 3600, "scope": SCOPE});
    crate::lay(over, &mut claims);
    claims
}

fn by_assertion(google: &Google, assertion: &str) -> Answer {
    form(google, &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)])
}

fn token(google: &Google, over: &Value) -> String {
    body(&by_assertion(google, &assertion(&claims(over))))["access_token"].as_str().unwrap().to_owned()
}

fn get(google: &Google, url: &str) -> Answer {
    let bearer = format!("Bearer {}", token(google, &json!({})));
    google.answer(&asked("GET", url, &[("authorization", &bearer)], ""), NOW)
}

fn post(google: &Google, url: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {}", token(google, &json!({})));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    google.answer(&asked("POST", url, &headers, &body.to_string()), NOW)
}

#[test]
fn an_assertion_is_verified() {
    let google = google();
    let good = assertion(&claims(&json!({})));
    assert_eq!(body(&by_assertion(&google, &good))["access_token"], "ya29.strict");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = assertion(&claims(&json!({"exp": NOW + 3599})));
    for bad in [
        format!("{signed}.{}", other.rsplit_once('.').unwrap().1),
        format!("{signed}.c2ln"),
        format!("{}x.{signature}", signed),
        "a.b.c".to_owned(),
        // Google's own tokens are no assertions.
        Key::read(KEY).mint(&claims(&json!({})), NOW),
    ] {
        assert_eq!(said(&by_assertion(&google, &bad)), (400, "invalid_grant".to_owned()), "{bad}");
    }
    for (wrong, error) in [
        (json!({"iss": "x@y.iam.gserviceaccount.com"}), "invalid_grant"),
        (json!({"aud": "https://accounts.google.com/o/oauth2/token"}), "invalid_grant"),
        (json!({"iat": NOW + 61}), "invalid_grant"),
        (json!({"exp": NOW - 60}), "invalid_grant"),
        (json!({"exp": NOW + 3901}), "invalid_grant"),
        (json!({"exp": null}), "invalid_grant"),
        (json!({"scope": ""}), "invalid_scope"),
        (json!({"target_audience": "https://x"}), "invalid_scope"),
    ] {
        assert_eq!(
            said(&by_assertion(&google, &assertion(&claims(&wrong)))),
            (400, error.to_owned()),
            "{wrong}"
        );
    }
}

#[test]
fn the_token_endpoint_reads_a_form_and_knows_its_client() {
    let google = google();
    let url = "https://oauth2.googleapis.com/token";
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "1//0"),
        ("client_id", "client"),
        ("client_secret", "secret"),
    ];
    let granted = body(&form(&google, &refresh));
    assert_eq!(granted["scope"], format!("openid {SCOPE}"));
    assert!(google.key.id_token(granted["id_token"].as_str().unwrap(), NOW).is_some());
    for (n, value, expected) in [
        (0, "password", (400, "unsupported_grant_type")),
        (1, "1//1", (400, "invalid_grant")),
        (2, "other", (401, "invalid_client")),
        (3, "other", (401, "invalid_client")),
    ] {
        let mut bad = refresh;
        bad[n].1 = value;
        assert_eq!(said(&form(&google, &bad)), (expected.0, expected.1.to_owned()), "{bad:?}");
    }
    let twice = [refresh.as_slice(), &refresh[..1]].concat();
    assert_eq!(said(&form(&google, &twice)).0, 400);
    let json = asked("POST", url, &[("content-type", "application/json")], "{}");
    assert_eq!(said(&google.answer(&json, NOW)).0, 400);
    let with_credential =
        [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Bearer x")];
    assert_eq!(said(&google.answer(&asked("POST", url, &with_credential, "grant_type=x"), NOW)).0, 400);
}

#[test]
fn a_code_is_good_once_for_whoever_has_the_verifier() {
    let google = google();
    // RFC 7636, appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let page = format!(
        "https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=client&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F&scope=openid&state=s&nonce=n&code_challenge={challenge}&code_challenge_method=S256"
    );
    for (verifier, uri, expected) in [
        (verifier, "http://127.0.0.1:1/", 200),
        ("x", "http://127.0.0.1:1/", 400),
        (verifier, "http://127.0.0.1:2/", 400),
    ] {
        let end = google.consent(&page, "ada@example.com");
        let code = url::Url::parse(&end)
            .unwrap()
            .query_pairs()
            .find(|(name, _)| name == "code")
            .unwrap()
            .1
            .into_owned();
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("client_id", "client"),
            ("client_secret", "secret"),
            ("redirect_uri", uri),
            ("code_verifier", verifier),
        ];
        let answer = form(&google, &pairs);
        assert_eq!(answer.status, expected);
        if expected == 200 {
            let id = google.key.id_token(body(&answer)["id_token"].as_str().unwrap(), NOW).unwrap();
            assert_eq!((&id["nonce"], &id["email"]), (&json!("n"), &json!("ada@example.com")));
            assert_eq!(form(&google, &pairs).status, 400);
        }
    }
}

#[test]
fn an_api_wants_a_token_of_its_own_with_a_scope() {
    let google = google();
    let with = |authorization: Option<&str>| {
        let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
        said(&google.answer(&asked("GET", FUNCTIONS, &headers, ""), NOW))
    };
    assert_eq!(with(None), (401, "CREDENTIALS_MISSING".to_owned()));
    assert_eq!(with(Some("Bearer ya29.foreign")), (401, "ACCESS_TOKEN_EXPIRED".to_owned()));
    let id_token = google.id_token_of(ACCOUNT, FUNCTIONS, true, NOW);
    assert_eq!(with(Some(&format!("Bearer {id_token}"))), (401, "ACCESS_TOKEN_TYPE_UNSUPPORTED".to_owned()));
    let narrow = token(&google, &json!({"scope": "https://www.googleapis.com/auth/userinfo.email"}));
    assert_eq!(with(Some(&format!("Bearer {narrow}"))), (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT".to_owned()));
    let good = format!("Bearer {}", token(&google, &json!({})));
    assert_eq!(with(Some(&good)).0, 200);
    let late = asked("GET", FUNCTIONS, &[("authorization", &good)], "");
    assert_eq!(said(&google.answer(&late, NOW + 3600)), (401, "ACCESS_TOKEN_EXPIRED".to_owned()));
}

#[test]
fn a_query_a_mask_and_a_body_are_checked() {
    let google = google();
    for (query, status) in [
        ("", 200),
        ("?pageSize=1", 200),
        ("?fields=functions(name,state),nextPageToken", 200),
        ("?pageSize=one", 400),
        ("?page_size=1", 400),
        ("?alt=xml", 400),
        ("?fields=functions(nam)", 400),
        ("?fields=functions(name", 400),
        ("?pageToken=x", 400),
        ("?filter=other", 200),
        ("?filter=(", 400),
    ] {
        assert_eq!(get(&google, &format!("{FUNCTIONS}{query}")).status, status, "{query}");
    }
    let bearer = format!("Bearer {}", token(&google, &json!({})));
    let with_type = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    assert_eq!(google.answer(&asked("GET", FUNCTIONS, &with_type, ""), NOW).status, 400);
    assert_eq!(google.answer(&asked("GET", FUNCTIONS, &with_type[..1], "{}"), NOW).status, 400);
    let tested = "https://run.googleapis.com/v2/projects/demo-project/locations/us-central1/services/hello:testIamPermissions";
    assert_eq!(post(&google, tested, &json!({"permissions": ["run.routes.invoke"]})).status, 200);
    assert_eq!(post(&google, tested, &json!({"permission": ["run.routes.invoke"]})).status, 400);
    assert_eq!(post(&google, tested, &json!({"permissions": "run.routes.invoke"})).status, 400);
    let text = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    assert_eq!(google.answer(&asked("POST", tested, &text, "{}"), NOW).status, 400);
}

#[test]
fn bodies_are_whole_and_the_mask_is_googles() {
    let google = google();
    let whole = body(&get(&google, FUNCTIONS));
    assert!(whole["functions"][0]["serviceConfig"]["environmentVariables"].is_object(), "{whole}");
    let masked =
        body(&get(&google, &format!("{FUNCTIONS}?fields=functions(name,serviceConfig/uri)&pageSize=1")));
    let name = "projects/demo-project/locations/us-central1/functions/hello";
    assert_eq!(
        masked,
        json!({"functions": [{"name": name, "serviceConfig": {"uri": format!("https://{HOST}")}}]})
    );
    let page = body(&get(&google, &format!("{FUNCTIONS}?pageSize=1")));
    let next = page["nextPageToken"].as_str().unwrap();
    let rest = body(&get(&google, &format!("{FUNCTIONS}?pageSize=1&pageToken={next}")));
    assert_eq!((rest["functions"].as_array().unwrap().len(), rest.get("nextPageToken")), (1, None));
    let first = body(&get(&google, &format!("{FUNCTIONS}?filter=environment%3D%22GEN_1%22")));
    assert_eq!(first["functions"].as_array().unwrap().len(), 1);
    let knative =
        body(&get(&google, "https://run.googleapis.com/v1/projects/demo-project/locations/-/services"));
    assert_eq!(knative["items"][0]["status"]["url"], format!("https://{HOST}"));
}

#[test]
fn permissions_are_those_that_were_granted() {
    let google = google();
    let tested = |resource: &str, permissions: Value| {
        post(&google, &format!("{resource}:testIamPermissions"), &json!({"permissions": permissions}))
    };
    let service = "https://run.googleapis.com/v2/projects/demo-project/locations/us-central1/services/hello";
    let both = tested(service, json!(["run.routes.invoke", "run.services.delete"]));
    assert_eq!(body(&both), json!({"permissions": ["run.routes.invoke"]}));
    assert_eq!(body(&tested(service, json!(["run.services.delete"]))), json!({}));
    assert_eq!(tested(service, json!(["cloudfunctions.functions.invoke"])).status, 400);
    assert_eq!(tested(&service.replace("hello", "x"), json!(["run.routes.invoke"])).status, 404);
    let minted =
        post(&google, &format!("{IAM}/{ACCOUNT}:generateIdToken"), &json!({"audience": "https://x"}));
    assert_eq!(said(&minted), (403, "IAM_PERMISSION_DENIED".to_owned()));
    let unknown = post(
        &google,
        &format!("{IAM}/x@y.iam.gserviceaccount.com:generateIdToken"),
        &json!({"audience": "https://x"}),
    );
    assert_eq!(unknown.status, 404);
    let elsewhere = post(
        &google,
        &format!("{IAM}/{ACCOUNT}:generateIdToken").replace("/-/", "/demo-project/"),
        &json!({"audience": "https://x"}),
    );
    assert_eq!(elsewhere.status, 400);
    let project = Project::new("demo-project", "ya29.strict").grant(
        ACCOUNT,
        &["iam.serviceAccounts.getOpenIdToken"],
        ACCOUNT,
    );
    let google = Google::new(KEY, project);
    let url = format!("{IAM}/{ACCOUNT}:generateIdToken");
    let minted = body(&post(&google, &url, &json!({"audience": "https://x", "includeEmail": true})));
    let minted = google.key.id_token(minted["token"].as_str().unwrap(), NOW).unwrap();
    assert_eq!((&minted["aud"], &minted["email"]), (&json!("https://x"), &json!(ACCOUNT)));
    assert_eq!(post(&google, &url, &json!({"audience": "https://x", "includeEmail": "true"})).status, 400);
    let list = get(&google, FUNCTIONS);
    assert_eq!(said(&list), (403, "IAM_PERMISSION_DENIED".to_owned()));
}

#[test]
fn a_function_wants_a_token_for_itself() {
    let google = google();
    let url = format!("https://{HOST}/path?x=1");
    let call = |headers: &[(&str, &str)]| google.answer(&asked("POST", &url, headers, ""), NOW);
    let good = google.id_token_of(ACCOUNT, &format!("https://{HOST}"), true, NOW);
    let bearer = |token: &str| format!("Bearer {token}");
    assert_eq!(call(&[("authorization", &bearer(&good))]).status, 200);
    let said =
        body(&call(&[("x-serverless-authorization", &bearer(&good)), ("authorization", "Bearer own")]));
    assert_eq!(said["claims"]["email"], ACCOUNT);
    assert!(
        !said.to_string().contains(good.rsplit('.').next().unwrap()),
        "the signature stays at the front end"
    );
    assert_eq!(call(&[]).status, 403);
    for bad in [
        google.id_token_of(ACCOUNT, "https://other-abc123-uc.a.run.app", true, NOW),
        google.id_token_of(ACCOUNT, &format!("https://{HOST}"), true, NOW - 3600),
        token(&google, &json!({})),
        format!("{}.c2ln", good.rsplit_once('.').unwrap().0),
        assertion(&claims(&json!({"aud": format!("https://{HOST}")}))),
    ] {
        assert_eq!(call(&[("authorization", &bearer(&bad))]).status, 401, "{bad}");
    }
    let stranger = google.id_token_of("x@y.iam.gserviceaccount.com", &format!("https://{HOST}"), true, NOW);
    assert_eq!(call(&[("authorization", &bearer(&stranger))]).status, 403);
    let with_body = asked("GET", &url, &[("authorization", &bearer(&good))], "x");
    assert_eq!(google.answer(&with_body, NOW).status, 400);
}

#[test]
fn what_google_does_not_have_is_remembered() {
    let google = google();
    for (method, url) in [
        ("GET", "https://cloudfunctions.googleapis.com/v3/projects/demo-project/locations"),
        ("PUT", FUNCTIONS),
        ("GET", "https://evil.example.com/"),
        ("GET", "https://oauth2.googleapis.com/token"),
    ] {
        assert_eq!(google.answer(&asked(method, url, &[], ""), NOW).status, 404, "{url}");
    }
    assert_eq!(google.unknown().len(), 4);
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(google)));
    assert!(dropped.is_err(), "a test that does not look fails");
}

#[test]
fn it_is_served_on_a_port() {
    use std::io::{Read as _, Write as _};

    let google = std::sync::Arc::new(google());
    let server = serve(std::sync::Arc::new(move |asked: &Asked| google.answer(asked, NOW))).unwrap();
    let send = |text: &str| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let host = "Host: www.googleapis.com\r\n";
    let keys = send(&format!("GET /oauth2/v3/certs HTTP/1.1\r\n{host}\r\n"));
    assert!(keys.starts_with("HTTP/1.1 200") && keys.contains("\"kty\":\"RSA\""), "{keys}");
    assert!(send(&format!("POST /token HTTP/1.1\r\n{host}\r\n")).starts_with("HTTP/1.1 411"));
    let chunked = "POST /token HTTP/1.1\r\nHost: oauth2.googleapis.com\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\na\r\ngrant_type\r\n2\r\n=x\r\n0\r\n\r\n";
    assert!(send(chunked).contains("Invalid grant_type: x"));
}
