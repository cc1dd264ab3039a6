//! Guard rails as they are given, and as they are kept.

use test_case::test_case;

use super::*;
use crate::testing::canaries;

#[test_case(regions(&["us-central1"]), true)]
#[test_case(regions(&["us central1"]), false)]
#[test_case(regions(&["-"]), false; "every region")]
#[test_case(regions(&["us-central1"; 101]), false; "too many")]
#[test_case(functions(&["hello", "hello-*", "h*", "*", "helloGET", "a_*"]), true; "functions")]
#[test_case(functions(&["hel*lo"]), false; "a star inside")]
#[test_case(functions(&["**"]), false; "two stars")]
#[test_case(functions(&["-*"]), false; "no beginning of a name")]
#[test_case(functions(&[""]), false; "no name")]
#[test_case(functions(&["projects/p/locations/r/functions/f"]), false; "a resource name")]
#[test_case(methods(&["GET", "OPTIONS"]), true; "methods")]
#[test_case(methods(&["get"]), false; "a method in lower case")]
#[test_case(methods(&["CONNECT"]), false; "a method that is never sent")]
#[test_case(GuardRails { read_only: true, ..methods(&["POST"]) }, false; "nothing is left")]
#[test_case(GuardRails { read_only: true, ..methods(&["POST", "HEAD"]) }, true; "something is left")]
#[test_case(max_body(0), true; "no body at all")]
fn rails_are_parsed(rails: GuardRails, ok: bool) {
    let world = World::new();
    let request = ConnectRequest { guard_rails: Some(rails.clone()), ..connect_request() };
    if ok {
        world.then(access_token(canaries::FIRST));
    }
    match connect(&world, request) {
        Ok((connection, _)) => assert_eq!(connection.guard_rails, Some(rails)),
        Err(error) => {
            assert_eq!(
                (error.kind(), detail(&error, "field")),
                (Kind::InvalidInput, Some("guard-rails")),
                "{error}"
            );
            assert!(!ok && error.fields().fix.is_some() && world.urls().is_empty());
        }
    }
}

#[test]
fn rails_are_kept_whatever_else_changes() {
    let rails = GuardRails {
        read_only: true,
        regions: texts(&["us-central1"]),
        functions: texts(&["f", "g-*"]),
        methods: texts(&["GET", "POST"]),
        max_body: Some(u64::MAX),
        own_project: true,
        audiences: texts(&["https://api.example.com", "123.apps.googleusercontent.com"]),
    };
    let (world, id) = with(rails.clone());
    assert_eq!(get(&world, &id).unwrap().guard_rails.as_ref(), Some(&rails));
    assert_eq!(rename(&world, &id, "other").unwrap().0.guard_rails.as_ref(), Some(&rails));
    world.then(json_answer(200, &crate::testing::user_grant(canaries::SECOND)));
    let credential = crate::testing::google_json(&user_json());
    let again = block_on(connections::reauthorize(&world, &id, credential, None, None)).unwrap();
    assert_eq!(again.0.guard_rails.as_ref(), Some(&rails));
    let shown = connections::list(&world).unwrap();
    assert_eq!(shown[0].guard_rails.as_ref(), Some(&rails));

    world.begin_anew();
    let loose = restrict(&world, &id, Some(read_only())).unwrap().0;
    assert_eq!(loose.guard_rails, Some(read_only()));
    assert_eq!(restrict(&world, &id, Some(GuardRails::default())).unwrap().0.guard_rails, None);
    assert_eq!(restrict(&world, &id, None).unwrap().0.guard_rails, None);
    assert_eq!(get(&world, &id).unwrap().nickname, "other");
    assert!(restrict(&world, &id, Some(methods(&["get"]))).is_err());
    assert_eq!(restrict(&world, "0123456789abcdef", None).unwrap_err().kind(), Kind::ConnectionNotFound);
    assert!(world.urls().is_empty());
}

#[test]
fn a_rail_of_a_newer_version_is_not_left_out() {
    let (world, id) = with(read_only());
    let key = format!("connections/{id}");
    let mut kept = world.entry(&key);
    kept["guard_rails"]["weekdays_only"] = json!(true);
    world.set(&key, kept.to_string());
    let error =
        block_on(custom_api(&world, &id, api_request("GET", "/v2/projects/p/locations"), None)).unwrap_err();
    assert_eq!(error.kind(), Kind::SecretStore);
    assert!(world.urls().is_empty());
    for damaged in [json!("x"), json!({"read_only": "no"}), json!({"regions": "us-central1"})] {
        world.edit(&key, &json!({ "guard_rails": damaged }));
        assert_eq!(get(&world, &id).unwrap_err().kind(), Kind::SecretStore);
    }
}

#[test]
fn a_connections_own_region_is_an_allowed_one_unless_it_is_named() {
    let made = |region: Option<&str>, rails: &[&str]| {
        let world = World::new().answer(access_token(canaries::FIRST));
        let request = ConnectRequest {
            region: region.map(str::to_owned),
            guard_rails: Some(regions(rails)),
            ..connect_request()
        };
        let (connection, warnings) = connect(&world, request).unwrap();
        (connection.region, warnings.len())
    };
    assert_eq!(made(None, &["europe-west1", "us-east1"]), ("europe-west1".to_owned(), 0));
    assert_eq!(made(None, &["europe-west1", "us-central1"]), ("us-central1".to_owned(), 0));
    assert_eq!(made(Some("us-east4"), &["europe-west1"]), ("us-east4".to_owned(), 1));
    let (world, id) = World::connected_with(
        json_request(&user_json()),
        [json_answer(200, &crate::testing::user_grant(canaries::FIRST))],
    );
    let (_, warnings) = restrict(&world, &id, Some(regions(&["europe-west1"]))).unwrap();
    assert_eq!(warnings, ["the connection's own region us-central1 is not among the allowed ones"]);
}
