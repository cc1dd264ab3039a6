//! Runs the gcf-connector component in a wasmtime sandbox.
//!
//! A [`Host`] loads the component once and then calls it, each time in a fresh sandbox that reaches
//! nothing but what its embedder hands in:
//!
//! | what | trait | ready made |
//! |---|---|---|
//! | connections, credentials, tokens | [`secrets::SecretStore`] | [`MemoryStore`](secrets::MemoryStore), [`DirectoryStore`](secrets::DirectoryStore), [`ReadOnlyStore`](secrets::ReadOnlyStore) |
//! | the network | [`transport::Transport`] | [`Live`](transport::Live), [`Replay`](tape::Replay), [`Recorder`](tape::Recorder) |
//! | time | [`clock::Clock`] | [`SystemClock`](clock::SystemClock), [`FrozenClock`](clock::FrozenClock), [`ReplayClock`](clock::ReplayClock) |
//! | access tokens that the component must not hold | [`AccessTokens`] | none: requests without one are refused |
//! | randomness | [`clock::Random`] | [`SystemRandom`](clock::SystemRandom), [`SeededRandom`](clock::SeededRandom) |
//!
//! In front of every transport stands the [`egress::EgressPolicy`] that the component's own catalog declares:
//! a request that is not on it is not sent, whatever the code inside decides. [`Limits`] bound what a call
//! may use.
//!
//! The types of arguments and answers are those of the contract, in [`wit`].
//!
//! The modules are floors, the lowest first. Each may import those below it, and none above; a test reads every
//! import, and fails on one that leads upward.
//!
//! # Example
//!
//! Signs in and calls a function, on a tape in place of the network. For the network itself, hand in
//! [`transport::Live`] and leave clock and randomness to the system.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use gcf_host::{
//!     Host,
//!     tape::{Replay, Tape},
//!     wit::{ConnectRequest, FunctionRef, InvokeRequest},
//! };
//!
//! const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/gcf-connector.wasm");
//! const CASSETTE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cassettes/invoke-gen1-200.json");
//! const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo-key.json");
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let component = std::env::var("GCF_COMPONENT").unwrap_or_else(|_| COMPONENT.to_owned());
//!     let tape = Tape::read(CASSETTE)?;
//!     let (clock, random) = (Arc::new(tape.clock()), Arc::new(tape.random()));
//!     let replay = Replay::new(tape);
//!     let host = Host::builder()
//!         .component_file(component)
//!         .transport(Arc::new(replay.clone()))
//!         .clock(clock)
//!         .random(random)
//!         .build()?;
//!
//!     let request = ConnectRequest::google_json("example", std::fs::read_to_string(KEY)?);
//!     let connection = host.connect(request, None).await?.connection;
//!     assert_eq!(connection.project, "demo-project");
//!
//!     let request = InvokeRequest::get(FunctionRef::in_region("helloGET", "europe-west1"));
//!     let answer = host.invoke(&connection.id, request, Some(Duration::from_secs(60))).await?;
//!     assert_eq!(answer.status, 200);
//!
//!     // Everything on the tape was asked for, and nothing else was.
//!     replay.finish()?;
//!     Ok(())
//! }
//! ```

#![warn(clippy::mod_module_files)]

pub mod reading;

pub mod text;

#[cfg(feature = "embedded")]
pub mod embedded;

pub mod clock;

pub mod secrets;

pub mod egress;

pub mod transport;

mod contract;

mod error;

mod limits;

mod outgoing;

mod sandbox;

mod host;

pub mod tape;

#[cfg(test)]
mod tests;

/// The Rust of the guide, which the tests of this documentation compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/embed.md")]
#[doc = include_str!("../../docs/guide/proxy.md")]
pub struct Guide;

pub use self::{
    contract::wit,
    egress::Carried,
    error::{CallError, HostError, Limit},
    host::{Action, Answer, CONTRACT, Host, HostBuilder},
    limits::{Limits, StoreLimits},
    outgoing::{
        inject::{AccessToken, AccessTokens, Supplying},
        observer::{Observer, RequestEvent, Stage},
    },
    sandbox::{compiled::CacheUse, warm::WarmInstances},
};
