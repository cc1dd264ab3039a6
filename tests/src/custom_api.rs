//! Requests of the caller's own: the hosts they reach, the ones without a credential, and lists in full. The
//! refusals are in `bad_inputs`.

use std::sync::Arc;

use gcf_host::{
    Host,
    wit::{ErrorKind, Query, TokenKind},
};
use serde_json::{Value, json};

use crate::fixtures::{
    api_request, builder, connect_request, connected, google::FUNCTION, pages_request, refused,
    scripted::Scripted,
};

const LOCATIONS: &str = "/v2/projects/demo-project/locations";

/// A Google that grants a token, and answers everything else as it is told.
async fn scripted(answer: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static) -> (Host, Scripted, String) {
    let google = Scripted::new(move |sent| {
        if sent.url.ends_with("/token") {
            return (200, json!({"access_token": "ya29.a", "expires_in": 3600, "token_type": "Bearer"}));
        }
        answer(&sent.url)
    });
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    google.take();
    (host, google, id)
}

#[tokio::test]
async fn an_api_is_called_by_its_name_or_by_its_url() {
    let (host, google, id) = scripted(|_| (200, json!({}))).await;
    for (api, path, url) in [
        (None, LOCATIONS, "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations"),
        (Some("logging"), "/v2/projects/p/logs", "https://logging.googleapis.com/v2/projects/p/logs"),
        (
            Some("eventarc"),
            "/v1/projects/p/locations",
            "https://eventarc.googleapis.com/v1/projects/p/locations",
        ),
        (
            None,
            "https://RUN.googleapis.com:443/v2/projects/p/locations?pageSize=1",
            "https://run.googleapis.com/v2/projects/p/locations?pageSize=1",
        ),
    ] {
        let request = {
            let mut request = api_request("GET", path);
            request.api = api.map(str::to_owned);
            request
        };
        assert_eq!(host.custom_api(&id, request, None).await.unwrap().token, TokenKind::AccessToken);
        let sent = google.take();
        assert_eq!((sent[0].url.as_str(), sent[0].authorization.as_str()), (url, "Bearer ya29.a"));
    }
}

/// Not even one that the caller tries to send along.
#[tokio::test]
async fn no_credential_travels_to_a_functions_url() {
    let (host, google, id) = scripted(|_| (200, json!({"open": true}))).await;
    let url = format!("https://{FUNCTION}/path?key=the-functions-own");
    let answer = host.custom_api(&id, api_request("POST", &url), None).await.unwrap();
    assert_eq!((answer.status, answer.token), (200, TokenKind::None));
    let sent = google.take();
    assert_eq!(sent.len(), 1, "no token was asked for");
    assert_eq!((sent[0].url.as_str(), sent[0].authorization.as_str()), (url.as_str(), ""));
}

#[tokio::test]
pub(crate) async fn pages_are_joined_byte_for_byte() {
    let (host, replay, id) = connected("all-pages.json").await;
    let mut request = pages_request(LOCATIONS);
    request.request.query = Some(Query::Pairs(vec![("pageSize".to_owned(), "2".to_owned())]));
    let pages = host.all_pages(&id, request, None).await.unwrap();
    assert_eq!((pages.count, pages.pages, pages.next_page_token, pages.trace.len()), (4, 3, None, 3));
    let items: Vec<Value> = serde_json::from_str(&pages.items).unwrap();
    let regions: Vec<_> = items.iter().map(|item| item["locationId"].as_str().unwrap()).collect();
    assert_eq!(regions, ["asia-east2", "us-central1", "europe-west1", "us-east1"]);
    replay.finish().unwrap();
}

fn page_of(url: &str) -> u32 {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(name, _)| name == "pageToken").map_or(0, |(_, token)| token.parse().unwrap())
}

#[tokio::test]
async fn a_long_list_is_read_in_calls_of_150_pages() {
    let (host, _, id) = scripted(|url| {
        let page = page_of(url);
        let items: Vec<_> = (page * 10..page * 10 + 10).collect();
        let unreachable = if page == 7 { vec!["projects/p/locations/asia-east2"] } else { Vec::new() };
        let mut body = json!({"functions": items, "unreachable": unreachable});
        if page < 199 {
            body["nextPageToken"] = json!((page + 1).to_string());
        }
        (200, body)
    })
    .await;
    let first = host.all_pages(&id, pages_request(LOCATIONS), None).await.unwrap();
    assert_eq!((first.count, first.pages, first.next_page_token.as_deref()), (1500, 150, Some("150")));
    assert_eq!(first.unreachable, ["projects/p/locations/asia-east2"]);
    let rest = {
        let mut request = pages_request(LOCATIONS);
        request.page_token = first.next_page_token;
        request
    };
    let rest = host.all_pages(&id, rest, None).await.unwrap();
    assert_eq!((rest.count, rest.pages, rest.next_page_token), (500, 50, None));
    let all: Vec<u32> = [first.items, rest.items]
        .iter()
        .flat_map(|items| serde_json::from_str::<Vec<u32>>(items).unwrap())
        .collect();
    assert_eq!(all, (0..2000).collect::<Vec<_>>());

    let one = pages_request(LOCATIONS).max_pages(1).page_token("3");
    let one = host.all_pages(&id, one, None).await.unwrap();
    assert_eq!((one.count, one.pages, one.next_page_token.as_deref()), (10, 1, Some("4")));
}

/// More than all memory that an instance may have, were the rest of it read.
#[tokio::test]
async fn at_most_32_mib_are_joined() {
    let (host, _, id) = scripted(|url| {
        let page = page_of(url);
        (200, json!({"items": ["x".repeat(7 << 20)], "nextPageToken": (page + 1).to_string()}))
    })
    .await;
    let pages = host.all_pages(&id, pages_request(LOCATIONS), None).await.unwrap();
    assert_eq!((pages.count, pages.pages, pages.next_page_token.as_deref()), (4, 4, Some("4")));
    assert!(pages.items.len() <= 32 << 20);
}

#[tokio::test]
async fn a_list_that_never_ends_and_a_page_that_is_none_are_errors() {
    let (host, google, id) = scripted(|url| match page_of(url) {
        0 => (200, json!({"functions": [1], "nextPageToken": "1"})),
        1 => (200, json!({"functions": [2], "nextPageToken": "2"})),
        _ => (200, json!({"functions": [3], "nextPageToken": "1"})),
    })
    .await;
    let error = refused(host.all_pages(&id, pages_request(LOCATIONS), None).await);
    assert_eq!((error.kind, google.take().len()), (ErrorKind::PageLoop, 3));

    let denied = json!({"error": {"code": 403, "status": "PERMISSION_DENIED",
        "message": "Permission 'cloudfunctions.functions.list' denied on 'projects/demo-project/locations/-'"}});
    let (host, _, id) = scripted(move |url| match page_of(url) {
        0 => (200, json!({"functions": [1], "nextPageToken": "1"})),
        _ => (403, denied.clone()),
    })
    .await;
    let error = refused(host.all_pages(&id, pages_request(LOCATIONS), None).await);
    assert_eq!((error.kind, error.http_status), (ErrorKind::MissingRole, Some(403)));
    let (host, google, id) = scripted(|_| (200, json!({"a": [1], "b": [2]}))).await;
    let error = refused(host.all_pages(&id, pages_request(LOCATIONS), None).await);
    assert_eq!(error.kind, ErrorKind::InvalidResponse);
    google.take();
    let named = pages_request(LOCATIONS).items("b");
    assert_eq!(host.all_pages(&id, named, None).await.unwrap().items, "[2]");
}
