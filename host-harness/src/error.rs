//! The errors of a call: the connector's own word, or the host's.

use std::{fmt, io, path::PathBuf, time::Duration};

use crate::{contract::wit::ConnectorError, secrets::StoreError};

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
/// The texts are made from paths, numbers and the names of interfaces, and never hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The builder was given no component.
    #[error("no component was given; call component_file or component_bytes before build")]
    NoComponent,
    /// The file of the component cannot be read.
    #[error("cannot read the component {}: {source}; build it with `cargo xtask build`, or name another file", path.display())]
    Unreadable {
        /// The component's file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Not a WebAssembly component: another kind of file, or a core module.
    #[error("{0} is not a WebAssembly component; name gcf-connector.wasm, which `cargo xtask build` makes")]
    NotAComponent(String),
    /// Damaged, or a component, but not one for this host.
    #[error(
        "not a component of the world gcf:connector/connector@0.1: {0}; use the release that belongs to this host"
    )]
    Invalid(String),
    /// The catalog of the component cannot be used, so nothing would guard where it sends what.
    #[error("the component's catalog cannot be used: {0}; use the release that belongs to this host")]
    Manifest(String),
    /// The component declares that it sends more than the connector of this release, or sends it to others.
    #[error(
        "the component wants to send what the connector does not: {}; use the release that belongs to this host, or, if you mean it, name all that may be sent with egress_allow (gcf --egress)",
        .0.join("; ")
    )]
    EgressBeyond(Vec<String>),
    /// The sandbox itself could not be made.
    #[error("cannot set up the sandbox: {0}; check the limits of this process on memory and threads")]
    Engine(String),
    /// The component broke off. Its output is discarded, for it may hold anything.
    #[error(
        "the component trapped ({0}): a fault of the component; please report it with the action that caused it"
    )]
    Trapped(String),
    /// The call did not end in time, although the component keeps the deadline itself.
    #[error(
        "the call was stopped after {0:?}: it did not end by its deadline; give it more time, or report it if it should have ended"
    )]
    DeadlineExceeded(Duration),
    /// The store could not say which connection the call is for.
    #[error("the secret store cannot be used: {0}; whoever runs the host looks after its store")]
    Store(StoreError),
    /// The call needed more than it was allowed.
    #[error("the call was stopped: it needs more than {0}")]
    LimitExceeded(Limit),
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

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => {
                write!(f, "{} MiB of memory; ask for less at once, or raise Limits::memory", bytes >> 20)
            }
            Self::Cpu(time) => {
                write!(f, "{time:?} of processor time; ask for less at once, or raise Limits::cpu")
            }
            Self::Requests(count) => {
                write!(f, "{count} requests; ask for less at once, or raise Limits::requests")
            }
            Self::StoreCalls(count) => {
                write!(
                    f,
                    "{count} calls of the secret store; ask for less at once, or raise Limits::store.calls"
                )
            }
            Self::StoreWrites(count) => {
                write!(
                    f,
                    "{count} writes to the secret store; ask for less at once, or raise Limits::store.writes"
                )
            }
            Self::StoreBytes(bytes) => {
                let kib = bytes >> 10;
                write!(
                    f,
                    "{kib} KiB written to the secret store; store less at once, or raise Limits::store.bytes"
                )
            }
            Self::Leases(count) => {
                write!(
                    f,
                    "{count} leases of the secret store; ask for less at once, or raise Limits::store.leases"
                )
            }
            Self::Signatures(count) => {
                write!(f, "{count} signatures; ask for less at once, or raise Limits::store.signatures")
            }
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
            HostError::Store(StoreError::Unavailable("disk".to_owned())),
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
            assert!(fixes.iter().any(|fix| text.contains(fix)), "{text}");
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
