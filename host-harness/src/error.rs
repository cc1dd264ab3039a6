//! The errors of a call: the connector's own word, or the host's.

use std::{fmt, io, path::PathBuf, time::Duration};

use crate::{contract::wit::ConnectorError, reading, secrets::StoreError, transport::Missed};

/// The reason why a call returned no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The connector says so: a record with kind, origin, message and fix, as `wit/types.wit` has it.
    #[error("{}", Sentence(.0))]
    Connector(Box<ConnectorError>),
    /// The host stopped the call, or could not start it.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// The reason why a component could not be loaded, or a call was stopped.
///
/// The texts are made from paths, numbers and the names of interfaces, and never hold a secret. Printing the error says
/// in one breath what failed and what to do; [`HostError::message`] and [`HostError::fix`] are the two by themselves.
#[derive(Debug)]
pub enum HostError {
    /// The builder was given no component.
    NoComponent,
    /// The file of the component cannot be read.
    Unreadable {
        /// The component's file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Not a WebAssembly component: another kind of file, or a core module.
    NotAComponent(String),
    /// Damaged, or a component, but not one for this host.
    Invalid(String),
    /// The catalog of the component cannot be used, so nothing would guard where it sends what.
    Manifest(String),
    /// The component declares that it sends more than the connector of this release, or sends it to others.
    EgressBeyond(Vec<String>),
    /// The sandbox itself could not be made.
    Engine(String),
    /// The component broke off. Its output is discarded, for it may hold anything.
    Trapped(String),
    /// The call did not end in time, although the component keeps the deadline itself.
    DeadlineExceeded(Duration),
    /// The store could not say which connection the call is for.
    Store(StoreError),
    /// The tape has no answer to a request of the call. The message shows the request, the nearest
    /// one on the tape, and what differs, over several lines.
    TapeMiss(Missed),
    /// The call needed more than it was allowed.
    LimitExceeded(Limit),
}

impl HostError {
    /// The failure and its place.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::NoComponent => "no component was given".to_owned(),
            Self::Unreadable { path, source } => {
                format!("cannot read the component {}: {}", path.display(), reading::what(source))
            }
            Self::NotAComponent(name) => format!("{name} is not a WebAssembly component"),
            Self::Invalid(why) => format!("not a component of the world gcf:connector/connector@0.1: {why}"),
            Self::Manifest(why) => format!("the component's catalog cannot be used: {why}"),
            Self::EgressBeyond(beyond) => {
                format!("the component wants to send what the connector does not: {}", beyond.join(", "))
            }
            Self::Engine(why) => format!("cannot set up the sandbox: {why}"),
            Self::Trapped(code) => format!("the component trapped ({code}): a fault of the component"),
            Self::DeadlineExceeded(limit) => {
                format!("the call was stopped after {limit:?}: it did not end by its deadline")
            }
            Self::Store(error) => format!("the secret store cannot be used: {}", error.message()),
            Self::TapeMiss(missed) => missed.what.clone(),
            Self::LimitExceeded(limit) => format!("the call was stopped: it needs more than {limit}"),
        }
    }

    /// The next step, and whose move it is.
    #[must_use]
    pub fn fix(&self) -> &str {
        match self {
            Self::NoComponent => "call component_file or component_bytes before build",
            Self::Unreadable { .. } => "build it with `cargo xtask build`, or name another file",
            Self::NotAComponent(_) => "name gcf-connector.wasm, which `cargo xtask build` makes",
            Self::Invalid(_) | Self::Manifest(_) => "use the release that belongs to this host",
            Self::EgressBeyond(_) => {
                "use the release that belongs to this host, or, if you mean it, name all that may be sent with \
                 egress_allow (gcf --egress)"
            }
            Self::Engine(_) => "check the limits of this process on memory and threads",
            Self::Trapped(_) => "please report it with the action that caused it",
            Self::DeadlineExceeded(_) => "give it more time, or report it if it should have ended",
            Self::Store(error) => error.fix().unwrap_or("whoever runs the host looks after its store"),
            Self::TapeMiss(missed) => &missed.hint,
            Self::LimitExceeded(limit) => limit.fix(),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message(), self.fix())
    }
}

impl std::error::Error for HostError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Store(error) => Some(error),
            Self::TapeMiss(missed) => Some(missed),
            Self::LimitExceeded(limit) => Some(limit),
            Self::NoComponent
            | Self::NotAComponent(_)
            | Self::Invalid(_)
            | Self::Manifest(_)
            | Self::EgressBeyond(_)
            | Self::Engine(_)
            | Self::Trapped(_)
            | Self::DeadlineExceeded(_) => None,
        }
    }
}

/// A limit that a call reached. Each is a field of [`Limits`](crate::Limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Bytes of memory.
    Memory(usize),
    /// Time on the processor.
    Cpu(Duration),
    /// Requests sent.
    Requests(u32),
    /// Calls of the secret store.
    StoreCalls(u32),
    /// Values written to the secret store.
    StoreWrites(u32),
    /// Bytes written to the secret store.
    StoreBytes(usize),
    /// Leases of the secret store.
    Leases(u32),
    /// Signatures.
    Signatures(u32),
}

impl Limit {
    /// The next step.
    #[must_use]
    pub fn fix(self) -> &'static str {
        match self {
            Self::Memory(_) => "ask for less at once, or raise Limits::memory",
            Self::Cpu(_) => "ask for less at once, or raise Limits::cpu",
            Self::Requests(_) => "ask for less at once, or raise Limits::requests",
            Self::StoreCalls(_) => "ask for less at once, or raise Limits::store.calls",
            Self::StoreWrites(_) => "ask for less at once, or raise Limits::store.writes",
            Self::StoreBytes(_) => "store less at once, or raise Limits::store.bytes",
            Self::Leases(_) => "ask for less at once, or raise Limits::store.leases",
            Self::Signatures(_) => "ask for less at once, or raise Limits::store.signatures",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "{} MiB of memory", bytes >> 20),
            Self::Cpu(time) => write!(f, "{time:?} of processor time"),
            Self::Requests(count) => write!(f, "{count} requests"),
            Self::StoreCalls(count) => write!(f, "{count} calls of the secret store"),
            Self::StoreWrites(count) => write!(f, "{count} writes to the secret store"),
            Self::StoreBytes(bytes) => write!(f, "{} KiB written to the secret store", bytes >> 10),
            Self::Leases(count) => write!(f, "{count} leases of the secret store"),
            Self::Signatures(count) => write!(f, "{count} signatures"),
        }
    }
}

/// So that a limit can travel through the engine as the reason of a trap.
impl std::error::Error for Limit {}

/// An answer about something else than the call was for: a caller that keeps the id would use somebody else's
/// connection.
#[derive(Debug, thiserror::Error)]
#[error("an answer about something else")]
pub(crate) struct AnotherSubject;

impl HostError {
    /// Reads the reason out of what the engine reports when a call breaks off.
    pub(crate) fn from_call(error: &wasmtime::Error) -> Self {
        if let Some(limit) = error.downcast_ref::<Limit>() {
            return Self::LimitExceeded(*limit);
        }
        if error.is::<AnotherSubject>() {
            return Self::Trapped(
                "it answered for a connection that the call has neither made nor named".to_owned(),
            );
        }
        // The engine's text beyond the trap's code may quote what the component said.
        let code = match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => trap.to_string(),
            None => "it used a host function in a way that is not allowed".to_owned(),
        };
        Self::Trapped(code)
    }

    /// Reads the reason out of what the engine reports when a sandbox cannot be made.
    pub(crate) fn from_start(error: &wasmtime::Error) -> Self {
        if error.is::<Limit>() || error.is::<wasmtime::Trap>() {
            Self::from_call(error)
        } else {
            Self::engine(error)
        }
    }

    pub(crate) fn invalid(error: &wasmtime::Error) -> Self {
        Self::Invalid(one_line(error))
    }

    pub(crate) fn engine(error: &wasmtime::Error) -> Self {
        Self::Engine(one_line(error))
    }
}

/// The whole chain of reasons in one line.
fn one_line(error: &wasmtime::Error) -> String {
    format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Sentence<'a>(&'a ConnectorError);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.fix {
            Some(fix) => write!(f, ": {fix}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::wit::{ErrorKind, Origin};

    #[test]
    fn a_limit_survives_the_way_through_the_engine() {
        let error = wasmtime::Error::new(Limit::Requests(64)).context("while calling");
        assert!(matches!(HostError::from_call(&error), HostError::LimitExceeded(Limit::Requests(64))));
    }

    #[test]
    fn a_trap_shows_its_code_and_nothing_that_the_component_said() {
        let error = wasmtime::Error::from(wasmtime::Trap::UnreachableCodeReached).context("secret-in-panic");
        let text = HostError::from_call(&error).to_string();
        assert!(text.contains("`unreachable` instruction executed"), "{text}");
        assert!(!text.contains("secret-in-panic"), "{text}");

        let text = HostError::from_call(&wasmtime::Error::msg("secret-in-host-error")).to_string();
        assert!(text.contains("host function"), "{text}");
        assert!(!text.contains("secret-in-host-error"), "{text}");
    }

    #[test]
    fn every_text_is_one_line_with_a_fix() {
        let errors = [
            HostError::NoComponent,
            HostError::NotAComponent("/etc/passwd".to_owned()),
            HostError::Unreadable { path: "x.wasm".into(), source: io::Error::other("gone") },
            HostError::invalid(&wasmtime::Error::msg("line one\n  line two")),
            HostError::Manifest("no egress".to_owned()),
            HostError::EgressBeyond(vec!["evil.example with access-token".to_owned()]),
            HostError::engine(&wasmtime::Error::msg("mmap")),
            HostError::Trapped("unreachable".to_owned()),
            HostError::DeadlineExceeded(Duration::from_secs(65)),
            HostError::Store(StoreError::unavailable("disk")),
            HostError::Store(StoreError::unavailable("disk").with_fix("use another")),
            HostError::LimitExceeded(Limit::Memory(128 << 20)),
            HostError::LimitExceeded(Limit::Cpu(Duration::from_secs(2))),
            HostError::LimitExceeded(Limit::Requests(64)),
            HostError::LimitExceeded(Limit::StoreCalls(20_000)),
            HostError::LimitExceeded(Limit::StoreWrites(256)),
            HostError::LimitExceeded(Limit::StoreBytes(1 << 20)),
            HostError::LimitExceeded(Limit::Leases(64)),
            HostError::LimitExceeded(Limit::Signatures(64)),
        ];
        for error in errors {
            let text = error.to_string();
            assert!(!text.contains('\n'), "{text}");
            let fixes = ["name", "build", "use", "check", "report", "raise", "call", "looks after"];
            assert!(fixes.iter().any(|fix| error.fix().contains(fix)), "{text}");
            assert_eq!(text, format!("{}; {}", error.message(), error.fix()));
        }
    }

    #[test]
    fn a_connector_error_reads_as_message_and_fix() {
        let error = ConnectorError {
            kind: ErrorKind::ConnectionRequired,
            origin: Origin::Input,
            message: "no connection was named".to_owned(),
            fix: Some("name one".to_owned()),
            http_status: None,
            retry_after_ms: None,
            reason: None,
            link: None,
            details: Vec::new(),
            trace: Vec::new(),
        };
        assert_eq!(CallError::Connector(Box::new(error)).to_string(), "no connection was named: name one");
    }
}
