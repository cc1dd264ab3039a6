//! Tapes that are played again and again: the same every time, to the last letter.

use std::{env, sync::Arc};

use gcf_host::{
    Host,
    secrets::MemoryStore,
    tape::{Cassette, Tape},
    wit::{OptionField, OptionsRequest},
};

use crate::fixtures::{
    api_request, builder, cassette, cassettes, connect_request, invoke_request, list_request, named,
    pages_request,
};

/// Everything that is said about one of everything, as far as the tape has it: values and traces,
/// failures and what differs.
async fn everything(host: &Host) -> String {
    let mut said = String::new();
    let connected = host.connect(connect_request(), None).await;
    said += &format!("{connected:#?}\n");
    let id = connected.map_or_else(|_| "0123456789abcdef".to_owned(), |connected| connected.connection.id);
    let mut list = list_request();
    said += &format!("{:#?}\n", host.list_functions(&id, list.clone(), None).await);
    list.page_size = Some(40);
    said += &format!("{:#?}\n", host.list_functions(&id, list, None).await);
    for region in [Some("us-central1"), Some("europe-west1"), None] {
        said += &format!("{:#?}\n", host.get_function(&id, named("hello", region), None).await);
    }
    for (name, region) in [("hello", "us-central1"), ("helloGET", "europe-west1")] {
        let invocation = invoke_request(named(name, Some(region)));
        said += &format!("{:#?}\n", host.invoke(&id, invocation, None).await);
    }
    for field in [OptionField::Regions, OptionField::Functions(None)] {
        let request = OptionsRequest::new(field);
        said += &format!("{:#?}\n", host.options(&id, request, None).await);
    }
    let locations = "/v2/projects/demo-project/locations";
    said += &format!("{:#?}\n", host.custom_api(&id, api_request("GET", locations), None).await);
    said += &format!("{:#?}\n", host.all_pages(&id, pages_request(locations), None).await);
    said += &format!("{:#?}\n", host.check(&id, None, None).await);
    said += &format!("{:#?}\n", host.disconnect(&id, None).await);
    said
}

async fn played(cassette: Cassette) -> String {
    let host = cassette.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
    let said = everything(&host).await;
    // Which interactions are left, and what the first misses were.
    format!("{said}{:#?}", cassette.finish())
}

/// `GCF_REPLAYS=100` plays each a hundred times, in each of the ways.
#[tokio::test(flavor = "multi_thread")]
async fn every_tape_is_played_alike_each_time() {
    let count = env::var("GCF_REPLAYS").map_or(3, |count| count.parse().unwrap());
    for name in cassettes() {
        let tape = Tape::read(cassette(&name)).unwrap();
        for stub in [false, true] {
            let play = || {
                let tape = tape.clone();
                played(if stub { Cassette::stub(tape) } else { Cassette::replay(tape) })
            };
            let first = play().await;
            for _ in 1..count {
                assert!(play().await == first, "{name} was played in another way");
            }
        }
    }
}

/// Answers to calls side by side come as they came when they were recorded, and take as long.
#[tokio::test(flavor = "multi_thread")]
async fn the_trace_has_the_times_and_the_order_of_the_tape() {
    let mut document: serde_json::Value =
        serde_json::from_slice(&crate::fixtures::read(&cassette("empty-project.json"))).unwrap();
    let times = [(0.0, 40.0), (40.0, 90.0), (40.0, 70.0), (41.0, 61.0)];
    for (interaction, (sent, done)) in document["interactions"].as_array_mut().unwrap().iter_mut().zip(times)
    {
        interaction["timing"] = serde_json::json!({"sent_ms": sent, "head_ms": done, "done_ms": done});
    }
    let tape = Tape::from_json(&document.to_string()).unwrap();
    for _ in 0..5 {
        let cassette = Cassette::replay(tape.clone());
        let host = cassette.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        let list = host.list_functions(&id, list_request(), None).await.unwrap();
        let shown: Vec<_> =
            list.trace.iter().map(|exchange| (exchange.url.as_str(), exchange.duration_ms)).collect();
        let urls: Vec<_> = tape.interactions()[1..]
            .iter()
            .map(|interaction| interaction.request().url().split('?').next().unwrap())
            .collect();
        assert_eq!(shown, urls.into_iter().zip([50, 30, 20]).collect::<Vec<_>>());
        cassette.finish().unwrap();
    }
}

#[tokio::test]
async fn a_request_that_is_not_on_the_tape_is_an_error_of_the_host() {
    let tape = Tape::read(cassette("empty-project.json")).unwrap();
    let cassette = Cassette::replay(tape);
    let host = cassette.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let mut request = list_request();
    request.page_size = Some(7);
    let error = host.list_functions(&id, request, None).await.unwrap_err();
    let gcf_host::CallError::Host(gcf_host::HostError::TapeMiss(miss)) = &error else { panic!("{error:?}") };
    assert!(miss.what.contains("query pageSize: the tape has \"1000\", the request has \"7\""), "{miss}");
    // The same by name, where answers are JSON.
    let input = serde_json::json!({"function": {"named": {"name": "x", "region": "us-central1"}}});
    let error = host.call_by_name("functions.get", &id, &input, None).await.unwrap_err();
    assert!(matches!(error, gcf_host::HostError::TapeMiss(_)), "{error:?}");
}
