//! What goes into the path of a request: each name is taken as it is, or refused before a byte is sent.

use test_case::test_case;

use super::detail;
use crate::{
    error::Kind,
    functions::{
        FunctionRef,
        get::get,
        list::{ListRequest, list},
    },
    testing::{World, block_on, connect_request, not_found, nothing},
};

/// A name by the input that it is given as.
#[derive(Clone, Copy)]
enum As {
    Project,
    Location,
    Function,
    FullName,
}

fn try_it(given: As, name: &str) -> (Option<(Kind, String)>, Vec<String>) {
    let (world, id) = World::connected();
    world.respond(|_| not_found("gone"));
    let function = |name: &str, region: Option<&str>| FunctionRef::Named {
        name: name.to_owned(),
        region: region.map(str::to_owned),
    };
    let outcome = match given {
        As::Project => {
            let request =
                crate::connections::ConnectRequest { project: Some(name.to_owned()), ..connect_request() };
            world.respond(|_| crate::testing::access_token("ya29.a"));
            block_on(crate::connections::connect(&world, request, None)).map(drop)
        }
        As::Location => {
            world.respond(|_| nothing());
            let request = ListRequest { regions: vec![name.to_owned()], ..ListRequest::default() };
            block_on(list(&world, &id, request, None)).map(drop)
        }
        As::Function => block_on(get(&world, &id, function(name, Some("us-central1")), None)).map(drop),
        As::FullName => block_on(get(&world, &id, FunctionRef::Resource(name.to_owned()), None)).map(drop),
    };
    let refused =
        outcome.err().map(|error| (error.kind(), detail(&error, "field").unwrap_or_default().to_owned()));
    let paths = world.sent.borrow().iter().map(|request| request.path_and_query().to_owned()).collect();
    (refused, paths)
}

#[test_case(As::Project, "my-project-1", "/token"; "resource-name-01 control")]
#[test_case(As::Project, "123456789012", "/token"; "resource-name-02 project number")]
#[test_case(As::Project, "example.com:legacy-app", "/token"; "resource-name-03 domain-scoped legacy id")]
#[test_case(As::Location, "us-central1", "/locations/us-central1/functions?"; "resource-name-15 control")]
#[test_case(As::Function, "my_fn2", "/functions/my_fn2?"; "resource-name-20 underscore is legal in gen1")]
#[test_case(As::FullName, "projects/p-1234/locations/us-central1/functions/f", "/v2/projects/p-1234/locations/us-central1/functions/f?"; "resource-name-31 control")]
fn taken(given: As, name: &str, path: &str) {
    let (refused, paths) = try_it(given, name);
    assert!(refused.is_none_or(|(kind, _)| kind == Kind::NotFound));
    assert!(paths[0].contains(path), "{paths:?}");
}

#[test]
fn a_domain_scoped_project_is_one_segment_of_every_path() {
    let connect = crate::connections::ConnectRequest {
        project: Some("example.com:legacy-app".to_owned()),
        ..connect_request()
    };
    let (world, id) = World::connected_with(connect, [crate::testing::access_token("ya29.first")]);
    world.respond(|_| nothing());
    block_on(list(&world, &id, ListRequest::default(), None)).unwrap();
    for request in world.sent.borrow().iter() {
        let path = request.path_and_query();
        assert!(path.starts_with("/v2/projects/example.com%3Alegacy-app/locations"), "{path}");
    }
}

#[test_case(As::Project, "../other", "project"; "resource-name-04 path traversal")]
#[test_case(As::Project, "p/locations/x", "project"; "resource-name-05 segment injection")]
#[test_case(As::Project, "p%2Flocations", "project"; "resource-name-06 pre-encoded")]
#[test_case(As::Project, "p?alt=media", "project"; "resource-name-07 query injection")]
#[test_case(As::Project, "p#x", "project"; "resource-name-08 fragment")]
#[test_case(As::Project, "p:setIamPolicy", "project"; "resource-name-09 custom verb")]
#[test_case(As::Project, "P-UPPER", "project"; "resource-name-12 upper case")]
#[test_case(As::Project, "p\u{200b}1234", "project"; "resource-name-13 zero-width space")]
#[test_case(As::Project, &"p".repeat(200), "project"; "resource-name-14 too long")]
#[test_case(As::Function, "my-fn:generateUploadUrl", "function"; "resource-name-22 verb injection")]
#[test_case(As::Function, "*", "function"; "resource-name-24 wildcard")]
#[test_case(As::Function, ".", "function"; "resource-name-25 dot segment")]
#[test_case(As::Function, "..", "function"; "resource-name-26 two dots")]
#[test_case(As::Function, "abc-", "function"; "resource-name-29 ends with a hyphen")]
#[test_case(As::FullName, "projects/p-1234/locations/us-central1/functions/f/extra", "function"; "resource-name-32 extra segment")]
#[test_case(As::FullName, "//cloudfunctions.googleapis.com/projects/p/locations/l/functions/f", "function"; "resource-name-33 full resource name form")]
#[test_case(As::FullName, "projects/p-1234/locations/us-central1/services/f", "function"; "resource-name-34 other collection")]
#[test_case(As::Location, "-", "region"; "a wildcard")]
#[test_case(As::Location, "us-central1/functions/x", "region"; "a longer path")]
fn refused_before_a_byte_is_sent(given: As, name: &str, field: &str) {
    let (refused, paths) = try_it(given, name);
    assert_eq!(refused, Some((Kind::InvalidInput, field.to_owned())));
    assert!(paths.is_empty(), "{paths:?}");
}
