//! Each exported function on a tape; each tape in a test.

use std::{collections::BTreeMap, path::Path, thread};

use gcf_host::{
    CallError, HostError,
    tape::{Provenance, ProvenanceKind, Tape},
    wit::{Body, CredentialKind, ErrorKind, Generation, Origin, TokenKind, Trigger},
};
use regex::Regex;
use serde_json::Value;

use crate::{
    callees, custom_api, doctor,
    fixtures::{
        ACCOUNT, api_request, cassette, cassettes, connect_request, connected, invoke_request, list_request,
        named, on_tape, played::ended_by, refused,
    },
    invoking, lists, plans, sign_in,
};

/// Each cassette, and a test that plays it to its end.
const PLAYS: [(&str, fn()); 56] = [
    ("account-deleted.json", sign_in::what_google_does_not_accept_leaves_no_connection),
    ("all-pages.json", custom_api::pages_are_joined_byte_for_byte),
    ("ambiguous.json", a_bare_name_in_two_regions),
    ("binary-response.json", a_binary_answer_with_an_odd_status_arrives_as_it_is),
    ("call-error.json", invoking::a_first_gen_event_function_is_called_for_a_test),
    ("call-result.json", invoking::a_first_gen_event_function_is_called_for_a_test),
    ("clock-skew.json", sign_in::a_wrong_clock_is_corrected_once_by_googles),
    ("connect-only.json", plans::a_connection_begins_is_checked_and_ends_as_planned),
    ("custom-api-429.json", a_rate_limit_is_waited_for_and_then_returned_as_it_came),
    ("demo.json", the_tour),
    ("doctor-cloud-run.json", doctor::a_function_of_cloud_run_is_looked_at_too),
    ("doctor-good.json", doctor::a_service_account_with_all_that_it_needs),
    ("doctor-iam-off.json", doctor::iam_credentials_is_off),
    ("doctor-may-invoke.json", doctor::a_function_that_may_be_invoked_and_one_that_may_not),
    ("doctor-may-not-invoke.json", doctor::a_function_that_may_be_invoked_and_one_that_may_not),
    ("doctor-no-roles.json", doctor::a_user_without_any_role),
    ("empty-project.json", an_empty_project_is_an_empty_list),
    ("federation-impersonated.json", sign_in::another_providers_token_is_exchanged_for_googles),
    ("federation.json", sign_in::another_providers_token_is_exchanged_for_googles),
    ("get-404.json", a_function_that_is_not_there),
    ("get-cloud-run.json", lists::a_function_of_cloud_run_is_found_by_its_name),
    ("get-detached.json", lists::a_detached_function_is_found_by_the_name_that_it_always_had),
    ("iam-denied-list.json", a_denied_list_names_role_member_and_resource),
    ("impersonated.json", sign_in::a_service_account_is_impersonated_by_way_of_another),
    ("invoke-401-front-end.json", a_refusal_of_the_front_end_is_not_the_functions_answer),
    ("invoke-403-front-end.json", a_refusal_of_the_front_end_is_not_the_functions_answer),
    ("invoke-404-front-end.json", invoking::a_404_of_the_front_end_is_no_answer_of_the_function),
    ("invoke-closed-region.json", lists::a_bare_name_is_called_though_a_region_is_closed_and_then_at_once),
    ("invoke-cloud-run.json", callees::a_function_of_cloud_run_is_called_by_its_name),
    ("invoke-gen1-200.json", a_first_generation_function_is_called_at_its_whole_url),
    ("invoke-gen1-crash.json", a_crash_is_an_answer_with_a_diagnosis),
    ("list-closed-region.json", lists::a_closed_region_holds_nothing_and_the_list_is_whole),
    ("list-firebase.json", lists::what_firebase_deployed_to_cloud_run_is_listed),
    (
        "list-in-each-region.json",
        lists::who_may_list_some_regions_only_gets_those_and_a_closed_one_is_not_missing,
    ),
    ("list-run-disabled.json", lists::a_part_that_is_switched_off_is_named_and_the_rest_is_there),
    ("list-services-only.json", lists::who_may_list_services_only_gets_those),
    ("options-functions.json", lists::functions_of_a_region_are_offered_while_somebody_types),
    ("options-regions-denied.json", lists::who_may_not_list_regions_gets_the_known_ones_and_a_note),
    ("options-regions.json", lists::regions_are_offered_live_with_the_default_first),
    ("page-loop.json", a_list_that_does_not_end_is_an_error),
    ("redirect.json", a_redirect_is_not_followed),
    ("refresh-deleted-client.json", sign_in::what_google_does_not_accept_leaves_no_connection),
    ("refresh-rapt.json", sign_in::a_dead_grant_is_asked_once_and_says_what_to_do),
    ("refresh-revoked.json", sign_in::a_dead_grant_is_asked_once_and_says_what_to_do),
    ("refresh-rotated.json", sign_in::a_new_refresh_token_is_kept),
    ("refresh-scope-missing.json", sign_in::what_google_does_not_accept_leaves_no_connection),
    ("revoke-503.json", sign_in::disconnecting_revokes_and_forgets_whatever_google_says),
    ("revoke.json", sign_in::disconnecting_revokes_and_forgets_whatever_google_says),
    ("service-disabled.json", a_disabled_api_names_service_and_link),
    ("supplied-expired.json", sign_in::the_host_renews_a_token_that_it_supplies),
    ("token-html.json", a_refused_or_unreadable_grant_leaves_no_connection),
    ("token-invalid-grant.json", a_refused_or_unreadable_grant_leaves_no_connection),
    ("user-invoke.json", sign_in::a_user_lets_the_projects_service_account_invoke),
    ("user-mint-404.json", sign_in::a_token_that_cannot_be_minted_is_an_error_and_no_call_is_made_without_it),
    (
        "user-mint-denied.json",
        sign_in::a_token_that_cannot_be_minted_is_an_error_and_no_call_is_made_without_it,
    ),
    ("user-own-token.json", sign_in::the_users_own_id_token_is_for_the_oauth_client),
];

fn hello() -> Option<Body> {
    Some(Body::Json(r#"{"name":"world"}"#.to_owned()))
}

fn detail<'a>(error: &'a gcf_host::wit::ConnectorError, name: &str) -> Option<&'a str> {
    error.details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// The tests themselves are run, and are asked for what they have played.
#[test]
fn every_cassette_is_played_and_says_where_it_came_from() {
    assert_eq!(
        cassettes(),
        PLAYS.map(|(name, _)| name),
        "each file in tests/cassettes, and each row of PLAYS"
    );
    thread::scope(|scope| {
        for rows in PLAYS.chunks(PLAYS.len().div_ceil(4)) {
            scope.spawn(move || {
                for (name, test) in rows {
                    let ended = ended_by(*test);
                    assert!(ended.iter().any(|played| played == name), "{name} is not played: {ended:?} is");
                }
            });
        }
    });
    for (name, _) in PLAYS {
        let tape = Tape::read(cassette(name)).unwrap();
        let mut provenance =
            tape.interactions().iter().filter_map(|i| i.provenance()).chain([tape.provenance()]);
        assert!(provenance.all(|provenance| !provenance.from.is_empty()), "{name}");
    }
}

/// The word is kept for what came over the wire from Google.
#[test]
fn nothing_is_called_recorded_until_something_was() {
    let recorded = |provenance: &Provenance| provenance.kind == ProvenanceKind::Recorded;
    let mut kinds = BTreeMap::new();
    for name in cassettes() {
        let tape = Tape::read(cassette(&name)).unwrap();
        for interaction in tape.interactions() {
            let provenance = interaction.provenance().unwrap_or(tape.provenance());
            *kinds.entry(format!("{:?}", provenance.kind)).or_insert(0) += 1;
            assert!(!recorded(provenance), "{name} is recorded: now the words may say so");
        }
    }
    println!("exchanges on the cassettes: {kinds:?}");
    let claim = Regex::new(r"(?i)recorded\s+(and\s+transcribed\s+)?(responses|exchanges|answers)").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for place in [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/guide",
        "tests/src",
        "xtask/src",
        "host-harness/src/bin",
    ] {
        let text = sources(&root.join(place));
        let found = claim.find(&text).map(|found| found.as_str());
        assert_eq!(found, None, "{place}");
    }
}

/// Captures that others published can be looked up: at an address, in a file of a repository's commit, or of a release.
#[test]
fn what_others_published_can_be_found_again() {
    let place = Regex::new(concat!(
        r"https://[a-z0-9.-]+/\S+",
        r"|[\w.-]+/[\w.-]+@[0-9a-f]{40}, \S+",
        r"|[\w.-]+/[\w.-]+, \S+[.]\w+",
        r"|[\w-]+ \d+[.]\d+[.]\d+, \S+[.]\w+",
    ))
    .unwrap();
    for name in cassettes() {
        let tape = Tape::read(cassette(&name)).unwrap();
        for interaction in tape.interactions() {
            let provenance = interaction.provenance().unwrap_or(tape.provenance());
            let of_others = match provenance.kind {
                ProvenanceKind::Transcribed | ProvenanceKind::Adapted => true,
                ProvenanceKind::Recorded | ProvenanceKind::Made => false,
            };
            assert!(!of_others || place.is_match(&provenance.from), "{name}: {}", provenance.from);
        }
    }
}

/// All that a folder says, or a file: code, pages and snapshots, one after the other.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    if folder.is_file() {
        return std::fs::read_to_string(folder).unwrap();
    }
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path
            .extension()
            .is_some_and(|end| ["rs", "md", "py", "js", "snap"].map(Some).contains(&end.to_str()))
        {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[tokio::test]
async fn the_tour() {
    let (host, replay, id) = connected("demo.json").await;
    let connection = host.connection(&id).await.unwrap();
    assert_eq!((connection.kind, connection.account.as_str()), (CredentialKind::ServiceAccount, ACCOUNT));
    assert_eq!(host.connections().await.unwrap().len(), 1);

    let mut request = list_request();
    request.page_size = Some(40);
    let list = host.list_functions(&id, request, None).await.unwrap();
    assert_eq!((list.functions.len(), list.pages), (63, 4));
    let on_run = list.functions.iter().filter(|f| f.generation == Generation::CloudRun);
    assert_eq!(
        on_run.map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["rag-indexer", "embed-api", "slack-bot"]
    );
    assert_eq!(list.unreachable, ["asia-east2"]);
    let regions: std::collections::BTreeSet<_> = list.functions.iter().map(|f| f.region.as_str()).collect();
    assert_eq!(regions.len(), 5);
    for generation in [Generation::Gen1, Generation::Gen2] {
        let of = |trigger: fn(&Trigger) -> bool| {
            list.functions.iter().any(|f| f.generation == generation && trigger(&f.trigger))
        };
        assert!(of(|t| matches!(t, Trigger::Http)) && of(|t| matches!(t, Trigger::Event(_))));
    }

    let mut request = invoke_request(named("hello-http", Some("us-central1")));
    request.body = hello();
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_eq!((answer.status, answer.token), (200, TokenKind::IdToken));
    assert_eq!(answer.principal.as_deref(), Some(ACCOUNT));
    assert_eq!(serde_json::from_slice::<Value>(answer.body.as_bytes()).unwrap()["message"], "Hello, world!");

    let answer =
        host.custom_api(&id, api_request("GET", "/v2/projects/demo-project/locations"), None).await.unwrap();
    assert_eq!((answer.status, answer.token), (200, TokenKind::AccessToken));
    let locations: Value = serde_json::from_slice(answer.body.as_bytes()).unwrap();
    assert!(locations["locations"].as_array().unwrap().len() >= 5);
    replay.finish().unwrap();

    host.disconnect(&id, None).await.unwrap();
    assert!(host.connections().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_empty_project_is_an_empty_list() {
    let (host, replay, id) = connected("empty-project.json").await;
    let list = host.list_functions(&id, list_request(), None).await.unwrap();
    assert!(list.functions.is_empty() && list.unreachable.is_empty());
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_disabled_api_names_service_and_link() {
    let (host, replay, id) = connected("service-disabled.json").await;
    let error = refused(host.list_functions(&id, list_request(), None).await);
    assert_eq!(
        (error.kind, error.origin, error.http_status),
        (ErrorKind::ApiDisabled, Origin::GoogleApi, Some(403))
    );
    assert_eq!(detail(&error, "service"), Some("cloudfunctions.googleapis.com"));
    assert!(error.link.unwrap().starts_with("https://console.developers.google.com/apis/api/cloudfunctions"));
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_denied_list_names_role_member_and_resource() {
    let (host, replay, id) = connected("iam-denied-list.json").await;
    let error = refused(host.list_functions(&id, list_request(), None).await);
    assert_eq!((error.kind, error.origin), (ErrorKind::MissingRole, Origin::Iam));
    assert_eq!(detail(&error, "role"), Some("roles/cloudfunctions.viewer"));
    assert_eq!(detail(&error, "member"), Some(format!("serviceAccount:{ACCOUNT}").as_str()));
    // Google's own word.
    assert_eq!(detail(&error, "resource"), Some("projects/demo-project/locations/-/functions"));
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_list_that_does_not_end_is_an_error() {
    let (host, replay, id) = connected("page-loop.json").await;
    assert_eq!(refused(host.list_functions(&id, list_request(), None).await).kind, ErrorKind::PageLoop);
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_function_that_is_not_there() {
    let (host, replay, id) = connected("get-404.json").await;
    let function = named("missing-function", Some("us-central1"));
    let error = refused(host.get_function(&id, function, None).await);
    assert_eq!((error.kind, error.http_status), (ErrorKind::NotFound, Some(404)));
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_bare_name_in_two_regions() {
    let (host, replay, id) = connected("ambiguous.json").await;
    let error = refused(host.invoke(&id, invoke_request(named("hello-http", None)), None).await);
    assert_eq!(error.kind, ErrorKind::AmbiguousFunction);
    assert_eq!(detail(&error, "regions"), Some("europe-west1,us-central1"));
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_refusal_of_the_front_end_is_not_the_functions_answer() {
    for (tape, kind) in [
        ("invoke-401-front-end.json", ErrorKind::Unauthenticated),
        ("invoke-403-front-end.json", ErrorKind::MissingRole),
    ] {
        let (host, replay, id) = connected(tape).await;
        let mut request = invoke_request(named("hello-http", Some("us-central1")));
        request.body = hello();
        let error = refused(host.invoke(&id, request, None).await);
        assert_eq!((error.kind, error.origin), (kind, Origin::GoogleFrontEnd), "{tape}");
        assert!(error.fix.is_some());
        replay.finish().unwrap();
    }
}

#[tokio::test]
async fn a_first_generation_function_is_called_at_its_whole_url() {
    let (host, replay, id) = connected("invoke-gen1-200.json").await;
    let mut request = invoke_request(named("helloGET", Some("europe-west1")));
    request.method = "GET".to_owned();
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_eq!((answer.status, answer.generation), (200, Generation::Gen1));
    let url = "https://europe-west1-demo-project.cloudfunctions.net/helloGET";
    assert_eq!(answer.audience.as_deref(), Some(url));
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_crash_is_an_answer_with_a_diagnosis() {
    let (host, replay, id) = connected("invoke-gen1-crash.json").await;
    let mut request = invoke_request(named("legacy_report", Some("us-central1")));
    request.body = hello();
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_bytes()),
        (500, b"Error: could not handle the request\n".as_slice())
    );
    assert!(answer.diagnosis.unwrap().contains("crashed"));
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_binary_answer_with_an_odd_status_arrives_as_it_is() {
    let (host, replay, id) = connected("binary-response.json").await;
    let mut request = invoke_request(named("hello-http", Some("us-central1")));
    request.body = hello();
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_eq!(answer.status, 418);
    assert!(matches!(answer.body, gcf_host::wit::Content::Bytes(_)));
    assert!(answer.headers.iter().filter(|header| header.name == "set-cookie").count() > 1);
    replay.finish().unwrap();
}

/// The clock of the runtime is paused: the waits between the attempts take no time.
#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for_and_then_returned_as_it_came() {
    let (host, replay, id) = connected("custom-api-429.json").await;
    let answer =
        host.custom_api(&id, api_request("GET", "/v2/projects/demo-project/locations"), None).await.unwrap();
    assert_eq!(answer.status, 429);
    let attempts: Vec<_> = answer.trace.iter().map(|exchange| exchange.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (host, replay, id) = connected("redirect.json").await;
    let request = api_request("GET", "/v2/projects/demo-project/locations");
    let error = refused(host.custom_api(&id, request, None).await);
    assert_eq!(error.kind, ErrorKind::UnexpectedRedirect);
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_refused_or_unreadable_grant_leaves_no_connection() {
    for (tape, kind) in [
        ("token-invalid-grant.json", ErrorKind::CredentialRejected),
        ("token-html.json", ErrorKind::InvalidResponse),
    ] {
        let (host, replay) = on_tape(tape);
        let error = refused(host.connect(connect_request(), None).await);
        assert_eq!((error.kind, error.origin), (kind, Origin::TokenEndpoint), "{tape}");
        assert!(host.connections().await.unwrap().is_empty());
        replay.finish().unwrap();
    }
}

#[tokio::test]
async fn what_is_not_on_the_tape_is_a_miss_that_names_the_difference() {
    let (host, replay, id) = connected("empty-project.json").await;
    let mut request = list_request();
    request.page_size = Some(7);
    // The host's word, and not a refusal that the component makes of it.
    let error = host.list_functions(&id, request, None).await.unwrap_err();
    assert!(matches!(error, CallError::Host(HostError::TapeMiss(_))), "{error:?}");
    let miss = replay.finish().unwrap_err().to_string();
    assert!(miss.contains("pageSize"), "{miss}");
}
