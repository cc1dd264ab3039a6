use serde_json::json;
use test_case::test_case;

use super::invoke::request as request_of;
use super::{api_request, detail, gen2};
use crate::{
    actions::{
        api::{ApiRequest, PagesRequest, all_pages, custom_api},
        connections::{self, ConnectRequest, get, rename, restrict},
        functions::{
            get::get as get_function,
            invoke::{Auth, InvokeRequest, invoke},
            list::{ListRequest, list},
            options::{OptionField, OptionsRequest, options},
        },
    },
    base::error::{Error, Kind, Origin},
    google::{
        request::{body::Body, grammar::Query},
        which::FunctionRef,
    },
    rails::GuardRails,
    testing::{
        World, access_token, block_on, canaries, connect, connect_request, json_answer, json_request,
        user_json,
    },
};

mod kept;

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn regions(list: &[&str]) -> GuardRails {
    GuardRails { regions: texts(list), ..GuardRails::default() }
}

fn functions(list: &[&str]) -> GuardRails {
    GuardRails { functions: texts(list), ..GuardRails::default() }
}

fn methods(list: &[&str]) -> GuardRails {
    GuardRails { methods: texts(list), ..GuardRails::default() }
}

fn read_only() -> GuardRails {
    GuardRails { read_only: true, ..GuardRails::default() }
}

fn max_body(bytes: u64) -> GuardRails {
    GuardRails { max_body: Some(bytes), ..GuardRails::default() }
}

fn own_project() -> GuardRails {
    GuardRails { own_project: true, ..GuardRails::default() }
}

fn with(rails: GuardRails) -> (World, String) {
    let request = ConnectRequest { guard_rails: Some(rails), ..connect_request() };
    World::connected_with(request, [access_token(canaries::FIRST)])
}

fn call_of(function: FunctionRef, method: &str) -> InvokeRequest {
    InvokeRequest { method: method.to_owned(), auth: Auth::None, ..request_of(function) }
}

fn named(name: &str, region: Option<&str>) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: region.map(str::to_owned) }
}

fn url(url: &str) -> FunctionRef {
    FunctionRef::Url(url.to_owned())
}

/// The name of the rail that forbids it; the error is of the one kind that it has, and nothing was sent.
#[track_caller]
fn rail(world: &World, error: &Error) -> String {
    assert_eq!((error.kind(), error.fields().origin), (Kind::Restricted, Origin::Connection), "{error}");
    let fix = error.fields().fix.as_deref().unwrap();
    assert!(fix.starts_with("ask whoever manages this connection"), "{fix}");
    assert!(world.urls().is_empty() && error.fields().trace.is_empty(), "{:?}", world.urls());
    detail(error, "rail").unwrap().to_owned()
}

/// The outcome of one request to an API: the rail that forbids it, or nothing.
fn api_verdict(rails: GuardRails, api: Option<&str>, method: &str, target: &str) -> Option<String> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) if path.starts_with('/') => (path, Query::Raw(query.to_owned())),
        _ => (target, Query::None),
    };
    let request = ApiRequest { api: api.map(str::to_owned), query, ..api_request(method, path) };
    let verdict = |call: &dyn Fn(&World, &str) -> Result<(), Error>| {
        let (world, id) = with(rails.clone());
        world.then(json_answer(200, &json!({})));
        let forbidden = call(&world, &id).err().map(|error| rail(&world, &error));
        if forbidden.is_some() {
            world.forget_answers();
        }
        forbidden
    };
    let one = verdict(&|world, id| block_on(custom_api(world, id, request.clone(), None)).map(drop));
    if method == "GET" && path.starts_with('/') {
        let pages =
            || PagesRequest { request: request.clone(), items: None, page_token: None, max_pages: None };
        let all = verdict(&|world, id| block_on(all_pages(world, id, pages(), None)).map(drop));
        assert_eq!(all, one, "pages are requests like any other");
    }
    one
}

#[test_case(read_only(), "GET", None)]
#[test_case(read_only(), "POST", Some("read-only"))]
#[test_case(read_only(), "PUT", Some("read-only"))]
#[test_case(read_only(), "PATCH", Some("read-only"))]
#[test_case(read_only(), "DELETE", Some("read-only"))]
#[test_case(methods(&["GET", "PATCH"]), "GET", None; "one of the methods")]
#[test_case(methods(&["GET", "PATCH"]), "PATCH", None; "another of the methods")]
#[test_case(methods(&["GET", "PATCH"]), "DELETE", Some("methods"); "none of the methods")]
#[test_case(GuardRails { read_only: true, ..methods(&["GET", "POST"]) }, "POST", Some("read-only"); "both are asked")]
fn a_method_of_an_api(rails: GuardRails, method: &str, forbidden: Option<&str>) {
    let path = "/v2/projects/demo-project/locations/us-central1/functions/f";
    assert_eq!(api_verdict(rails, None, method, path).as_deref(), forbidden);
}

#[test_case(None, "/v2/projects/demo-project/locations/europe-west1/functions", None)]
#[test_case(None, "/v2/projects/demo-project/locations/europe-west1/functions/f:getIamPolicy", None)]
#[test_case(None, "/v2/projects/demo-project/locations/us-central1/functions", Some("regions"); "another region")]
#[test_case(None, "/v2/projects/demo-project/locations/-/functions", Some("regions"); "every region")]
#[test_case(None, "/v2/projects/demo-project/locations/%2D/functions", Some("regions"); "every region escaped")]
#[test_case(None, "/v2/projects/demo-project/%6Cocations/us-central1/functions", Some("regions"); "escaped")]
#[test_case(None, "/v2/projects/demo-project/locations", None; "which regions there are")]
#[test_case(None, "/v2/projects/demo-project/locations/us-central1", Some("regions"); "one that is not allowed")]
#[test_case(None, "/v1/operations", Some("regions"); "no region")]
#[test_case(Some("run"), "/v2/projects/demo-project/locations/europe-west1/services", None)]
#[test_case(Some("run"), "/v2/projects/demo-project/locations/us-west1/services", Some("regions"))]
#[test_case(Some("run"), "/v1/namespaces/demo-project/services", Some("regions"); "the other way to write it")]
#[test_case(Some("serviceusage"), "/v1/projects/demo-project/services", None; "what is in no region")]
#[test_case(Some("eventarc"), "/v1/projects/demo-project/locations/global/channels", Some("regions"); "global")]
#[test_case(Some("logging"), "/v2/projects/demo-project/logs?resourceNames=projects/demo-project/locations/us-west1/buckets/b/views/v", Some("regions"); "in the query")]
#[test_case(None, "/v2/projects/demo-project/locations%2Fus-central1/functions", Some("regions"); "another one behind an escaped slash")]
#[test_case(None, "/v2/projects/demo-project/locations/europe-west1/functions/f%2Flocations%2Fus-central1", Some("regions"); "one more behind it")]
#[test_case(None, "/v2/projects/demo-project/locations/europe-west1%2Ffunctions/f", Some("regions"); "its own before one")]
#[test_case(None, "https://europe-west1-demo-project.cloudfunctions.net/f", None; "a URL that says it")]
#[test_case(None, "https://us-central1-demo-project.cloudfunctions.net/f", Some("regions"); "a URL that says another one")]
#[test_case(None, "https://f-abcdefghij-ew.a.run.app/", Some("regions"); "a URL that does not say it")]
fn a_region_of_an_api(api: Option<&str>, target: &str, forbidden: Option<&str>) {
    assert_eq!(api_verdict(regions(&["europe-west1"]), api, "GET", target).as_deref(), forbidden);
}

#[test_case(None, "/v2/projects/demo-project/locations/-/functions", None)]
#[test_case(Some("resourcemanager"), "/v1/projects/demo-project", None; "the project itself")]
#[test_case(Some("resourcemanager"), "/v1/projects/demo-project:getIamPolicy", None; "a verb of it")]
#[test_case(Some("resourcemanager"), "/v1/projects/demo-project:get/x", None; "a verb and more")]
#[test_case(Some("resourcemanager"), "/v1/projects/demo-project:app", None; "what looks like a verb")]
#[test_case(Some("resourcemanager"), "/v1/projects/demo-project-2", Some("own-project"); "a longer id")]
#[test_case(Some("resourcemanager"), "/v1/projects/demo-project:1", Some("own-project"); "no verb")]
#[test_case(Some("resourcemanager"), "/v1/projects/-", Some("own-project"); "any project")]
#[test_case(Some("resourcemanager"), "/v1/projects", Some("own-project"); "all projects")]
#[test_case(Some("resourcemanager"), "/v3/projects?parent=folders/1", Some("own-project"); "a folder's projects")]
#[test_case(Some("resourcemanager"), "/v3/folders/1", Some("own-project"); "a folder")]
#[test_case(Some("resourcemanager"), "/v1/organizations/1/projects/demo-project", Some("own-project"); "not at its place")]
#[test_case(None, "/v2/projects/other/locations/-/functions", Some("own-project"); "another project")]
#[test_case(None, "/v2/projects/oth%65r/locations", Some("own-project"); "another one escaped")]
#[test_case(None, "/v2/projects/%64emo-project/locations", None; "its own escaped")]
#[test_case(None, "/v2/projects/123456789012/locations", Some("own-project"); "a number that may be anybody's")]
#[test_case(None, "/v2/projects/demo-project/locations/r/functions/projects/other", Some("own-project"); "one more")]
#[test_case(None, "/v2/projects/demo-project/locations?parent=projects/other", Some("own-project"); "in the query")]
#[test_case(None, "/v2/projects/demo-project/locations?parent=projects%2Fother", Some("own-project"); "in the query escaped")]
#[test_case(Some("logging"), "/v2/projects/demo-project/logs/cloudfunctions.googleapis.com%2Fcloud-functions", None; "the id of a log, whose slash is a part of it")]
#[test_case(Some("logging"), "/v2/projects%2Fother/logs", Some("own-project"); "another project behind an escaped slash")]
#[test_case(Some("logging"), "/v2/projects/demo-project%2Fprojects%2Fother/logs", Some("own-project"); "more than its own before one")]
#[test_case(Some("logging"), "/v2/projects/demo-project/logs/projects%2fother", Some("own-project"); "one more behind it")]
#[test_case(Some("logging"), "/v2/projects/demo-project/logs/x%2Fprojects%2Fother", Some("own-project"); "one more between two")]
#[test_case(None, "/v2/projects/demo-project/locations?projectId=other", Some("own-project"); "as a parameter")]
#[test_case(None, "/v2/projects/demo-project/locations?projectId=demo-project&filter=a%2Fb", None; "its own as a parameter")]
#[test_case(None, "https://us-central1-demo-project.cloudfunctions.net/f", Some("own-project"); "a URL")]
fn a_project_of_an_api(api: Option<&str>, target: &str, forbidden: Option<&str>) {
    assert_eq!(api_verdict(own_project(), api, "GET", target).as_deref(), forbidden);
}

#[test]
fn a_project_with_a_domain_is_its_own_too() {
    let request = || ConnectRequest {
        project: Some("example.com:app".to_owned()),
        guard_rails: Some(own_project()),
        ..connect_request()
    };
    for (path, ok) in [
        ("/v1/projects/example.com:app", true),
        ("/v1/projects/example.com%3Aapp:getIamPolicy", true),
        ("/v1/projects/example.com", false),
        ("/v1/projects/example.com:other", false),
    ] {
        let (world, id) = World::connected_with(request(), [access_token(canaries::FIRST)]);
        world.then(json_answer(200, &json!({})));
        assert_eq!(block_on(custom_api(&world, &id, api_request("GET", path), None)).is_ok(), ok, "{path}");
        assert_eq!(world.urls().len(), usize::from(ok), "{path}");
        if !ok {
            world.forget_answers();
        }
    }
}

/// `functions.call` runs a function, and to Google it is an API like any other.
#[test_case("/v1/projects/demo-project/locations/us-central1/functions/hello-a:call", None)]
#[test_case("/v1/projects/demo-project/locations/us-central1/functions/other:call", Some("functions"); "another one")]
#[test_case("/v1/projects/demo-project/locations/us-central1/functions/other%3Acall", Some("functions"); "escaped")]
#[test_case("/v1/projects/demo-project/locations/us-central1/functions/other:setIamPolicy", None; "no call of it")]
#[test_case("/v1/projects/demo-project/locations/us-central1/functions%2Fother:call", Some("functions"); "behind an escaped slash")]
#[test_case("/v1/projects/demo-project/locations/us-central1/functions/hello-a%2Fother:call", Some("functions"); "behind its own and one")]
#[test_case("https://us-central1-demo-project.cloudfunctions.net/hello-b/x", None; "a URL")]
#[test_case("https://us-central1-demo-project.cloudfunctions.net/other", Some("functions"); "a URL of another one")]
#[test_case("https://v1---hello-a-abcdefghij-uc.a.run.app/", Some("functions"); "a URL that does not say it")]
fn a_function_of_an_api(target: &str, forbidden: Option<&str>) {
    assert_eq!(api_verdict(functions(&["hello-*"]), None, "POST", target).as_deref(), forbidden);
}

#[test]
fn a_body_is_measured_as_it_is_sent() {
    let (world, id) = with(max_body(5));
    let path = "/v2/projects/demo-project/locations/us-central1/functions";
    // `ü` is one letter, two bytes, and six once it is encoded.
    for (body, fits) in [
        (Body::Text("12345".to_owned()), true),
        (Body::Text("123456".to_owned()), false),
        (Body::Form(vec![("ü".to_owned(), String::new())]), false),
    ] {
        world.begin_anew();
        let request = ApiRequest { body: Some(body), ..api_request("POST", path) };
        if fits {
            world.then(json_answer(200, &json!({})));
            block_on(custom_api(&world, &id, request, None)).unwrap();
            continue;
        }
        let error = block_on(custom_api(&world, &id, request, None)).unwrap_err();
        assert_eq!(rail(&world, &error), "max-body");
        assert_eq!(detail(&error, "limit"), Some("5"));
    }
    assert_eq!(api_verdict(max_body(0), None, "GET", path), None);
}

#[test_case(regions(&["us-central1"]), named("f", Some("us-central1")), "POST", None)]
#[test_case(regions(&["us-central1"]), named("f", Some("us-east1")), "POST", Some("regions"))]
#[test_case(regions(&["us-central1"]), FunctionRef::Resource("projects/p/locations/us-east1/functions/f".to_owned()), "POST", Some("regions"); "a resource name")]
#[test_case(regions(&["us-central1"]), url("https://us-central1-p.cloudfunctions.net/f"), "POST", None; "a URL that says it")]
#[test_case(regions(&["us-central1"]), url("https://f-123456789012.us-central1.run.app"), "POST", None; "a newer URL that says it")]
#[test_case(regions(&["us-central1"]), url("https://f-123456789012.us-east1.run.app"), "POST", Some("regions"); "a newer URL that says another one")]
#[test_case(regions(&["us-central1"]), url("https://f-abcdefghij-uc.a.run.app"), "POST", Some("regions"); "a URL that does not say it")]
#[test_case(functions(&["f", "g-*"]), named("f", Some("us-central1")), "POST", None; "a name")]
#[test_case(functions(&["f", "g-*"]), named("g-1", Some("us-central1")), "POST", None; "a prefix")]
#[test_case(functions(&["f", "g-*"]), named("F", Some("us-central1")), "POST", Some("functions"); "another case")]
#[test_case(functions(&["f", "g-*"]), named("f2", Some("us-central1")), "POST", Some("functions"); "a longer name")]
#[test_case(functions(&["f", "g-*"]), named("g", Some("us-central1")), "POST", Some("functions"); "less than the prefix")]
#[test_case(functions(&["f"]), url("https://f-abcdefghij-uc.a.run.app"), "POST", None; "a service's name")]
#[test_case(functions(&["f"]), url("https://f-2-abcdefghij-uc.a.run.app"), "POST", Some("functions"); "a longer service's name")]
#[test_case(functions(&["f"]), url("https://t---f-abcdefghij-uc.a.run.app"), "POST", Some("functions"); "a tag hides it")]
#[test_case(functions(&["*"]), url("https://t---f-abcdefghij-uc.a.run.app"), "POST", Some("functions"); "a tag hides it from every name")]
#[test_case(read_only(), named("f", Some("us-central1")), "GET", None; "reading")]
#[test_case(read_only(), named("f", Some("us-central1")), "HEAD", None; "reading headers")]
#[test_case(read_only(), named("f", Some("us-central1")), "OPTIONS", None; "asking what there is")]
#[test_case(read_only(), named("f", Some("us-central1")), "POST", Some("read-only"); "writing")]
#[test_case(methods(&["POST"]), named("f", Some("us-central1")), "POST", None; "an allowed method")]
#[test_case(methods(&["POST"]), named("f", Some("us-central1")), "GET", Some("methods"); "another method")]
#[test_case(own_project(), FunctionRef::Resource("projects/p/locations/us-central1/functions/f".to_owned()), "POST", None; "for the custom api only")]
fn an_invocation(rails: GuardRails, function: FunctionRef, method: &str, forbidden: Option<&str>) {
    let (world, id) = with(rails);
    if !matches!(function, FunctionRef::Url(_)) {
        world.then(json_answer(200, &gen2("us-central1", "f")));
    }
    world.then(json_answer(200, &json!({})));
    let outcome = block_on(invoke(&world, &id, call_of(function, method), None));
    assert_eq!(outcome.err().map(|error| rail(&world, &error)).as_deref(), forbidden);
    if forbidden.is_some() {
        world.forget_answers();
    }
}

/// A Google with the function `f` in each region that it is asked for.
fn f_everywhere(world: &World) {
    world.respond(|request| {
        let url = request.url();
        let region = url.split("/locations/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        match request.host() {
            "cloudfunctions.googleapis.com" if url.ends_with("/functions") => {
                json_answer(200, &json!({"functions": [gen2(region, "f")]}))
            }
            "cloudfunctions.googleapis.com" => json_answer(
                200,
                &json!({"locations": [{"locationId": "us-central1"}, {"locationId": "us-east1"}, {"locationId": "us-west1"}]}),
            ),
            _ => json_answer(200, &json!({})),
        }
    });
}

/// The regions that Google was asked for, each once.
fn asked(world: &World) -> Vec<String> {
    let mut regions = Vec::new();
    for url in world.urls() {
        let region = url.split("/locations/").nth(1).and_then(|rest| rest.split('/').next());
        if let Some(region) = region {
            crate::base::sorted::insert(&mut regions, region.to_owned());
        }
    }
    regions
}

#[test]
fn a_bare_name_is_looked_up_in_the_allowed_regions() {
    let (world, id) = with(regions(&["us-east1"]));
    f_everywhere(&world);
    let function = block_on(get_function(&world, &id, named("f", None), None)).unwrap();
    assert_eq!(function.id.region.as_str(), "us-east1");
    assert_eq!(asked(&world), ["us-east1"]);
}

/// The connection's own region is where a bare name is looked for by those who may not list.
#[test]
fn who_may_not_list_does_not_get_around_the_allowed_regions() {
    let request = ConnectRequest {
        region: Some("us-west1".to_owned()),
        guard_rails: Some(regions(&["us-east1"])),
        ..connect_request()
    };
    let (world, id) = World::connected_with(request, [access_token(canaries::FIRST)]);
    world.respond(|_| {
        json_answer(403, &json!({"error": {"message": "Permission 'x.y.z' denied on resource"}}))
    });
    let error = block_on(get_function(&world, &id, named("f", None), None)).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "rail")), (Kind::Restricted, Some("regions")));
    assert_eq!(asked(&world), ["us-east1"]);
}

#[test]
fn a_drop_down_offers_the_allowed_regions_and_their_functions() {
    let (world, id) = with(regions(&["us-east1", "us-west1"]));
    f_everywhere(&world);
    let ask =
        |field| block_on(options(&world, &id, OptionsRequest { field, prefix: None, limit: None }, None));
    let values: Vec<_> = ask(OptionField::Regions).unwrap().options.into_iter().map(|o| o.value).collect();
    assert_eq!(values, ["us-east1", "us-west1"]);
    assert_eq!(ask(OptionField::Functions(Some("us-west1".to_owned()))).unwrap().options.len(), 1);
    assert_eq!(ask(OptionField::Functions(None)).unwrap().options.len(), 1, "in its own region");
    world.begin_anew();
    let error = ask(OptionField::Functions(Some("us-central1".to_owned()))).unwrap_err();
    assert_eq!(rail(&world, &error), "regions");
}

#[test]
fn a_drop_down_offers_no_function_that_may_not_be_invoked() {
    for (allowed, offered) in [(&["f"][..], 1), (&["g", "f-*"], 0)] {
        let (world, id) = with(functions(allowed));
        f_everywhere(&world);
        let request = OptionsRequest { field: OptionField::Functions(None), prefix: None, limit: None };
        assert_eq!(block_on(options(&world, &id, request, None)).unwrap().options.len(), offered);
    }
}

#[test]
fn a_name_that_is_nowhere_is_said_to_be_in_none_of_the_allowed_regions() {
    let (world, id) = with(regions(&["us-east1", "us-west1"]));
    f_everywhere(&world);
    let error = block_on(get_function(&world, &id, named("nope", None), None)).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("in the allowed regions (us-east1, us-west1)"), "{error}");
}

#[test]
fn a_function_elsewhere_is_not_read() {
    let (world, id) = with(regions(&["us-east1"]));
    let error = block_on(get_function(&world, &id, named("f", Some("us-west1")), None)).unwrap_err();
    assert_eq!(rail(&world, &error), "regions");
}

#[test]
fn a_list_is_of_the_allowed_regions() {
    let (world, id) = with(regions(&["us-east1", "us-west1"]));
    f_everywhere(&world);
    let all = block_on(list(&world, &id, ListRequest::default(), None)).unwrap();
    assert_eq!(all.functions.len(), 2);
    assert_eq!(asked(&world), ["us-east1", "us-west1"]);

    world.begin_anew();
    let one = ListRequest { regions: texts(&["us-east1"]), ..ListRequest::default() };
    assert_eq!(block_on(list(&world, &id, one, None)).unwrap().functions.len(), 1);
    assert_eq!(asked(&world), ["us-east1"]);

    world.begin_anew();
    let elsewhere = ListRequest { regions: texts(&["us-east1", "us-central1"]), ..ListRequest::default() };
    let error = block_on(list(&world, &id, elsewhere, None)).unwrap_err();
    assert_eq!(rail(&world, &error), "regions");
    let wrong = ListRequest { regions: texts(&["x y"]), ..ListRequest::default() };
    assert_eq!(block_on(list(&world, &id, wrong, None)).unwrap_err().kind(), Kind::InvalidInput);
}

/// Frameworks and proxies take a request for one of the method that a header names, in each of these spellings
/// (<https://www.npmjs.com/package/method-override>); Google's APIs know the second one
/// (<https://cloud.google.com/apis/docs/http>).
#[test_case("X-HTTP-Method")]
#[test_case("X-HTTP-Method-Override")]
#[test_case("X-Method-Override")]
#[test_case("x_http_method_override"; "as some servers read it")]
fn a_header_does_not_make_another_method_of_a_request(name: &str) {
    let header = || vec![(name.to_owned(), "DELETE".to_owned())];
    for (rails, rail_of) in [(read_only(), "read-only"), (methods(&["GET"]), "methods")] {
        let (world, id) = with(rails);
        let function = url("https://us-central1-p.cloudfunctions.net/f");
        let request = InvokeRequest { headers: header(), ..call_of(function, "GET") };
        let error = block_on(invoke(&world, &id, request, None)).unwrap_err();
        assert_eq!(rail(&world, &error), rail_of);
        assert!(error.fields().message.contains(&name.to_lowercase()), "{error}");
    }
    // To an API it is the connector's to say, whatever the rails.
    for rails in [GuardRails::default(), methods(&["GET", "DELETE"])] {
        let (world, id) = with(rails);
        let path = "/v2/projects/demo-project/locations";
        let request = ApiRequest { headers: header(), ..api_request("GET", path) };
        let error = block_on(custom_api(&world, &id, request, None)).unwrap_err();
        assert_eq!(
            (error.kind(), detail(&error, "header")),
            (Kind::InvalidInput, Some(&*name.to_lowercase()))
        );
        assert!(world.urls().is_empty());
    }
    // Where no rail says which methods there are, a function may have it.
    let (world, id) = with(GuardRails::default());
    world.then(json_answer(200, &json!({})));
    let function = url("https://us-central1-p.cloudfunctions.net/f");
    let request = InvokeRequest { headers: header(), ..call_of(function, "GET") };
    block_on(invoke(&world, &id, request, None)).unwrap();
}
