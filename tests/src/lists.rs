//! Functions of every kind and region, in whole and in part; and drop-downs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gcf_host::{
    transport::{Body, Sending, Timeouts, Transport},
    wit::{Body as FunctionBody, ErrorKind, FunctionRef, Generation, OptionField, OptionsRequest, Trigger},
};
use serde_json::json;
use tokio::sync::Barrier;

use crate::fixtures::{
    builder, connect_request, connected,
    google::json_response,
    invoke_request, list_request, named, refused,
    scripted::{Scripted, Sent},
    world::on_script,
};

const RUN: &str = "run.googleapis.com";

#[tokio::test]
pub(crate) async fn a_part_that_is_switched_off_is_named_and_the_rest_is_there() {
    let (host, replay, id) = connected("list-run-disabled.json").await;
    let list = host.list_functions(&id, list_request(), None).await.unwrap();
    assert_eq!(
        (list.functions.len(), list.unreachable.as_slice()),
        (1, ["asia-east2".to_owned()].as_slice())
    );
    let [part] = list.missing.as_slice() else { panic!("{:?}", list.missing) };
    assert_eq!((part.source.as_str(), &part.region, part.kind), (RUN, &None, ErrorKind::ApiDisabled));
    assert!(part.message.contains("Cloud Run Admin API"), "{}", part.message);
    assert!(part.fix.as_deref().unwrap().contains("gcloud services enable run.googleapis.com"));
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn who_may_list_services_only_gets_those() {
    let (host, replay, id) = connected("list-services-only.json").await;
    let request = list_request().regions(["europe-west1"]);
    let list = host.list_functions(&id, request, None).await.unwrap();
    let [function] = list.functions.as_slice() else { panic!("{:?}", list.functions) };
    assert_eq!((function.name.as_str(), function.generation), ("rag-indexer", Generation::CloudRun));
    assert_eq!(
        (function.runtime.as_deref(), function.memory.as_deref(), function.timeout_seconds),
        (Some("python312"), Some("1Gi"), Some(900))
    );
    let [part] = list.missing.as_slice() else { panic!("{:?}", list.missing) };
    assert_eq!((part.source.as_str(), part.kind), ("cloudfunctions.googleapis.com", ErrorKind::MissingRole));
    assert!(part.fix.as_deref().unwrap().contains("roles/cloudfunctions.viewer"));
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_function_of_cloud_run_is_found_by_its_name() {
    let (host, replay, id) = connected("get-cloud-run.json").await;
    let function = host.get_function(&id, named("slack-bot", Some("us-central1")), None).await.unwrap();
    assert_eq!((function.generation, function.state.as_str()), (Generation::CloudRun, "ACTIVE"));
    assert!(matches!(function.trigger, Trigger::Other));
    assert_eq!(function.ingress.as_deref(), Some("INGRESS_TRAFFIC_ALL"));
    assert!(function.url.unwrap().ends_with("-uc.a.run.app"));
    replay.finish().unwrap();
}

fn options(field: OptionField, prefix: Option<&str>, limit: Option<u32>) -> OptionsRequest {
    let mut request = OptionsRequest::new(field);
    request.prefix = prefix.map(str::to_owned);
    request.limit = limit;
    request
}

#[tokio::test]
pub(crate) async fn regions_are_offered_live_with_the_default_first() {
    let (host, replay, id) = connected("options-regions.json").await;
    let list = host.options(&id, options(OptionField::Regions, None, Some(2)), None).await.unwrap();
    let lines: Vec<_> =
        list.options.iter().map(|item| (item.value.as_str(), item.label.as_str(), item.default)).collect();
    assert_eq!(
        lines,
        [("us-central1", "Iowa (us-central1)", true), ("asia-east2", "Hong Kong (asia-east2)", false)]
    );
    assert!(list.more && list.notes.is_empty());
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn who_may_not_list_regions_gets_the_known_ones_and_a_note() {
    let (host, replay, id) = connected("options-regions-denied.json").await;
    let list = host.options(&id, options(OptionField::Regions, Some("europe-"), None), None).await.unwrap();
    assert!(list.options.len() > 5 && list.options.iter().all(|item| item.value.starts_with("europe-")));
    assert!(list.notes[0].contains("known"), "{:?}", list.notes);
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn functions_of_a_region_are_offered_while_somebody_types() {
    for (prefix, values) in
        [(None, vec!["hello-http", "legacy_report", "slack-bot"]), (Some("LEG"), vec!["legacy_report"])]
    {
        let (host, replay, id) = connected("options-functions.json").await;
        let list =
            host.options(&id, options(OptionField::Functions(None), prefix, None), None).await.unwrap();
        assert_eq!(list.options.iter().map(|item| item.value.as_str()).collect::<Vec<_>>(), values);
        let last = list.options.last().unwrap().hint.as_deref();
        assert_eq!(last, Some(if prefix.is_some() { "gen1, http, ACTIVE" } else { "cloud-run, ACTIVE" }));
        replay.finish().unwrap();
    }
}

/// The functions of a project: two pages of Cloud Functions, and one function of Cloud Run in each region.
fn google(sent: &Sent) -> (u16, serde_json::Value) {
    let url = url::Url::parse(&sent.url).unwrap();
    let parts: Vec<_> = url.path_segments().unwrap().collect();
    let on_second = url.query_pairs().any(|(name, value)| name == "pageToken" && value == "p2");
    match parts.as_slice() {
        ["token"] => (200, json!({"access_token": "ya29.a", "expires_in": 3600, "token_type": "Bearer"})),
        [.., "locations"] => {
            let regions = (1..=40).map(|n| json!({"locationId": format!("moon-west{n}")}));
            (200, json!({"locations": regions.collect::<Vec<_>>()}))
        }
        ["v1", .., "-", "services"] => {
            let parameter = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value);
            let size: usize = parameter("limit").unwrap().parse().unwrap();
            let first: usize = parameter("continue").map_or(0, |token| token.parse().unwrap());
            let mut regions: Vec<_> = (1..=40).map(|n| format!("moon-west{n}")).collect();
            regions.sort();
            let items = regions.iter().skip(first).take(size).map(|region| {
                let (labels, target) = ("cloud.googleapis.com/location", "run.googleapis.com/build-function-target");
                json!({"metadata": {"name": "on-run", "labels": {labels: region}, "annotations": {target: "f"}}})
            });
            let end = first + size;
            let next = if end < 40 { end.to_string() } else { String::new() };
            (200, json!({"items": items.collect::<Vec<_>>(), "metadata": {"continue": next}}))
        }
        ["v2", .., region, "services"] => {
            let name = format!("projects/demo-project/locations/{region}/services/on-run");
            (200, json!({"services": [{"name": name, "buildConfig": {"functionTarget": "f"}}]}))
        }
        [.., "functions"] => {
            let name = if on_second { "second" } else { "first" };
            let name = format!("projects/demo-project/locations/moon-west1/functions/{name}");
            let mut page = json!({"functions": [{"name": name, "environment": "GEN_2", "state": "ACTIVE"}]});
            if !on_second {
                page["nextPageToken"] = json!("p2");
            }
            (200, page)
        }
        other => panic!("nobody asks for {other:?}"),
    }
}

/// The same to somebody who may list the services of each region, and not those of all of them.
fn in_each_region(sent: &Sent) -> (u16, serde_json::Value) {
    if sent.url.contains("/locations/-/services?") {
        return (403, json!({"error": {"code": 403, "status": "PERMISSION_DENIED"}}));
    }
    google(sent)
}

#[tokio::test]
async fn every_region_takes_one_request_for_each_page() {
    let google = Scripted::new(google);
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    google.take();
    let list = host.list_functions(&id, list_request(), None).await.unwrap();
    assert_eq!((list.functions.len(), list.missing.len()), (2 + 40, 0));
    assert_eq!(google.take().len(), 2 + 1, "two pages of Cloud Functions, and all of Cloud Run");
}

#[tokio::test]
pub(crate) async fn a_closed_region_holds_nothing_and_the_list_is_whole() {
    let (host, replay, id) = connected("list-closed-region.json").await;
    let list = host.list_functions(&id, list_request(), None).await.unwrap();
    assert_eq!((list.functions.len(), list.missing.len(), list.unreachable.len()), (1, 0, 0));
    assert_eq!((list.notes.len(), list.trace.len()), (0, 3));
    replay.finish().unwrap();
}

/// The first call looks the function up, in four requests with the access token; the second one is the call alone.
#[tokio::test]
pub(crate) async fn a_bare_name_is_called_though_a_region_is_closed_and_then_at_once() {
    let (host, replay, id) = connected("invoke-closed-region.json").await;
    for requests in [5, 1] {
        let request = invoke_request(named("hello-http", None))
            .body(FunctionBody::Json(r#"{"name":"world"}"#.to_owned()));
        let answer = host.invoke(&id, request, None).await.unwrap();
        assert_eq!((answer.status, answer.trace.len()), (200, requests));
    }
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn who_may_list_some_regions_only_gets_those_and_a_closed_one_is_not_missing() {
    let (host, replay, id) = connected("list-in-each-region.json").await;
    let list = host.list_functions(&id, list_request(), None).await.unwrap();
    let found: Vec<_> = list.functions.iter().map(|f| (f.region.as_str(), f.name.as_str())).collect();
    assert_eq!(
        found,
        [("us-central1", "hello-http"), ("asia-southeast3", "tuk-tuk"), ("us-central1", "slack-bot")]
    );
    assert_eq!((list.missing.len(), list.unreachable.len(), list.notes.len()), (0, 0, 0));
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn what_firebase_deployed_to_cloud_run_is_listed() {
    let (host, replay, id) = connected("list-firebase.json").await;
    let request = list_request().regions(["us-central1"]);
    let list = host.list_functions(&id, request, None).await.unwrap();
    let [function] = list.functions.as_slice() else { panic!("{:?}", list.functions) };
    assert_eq!((function.name.as_str(), function.generation), ("ejectrequest", Generation::CloudRun));
    assert_eq!(function.runtime.as_deref(), Some("nodejs22"));
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_detached_function_is_found_by_the_name_that_it_always_had() {
    let (host, replay, id) = connected("get-detached.json").await;
    let function = host.get_function(&id, named("ejectRequest", Some("us-central1")), None).await.unwrap();
    assert_eq!((function.name.as_str(), function.generation), ("ejectrequest", Generation::CloudRun));
    assert!(matches!(function.trigger, Trigger::Http));
    assert_eq!((function.state.as_str(), function.runtime.as_deref()), ("ACTIVE", Some("nodejs22")));
    assert_eq!(function.url.as_deref(), Some("https://ejectrequest-uvb3o4q2mq-uc.a.run.app"));
    replay.finish().unwrap();
}

#[tokio::test]
async fn page_by_page_everything_comes_once() {
    for google in [google, in_each_region] {
        page_by_page(google).await;
    }
}

async fn page_by_page(google: fn(&Sent) -> (u16, serde_json::Value)) {
    let host = builder().transport(Arc::new(Scripted::new(google))).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let request = list_request().limit(1).page_size(7);
    let mut page = host.list_functions(&id, request, None).await.unwrap();
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        assert!(page.functions.len() <= 7 && page.missing.is_empty());
        found.extend(page.functions.into_iter().map(|function| (function.region, function.name)));
        pages += 1;
        let Some(token) = page.next_page_token else { break };
        let request = list_request().page_token(token).page_size(7);
        page = host.list_functions(&id, request, None).await.unwrap();
    }
    let mut regions: Vec<_> = (1..=40).map(|n| format!("moon-west{n}")).collect();
    regions.sort();
    let on_run = regions.into_iter().map(|region| (region, "on-run".to_owned()));
    let first = ["first", "second"].map(|name| ("moon-west1".to_owned(), name.to_owned()));
    assert_eq!(found, first.into_iter().chain(on_run).collect::<Vec<_>>());
    assert_eq!(pages, 2 + 40_usize.div_ceil(7));
}

/// Holds back the answers of Cloud Run until as many requests are under way as the component sends at once.
#[derive(Debug, Clone)]
struct Together {
    google: Scripted,
    barrier: Arc<Barrier>,
    asked: Arc<AtomicUsize>,
}

/// The number of requests at once, of those to the regions that are not the connection's own.
const AT_ONCE: usize = 16;

impl Transport for Together {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let this = self.clone();
        Box::pin(async move {
            let of_run = request.uri().host() == Some(RUN);
            // Before those go the list of all regions, the connection's own region, and which regions there are.
            if of_run && (3..3 + AT_ONCE).contains(&this.asked.fetch_add(1, Ordering::Relaxed)) {
                this.barrier.wait().await;
            }
            this.google.send(request, timeouts).await
        })
    }
}

#[tokio::test]
async fn sixteen_regions_are_asked_before_the_first_has_answered() {
    let google = Together {
        google: Scripted::new(in_each_region),
        barrier: Arc::new(Barrier::new(AT_ONCE)),
        asked: Arc::default(),
    };
    let host = builder().transport(Arc::new(google)).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    // One after another, they would wait for each other until the deadline.
    let list = host.list_functions(&id, list_request(), Some(Duration::from_secs(20))).await.unwrap();
    assert_eq!((list.functions.len(), list.missing.len()), (42, 0));
}

/// The query of a request, decoded.
fn parameters(sent: &Sent) -> Vec<(String, String)> {
    let url = url::Url::parse(&sent.url).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[tokio::test]
async fn filter_and_order_go_to_cloud_functions_as_they_are_given() {
    let (host, scripted, id) = on_script(|sent| {
        let (status, body) = google(sent);
        Some(json_response(status, &body))
    })
    .await;
    let (filter, order) = (r#"labels.team="a&b" AND state:ACTIVE"#, "update_time desc, name");
    let filtered = list_request().filter(filter);
    let ordered = list_request().order_by(order);
    let both = {
        let mut request = filtered.clone();
        request.order_by = ordered.order_by.clone();
        request
    };
    for (request, expected, pages_of_run) in [
        (filtered, [Some(filter), None], false),
        (ordered, [None, Some(order)], true),
        (both, [Some(filter), Some(order)], false),
    ] {
        let list = host.list_functions(&id, request, None).await.unwrap();
        let first = list.functions.iter().take(2).map(|function| function.name.as_str());
        assert_eq!(first.collect::<Vec<_>>(), ["first", "second"], "in Google's order");
        assert_eq!(list.notes.iter().any(|note| note.contains("knows no filter")), !pages_of_run);
        let sent = scripted.take();
        let (of_functions, of_run): (Vec<_>, Vec<_>) = sent.iter().partition(|sent| !sent.url.contains(RUN));
        assert_eq!((of_functions.len(), of_run.is_empty()), (2, !pages_of_run));
        for sent in of_functions {
            let parameters = parameters(sent);
            let given =
                |name: &str| parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
            assert_eq!([given("filter"), given("orderBy")], expected, "{}", sent.url);
        }
        // Cloud Run knows neither.
        let names = of_run.iter().flat_map(|sent| parameters(sent)).map(|(name, _)| name);
        assert!(!names.into_iter().any(|name| name == "filter" || name == "orderBy"));
    }
}

#[tokio::test]
async fn a_region_that_fails_is_named_and_the_others_are_there() {
    let (host, _, id) = on_script(|sent| {
        if sent.url.contains("/moon-west7/services?") {
            return Some(json_response(500, &json!({"error": {"code": 500, "status": "INTERNAL"}})));
        }
        let (status, body) = in_each_region(sent);
        Some(json_response(status, &body))
    })
    .await;
    let list = host.list_functions(&id, list_request(), None).await.unwrap();
    assert_eq!(list.functions.len(), 2 + 39);
    let [part] = list.missing.as_slice() else { panic!("{:?}", list.missing) };
    assert_eq!(
        (part.source.as_str(), part.region.as_deref(), part.kind),
        (RUN, Some("moon-west7"), ErrorKind::Unavailable)
    );
    assert!(part.fix.is_some() && list.next_page_token.is_none());
}

#[tokio::test]
async fn a_list_of_cloud_run_that_does_not_end_is_an_error() {
    let (host, scripted, id) = on_script(|sent| {
        let (status, mut body) = google(sent);
        if sent.url.contains("/services?") {
            body["nextPageToken"] = json!("again");
        }
        Some(json_response(status, &body))
    })
    .await;
    let request = list_request().regions(["moon-west1"]);
    let error = refused(host.list_functions(&id, request, None).await);
    assert_eq!(error.kind, ErrorKind::PageLoop);
    assert!(error.message.contains(RUN) && error.message.contains("moon-west1"), "{}", error.message);
    let pages = scripted.take().into_iter().filter(|sent| sent.url.contains("/services?"));
    assert_eq!(pages.count(), 2, "the token that came twice is not used twice");
}

#[tokio::test]
async fn a_page_token_of_another_maker_sends_nothing() {
    let google = Scripted::new(google);
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    google.take();
    for token in ["", "CAE=", "services/../x", "functions/us-central1/x"] {
        let request = list_request().page_token(token);
        let error = refused(host.list_functions(&id, request, None).await);
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{token}");
        assert!(error.details.contains(&("field".to_owned(), "page-token".to_owned())));
    }
    let function = FunctionRef::Resource("projects/p-1234/locations/us-central1/services/f".to_owned());
    assert_eq!(refused(host.get_function(&id, function, None).await).kind, ErrorKind::InvalidInput);
    assert!(google.take().is_empty());
}
