//! A test of an embedder's own, on a tape of their own.

use std::{
    future::{Future as _, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    pin::pin,
    sync::Arc,
    task::Poll,
};

use crate::tape::{cassette::Cassette, file::format::Tape, miss::Miss};
use crate::{
    host::{Host, HostBuilder},
    secrets::MemoryStore,
};

/// Runs `test` on a host whose answers, clock and randomness come from a tape, with an empty store in memory,
/// and returns what it returns. `builder` names the component, and what else is wanted.
///
/// ```
/// use gcf_host::{Host, tape::golden, wit::ConnectRequest};
///
/// # const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/gcf-connector.wasm");
/// # const TAPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cassettes/connect-only.json");
/// # const KEY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo-key.json"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let component = std::env::var("GCF_COMPONENT").unwrap_or_else(|_| COMPONENT.to_owned());
/// let builder = Host::builder().component_file(component);
/// let request = ConnectRequest::google_json("ci", KEY);
/// let connected = golden(TAPE, builder, async |host| host.connect(request, None).await).await;
/// assert_eq!(connected.unwrap().connection.project, "demo-project");
/// # }
/// ```
///
/// # Panics
/// If the tape cannot be read, the host cannot be built, a request is not on the tape, or an
/// interaction of the tape was not asked for. The message says which, and what differs, also if
/// `test` itself panics at a request that is not on the tape.
#[expect(clippy::panic, reason = "this is an assertion, for tests")]
pub async fn golden<T>(tape: impl AsRef<Path>, builder: HostBuilder, test: impl AsyncFnOnce(Host) -> T) -> T {
    let tape = Tape::read(tape).unwrap_or_else(|error| panic!("{error}"));
    let cassette = Cassette::replay(tape);
    let builder = cassette.insert(builder, Arc::new(MemoryStore::new()));
    let host = builder.build().unwrap_or_else(|error| panic!("{error}"));
    let mut running = pin!(test(host));
    let outcome =
        poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
            Ok(Poll::Ready(outcome)) => Poll::Ready(Ok(outcome)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(panic)),
        });
    match outcome.await {
        Ok(outcome) => {
            cassette.finish().unwrap_or_else(|error| panic!("{error}"));
            outcome
        }
        Err(panic) => match cassette.misses().as_slice() {
            [] => resume_unwind(panic),
            // The test broke off at what the tape did not give it, and so left the rest of it
            // unused.
            misses => panic!("{}", misses.iter().map(Miss::to_string).collect::<Vec<_>>().join("\n")),
        },
    }
}
