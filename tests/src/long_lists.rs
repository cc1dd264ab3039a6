//! More functions than fit on a page.

use std::sync::Arc;

use gcf_host::wit::ErrorKind;
use serde_json::{Value, json};

use crate::fixtures::{builder, connect_request, list_request, refused, scripted::Scripted};

/// A function as Cloud Functions v2 describes it, with the fields that are asked for.
fn function(number: usize) -> Value {
    let name = format!("function-{number:05}");
    json!({
        "name": format!("projects/demo-project/locations/us-central1/functions/{name}"),
        "state": "ACTIVE",
        "environment": "GEN_2",
        "url": format!("https://us-central1-demo-project.cloudfunctions.net/{name}"),
        "labels": {"deployment-tool": "cli-gcloud", "team": "payments"},
        "updateTime": "2026-02-11T09:31:02.123456789Z",
        "buildConfig": {"runtime": "nodejs22"},
        "serviceConfig": {
            "uri": format!("https://{name}-abcdefghij-uc.a.run.app"),
            "service": format!("projects/demo-project/locations/us-central1/services/{name}"),
            "timeoutSeconds": 60,
            "availableMemory": "256M",
            "ingressSettings": "ALLOW_ALL",
            "serviceAccountEmail": "123456789012-compute@developer.gserviceaccount.com",
        },
    })
}

/// A project with so many functions. Its page tokens are the number of the first one of the page; `stuck`
/// repeats itself.
fn project(functions: usize, stuck: bool) -> Scripted {
    Scripted::new(move |sent| {
        let url = url::Url::parse(&sent.url).unwrap();
        if url.path() == "/token" {
            return (200, json!({"access_token": "ya29.a", "expires_in": 3600, "token_type": "Bearer"}));
        }
        if url.path().ends_with("/services") {
            return (200, json!({}));
        }
        let parameter = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        let size: usize = parameter("pageSize").unwrap().parse().unwrap();
        let first: usize = parameter("pageToken").map_or(0, |token| token.parse().unwrap());
        let after = functions.min(first + size);
        let mut page = json!({"functions": (first..after).map(function).collect::<Vec<_>>()});
        if stuck {
            page["nextPageToken"] = json!("7");
        } else if after < functions {
            page["nextPageToken"] = json!(after.to_string());
        }
        (200, page)
    })
}

#[tokio::test]
async fn every_page_is_read_and_the_order_is_googles() {
    let combinations = [(1_000, 100, 10), (1_000, 1_000, 1), (10_000, 100, 100), (10_000, 1_000, 10)];
    for (functions, page_size, pages) in combinations {
        let pages = pages + 1;
        let host = builder().transport(Arc::new(project(functions, false))).build().unwrap();
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        let request = list_request().page_size(page_size);
        let list = host.list_functions(&id, request, None).await.unwrap();
        assert_eq!((list.functions.len(), list.pages, list.next_page_token), (functions, pages, None));
        for (number, function) in list.functions.iter().enumerate() {
            assert_eq!(function.name, format!("function-{number:05}"));
        }
        let last = list.functions.last().unwrap();
        assert_eq!((last.timeout_seconds, last.memory.as_deref()), (Some(60), Some("256M")));
        assert_eq!(last.labels[1], ("team".to_owned(), "payments".to_owned()));
    }
}

#[tokio::test]
async fn a_page_token_that_comes_twice_ends_the_list() {
    let host = builder().transport(Arc::new(project(1_000, true))).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let error = refused(host.list_functions(&id, list_request(), None).await);
    assert_eq!(error.kind, ErrorKind::PageLoop);
    // Two pages, and what was asked beside them.
    assert!(error.trace.len() <= 3, "{:?}", error.trace);
}
