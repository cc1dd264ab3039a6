//! A component that takes what it can of another connection, in every call.

use std::{sync::Arc, time::Duration};

use gcf_host::{
    Answer, CallError, Host, HostError, Limit, Limits, StoreLimits,
    secrets::{Expected, MemoryStore, SecretStore, StoreQuota},
    wit::{AuthorizeRequest, Credential},
};
use serde_json::{Value, json};

use crate::fixtures::{DEMO_KEY, builder, connect_request, hostile, refused};

const MINE: &str = "00000000000000aa";
const THEIRS: &str = "00000000000000bb";
const STEAL: &str = "steal 00000000000000bb";

fn pem() -> String {
    let key: Value = serde_json::from_str(DEMO_KEY).unwrap();
    key["private_key"].as_str().unwrap().to_owned()
}

/// Two connections with all their entries, and a sign-in that somebody else has begun.
fn store() -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    for id in [MINE, THEIRS] {
        for (kind, value) in [
            ("connections", "canary-connection"),
            ("credentials", "canary-credential"),
            ("keys", &pem()),
            ("status", "canary-status"),
            ("repeats", "canary-repeats"),
        ] {
            store.put(&format!("{kind}/{id}"), value, &Expected::Absent).unwrap();
        }
        store.put(&format!("tokens/{id}/access"), "canary-token", &Expected::Absent).unwrap();
        store.put(&format!("pending/{id}/4102444800"), "canary-verifier", &Expected::Absent).unwrap();
    }
    Arc::new(store)
}

fn host(store: &Arc<MemoryStore>, limits: Limits) -> Host {
    let secrets: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(store);
    builder().component_file(hostile()).secrets(secrets).limits(limits).build().unwrap()
}

/// All entries, to be compared. A failure names no value.
fn contents(store: &MemoryStore) -> Vec<(String, String, String)> {
    let keys = store.keys("").unwrap();
    keys.into_iter()
        .map(|key| (store.get(&key).unwrap().unwrap(), key))
        .map(|(e, key)| (key, e.value, e.version))
        .collect()
}

#[track_caller]
fn took_nothing(call: &str, store: &MemoryStore, before: &[(String, String, String)], loot: &str) {
    assert_eq!(loot, "granted: []", "{call}");
    assert!(contents(store) == before, "{call}: {:?}", store.keys("").unwrap());
    for lease in [format!("tokens/{THEIRS}/access"), format!("keys/{THEIRS}")] {
        let lease = store.acquire_lease(&lease, Duration::ZERO).unwrap();
        assert!(matches!(lease, gcf_host::secrets::Lease::Granted(_)), "{call}: {lease:?}");
    }
}

fn authorize_request(connection: Option<&str>) -> AuthorizeRequest {
    let mut request = AuthorizeRequest::new(STEAL, "", "");
    request.connection = connection.map(str::to_owned);
    request
}

#[tokio::test]
async fn calls_that_make_and_name_connections_take_nothing_of_others() {
    let store = store();
    let host = host(&store, Limits::default());
    let before = contents(&store);

    let mut connect = connect_request();
    STEAL.clone_into(&mut connect.nickname);
    took_nothing("connect", &store, &before, &refused(host.connect(connect, None).await).message);
    for connection in [None, Some(MINE)] {
        let said = refused(host.authorize(authorize_request(connection)).await).message;
        took_nothing("authorize", &store, &before, &said);
    }
    for sign_in in ["00000000000000aa", "00000000000000cc", "00000000000000bb.00000000000000cc", THEIRS] {
        // The sign-in itself is the call's own, and only the caller that ends it names it.
        if sign_in != THEIRS {
            let said = refused(host.finish(sign_in, STEAL, None).await).message;
            took_nothing("finish", &store, &before, &said);
        }
    }
    took_nothing("rename", &store, &before, &refused(host.rename(MINE, STEAL).await).message);
    let credential = || Credential::GoogleJson(String::new());
    let said = refused(host.reauthorize(MINE, credential(), Some(STEAL), None).await).message;
    took_nothing("reauthorize", &store, &before, &said);
    assert_eq!(host.connections().await.unwrap(), [], "it tells what it took");
    assert!(contents(&store) == before);
}

/// Calls by hosts that know none of the actions beforehand. The order stands in place of a connection.
#[tokio::test]
async fn no_action_by_name_takes_anything_of_others() {
    let store = store();
    let host = host(&store, Limits::default());
    let before = contents(&store);
    let function = json!({"named": {"name": "hello"}});
    for (action, input) in [
        ("connections.connect", json!({"nickname": STEAL, "credential": {"google-json": ""}})),
        ("connections.authorize", json!({"nickname": STEAL, "client": "", "redirect-uri": ""})),
        ("connections.finish", json!({"authorization": "00000000000000cc", "callback-url": STEAL})),
        (
            "connections.finish",
            json!({"authorization": "00000000000000bb.00000000000000cc", "callback-url": STEAL}),
        ),
        ("connections.rename", json!({"nickname": STEAL})),
        ("connections.get", json!({})),
        ("connections.restrict", json!({})),
        ("connections.check", json!({})),
        ("connections.disconnect", json!({})),
        ("functions.list", json!({"regions": []})),
        ("functions.get", json!({"function": function})),
        ("functions.options", json!({"field": "regions"})),
        (
            "functions.invoke",
            json!({"function": function, "method": "GET", "path": "", "headers": [], "auth": "auto", "serverless-authorization": false, "idempotent": false, "raise-for-status": false}),
        ),
        ("api.custom-api", json!({"method": "GET", "path": "/", "headers": []})),
        ("planning.plan", json!({"action": "connections-disconnect"})),
    ] {
        let answer: Answer = host.call_by_name(action, STEAL, &input, None).await.unwrap();
        let error = answer.unwrap_err();
        // An action that the guest was never asked for is not a test.
        assert_ne!(error["kind"], "invalid-input", "{action}: {error}");
        took_nothing(action, &store, &before, error["message"].as_str().unwrap());
    }
}

/// The same thief with the word of the connection's owner.
#[tokio::test]
async fn a_connections_own_entries_are_its_own() {
    let store = store();
    let host = host(&store, Limits::default());
    let said = refused(host.rename(MINE, "steal 00000000000000aa").await).message;
    for own in
        ["get credentials/00000000000000aa", "sign keys/00000000000000aa", "put tokens/00000000000000aa"]
    {
        assert!(said.contains(own), "{own}: {said}");
    }
    // The sign-in of the same name was not taken.
    assert!(!said.contains("get pending/"), "{said}");
}

/// A caller that keeps the id of an answer would act for somebody else from then on.
#[tokio::test]
async fn an_answer_is_about_what_the_call_made_or_named() {
    let store = store();
    let host = host(&store, Limits::default());
    let pose = "pose 00000000000000bb";
    let trapped = |outcome: Result<(), CallError>| match outcome {
        Err(CallError::Host(HostError::Trapped(why))) => {
            assert!(why.contains("neither made nor named"), "{why}")
        }
        other => panic!("{other:?}"),
    };
    let mut connect = connect_request();
    pose.clone_into(&mut connect.nickname);
    trapped(host.connect(connect, None).await.map(drop));
    for connection in [None, Some(MINE)] {
        let request = authorize_request(connection).nickname(pose);
        trapped(host.authorize(request).await.map(drop));
    }
    trapped(host.finish(MINE, pose, None).await.map(drop));
    trapped(host.rename(MINE, pose).await.map(drop));
    let credential = Credential::GoogleJson(String::new());
    trapped(host.reauthorize(MINE, credential, Some(pose), None).await.map(drop));
    // The one that is named may be answered for.
    assert_eq!(host.rename(MINE, "pose 00000000000000aa").await.unwrap().connection.id, MINE);
    for (action, input) in [
        ("connections.connect", json!({"nickname": pose, "credential": {"google-json": ""}})),
        ("connections.authorize", json!({"nickname": pose, "client": "", "redirect-uri": ""})),
        ("connections.finish", json!({"authorization": MINE, "callback-url": pose})),
        ("connections.rename", json!({"nickname": pose})),
    ] {
        let outcome = host.call_by_name(action, MINE, &input, None).await;
        assert!(matches!(outcome, Err(HostError::Trapped(_))), "{action}: {outcome:?}");
    }
}

/// The calls that send nothing, by the contract.
#[tokio::test]
async fn a_call_that_sends_nothing_can_send_nothing() {
    let host = host(&store(), Limits::default());
    let is_stopped = |outcome: Result<(), CallError>| {
        let limit = matches!(&outcome, Err(CallError::Host(HostError::LimitExceeded(Limit::Requests(0)))));
        assert!(limit, "{outcome:?}");
    };
    is_stopped(host.rename(MINE, "send").await.map(drop));
    is_stopped(host.authorize(authorize_request(None).nickname("send")).await.map(drop));
    for action in ["connections.get", "connections.restrict", "planning.plan", "catalog.nothing"] {
        let input =
            if action == "planning.plan" { json!({"action": "connections-disconnect"}) } else { json!({}) };
        let outcome = host.call_by_name(action, "send", &input, None).await;
        let stopped = matches!(outcome, Err(HostError::LimitExceeded(Limit::Requests(0))));
        assert_eq!(stopped, action != "catalog.nothing", "{action}: {outcome:?}");
    }
}

/// Has the guest ask the store without end, and returns the limit that stopped it.
async fn flood(host: &Host, what: &str) -> Limit {
    match host.rename(MINE, &format!("flood {what}")).await {
        Err(CallError::Host(HostError::LimitExceeded(limit))) => limit,
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn a_call_asks_the_store_for_so_much_and_no_more() {
    let store = store();
    let limits = Limits { cpu: Duration::from_secs(600), ..Limits::default() };
    let host = host(&store, limits);
    assert_eq!(flood(&host, "put").await, Limit::StoreBytes(1 << 20));
    assert_eq!(flood(&host, "small put").await, Limit::StoreWrites(256));
    for what in ["get", "delete", "keys"] {
        assert_eq!(flood(&host, what).await, Limit::StoreCalls(20_000), "{what}");
    }
    assert_eq!(flood(&host, "lease").await, Limit::Leases(64));
    assert_eq!(flood(&host, "sign").await, Limit::Signatures(64));
    assert_eq!(host.connections().await.unwrap(), []);
}

/// A signature is made on another thread, at the cost of the call that asked for it.
#[tokio::test]
async fn signing_is_charged() {
    let store = store();
    let cpu = Duration::from_millis(5);
    // The guest itself needs these 5 ms for some 250 of them, if it need not pay for any.
    let signatures = StoreLimits { signatures: 50, calls: u32::MAX, ..StoreLimits::DEFAULT };
    let host = host(&store, Limits { cpu, store: signatures, ..Limits::default() });
    assert_eq!(flood(&host, "sign").await, Limit::Cpu(cpu));
}

/// The quota holds however many calls the writing takes.
#[tokio::test]
async fn a_store_grows_to_its_quota_and_no_further() {
    let quota = StoreQuota { bytes: 4 << 20, ..StoreQuota::DEFAULT };
    let small = Arc::new(MemoryStore::new().with_quota(quota));
    let host = host(&small, Limits::default());
    for _ in 0..8 {
        flood(&host, "put").await;
    }
    let bytes: usize = contents(&small).iter().map(|(key, value, _)| key.len() + value.len()).sum();
    assert!(bytes <= 4 << 20, "{bytes}");
}
