//! The store in etcd.

use gcf_host::secrets::{Expected, SecretStore as _, StoreError};
use serde_json::{Value, json};

use crate::{
    CANARY, STORE_KEY,
    conformance::{Host as _, Hosts, keeps_its_time, outlives_its_server, pass},
    embedder::Embedder,
    servers::{Server, all_bytes, is_in, silent},
    tls::{Authority, Trusting},
};

fn settings(url: &str) -> [(&str, &str); 2] {
    [("GCF_ETCD_URL", url), ("GCF_STORE_KEY", STORE_KEY)]
}

fn store(url: &str, more: &[(&str, &str)]) -> Embedder {
    Embedder::new("gcf-store-etcd", &[&settings(url), more].concat())
}

/// The conformance component over the store.
fn host(settings: &[(&str, &str)]) -> Embedder {
    Embedder::new("gcf-conformance-etcd", settings)
}

#[test]
fn passes_on_two_hosts_and_nothing_lies_there_in_clear_text() {
    let server = Server::etcd();
    let url = server.url();
    let (one, two) = (host(&settings(&url)), Embedder::elsewhere("gcf-conformance-etcd", &settings(&url)));
    // etcd's own clock ends a lease.
    pass(&Hosts { name: "etcd", one: &one, two: &two, pass: &|_| {} });
    store(&url, &[]).put("tokens/a", CANARY, &Expected::Anything).unwrap();
    assert_eq!(store(&url, &[]).get("tokens/a").unwrap().unwrap().value, CANARY);
    assert!(!is_in(CANARY, &all_bytes(server.folder.path())));
}

#[test]
fn outlives_its_server_and_a_silent_one() {
    let mut server = Server::etcd();
    let host = host(&settings(&server.url()));
    let server = std::cell::RefCell::new(&mut server);
    outlives_its_server(&host, || server.borrow_mut().stop(), || server.borrow_mut().start());
    let (_held, url) = silent();
    keeps_its_time(&store(&url, &[]));
}

#[test]
fn over_tls_it_asks_whom_its_host_trusts_and_nobody_else() {
    let authority = Authority::for_server("etcd.example");
    let server = Server::etcd_over_tls(&authority);
    let ask = |origin: &str, root| {
        host(&settings(origin)).with_network(Trusting::new(origin, &server.address, root))
    };
    let (named, other) = ("https://etcd.example:2379", "https://other.example:2379");
    ask(named, Some(&authority.root)).start().one_caller().unwrap();
    ask(named, None).start().unavailable().unwrap();
    ask(other, Some(&authority.root)).start().unavailable().unwrap();
}

#[test]
fn a_listing_of_more_than_a_page_is_whole() {
    let server = Server::etcd();
    let store = store(&server.url(), &[]);
    let encode = |text: String| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let put = |number: u32| json!({"requestPut": {"key": encode(format!("gcf/entries/k/{number:04}")), "value": "AA=="}});
    for hundred in 0..21 {
        let puts: Vec<Value> = (0..100).map(|number| put(hundred * 100 + number)).collect();
        server.tell("POST", "/v3/kv/txn", "", &json!({"success": puts}));
    }
    let keys = store.keys("k/").unwrap();
    assert_eq!((keys.len(), &*keys[0], &*keys[2099]), (2100, "k/0000", "k/2099"));
    assert!(keys.is_sorted());
}

#[test]
fn a_user_of_etcd_s_own_may_do_what_their_role_says_and_no_more() {
    let server = Server::etcd();
    let tell = |path: &str, body: Value| server.tell("POST", path, "", &body);
    tell("/v3/auth/user/add", json!({"name": "root", "password": "root-pass"}));
    tell("/v3/auth/role/add", json!({"name": "root"}));
    tell("/v3/auth/user/grant", json!({"user": "root", "role": "root"}));
    tell("/v3/auth/user/add", json!({"name": "gcf", "password": "gcf-pass"}));
    tell("/v3/auth/role/add", json!({"name": "gcf"}));
    // `gcf/` to `gcf0`.
    let range =
        json!({"name": "gcf", "perm": {"permType": "READWRITE", "key": "Z2NmLw==", "range_end": "Z2NmMA=="}});
    tell("/v3/auth/role/grant", range);
    tell("/v3/auth/user/grant", json!({"user": "gcf", "role": "gcf"}));
    let as_user = |password, more: &[(&str, &str)]| {
        store(&server.url(), &[&[("GCF_ETCD_USER", "gcf"), ("GCF_ETCD_PASSWORD", password)], more].concat())
    };
    let why = |password| as_user(password, &[]).get("a").unwrap_err().to_string();
    assert!(why("gcf-pass").contains("is its authentication on?"), "{}", why("gcf-pass"));
    tell("/v3/auth/enable", json!({}));
    assert!(why("other").contains("password: correct"), "{}", why("other"));
    let version = as_user("gcf-pass", &[]).put("a", "x", &Expected::Absent).unwrap();
    assert_eq!(as_user("gcf-pass", &[]).get("a").unwrap().unwrap().version, version);
    let elsewhere = as_user("gcf-pass", &[("GCF_ETCD_PREFIX", "others")]);
    for refused in [as_user("other", &[]), elsewhere, store(&server.url(), &[])] {
        assert!(matches!(refused.get("a"), Err(StoreError::Other(_))));
    }
}
