//! Connections of every kind: made, listed, broken, diagnosed, repaired and ended.

use serde_json::{Value, json};

use super::{
    KEY, Person, check_live, forget_tokens,
    forms::{assert_clean, canary, fixed},
    google::{Google, project},
};

const ROBOT: &str = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\
    robot@demo-project.iam.gserviceaccount.com:generateAccessToken";

fn user() -> Value {
    json!({
        "type": "authorized_user",
        "client_id": "123-x.apps.googleusercontent.com",
        "client_secret": canary("client-secret"),
        "refresh_token": canary("refresh-token"),
    })
}

fn federated() -> Value {
    json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/ci",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url": ROBOT,
    })
}

fn revoked() -> Value {
    json!({ "error": "invalid_grant", "error_description": "Token has been expired or revoked." })
}

/// The arguments of `gcf connect` that every connection here has, and its own.
fn connect<'a>(nickname: &'a str, credential: &[&'a str]) -> Vec<&'a str> {
    [&["connect", "--project", "demo-project", "--nickname", nickname], credential].concat()
}

/// The id of the connection with a nickname that stands alone.
fn id(person: &Person, nickname: &str) -> String {
    person.json(&["connections", "show", nickname])["id"].as_str().unwrap().to_owned()
}

#[test]
fn each_kind_of_credential_connects() {
    let google = Google::start();
    let person = Person::with(&google);
    person.write("user.json", &user().to_string());
    person.write("federated.json", &federated().to_string());
    let source = user();
    let impersonated = json!({ "type": "impersonated_service_account", "source_credentials": source,
        "service_account_impersonation_url": ROBOT, "delegates": [] });
    person.write("impersonated.json", &impersonated.to_string());
    std::fs::copy(KEY, person.path("key.json")).unwrap();
    let account = "gcf-demo@demo-project.iam.gserviceaccount.com";
    check_live(
        "connect-each-kind",
        &[
            person.run(&connect("ada", &["--credentials", "user.json"])),
            person.run(&connect("robot", &["--credentials", "impersonated.json"])),
            person.feed("eyJ.a.b\n", &["supply", "ci"]),
            person.run(&connect("ci", &["--credentials", "federated.json", "--subject-token", "ci"])),
            person.run(&["supply", "keys/signer", "key.json"]),
            person.run(&connect("signer", &["--stored-key", "signer", "--account", account])),
            person.feed("ya29.supplied", &["supply", "token"]),
            person.run(&connect("token", &["--supplied-token", "token", "--account", account])),
            person.feed(&std::fs::read_to_string(KEY).unwrap(), &connect("key", &["--credentials", "-"])),
            person.run(&["connections"]),
        ],
    );
}

#[test]
fn a_connection_is_restricted_and_let_loose() {
    let google = Google::start();
    let person = Person::with(&google);
    std::fs::copy(KEY, person.path("key.json")).unwrap();
    let locations = "/v2/projects/demo-project/locations";
    check_live(
        "restrict",
        &[
            person.run(&connect(
                "flows",
                &["--credentials", "key.json", "--read-only", "--allow-region", "europe-west1"],
            )),
            person.run(&["custom-api", "POST", locations]),
            person.run(&["list", "--region", "us-central1"]),
            person.run(&["restrict", "flows"]),
            person.run(&["restrict", "flows", "--allow-method", "post"]),
            person.run(&["restrict", "flows", "--allow-method", "connect"]),
            person.run(&[
                "restrict",
                "flows",
                "--reset",
                "--allow-function",
                "order-*",
                "--allow-method",
                "post",
                "--max-body",
                "100",
                "--own-project",
                "--allow-audience",
                "https://api.example.com",
            ]),
            person.run(&["connections", "show", "flows"]),
            person.run(&["connections"]),
            person.run(&["connections", "restrict", "flows", "--reset"]),
            person.run(&["custom-api", "GET", locations]),
        ],
    );
    person.run(&["restrict", "flows", "--read-only"]);
    let shown = person.json(&["connections", "show", "flows"]);
    assert_eq!(
        shown["guard-rails"],
        json!({"read-only": true, "regions": [], "functions": [], "methods": [], "max-body": null,
            "own-project": false, "audiences": []})
    );
}

#[test]
fn a_list_of_an_api_is_read_in_full() {
    let google = Google::start();
    let person = Person::with(&google);
    person.run(&connect("key", &["--credentials", KEY]));
    let next = |items: Value, token: Option<&str>| json!({"locations": items, "nextPageToken": token});
    google.on("/locations HTTP", 200, next(json!([{"locationId": "us-central1"}]), Some("2")));
    google.on("pageToken=2 HTTP", 200, next(json!([{"locationId": "us-east1"}]), Some("3")));
    google.on("pageToken=3 HTTP", 200, json!({"unreachable": ["asia-east2"]}));
    let pages = ["custom-api", "GET", "/v2/projects/demo-project/locations", "--all-pages"];
    check_live(
        "custom-api-all-pages",
        &[
            person.run(&pages),
            person.run(&[&pages[..], &["--max-pages", "1"]].concat()),
            person.run(&[&pages[..], &["--page-token", "3"]].concat()),
            person.run(&[&pages[..], &["--items", "regions"]].concat()),
            person.run(&[&pages[..], &["--query", "pageToken=2"]].concat()),
            person.run(&["custom-api", "GET", "/v2/x", "--max-pages", "1"]),
        ],
    );
    let joined = person.json(&pages);
    assert_eq!((&joined["count"], &joined["pages"]), (&json!(2), &json!(3)));
    assert_eq!(joined["items"][1], json!({"locationId": "us-east1"}));
}

#[test]
fn what_cannot_connect_says_what_to_do() {
    let google = Google::start();
    let person = Person::with(&google);
    person.write("client.json", r#"{"installed":{"client_id":"1-x.apps.googleusercontent.com"}}"#);
    person.write("user.json", &user().to_string());
    person.write("federated.json", &federated().to_string());
    let mut from_file = federated();
    from_file["credential_source"] = json!({ "file": "/var/run/token" });
    person.write("file.json", &from_file.to_string());
    check_live(
        "error-connect",
        &[
            person.run(&["connect", "--nickname", "x"]),
            person.run(&["connect", "--nickname", "x", "--oauth"]),
            person.run(&["connect", "--nickname", "x", "--oauth", "--client", KEY]),
            person.run(&["connect", "--nickname", "x", "--credentials", "client.json"]),
            person.run(&["connect", "--nickname", "x", "--credentials", "user.json"]),
            person.run(&connect("x", &["--credentials", "file.json"])),
            person.run(&connect("x", &["--credentials", "federated.json"])),
            person.run(&connect("x", &["--supplied-token", "none"])),
            person.run(&connect("x", &["--stored-key", "none", "--account", "a@b.iam.gserviceaccount.com"])),
            person.feed("Bearer ya29.x", &["supply", "token"]),
            person.run(&["supply", "token"]),
            person.run(&["supply", "keys/signer", "user.json"]),
            person.run(&["connections"]),
        ],
    );
}

#[test]
fn a_broken_connection_is_seen_and_repaired() {
    let google = Google::start();
    let person = Person::with(&google);
    person.write("user.json", &user().to_string());
    person.run(&connect("ada", &["--credentials", "user.json"]));
    let id = id(&person, "ada");
    // Without the cached token, the next call asks for one.
    forget_tokens(&person.path("store"));
    google.on("grant_type=refresh_token", 400, revoked());
    let broken = [
        person.run(&["list"]),
        person.run(&["connections"]),
        person.run(&["connections", "show", "ada"]),
        person.run(&["doctor"]),
        person.run(&["reconnect", "ada", "--credentials", "user.json"]),
    ];
    let error = person.json(&["list"]);
    assert_eq!(error["error"]["kind"], "reconnect-required");
    assert_eq!(error["error"]["run"], format!("gcf reconnect {id} --oauth --client CLIENT.json"));
    google.recovers();
    let repaired = [
        person.run(&["reconnect", "ada", "--credentials", "user.json"]),
        person.run(&["connections"]),
        person.run(&["list"]),
    ];
    check_live("broken-and-repaired", &[broken.as_slice(), &repaired].concat());
    assert_eq!(self::id(&person, "ada"), id, "everything that refers to it still does");
}

#[test]
fn the_doctor_tells_what_is_missing() {
    let managed = json!({"labels": {"goog-managed-by": "cloudfunctions"}, "invokerIamDisabled": false});
    let google = Google::with(project().with_service("us-central1", "hello", &managed));
    let person = Person::with(&google);
    person.write("user.json", &user().to_string());
    person.run(&connect("ada", &["--credentials", "user.json"]));
    google.on(
        ":generateIdToken",
        403,
        json!({ "error": { "code": 403, "status": "PERMISSION_DENIED", "message": "Permission \
            'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist).", "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED",
            "domain": "iam.googleapis.com",
            "metadata": { "permission": "iam.serviceAccounts.getOpenIdToken" } }] } }),
    );
    google.on(
        "functions/nosuch?",
        404,
        json!({ "error": { "code": 404, "status": "NOT_FOUND", "message": "Resource was not found" } }),
    );
    let name = "projects/demo-project/locations/us-central1/functions/hello";
    let uri = "https://hello-abc-uc.a.run.app";
    google.on(
        "functions/hello?",
        200,
        json!({ "name": name, "state": "ACTIVE", "environment": "GEN_2", "url": uri, "serviceConfig": { "uri": uri,
            "service": "projects/demo-project/locations/us-central1/services/hello" } }),
    );
    let with_function =
        ["nosuch", "hello"].map(|name| person.run(&["doctor", name, "--region", "us-central1"]));
    google.on("run.googleapis.com", 503, json!({ "error": { "code": 503, "status": "UNAVAILABLE" } }));
    let in_trouble = [person.run(&["connections", "check", "ada"])];
    check_live("doctor", &[with_function.as_slice(), &in_trouble].concat());
    let findings = person.json(&["doctor"]);
    assert!(findings.as_array().unwrap().iter().any(|finding| finding["verdict"] == "fail"), "{findings}");
}

#[test]
fn a_nickname_may_be_taken_twice_and_then_names_nothing() {
    let google = Google::start();
    let person = Person::with(&google);
    person.write("user.json", &user().to_string());
    for nickname in ["one", "two"] {
        person.run(&connect(nickname, &["--credentials", "user.json"]));
    }
    let runs = [
        person.run(&["list"]),
        person.run(&["connections", "rename", "two", "one"]),
        person.run(&["connections", "show", "one"]),
        person.run(&["disconnect", "one"]),
        person.run(&["connections", "rename", "nobody", "three"]),
    ];
    let connections = person.json(&["connections"]);
    google.on("/revoke", 503, json!({}));
    let disconnected = person.run(&["disconnect", connections[0]["id"].as_str().unwrap()]);
    // The command line holds an id; the filter makes it one for all.
    check_live("nickname-twice", &[runs.as_slice(), &[disconnected]].concat());
    assert_eq!(person.json(&["connections"]).as_array().unwrap().len(), 1);
}

#[test]
fn programs_get_json_from_every_command() {
    let google = Google::start();
    let person = Person::with(&google);
    let recipient = Person::new().json(&["store"])["recipient"].as_str().unwrap().to_owned();
    person.write("user.json", &user().to_string());
    person.write("token", "ya29.x");
    let connected = person.json(&connect("ada", &["--credentials", "user.json"]));
    let id = connected["connection"]["id"].as_str().unwrap().to_owned();
    assert_eq!(connected["warnings"], json!([]));
    let again = person.json(&["reconnect", "ada", "--credentials", "user.json"]);
    assert_eq!(again["connection"]["id"], id);
    assert_eq!(person.json(&["supply", "token", "token"]), json!({ "supplied": "supplied/token" }));

    let share = ["connections", "share", "ada", "--to", &recipient];
    assert_eq!(person.json(&share), json!({ "shared": id, "with": recipient }));
    assert_eq!(person.json(&["connections", "show", "ada"])["shared-with"], json!([recipient]));
    let unshare = ["connections", "unshare", "ada", "--from", &recipient];
    assert_eq!(person.json(&unshare), json!({ "unshared": id, "with": recipient }));
    assert_eq!(person.json(&unshare)["error"]["exit"], 2);

    assert_eq!(person.json(&["connections", "rename", "ada", "eve"])["connection"]["nickname"], "eve");
    let store = person.json(&["store"]);
    assert!(store["key"].as_str().unwrap().ends_with(".config/gcf/key.txt"), "{store}");
    assert_eq!(store["hidden"], 0);
    let doctor = person.json(&["doctor"]);
    assert_eq!((&doctor[0]["name"], &doctor[0]["verdict"]), (&json!("token"), &json!("pass")));
    assert_eq!(person.json(&["disconnect", "eve"])["disconnected"], id);
    assert_eq!(person.json(&["connections"]), json!([]));
    assert_eq!(person.json(&["list"])["error"]["kind"], "connection-required");
}

/// The list as a person sees it, too: names and times.
#[test]
fn what_is_listed_holds_no_secret() {
    let google = Google::start();
    let person = Person::with(&google);
    person.write("user.json", &user().to_string());
    person.run(&connect("ada", &["--credentials", "user.json"]));
    person.run(&connect("key", &["--credentials", KEY]));
    person.feed(&canary("supplied-token"), &["supply", "token"]);
    person.run(&connect("token", &["--supplied-token", "token", "--account", "a@b.test"]));
    let secrets = fixed();
    for command in [
        &["connections"][..],
        &["connections", "show", "ada"],
        &["connections", "show", "key"],
        &["connections", "show", "token"],
        &["connections", "check", "ada"],
        &["store"],
    ] {
        for json in [&[][..], &["--json"]] {
            let said = person.run(&[command, json].concat());
            assert!(!said.contains("error") && said.len() > 100, "{said}");
            assert_clean(&said, &secrets, &command.join(" "));
        }
    }
}

/// An API that repeats the header that it refuses.
#[test]
fn a_refusal_that_repeats_the_token_does_not_show_it() {
    let google = Google::start();
    let person = Person::with(&google);
    person.write("user.json", &user().to_string());
    person.run(&connect("ada", &["--credentials", "user.json"]));
    let said = json!({ "error": { "code": 401, "status": "UNAUTHENTICATED",
        "message": format!("you sent: Bearer {}", canary("access-token")) } });
    google.on("/projects/", 401, said);
    let secrets = fixed();
    for command in [&["list"][..], &["custom-api", "GET", "/v2/projects/demo-project/locations"]] {
        for json in [&[][..], &["--json"]] {
            let said = person.run(&[command, json].concat());
            assert!(said.contains("401") || said.contains("exit 3"), "{said}");
            assert_clean(&said, &secrets, &said);
        }
    }
    let shown = person.run(&["custom-api", "GET", "/v2/projects/demo-project/locations"]);
    assert!(shown.contains("you sent: Bearer [redacted:"), "{shown}");
}
