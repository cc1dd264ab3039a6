//! Nicknames: one that is in use is told at the cost of two operations, however many connections there are.

use serde_json::json;
use test_case::test_case;

use crate::{
    actions::connections::{self, ConnectRequest},
    base::ports::StoreError,
    testing::{Op, World, access_token, block_on, canaries, connect, connect_request},
};

const INDEXED: &str = "nicknames/indexed";

fn named(nickname: &str) -> ConnectRequest {
    ConnectRequest { nickname: nickname.to_owned(), ..connect_request() }
}

/// Connects, and says whether it is warned that the nickname is in use.
fn connect_as(world: &World, nickname: &str) -> (String, bool) {
    world.then(access_token(canaries::FIRST));
    let (connection, warnings) = connect(world, named(nickname)).unwrap();
    (connection.id, is_warned(&warnings))
}

fn is_warned(warnings: &[String]) -> bool {
    assert!(warnings.len() <= 1, "{warnings:?}");
    warnings.iter().any(|warning| warning.contains("another connection with the nickname"))
}

/// Connections as an earlier version kept them, in no index: `old-0`, `old-1`, …
fn of_earlier_version(world: &World, number: usize) {
    for n in 0..number {
        let connection = json!({"format": 1, "nickname": format!("old-{n}"), "project": "demo-project",
            "region": "us-central1"});
        world.set(&format!("connections/0123{n:012x}"), connection.to_string());
    }
}

/// The operations on entries of other connections, and of the index.
fn for_the_nickname(world: &World, id: &str) -> Vec<(Op, String)> {
    let asked = world.asked.borrow();
    let of_the_nickname = asked.iter().filter(|(_, key)| {
        (key.starts_with("connections/") && !key.ends_with(id)) || key.starts_with("nicknames/")
    });
    of_the_nickname.cloned().collect()
}

#[test_case(10, false; "ten, another nickname")]
#[test_case(10_000, false; "ten thousand, another nickname")]
#[test_case(10, true; "ten, a nickname in use")]
#[test_case(10_000, true; "ten thousand, a nickname in use")]
fn among_many_a_nickname_costs_two_operations(number: usize, in_use: bool) {
    let (world, _) = World::connected();
    of_earlier_version(&world, number);
    world.set(INDEXED, "all");
    if in_use {
        connect_as(&world, "taken");
    }
    world.begin_anew();
    let (id, warned) = connect_as(&world, "taken");
    assert_eq!(warned, in_use);
    let asked = for_the_nickname(&world, &id);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked.iter().filter(|(op, _)| *op == Op::Keys).count(), 0, "{asked:?}");
}

#[test]
fn of_two_that_take_a_nickname_at_once_one_is_told() {
    let world = World::new();
    world.set(INDEXED, "all");
    world.then(access_token(canaries::FIRST));
    // The other one is done just before the first writes its claim.
    world.quicker("nicknames/", |world| {
        assert!(!connect_as(world, "ada").1, "the quicker one has it alone");
    });
    let (_, warnings) = connect(&world, named("ada")).unwrap();
    assert!(is_warned(&warnings));
}

#[test]
fn a_nickname_is_free_once_the_last_that_has_it_is_gone() {
    let world = World::new();
    let (first, warned) = connect_as(&world, "ada");
    assert!(!warned);
    let (second, warned) = connect_as(&world, "ada");
    assert!(warned);
    let (third, warned) = connect_as(&world, "ada");
    assert!(warned);
    block_on(connections::disconnect(&world, &first, None)).unwrap();
    assert!(connect_as(&world, "ada").1, "two have it still");
    connections::rename(&world, &second, "bob").unwrap();
    let fourth =
        connections::list(&world).unwrap().into_iter().find(|c| c.id != second && c.id != third).unwrap();
    block_on(connections::disconnect(&world, &third, None)).unwrap();
    block_on(connections::disconnect(&world, &fourth.id, None)).unwrap();
    assert!(!connect_as(&world, "ada").1, "nobody has it");
    assert!(connect_as(&world, "bob").1, "who was renamed has it");
}

#[test]
fn renaming_tells_what_is_in_use_and_keeping_the_name_does_not() {
    let world = World::new();
    let (id, _) = connect_as(&world, "ada");
    connect_as(&world, "bob");
    assert!(is_warned(&connections::rename(&world, &id, "bob").unwrap().1));
    assert!(!is_warned(&connections::rename(&world, &id, "bob").unwrap().1));
    assert!(!is_warned(&connections::rename(&world, &id, "ada").unwrap().1), "it was given back");
}

/// The index is made in steps, as a host limits what a call may write; until then every connection is read.
#[test_case(3)]
#[test_case(64)]
#[test_case(200)]
fn connections_of_an_earlier_version_are_found_and_come_into_the_index(number: usize) {
    let world = World::new();
    of_earlier_version(&world, number);
    world.begin_anew();
    let last = format!("old-{}", number - 1);
    // Each time the last one is found, whether it is in the index already or not.
    for round in 0..number / 64 + 2 {
        let (id, warned) = connect_as(&world, &last);
        assert!(warned, "{last}, {round}");
        block_on(connections::disconnect(&world, &id, None)).unwrap();
        world.begin_anew();
        let (id, warned) = connect_as(&world, "new");
        assert!(!warned, "{round}");
        let writes = world.asked.borrow().iter().filter(|(op, _)| *op == Op::Put).count();
        assert!(writes < 200, "{writes}");
        block_on(connections::disconnect(&world, &id, None)).unwrap();
        world.begin_anew();
    }
    assert_eq!(world.secrets.borrow()[INDEXED], "all");
    for n in 0..number {
        let (id, warned) = connect_as(&world, &format!("old-{n}"));
        assert!(warned, "old-{n}");
        assert_eq!(for_the_nickname(&world, &id).len(), 2);
        block_on(connections::disconnect(&world, &id, None)).unwrap();
        world.begin_anew();
    }
    assert!(!connect_as(&world, "new").1);
}

/// A host may keep a call from the index, or have no place for it.
#[test_case(Op::Put, StoreError::Unsupported)]
#[test_case(Op::Put, StoreError::Failed("not for this call".to_owned()))]
#[test_case(Op::Get, StoreError::Failed("not for this call".to_owned()))]
fn without_an_index_every_connection_is_read(op: Op, error: StoreError) {
    let world = World::new();
    connect_as(&world, "ada");
    world.fail(op, "nicknames/", error);
    assert!(connect_as(&world, "ada").1);
    assert!(!connect_as(&world, "bob").1);
}

#[test]
fn a_store_without_connections_has_no_index() {
    let (world, id) = World::connected();
    block_on(connections::disconnect(&world, &id, None)).unwrap();
    assert_eq!(world.keys(""), Vec::<String>::new());
}
