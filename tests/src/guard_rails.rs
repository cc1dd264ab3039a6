//! The guard rails of a connection: kept with it, and asked before a byte is sent.

use std::sync::Arc;

use gcf_host::{
    Host,
    wit::{
        Auth, Body as Content, ConnectorError, ErrorKind, FunctionRef, GuardRails, OptionField,
        OptionsRequest, Origin,
    },
};
use serde_json::{Value, json};

use crate::fixtures::{
    api_request, builder, connect_request,
    google::FUNCTION,
    invoke_request, list_request, named, pages_request, refused,
    scripted::{Scripted, Sent},
    silent::silent,
};

pub(crate) fn none() -> GuardRails {
    GuardRails {
        read_only: false,
        regions: Vec::new(),
        functions: Vec::new(),
        methods: Vec::new(),
        max_body: None,
        own_project: false,
        audiences: Vec::new(),
    }
}

async fn with(rails: GuardRails) -> (Host, String) {
    silent(connect_request().guard_rails(rails)).await
}

fn rail(error: &ConnectorError) -> &str {
    assert_eq!((error.kind, error.origin), (ErrorKind::Restricted, Origin::Connection), "{}", error.message);
    assert!(
        error.trace.is_empty() && error.fix.as_ref().unwrap().contains("whoever manages this connection")
    );
    &error.details.iter().find(|(name, _)| name == "rail").unwrap().1
}

#[tokio::test]
async fn each_action_keeps_to_the_regions() {
    let (host, id) = with(GuardRails { regions: vec!["us-east1".to_owned()], ..none() }).await;
    let elsewhere = list_request().regions(["us-west1"]);
    assert_eq!(rail(&refused(host.list_functions(&id, elsewhere, None).await)), "regions");
    let there = named("hello", Some("us-west1"));
    assert_eq!(rail(&refused(host.get_function(&id, there.clone(), None).await)), "regions");
    assert_eq!(rail(&refused(host.invoke(&id, invoke_request(there), None).await)), "regions");
    let url = FunctionRef::Url(format!("https://{FUNCTION}"));
    assert_eq!(rail(&refused(host.invoke(&id, invoke_request(url), None).await)), "regions");
    let field = OptionField::Functions(Some("us-west1".to_owned()));
    let options = OptionsRequest::new(field);
    assert_eq!(rail(&refused(host.options(&id, options, None).await)), "regions");
    for path in ["us-west1", "-", "%2D"] {
        let path = format!("/v2/projects/demo-project/locations/{path}/functions");
        assert_eq!(rail(&refused(host.custom_api(&id, api_request("GET", &path), None).await)), "regions");
        assert_eq!(rail(&refused(host.all_pages(&id, pages_request(&path), None).await)), "regions");
    }
}

#[tokio::test]
async fn an_invocation_keeps_to_functions_methods_and_sizes() {
    let rails = GuardRails {
        functions: vec!["hello-*".to_owned()],
        methods: vec!["GET".to_owned(), "POST".to_owned()],
        max_body: Some(4),
        ..none()
    };
    let (host, id) = with(rails).await;
    let mut request = invoke_request(named("other", Some("us-central1")));
    assert_eq!(rail(&refused(host.invoke(&id, request.clone(), None).await)), "functions");
    request.function = FunctionRef::Url("https://other-abcdefghij-uc.a.run.app".to_owned());
    assert_eq!(rail(&refused(host.invoke(&id, request.clone(), None).await)), "functions");
    request.function = named("hello-a", Some("us-central1"));
    request.method = "DELETE".to_owned();
    assert_eq!(rail(&refused(host.invoke(&id, request.clone(), None).await)), "methods");
    request.method = "POST".to_owned();
    request.body = Some(Content::Text("12345".to_owned()));
    assert_eq!(rail(&refused(host.invoke(&id, request, None).await)), "max-body");
    let path = "/v1/projects/demo-project/locations/us-central1/functions/other:call";
    assert_eq!(rail(&refused(host.custom_api(&id, api_request("POST", path), None).await)), "functions");
    let large = api_request("POST", path).body(Content::Json("[1,2]".to_owned()));
    assert_eq!(rail(&refused(host.custom_api(&id, large, None).await)), "max-body");
}

#[tokio::test]
async fn reading_is_all_that_a_read_only_connection_does() {
    let (host, id) = with(GuardRails { read_only: true, own_project: true, ..none() }).await;
    let event = json!({"specversion": "1.0", "id": "1", "source": "//x", "type": "y"}).to_string();
    let mut request = invoke_request(named("hello", Some("us-central1")));
    request.body = Some(Content::CloudEvent(event));
    assert_eq!(rail(&refused(host.invoke(&id, request, None).await)), "read-only");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let request = api_request(method, "/v2/projects/demo-project/locations");
        assert_eq!(rail(&refused(host.custom_api(&id, request, None).await)), "read-only");
    }
    for path in ["/v2/projects/other/locations", "/v1/projects", &format!("https://{FUNCTION}/")] {
        assert_eq!(rail(&refused(host.custom_api(&id, api_request("GET", path), None).await)), "own-project");
    }
}

#[tokio::test]
async fn a_list_without_regions_is_of_the_allowed_ones() {
    let google = Scripted::new(|sent| match sent.url.as_str() {
        url if url.ends_with("/token") => {
            (200, json!({"access_token": "ya29.a", "expires_in": 3600, "token_type": "Bearer"}))
        }
        _ => (200, json!({})),
    });
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    let rails = GuardRails { regions: vec!["europe-west1".to_owned(), "us-east1".to_owned()], ..none() };
    let request = connect_request().guard_rails(rails);
    let connection = host.connect(request, None).await.unwrap().connection;
    assert_eq!(connection.region, "europe-west1", "none was named, and the usual one is not allowed");
    google.take();
    host.list_functions(&connection.id, list_request(), None).await.unwrap();
    let sent = google.take();
    let allowed =
        |url: &str| ["/locations/europe-west1/", "/locations/us-east1/"].iter().any(|at| url.contains(at));
    assert!(!sent.is_empty() && sent.iter().all(|sent| allowed(&sent.url)));
}

/// A Google with the function `hello` in each of three regions.
fn hello_everywhere(sent: &Sent) -> (u16, Value) {
    const REGIONS: [&str; 3] = ["us-central1", "us-east1", "us-west1"];
    let url = sent.url.as_str();
    let region = url.split("/locations/").nth(1).and_then(|rest| rest.split(['/', '?']).next());
    let function = |region: &str| {
        json!({"name": format!("projects/demo-project/locations/{region}/functions/hello"), "environment": "GEN_2",
            "state": "ACTIVE", "serviceConfig": {"uri": format!("https://hello-{region}-uc.a.run.app")}})
    };
    let answer = match region {
        _ if url.ends_with("/token") => {
            json!({"access_token": "ya29.a", "expires_in": 3600, "token_type": "Bearer"})
        }
        Some("-") => json!({"functions": REGIONS.map(function)}),
        Some(region) if url.contains("//cloudfunctions.") => json!({"functions": [function(region)]}),
        Some(_) => json!({}),
        None => json!({"locations": REGIONS.map(|region| json!({"locationId": region}))}),
    };
    (200, answer)
}

#[tokio::test]
async fn a_bare_name_and_a_drop_down_keep_to_the_rails() {
    let google = Scripted::new(hello_everywhere);
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    let rails = GuardRails { regions: vec!["us-east1".to_owned()], ..none() };
    let id = host.connect(connect_request().guard_rails(rails), None).await.unwrap().connection.id;
    google.take();
    assert_eq!(host.get_function(&id, named("hello", None), None).await.unwrap().region, "us-east1");
    let mut request = invoke_request(named("hello", None));
    request.auth = Auth::None;
    let invoked = host.invoke(&id, request, None).await.unwrap();
    assert!(invoked.url.contains("us-east1"), "{}", invoked.url);
    let sent = google.take();
    assert!(
        sent.iter().all(|sent| !sent.url.contains("/locations/") || sent.url.contains("/locations/us-east1")),
        "{:?}",
        sent.iter().map(|sent| &sent.url).collect::<Vec<_>>()
    );

    let offered = async |rails| {
        host.restrict(&id, Some(rails)).await.unwrap();
        let field = OptionField::Functions(Some("us-east1".to_owned()));
        let offer = host.options(&id, OptionsRequest::new(field), None).await;
        offer.unwrap().options.into_iter().map(|option| option.value).collect::<Vec<_>>()
    };
    assert_eq!(offered(GuardRails { functions: vec!["hello".to_owned()], ..none() }).await, ["hello"]);
    assert!(offered(GuardRails { functions: vec!["other-*".to_owned()], ..none() }).await.is_empty());
}

#[tokio::test]
async fn an_event_keeps_to_the_rails() {
    let event = |data: &str| {
        json!({"specversion": "1.0", "id": "1", "source": "//x", "type": "y", "data": data}).to_string()
    };
    let send = |data| {
        let mut request = invoke_request(named("hello", Some("us-central1")));
        request.body = Some(Content::CloudEvent(event(data)));
        request
    };
    for (rails, data, broken) in [
        (GuardRails { functions: vec!["other".to_owned()], ..none() }, "", "functions"),
        (GuardRails { regions: vec!["us-east1".to_owned()], ..none() }, "", "regions"),
        (GuardRails { methods: vec!["GET".to_owned()], ..none() }, "", "methods"),
        (GuardRails { max_body: Some(4), ..none() }, "larger", "max-body"),
    ] {
        let (host, id) = with(rails).await;
        assert_eq!(rail(&refused(host.invoke(&id, send(data), None).await)), broken);
    }
}

#[tokio::test]
async fn guard_rails_are_kept_shown_and_changed() {
    let rails = GuardRails {
        read_only: true,
        regions: vec!["us-central1".to_owned()],
        functions: vec!["hello".to_owned(), "a_*".to_owned()],
        methods: vec!["GET".to_owned()],
        max_body: Some(1_000_000),
        own_project: true,
        audiences: vec!["https://api.example.com".to_owned()],
    };
    let (host, id) = with(rails.clone()).await;
    assert_eq!(host.connection(&id).await.unwrap().guard_rails, Some(rails.clone()));
    assert_eq!(host.rename(&id, "other").await.unwrap().connection.guard_rails, Some(rails));
    let loose = GuardRails { read_only: true, ..none() };
    let restricted = host.restrict(&id, Some(loose.clone())).await.unwrap();
    assert_eq!((restricted.connection.guard_rails, restricted.warnings.len()), (Some(loose), 0));
    let odd = GuardRails { regions: vec!["europe-west1".to_owned()], ..none() };
    assert_eq!(host.restrict(&id, Some(odd)).await.unwrap().warnings.len(), 1);
    assert_eq!(host.restrict(&id, Some(none())).await.unwrap().connection.guard_rails, None);
    assert_eq!(host.restrict(&id, None).await.unwrap().connection.guard_rails, None);
    for wrong in [
        GuardRails { methods: vec!["get".to_owned()], ..none() },
        GuardRails { regions: vec!["-".to_owned()], ..none() },
        GuardRails { functions: vec!["h*o".to_owned()], ..none() },
        GuardRails { audiences: vec!["two words".to_owned()], ..none() },
        GuardRails { audiences: vec!["a".to_owned(); 101], ..none() },
    ] {
        let error = refused(host.restrict(&id, Some(wrong)).await);
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.details.contains(&("field".to_owned(), "guard-rails".to_owned())));
    }
}
