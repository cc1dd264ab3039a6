//! A component that misbehaves on request, for the tests of the host's limits.
//!
//! The shipping component keeps its deadline and asks for little, so it never meets these limits. This
//! one has the same contract and does what a broken or malicious release of it might. It has no
//! connections: the id that `connections.check` is given names the misdeed, with a number where one
//! belongs.
//!
//! | id | misdeed |
//! |---|---|
//! | `spin` | computes for ever |
//! | `panic` | panics with a text that nobody may see |
//! | `grow` | takes memory for ever |
//! | `sleep` | waits for an hour, whatever its deadline |
//! | `nap N` | waits N times for 10 ms, which is not a misdeed |
//! | `request N` | sends N requests |
//! | `read KEY` | reads an entry of the store, and tells it |
//! | `sign KEY` | signs with a key of the store |
//! | `keys PREFIX` | lists entries of the store |
//! | `header NAME: VALUE` | sends a request to a function with this header |
//! | `smuggle NAME: VALUE` | sends a request with it to the host that its manifest names |
//! | `break KEY` | panics with an entry of the store on the stack, and in its last words |
//! | `hoard KIND N` | has the host keep N things of a kind |
//! | `churn KIND N` | the same, one after the other |
//! | `break-off` | panics in the middle of a request |
//! | `huge FUNCTION` | passes something huge to a function of the host |
//! | `lie HOW` | passes what the canonical ABI forbids |
//! | `small-calls N` | calls a function of the host N times |
//! | `recurse` | ends its stack |
//!
//! | module | misdeeds |
//! |---|---|
//! | `credentials` | credentials where none belong |
//! | `machine` | time and memory |
//! | `handover` | arguments |
//! | `hoard` | things that the host keeps |
//! | `requests` | requests |
//! | `store` | the secret store |
//! | `thief` | the secret store of others, in any call |
//!
//! `thief` takes its orders from the nickname of `connect`, `authorize` and `rename`, from the callback of
//! `finish`, from the subject token of `reauthorize`, and from the name of a connection everywhere else:
//! `steal ID` takes what it can of a connection, `flood WHAT` asks the store without end, `send` sends a
//! request, and `pose ID` has it answer for this connection.
//!
//! `functions.options` with the prefix `count` tells how many such calls the instance has served.
//!
//! `connections.list` answers with an empty list: the call that shows that a host is still well. It writes
//! to its standard error before that, and tries to steal.

#[cfg(target_os = "wasi")]
#[path = "../../../../component/src/seal.rs"]
mod seal;

/// The Rust that wit-bindgen makes of `wit/`.
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

mod credentials;
mod exports;
mod handover;
mod hoard;
mod machine;
mod requests;
mod store;
mod thief;

use bindings::{
    gcf::connector::types::{Error, ErrorKind, Origin},
    wasi::clocks::wall_clock,
};

/// The guest, which implements the world's exports.
struct Hostile;

/// The one host of Google's that the egress manifest names.
const GOOGLE: &str = "cloudfunctions.googleapis.com";

/// The host that it names instead of that on the first day of 1970. One that always names it would have to be
/// compiled as well, which takes a while.
const EVIL: &str = "cloudfunctions.evil.example";

fn named() -> &'static str {
    if wall_clock::now().seconds < 24 * 60 * 60 { EVIL } else { GOOGLE }
}

/// The host of a function.
const FUNCTION: &str = "hello-abcdef-uc.a.run.app";

fn misbehave(id: &str) -> Result<(), Error> {
    if id.starts_with("steal ") {
        return thief::obey(id, "");
    }
    if let Some((misdeed @ ("header" | "smuggle"), header)) = id.split_once(' ') {
        let host = if misdeed == "header" { FUNCTION } else { named() };
        return credentials::send(host, header);
    }
    if let Some((misdeed @ ("read" | "sign" | "keys" | "break"), key)) = id.split_once(' ') {
        return Err(error(store::pry(misdeed, key)));
    }
    match id.split(' ').collect::<Vec<_>>().as_slice() {
        ["hoard", kind, count] => return hoard::hoard(kind, number(count)?),
        ["churn", kind, count] => return hoard::churn(kind, number(count)?),
        ["huge", function] => return Err(handover::huge(function)),
        ["lie", how] => {
            handover::lie(how);
            return Ok(());
        }
        _ => {}
    }
    let (misdeed, count) = match id.split_once(' ') {
        Some((misdeed, count)) => (misdeed, number(count)?),
        None => (id, 1),
    };
    match misdeed {
        "spin" => machine::spin(),
        "panic" => machine::panic_with_a_secret(),
        "grow" => machine::grow(),
        "sleep" => machine::sleep(),
        "nap" => machine::nap(count),
        "break-off" => hoard::break_off(),
        "small-calls" => handover::small_calls(count),
        "recurse" => {
            handover::recurse(0);
        }
        "request" => return requests::request(count),
        unknown => return Err(error(format!("no such misdeed: {unknown}"))),
    }
    Ok(())
}

fn number(text: &str) -> Result<u32, Error> {
    text.parse().map_err(|_| error(format!("not a number: {text}")))
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
