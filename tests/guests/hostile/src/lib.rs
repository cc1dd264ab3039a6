//! A component that misbehaves on request, for the tests of the host's limits.
//!
//! The shipping component keeps its deadline and asks for little, so it never meets these limits. This
//! one has the same contract and does what a broken or malicious release of it might. It has no
//! connections: the id that `connections.check` is given names the misdeed, with a number where one
//! belongs.
//!
//! | id | what it does |
//! |---|---|
//! | `spin` | computes for ever |
//! | `panic` | panics with a text that nobody may see |
//! | `grow` | takes memory for ever |
//! | `sleep` | waits for an hour, whatever its deadline |
//! | `nap N` | waits N times for 10 ms, which is no misdeed |
//! | `request N` | sends N requests |
//! | `read KEY` | reads an entry of the store, and tells it |
//! | `sign KEY` | signs with a key of the store |
//! | `keys PREFIX` | lists entries of the store |
//! | `break KEY` | panics with an entry of the store on the stack, and in its last words |
//!
//! `connections.list` answers with an empty list: the call that shows that a host is still well. It writes
//! to its standard error before that.

#[cfg(target_os = "wasi")]
#[path = "../../../../component/src/seal.rs"]
mod seal;

/// What wit-bindgen makes of `wit/`.
#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "gcf:connector/connector",
        generate_all,
    });

    use super::Hostile;
    export!(Hostile);
}

use std::{
    hint::black_box,
    io::{Write as _, stderr},
};

use bindings::{
    exports::gcf::connector::{api, catalog, connections, functions, planning},
    gcf::connector::{
        secret_store::{self, SignatureAlgorithm},
        types::{Error, ErrorKind, GuardRails, Origin},
    },
    wasi::{
        clocks::monotonic_clock,
        http::{
            outgoing_handler,
            types::{ErrorCode, Fields, OutgoingRequest, Scheme},
        },
    },
};

/// What the world exports.
struct Hostile;

/// The one host that the egress manifest names.
const GOOGLE: &str = "cloudfunctions.googleapis.com";

/// In nanoseconds, as wasi:clocks counts.
const MILLISECOND: u64 = 1_000_000;

fn misbehave(id: &str) -> Result<(), Error> {
    if let Some((misdeed @ ("read" | "sign" | "keys" | "break"), key)) = id.split_once(' ') {
        return Err(error(pry(misdeed, key)));
    }
    let (misdeed, count) = match id.split_once(' ') {
        Some((misdeed, count)) => {
            (misdeed, count.parse().map_err(|_| error(format!("not a number: {count}")))?)
        }
        None => (id, 1),
    };
    match misdeed {
        "spin" => spin(),
        "panic" => panic_with_a_secret(),
        "grow" => grow(),
        "sleep" => sleep(),
        "nap" => nap(count),
        "request" => return request(count),
        unknown => return Err(error(format!("no such misdeed: {unknown}"))),
    }
    Ok(())
}

/// What the store lets it have.
fn pry(misdeed: &str, key: &str) -> String {
    match misdeed {
        "sign" => format!("{:?}", secret_store::sign(key, SignatureAlgorithm::Rs256, b"message")),
        "keys" => format!("{:?}", secret_store::keys(key)),
        "read" => format!("{:?}", secret_store::get(key)),
        _ => {
            let entry = black_box(secret_store::get(key));
            panic!("{entry:?}");
        }
    }
}

fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn panic_with_a_secret() {
    panic!("secret-in-panic");
}

fn grow() {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; 1 << 20]);
        black_box(&taken);
    }
}

fn sleep() {
    wait(3_600_000 * MILLISECOND);
}

fn nap(times: u32) {
    for _ in 0..times {
        wait(10 * MILLISECOND);
    }
}

fn wait(nanoseconds: u64) {
    monotonic_clock::subscribe_duration(nanoseconds).block();
}

fn request(times: u32) -> Result<(), Error> {
    for number in 1..=times {
        send().map_err(|code| error(format!("request {number}: {code:?}")))?;
    }
    Ok(())
}

/// Sends one request without a credential, and waits for the head of its response.
fn send() -> Result<(), ErrorCode> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Https)).expect("https is a scheme");
    request.set_authority(Some(GOOGLE)).expect("the name of a host is an authority");
    request.set_path_with_query(Some("/")).expect("/ is a path");
    let response = outgoing_handler::handle(request, None)?;
    response.subscribe().block();
    let response = response.get().expect("the wait is over").expect("it is taken once");
    response.map(drop)
}

fn error(message: impl Into<String>) -> Error {
    Error {
        kind: ErrorKind::Other,
        origin: Origin::Other,
        message: message.into(),
        fix: None,
        http_status: None,
        retry_after_ms: None,
        reason: None,
        link: None,
        details: Vec::new(),
        trace: Vec::new(),
    }
}

fn absent<T>() -> Result<T, Error> {
    Err(error("this component only misbehaves, in connections.check"))
}

impl connections::Guest for Hostile {
    fn connect(_: connections::ConnectRequest, _: Option<u32>) -> Result<connections::Connected, Error> {
        absent()
    }

    fn authorize(_: connections::AuthorizeRequest) -> Result<connections::Authorization, Error> {
        absent()
    }

    fn finish(_: String, _: String, _: Option<u32>) -> Result<connections::Connected, Error> {
        absent()
    }

    fn reauthorize(
        _: String,
        _: connections::Credential,
        _: Option<String>,
        _: Option<u32>,
    ) -> Result<connections::Connected, Error> {
        absent()
    }

    fn rename(_: String, _: String) -> Result<connections::Connected, Error> {
        absent()
    }

    fn restrict(_: String, _: Option<GuardRails>) -> Result<connections::Connected, Error> {
        absent()
    }

    fn list() -> Result<Vec<connections::Connection>, Error> {
        let _ = stderr().write_all(&b"secret-on-stderr\n".repeat(64));
        Ok(Vec::new())
    }

    fn get(_: String) -> Result<connections::Connection, Error> {
        absent()
    }

    fn check(
        id: String,
        _: Option<connections::FunctionRef>,
        _: Option<u32>,
    ) -> Result<Vec<connections::Finding>, Error> {
        misbehave(&id).map(|()| Vec::new())
    }

    fn disconnect(_: String, _: Option<u32>) -> Result<connections::Disconnected, Error> {
        absent()
    }
}

impl functions::Guest for Hostile {
    fn list(_: String, _: functions::ListRequest, _: Option<u32>) -> Result<functions::FunctionList, Error> {
        absent()
    }

    fn get(_: String, _: functions::FunctionRef, _: Option<u32>) -> Result<functions::Function, Error> {
        absent()
    }

    fn options(
        _: String,
        _: functions::OptionsRequest,
        _: Option<u32>,
    ) -> Result<functions::OptionList, Error> {
        absent()
    }

    fn invoke(
        _: String,
        _: functions::InvokeRequest,
        _: Option<u32>,
    ) -> Result<functions::Invocation, Error> {
        absent()
    }
}

impl api::Guest for Hostile {
    fn custom_api(_: String, _: api::ApiRequest, _: Option<u32>) -> Result<api::ApiResponse, Error> {
        absent()
    }

    fn all_pages(_: String, _: api::PagesRequest, _: Option<u32>) -> Result<api::ApiPages, Error> {
        absent()
    }
}

impl planning::Guest for Hostile {
    fn plan(_: String, _: planning::Action, _: Option<u32>) -> Result<planning::CallPlan, Error> {
        absent()
    }
}

impl catalog::Guest for Hostile {
    fn describe() -> String {
        format!(r#"{{"egress": [{{"host": "{GOOGLE}", "carries": ["none"]}}]}}"#)
    }
}
