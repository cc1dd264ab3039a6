//! Plans of the shipping component: nothing is sent, nothing is written, and the call then sends what its
//! plan says.

use std::sync::Arc;

use gcf_host::{
    Action, Host,
    tape::Tape,
    transport::Transport,
    wit::{
        ApiRequest, Body, CallPlan, ConnectRequest, ErrorKind, FunctionRef, GuardRails, Header,
        InvokeRequest, ListRequest, NewCredential, OptionField, OptionsRequest, Query, RetryClass, TokenKind,
    },
};
use serde_json::{Value, json};
use url::Url;

use crate::fixtures::{
    ACCOUNT, api_request, builder, connect_request, invoke_request, list_request, named, pages_request,
    person::{user, with},
    played::Played,
    refused,
    scripted::{Scripted, Sent as Asked, grant},
    watched::{Noting, Sent, Watched},
};

const FUNCTION: &str = "https://hello-abc123-uc.a.run.app";

/// A host whose network and store are watched.
struct Stage {
    host: Host,
    network: Noting,
    store: Arc<Watched>,
}

impl Stage {
    fn scripted() -> Self {
        Self::on(Arc::new(Scripted::new(google)), None)
    }

    fn tape(name: &str) -> (Self, Played) {
        let replay = Played::open(name);
        (Self::on(replay.transport(), Some(replay.tape().clone())), replay)
    }

    fn on(transport: Arc<dyn Transport>, tape: Option<Tape>) -> Self {
        let (network, store) = (Noting::before(transport), Arc::new(Watched::default()));
        let builder = builder().transport(Arc::new(network.clone())).secrets(Arc::clone(&store) as _);
        let builder = match tape {
            Some(tape) => builder.clock(Arc::new(tape.clock())).random(Arc::new(tape.random())),
            None => builder,
        };
        Self { host: builder.build().unwrap(), network, store }
    }

    /// Makes a connection, and forgets how.
    async fn connect(&self, request: ConnectRequest) -> String {
        let id = self.host.connect(request, None).await.unwrap().connection.id;
        self.network.take();
        self.store.take();
        id
    }

    /// A plan, made by nothing but reading.
    async fn plan(&self, id: &str, action: Action) -> CallPlan {
        self.planned(id, action).await.unwrap()
    }

    async fn planned(&self, id: &str, action: Action) -> Result<CallPlan, gcf_host::CallError> {
        let before = self.store.snapshot();
        let plan = self.host.plan(id, action, None).await;
        assert!(self.network.take().is_empty());
        assert_eq!(self.store.take(), [""; 0]);
        assert_eq!(self.store.snapshot(), before);
        plan
    }
}

/// A Google that has one function.
fn google(asked: &Asked) -> (u16, Value) {
    let url = asked.url.as_str();
    if url.ends_with("/token") {
        return (200, grant(asked));
    }
    if url.contains("/functions/") {
        let name = "projects/demo-project/locations/us-central1/functions/hello";
        let service = json!({"uri": FUNCTION, "timeoutSeconds": 60});
        return (
            200,
            json!({"name": name, "state": "ACTIVE", "environment": "GEN_2", "serviceConfig": service}),
        );
    }
    if url.contains("/v1/") && url.contains("/locations?") {
        return (200, json!({"locations": [{"locationId": "us-central1"}]}));
    }
    (200, json!({}))
}

fn full_request(function: FunctionRef) -> InvokeRequest {
    invoke_request(function)
        .path("/a/b")
        .query(Query::Pairs(vec![("q".to_owned(), "a b".to_owned()), ("q".to_owned(), "c".to_owned())]))
        .headers(vec![Header { name: "x-trace".to_owned(), value: "1".to_owned() }])
        .body(Body::Json(r#"{"name": "world"}"#.to_owned()))
}

fn one_region() -> ListRequest {
    list_request().regions(["us-central1"])
}

fn full_api_request() -> ApiRequest {
    api_request("PATCH", "/v2/projects/demo-project/locations/us-central1/functions/hello")
        .query(Query::Raw("updateMask=labels".to_owned()))
        .headers(vec![Header { name: "x-trace".to_owned(), value: "1".to_owned() }])
        .body(Body::Json("{}".to_owned()))
}

/// Asserts that the plan and the call sent the same, once the `known` values stand in place of the braces.
fn assert_same(plan: &CallPlan, sent: &[Sent], known: &[(&str, &str)]) {
    let told =
        |text: &str| known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    let lines = |of: &mut dyn Iterator<Item = String>| of.collect::<Vec<_>>();
    assert_eq!(
        lines(&mut plan.requests.iter().map(|r| format!("{} {}", r.method, normal(&told(&r.url))))),
        lines(&mut sent.iter().map(|r| format!("{} {}", r.method, normal(&r.url)))),
    );
    for (planned, sent) in plan.requests.iter().zip(sent) {
        // The headers that the host and the credential add are not part of a plan.
        let own = ["authorization", "x-serverless-authorization", "content-length", "host", "user-agent"];
        let mut headers: Vec<_> =
            sent.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())).collect();
        headers.sort();
        let mut shown: Vec<_> =
            planned.headers.iter().map(|header| (header.name.clone(), told(&header.value))).collect();
        shown.sort();
        assert_eq!(shown.iter().collect::<Vec<_>>(), headers, "{}", planned.url);
        let secret = matches!(planned.token, TokenKind::Assertion | TokenKind::Grant);
        assert_eq!(planned.body.is_some(), !secret && !sent.body.is_empty(), "{}", planned.url);
        if let Some(body) = &planned.body {
            assert_eq!(told(body).as_bytes(), sent.body, "{}", planned.url);
        }
        let bears = sent.headers.iter().any(|(name, _)| name == "authorization");
        assert_eq!(bears, matches!(planned.token, TokenKind::AccessToken | TokenKind::IdToken));
    }
}

/// The URL in one spelling: the root of an origin is written with a slash, or without.
fn normal(url: &str) -> String {
    Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")).to_string()
}

#[tokio::test]
async fn no_plan_sends_a_byte_or_writes_one() {
    let stage = Stage::scripted();
    let id = stage.connect(connect_request()).await;
    let hello = || named("hello", Some("us-central1"));
    let pages = pages_request("/v2/projects/demo-project/locations");
    let options = |field| OptionsRequest::new(field);
    for action in [
        Action::Connect(connect_request()),
        Action::Check(None),
        Action::Check(Some(hello())),
        Action::Disconnect,
        Action::List(list_request()),
        Action::List(one_region()),
        Action::Options(options(OptionField::Regions)),
        Action::Options(options(OptionField::Functions(None))),
        Action::Get(hello()),
        Action::Get(named("hello", None)),
        Action::Invoke(invoke_request(hello())),
        Action::Invoke(invoke_request(named("hello", None))),
        Action::Invoke(invoke_request(FunctionRef::Url(FUNCTION.to_owned()))),
        Action::CustomApi(full_api_request()),
        Action::AllPages(pages),
    ] {
        let printed = format!("{action:?}");
        let plan = stage.planned(&id, action).await.unwrap();
        assert_eq!(plan.account, ACCOUNT, "{printed}");
        let shown = format!("{plan:?}");
        for not in ["rehears", "ya29", "eyJ", "e30", "stand-in", "PRIVATE"] {
            assert!(!shown.contains(not), "{not}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_list_and_a_custom_request_are_what_was_planned() {
    let stage = Stage::scripted();
    let id = stage.connect(connect_request()).await;
    let plan = stage.plan(&id, Action::List(one_region())).await;
    assert_eq!((plan.requests[0].retry, plan.requests[0].attempts), (RetryClass::Idempotent, 4));
    stage.host.list_functions(&id, one_region(), None).await.unwrap();
    assert_same(&plan, &stage.network.take(), &[]);
    stage.store.take();

    let plan = stage.plan(&id, Action::CustomApi(full_api_request())).await;
    assert_eq!(plan.requests[0].retry, RetryClass::Unsent);
    stage.host.custom_api(&id, full_api_request(), None).await.unwrap();
    assert_same(&plan, &stage.network.take(), &[]);
}

#[tokio::test]
async fn a_lookup_a_drop_down_pages_and_a_new_credential_are_what_was_planned() {
    let stage = Stage::scripted();
    let id = stage.connect(connect_request()).await;
    let hello = || named("hello", Some("us-central1"));
    let plan = stage.plan(&id, Action::Get(hello())).await;
    stage.host.get_function(&id, hello(), None).await.unwrap();
    assert_same(&plan, &stage.network.take(), &[]);

    for field in [OptionField::Regions, OptionField::Functions(None)] {
        stage.store.take();
        let request = || OptionsRequest::new(field.clone());
        let plan = stage.plan(&id, Action::Options(request())).await;
        stage.host.options(&id, request(), None).await.unwrap();
        assert_same(&plan, &stage.network.take(), &[]);
    }

    stage.store.take();
    let request = || pages_request("/v2/projects/demo-project/locations").items("locations");
    let plan = stage.plan(&id, Action::AllPages(request())).await;
    stage.host.all_pages(&id, request(), None).await.unwrap();
    assert_same(&plan, &stage.network.take(), &[]);

    stage.store.take();
    let credential = || connect_request().credential;
    let action = Action::Reauthorize(NewCredential::new(credential()));
    let plan = stage.plan(&id, action).await;
    stage.host.reauthorize(&id, credential(), None, None).await.unwrap();
    assert_same(&plan, &stage.network.take(), &[]);
}

#[tokio::test]
async fn an_invocation_by_url_is_what_was_planned() {
    let stage = Stage::scripted();
    let id = stage.connect(connect_request()).await;
    let function = || FunctionRef::Url(FUNCTION.to_owned());
    let plan = stage.plan(&id, Action::Invoke(full_request(function()))).await;
    let [minted, called] = &plan.requests[..] else { panic!("{plan:?}") };
    assert_eq!((minted.audience.as_deref(), called.audience.as_deref()), (Some(FUNCTION), Some(FUNCTION)));
    assert_eq!((plan.principal.as_deref(), called.timeout_ms), (Some(ACCOUNT), 60_000));
    stage.host.invoke(&id, full_request(function()), None).await.unwrap();
    let sent = stage.network.take();
    // The size of a body that is not shown is right all the same.
    assert_eq!(minted.body_bytes, sent[0].body.len() as u64);
    assert_same(&plan, &sent, &[]);
}

#[tokio::test]
async fn an_authorization_of_the_callers_own_is_planned_and_not_shown() {
    let stage = Stage::scripted();
    let id = stage.connect(connect_request()).await;
    let request = || full_request(FunctionRef::Url(FUNCTION.to_owned())).authorization("Basic of-the-caller");
    let plan = stage.plan(&id, Action::Invoke(request())).await;
    assert!(!format!("{plan:?}").contains("of-the-caller"));
    assert!(
        plan.notes.iter().any(|note| note.contains("own Authorization") && note.contains("X-Serverless")),
        "{:?}",
        plan.notes
    );
    stage.host.invoke(&id, request(), None).await.unwrap();
    let sent = stage.network.take();
    assert_same(&plan, &sent, &[]);
    let header = |name: &str| sent[1].headers.iter().find(|(other, _)| other == name).unwrap().1.as_str();
    assert_eq!(header("authorization"), "Basic of-the-caller");
    assert!(header("x-serverless-authorization").starts_with("Bearer ey"));

    // 1st gen has no place for it: the plan says so as the call does.
    stage.store.take();
    let gen1 = "https://us-central1-demo-project.cloudfunctions.net/hello".to_owned();
    let request = || request().function(FunctionRef::Url(gen1.clone()));
    let planned = refused(stage.planned(&id, Action::Invoke(request())).await);
    let called = refused(stage.host.invoke(&id, request(), None).await);
    assert_eq!((planned.kind, planned), (ErrorKind::InvalidInput, called));
}

#[tokio::test]
async fn an_event_is_what_was_planned() {
    let stage = Stage::scripted();
    let id = stage.connect(connect_request()).await;
    let event = json!({"specversion": "1.0", "id": "7", "source": "//x", "type": "y", "subject": "ä",
        "datacontenttype": "application/json", "data": {"name": "world"}});
    let request =
        || invoke_request(named("hello", Some("us-central1"))).body(Body::CloudEvent(event.to_string()));
    let plan = stage.plan(&id, Action::Invoke(request())).await;
    assert!(plan.notes.iter().any(|note| note.contains("testing only")), "{:?}", plan.notes);
    stage.host.invoke(&id, request(), None).await.unwrap();
    let sent = stage.network.take();
    assert!(sent[2].headers.contains(&("ce-subject".to_owned(), "%C3%A4".to_owned())));
    assert_same(&plan, &sent, &[("{url of hello}", FUNCTION)]);
}

#[tokio::test]
async fn guard_rails_are_shown_and_stop_a_plan_as_its_call() {
    let stage = Stage::scripted();
    let rails = GuardRails {
        read_only: true,
        regions: vec!["us-central1".to_owned()],
        functions: vec!["hello".to_owned()],
        methods: vec!["GET".to_owned()],
        max_body: Some(10),
        own_project: true,
        audiences: vec!["https://api.example.com".to_owned()],
    };
    let id = stage.connect(connect_request().guard_rails(rails.clone())).await;
    let get = |name| invoke_request(named(name, None)).method("GET");
    let plan = stage.plan(&id, Action::Invoke(get("hello"))).await;
    assert_eq!(plan.guard_rails, Some(rails));
    let regional =
        "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations/us-central1/functions";
    assert!(plan.requests.iter().any(|request| request.url.starts_with(regional)), "{:?}", plan.requests);
    for request in [get("other"), invoke_request(named("hello", Some("us-central1")))] {
        let planned = refused(stage.planned(&id, Action::Invoke(request.clone())).await);
        let called = refused(stage.host.invoke(&id, request, None).await);
        assert_eq!((planned.kind, planned), (ErrorKind::Restricted, called));
    }
    assert!(stage.network.take().is_empty());
}

#[tokio::test]
async fn an_invocation_by_name_is_what_was_planned() {
    let stage = Stage::scripted();
    let id = stage.connect(connect_request()).await;
    let request = || full_request(named("hello", Some("us-central1")));
    let plan = stage.plan(&id, Action::Invoke(request())).await;
    assert_eq!(plan.requests[2].url, "{url of hello}/a/b?q=a+b&q=c");
    stage.host.invoke(&id, request(), None).await.unwrap();
    assert_same(&plan, &stage.network.take(), &[("{url of hello}", FUNCTION)]);

    // 1st gen, whose URL has a path.
    let (stage, replay) = Stage::tape("invoke-gen1-200.json");
    let id = stage.connect(connect_request()).await;
    let request = || invoke_request(named("helloGET", Some("europe-west1"))).method("GET");
    let plan = stage.plan(&id, Action::Invoke(request())).await;
    stage.host.invoke(&id, request(), None).await.unwrap();
    let url = "https://europe-west1-demo-project.cloudfunctions.net/helloGET";
    assert_same(&plan, &stage.network.take(), &[("{url of helloGET}", url)]);
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_function_receives_a_token_that_was_planned() {
    let (stage, replay) = Stage::tape("user-invoke.json");
    let id = stage.connect(with(&user())).await;
    let request = || {
        invoke_request(named("hello-http", Some("us-central1")))
            .body(Body::Json(r#"{"name":"world"}"#.to_owned()))
    };
    let plan = stage.plan(&id, Action::Invoke(request())).await;
    assert_eq!(plan.principal.as_deref(), Some("demo-project@appspot.gserviceaccount.com"));
    let invoked = stage.host.invoke(&id, request(), None).await.unwrap();
    assert_eq!(invoked.principal, plan.principal);
    let url = "https://hello-http-haverffbdf-uc.a.run.app";
    assert_same(&plan, &stage.network.take(), &[("{url of hello-http}", url)]);
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_connection_begins_is_checked_and_ends_as_planned() {
    let (stage, replay) = Stage::tape("connect-only.json");
    let plan = stage.plan("", Action::Connect(connect_request())).await;
    assert_eq!(plan.account, ACCOUNT);
    stage.host.connect(connect_request(), None).await.unwrap();
    assert_same(&plan, &stage.network.take(), &[]);
    replay.finish().unwrap();

    let (stage, replay) = Stage::tape("doctor-may-invoke.json");
    let id = stage.connect(connect_request()).await;
    let function = || Some(named("hello-http", Some("us-central1")));
    let plan = stage.plan(&id, Action::Check(function())).await;
    stage.host.check(&id, function(), None).await.unwrap();
    assert_same(&plan, &stage.network.take(), &[("{service of hello-http}", "hello-http")]);
    replay.finish().unwrap();

    let (stage, replay) = Stage::tape("revoke.json");
    let id = stage.connect(with(&user())).await;
    let plan = stage.plan(&id, Action::Disconnect).await;
    stage.host.disconnect(&id, None).await.unwrap();
    let sent = stage.network.take();
    assert_eq!(plan.requests[0].body_bytes, sent[0].body.len() as u64);
    assert_same(&plan, &sent, &[]);
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_plan_fails_as_its_call() {
    let stage = Stage::scripted();
    let id = stage.connect(connect_request()).await;
    let wrong = || list_request().page_size(0);
    let planned = refused(stage.planned(&id, Action::List(wrong())).await);
    let called = refused(stage.host.list_functions(&id, wrong(), None).await);
    assert_eq!((planned.kind, planned), (ErrorKind::InvalidInput, called));
    let gone = refused(stage.planned("0123456789abcdef", Action::Disconnect).await);
    assert_eq!(gone.kind, ErrorKind::ConnectionNotFound);
}
