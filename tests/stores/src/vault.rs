//! The store in OpenBao.

use std::time::Instant;

use gcf_host::secrets::{Expected, SecretStore as _, StoreError};
use rsa::{Pkcs1v15Sign, RsaPublicKey, pkcs8::DecodePublicKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource},
};
use wasmtime_wasi::p2::DynOutputStream;
use wasmtime_wasi_http::p2::body::HostOutgoingBody;

use crate::{
    CANARY,
    conformance::{Host as _, Hosts, keeps_its_time, outlives_its_server, pass},
    embedder::{Clock, Embedder, State},
    servers::{Server, TO_START, all_bytes, answering, is_in, silent},
};

/// OpenBao with KV version 2 and transit, and the keys to it.
pub(crate) struct Bao {
    server: Server,
    unseal: String,
    root: String,
    /// A token that may do what docs/guide/stores.md says.
    token: String,
}

/// The policy that docs/guide/stores.md tells people to give.
fn policy() -> &'static str {
    let guide = include_str!("../../../docs/guide/stores.md");
    guide.split("```text\n").nth(1).unwrap().split("```").next().unwrap()
}

impl Bao {
    pub(crate) fn start(is_kept: bool) -> Self {
        let server = Server::bao(is_kept);
        let made =
            server.tell("PUT", "/v1/sys/init", "", &json!({"secret_shares": 1, "secret_threshold": 1}));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (unseal, root) = (text(&made["keys_base64"][0]), text(&made["root_token"]));
        let mut bao = Self { server, unseal, root, token: String::new() };
        bao.unseal();
        bao.tell("sys/mounts/secret", &json!({"type": "kv", "options": {"version": "2"}}));
        bao.tell("sys/mounts/transit", &json!({"type": "transit"}));
        bao.tell("transit/keys/robot", &json!({"type": "rsa-2048"}));
        bao.tell("sys/policies/acl/gcf", &json!({"policy": policy()}));
        bao.token =
            text(&bao.tell("auth/token/create", &json!({"policies": ["gcf"]}))["auth"]["client_token"]);
        bao
    }

    fn unseal(&self) {
        self.server.tell("PUT", "/v1/sys/unseal", "", &json!({"key": self.unseal}));
        // KV is made ready in the background.
        let began = Instant::now();
        loop {
            let (status, _) = self.server.ask("GET", "/v1/sys/health", "", &Value::Null);
            if status == 200 {
                break;
            }
            assert!(began.elapsed() < TO_START, "OpenBao is unsealed, and still says {status}");
        }
    }

    fn tell(&self, path: &str, body: &Value) -> Value {
        self.server.tell("POST", &format!("/v1/{path}"), &self.root, body)
    }

    pub(crate) fn settings(&self) -> Settings {
        [("GCF_VAULT_URL", self.server.url()), ("GCF_VAULT_TOKEN", self.token.clone())]
    }

    fn store(&self, more: &[(&str, &str)]) -> Embedder {
        store(&self.server.url(), &self.token, more)
    }
}

fn store(url: &str, token: &str, more: &[(&str, &str)]) -> Embedder {
    let settings = [&[("GCF_VAULT_URL", url), ("GCF_VAULT_TOKEN", token)], more].concat();
    Embedder::new("gcf-store-vault", &settings)
}

pub(crate) type Settings = [(&'static str, String); 2];

pub(crate) fn texts(settings: &Settings) -> [(&str, &str); 2] {
    settings.each_ref().map(|(name, value)| (*name, &**value))
}

/// The conformance component over the store.
fn host(settings: &Settings) -> Embedder {
    Embedder::new("gcf-conformance-vault", &texts(settings))
}

#[test]
fn passes_on_two_hosts_and_nothing_lies_there_in_clear_text() {
    let bao = Bao::start(true);
    let clock = Clock::default();
    let settings = bao.settings();
    let one = host(&settings).with_clock(&clock);
    let two = Embedder::elsewhere("gcf-conformance-vault", &texts(&settings)).with_clock(&clock);
    pass(&Hosts { name: "vault", one: &one, two: &two, pass: &|time| clock.pass(time) });
    bao.store(&[]).put("tokens/a", CANARY, &Expected::Anything).unwrap();
    assert_eq!(bao.store(&[]).get("tokens/a").unwrap().unwrap().value, CANARY);
    assert!(!is_in(CANARY, &all_bytes(bao.server.folder.path())));
}

#[test]
fn outlives_its_server_and_a_silent_one() {
    let bao = std::cell::RefCell::new(Bao::start(true));
    let settings = bao.borrow().settings();
    let host = host(&settings);
    let start = || {
        bao.borrow_mut().server.start();
        // A sealed server is there, and cannot answer.
        host.start().unavailable().unwrap();
        bao.borrow().unseal();
    };
    outlives_its_server(&host, || bao.borrow_mut().server.stop(), start);
    let (_held, url) = silent();
    keeps_its_time(&store(&url, "token", &[]));
}

/// Stands for a host that sends a body wherever it sees a stream for one.
fn refuse_streams(linker: &mut Linker<State>) {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.2.12").unwrap();
    let write = |_: StoreContextMut<'_, State>, _: (Resource<HostOutgoingBody>,)| {
        let refused: wasmtime::Result<(Result<Resource<DynOutputStream>, ()>,)> =
            Err(wasmtime::format_err!("a stream was opened"));
        refused
    };
    types.func_wrap("[method]outgoing-body.write", write).unwrap();
}

#[test]
fn a_question_without_a_body_opens_no_stream() {
    let url = answering("404 Not Found", r#"{"errors":[]}"#);
    let settings = [("GCF_VAULT_URL", &*url), ("GCF_VAULT_TOKEN", "token")];
    let store = Embedder::changed("gcf-store-vault", &settings, refuse_streams);
    assert_eq!(store.get("a").unwrap(), None);
    // One with a body does, and ends in a trap here.
    let write = || store.put("a", "x", &Expected::Anything);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(write)).is_err());
}

#[test]
fn transit_signs_and_no_private_key_is_taken_or_shown() {
    let bao = Bao::start(false);
    let store = bao.store(&[("GCF_VAULT_TRANSIT", "transit")]);
    let signature = store.sign("keys/robot", b"header.claims").unwrap();
    let key = bao.server.tell("GET", "/v1/transit/keys/robot", &bao.root, &Value::Null);
    let key =
        RsaPublicKey::from_public_key_pem(key["data"]["keys"]["1"]["public_key"].as_str().unwrap()).unwrap();
    key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(b"header.claims"), &signature).unwrap();
    assert!(matches!(store.sign("keys/unknown", b""), Err(StoreError::Other(_))));
    assert_eq!(store.put("keys/0123456789abcdef", "PEM", &Expected::Absent), Err(StoreError::ReadOnly));
    assert_eq!(store.get("keys/robot").unwrap(), None);
    assert_eq!(store.keys("keys/").unwrap(), [""; 0]);
    assert_eq!(bao.store(&[]).sign("keys/robot", b""), Err(StoreError::Unsupported));
}

#[test]
fn what_was_deleted_is_destroyed_in_every_version() {
    let bao = Bao::start(false);
    let store = bao.store(&[]);
    let first = store.put("credentials/a", "old", &Expected::Absent).unwrap();
    store.put("credentials/a", CANARY, &Expected::Version(first)).unwrap();
    store.delete("credentials/a", &Expected::Anything).unwrap();
    let path = "/v1/secret/metadata/gcf/entries/credentials+a";
    let versions = bao.server.tell("GET", path, &bao.root, &Value::Null)["data"]["versions"].clone();
    assert_eq!(versions["1"]["destroyed"], true);
    assert_eq!(versions["2"]["destroyed"], true);
    assert_eq!(versions["3"]["destroyed"], false);
}

#[test]
fn a_token_that_may_not_is_told_so() {
    let bao = Bao::start(false);
    for refused in [store(&bao.server.url(), "no-token", &[]), bao.store(&[("GCF_VAULT_PREFIX", "others")])] {
        assert!(matches!(refused.get("a"), Err(StoreError::Other(_))));
        assert!(matches!(refused.put("a", "x", &Expected::Absent), Err(StoreError::Other(_))));
    }
    // Nothing that is kept there counts as nothing: the mount is another one.
    assert!(bao.store(&[("GCF_VAULT_MOUNT", "elsewhere")]).put("a", "x", &Expected::Absent).is_err());
}
