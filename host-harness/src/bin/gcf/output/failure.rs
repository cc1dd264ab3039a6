//! Failures of a command: one message, its fix, and its exit code.

use std::{fmt, path::Path};

use gcf_host::{
    CallError, HostError,
    secrets::StoreError,
    tape::TapeError,
    transport::{ProxyError, ProxyFault},
    wit::{
        Case as _,
        connections::Connection,
        types::{Error, ErrorKind, Exchange},
    },
};
use serde_json::{Map, Value, json};

use super::{
    exit::Exit,
    hint, json, repair,
    style::{Paint, block, plain},
};

/// The reason why a command ends with another code than 0.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// The contract's kind, or one of this program's: `host`, `replay`, `tape-miss`.
    kind: &'static str,
    pub(crate) message: String,
    /// The message with colours, where it has some of its own.
    coloured: Option<Box<Coloured>>,
    /// The message stands in several lines of this program's own.
    in_lines: bool,
    fix: Option<Box<str>>,
    /// The command to run next.
    run: Option<Box<str>>,
    link: Option<Box<str>>,
    /// Facts that only the component's errors have.
    facts: Box<Map<String, Value>>,
    /// An earlier failure: a replay that does not match usually made a call fail first.
    before: Option<Box<Failure>>,
}

/// A message for a terminal. Boxed by its name: failures are returned from everywhere, and few have one.
#[derive(Debug)]
struct Coloured(String);

impl Failure {
    fn new(exit: Exit, kind: &'static str, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self {
            exit,
            kind,
            message,
            coloured: None,
            in_lines: false,
            fix: None,
            run: None,
            link: None,
            facts: Box::default(),
            before: None,
        }
    }

    /// An argument cannot be used.
    pub(crate) fn input(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, ErrorKind::InvalidInput.name(), message)
    }

    /// No connection, or not this one.
    pub(crate) fn connection(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self::new(Exit::from(kind), kind.name(), message)
    }

    /// The nickname stands for several connections.
    pub(crate) fn ambiguous_connection(message: impl fmt::Display) -> Self {
        Self::new(Exit::NotFound, "ambiguous-connection", message)
    }

    /// The store cannot be opened or read. What its errors say is whole sentences, with the folder in them.
    pub(crate) fn store(error: &StoreError) -> Self {
        Self::of_store(error, error.message())
    }

    /// The store does not do `what`: keep a token, share a connection.
    pub(crate) fn store_refuses(what: &str, error: &StoreError) -> Self {
        Self::of_store(error, format!("cannot {what}: {}", error.message()))
    }

    fn of_store(error: &StoreError, message: String) -> Self {
        let (exit, kind, otherwise) = match error {
            // Nothing is wrong with the store then, but with what was asked for.
            StoreError::Other(_) => {
                (Exit::Usage, ErrorKind::InvalidInput, "correct what the command was given")
            }
            StoreError::ReadOnly => {
                (Exit::Failed, ErrorKind::SecretStore, "name a folder with --store DIR, or unset GCF_SECRETS")
            }
            StoreError::VersionMismatch => {
                (Exit::Failed, ErrorKind::SecretStore, "somebody else writes there, too: run it again")
            }
            StoreError::Unsupported => {
                (Exit::Failed, ErrorKind::SecretStore, "name a folder with --store DIR")
            }
            StoreError::Unavailable(_) => (
                Exit::Failed,
                ErrorKind::SecretStore,
                "see to the access rights and the disk there, or name another place with --store DIR",
            ),
        };
        Self::new(exit, kind.name(), message).with_fix(error.fix().unwrap_or(otherwise))
    }

    /// There was no time left to take secrets out of an answer, so it is not shown.
    pub(crate) fn unsearched() -> Self {
        let kind = ErrorKind::DeadlineExceeded;
        Self::new(
            Exit::from(kind),
            kind.name(),
            "an answer came, and no time was left to search it for the connection's secrets",
        )
        .with_fix("give the call more time with --timeout")
    }

    /// Somebody pressed ctrl-C while a tape was recorded.
    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted", "interrupted")
            .with_fix("what was answered before that is on the tape")
    }

    /// The tape cannot be read or written.
    pub(crate) fn tape(error: &TapeError) -> Self {
        let fix = error.fix().unwrap_or_else(|| tape_fix(error));
        Self::new(Exit::Usage, "tape", error.message()).with_fix(fix).in_lines()
    }

    /// The tape was not replayed as it stands.
    pub(crate) fn replay(error: &TapeError, before: Option<Self>) -> Self {
        let missed = matches!(error, TapeError::NotReplayed { misses, .. } if !misses.is_empty());
        let kind = if missed { TAPE_MISS } else { "replay" };
        let mut failure =
            Self::new(Exit::Replay, kind, format!("the replay did not match its tape\n{error}")).in_lines();
        let coloured = format!("the replay did not match its tape\n{}", error.coloured());
        failure.coloured = Some(Box::new(Coloured(coloured)));
        // The call failed at a request that is not on the tape, which stands in this failure
        // already.
        failure.before = before.filter(|before| before.kind != TAPE_MISS).map(Box::new);
        failure
    }

    /// The component is not where it should be.
    pub(crate) fn no_component(looked: &[impl AsRef<Path>]) -> Self {
        let places: Vec<_> = looked.iter().map(|path| path.as_ref().display().to_string()).collect();
        Self::new(Exit::Usage, "host", format!("no component found; looked for {}", places.join(", ")))
            .with_fix("build it with `cargo xtask build`, or name it with --component FILE")
    }

    /// A fault of the host or the component.
    pub(crate) fn fault(message: impl fmt::Display) -> Self {
        Self::new(Exit::Fault, "host", message).with_fix("this is not your fault: please report it")
    }

    /// This machine does not do what a program needs.
    pub(crate) fn machine(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, "host", message)
    }

    /// Shows the message's line breaks: whoever wrote it has seen to it that nobody else's are among them.
    pub(crate) fn in_lines(mut self) -> Self {
        self.in_lines = true;
        self
    }

    pub(crate) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into().into());
        self
    }

    /// A failure of a call on `connection`, which knows what mends it.
    pub(crate) fn of_call(error: CallError, connection: &Connection) -> Self {
        let run = match &error {
            CallError::Connector(error) => repair::after(error.kind, connection),
            CallError::Host(_) => None,
        };
        Self { run: run.map(Into::into), ..error.into() }
    }

    /// The same failure as the proxy explains it, if it is one of the network.
    pub(crate) fn at_the_proxy(mut self, refusal: &ProxyError) -> Self {
        let of_network = [ErrorKind::Network, ErrorKind::DeadlineExceeded, ErrorKind::EgressDenied];
        if !of_network.iter().any(|kind| kind.name() == self.kind) {
            return self;
        }
        // Trying again does not help against a password.
        if matches!(refusal.fault, ProxyFault::Authentication { .. }) {
            self.exit = Exit::Forbidden;
        }
        self.message = refusal.message();
        self.with_fix(refusal.fix())
    }

    /// The same failure, if it is one of the network, where there is a proxy that was not asked for.
    pub(crate) fn beside_the_proxy(self) -> Self {
        if self.kind != ErrorKind::Network.name() {
            return self;
        }
        self.with_fix(
            "HTTPS_PROXY is set and was not used: add --proxy env, or check the network and the DNS",
        )
    }

    /// Says the fix in the words of this command line, if the failure is about `field` of a request or a
    /// credential.
    pub(crate) fn with_fix_for(self, field: &str, fix: impl FnOnce() -> String) -> Self {
        let named = self.facts.get("details").and_then(|details| details["field"].as_str());
        if named == Some(field) { self.with_fix(fix()) } else { self }
    }

    /// A sign-in in the browser that can still be finished: what came back was not what was waited for.
    pub(crate) fn stays_open(mut self) -> Self {
        self.facts.insert("details".to_owned(), json!({ "check": "format" }));
        self
    }

    /// Tells whether a sign-in in the browser can still be finished; see `connections.finish`.
    pub(crate) fn leaves_sign_in_open(&self) -> bool {
        let check = self.facts.get("details").and_then(|details| details["check"].as_str());
        self.kind == ErrorKind::AuthorizationFailed.name()
            && check.is_some_and(|check| ["format", "char", "duplicate", "state"].contains(&check))
    }

    pub(crate) fn fix(&self) -> Option<&str> {
        self.fix.as_deref()
    }

    /// The lines for people: what failed, then the way out.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let before = self.before.as_ref().map(|before| before.text(paint)).unwrap_or_default();
        before + &self.lines(paint.error("error:"), paint)
    }

    /// The same for a failure that does not end the command.
    pub(crate) fn warning(&self, paint: Paint) -> String {
        self.lines(paint.warning("warning:"), paint)
    }

    fn lines(&self, label: String, paint: Paint) -> String {
        let mut text = match &self.coloured {
            // Its values are escaped, as they stand in quotes.
            Some(message) if paint.colour() => format!("{label} {}\n", message.0),
            Some(_) | None if self.in_lines => format!("{label} {}\n", block(&self.message)),
            Some(_) | None => format!("{label} {}\n", plain(&self.message)),
        };
        for (label, line) in [("hint:", &self.fix), ("run:", &self.run), ("link:", &self.link)] {
            if let Some(line) = line {
                text += &format!("{} {}\n", paint.hint(label), plain(line));
            }
        }
        text
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        let mut error = self.fields();
        if let Some(before) = &self.before {
            error.insert("before".to_owned(), Value::Object(before.fields()));
        }
        json!({ "error": error })
    }

    fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("kind".to_owned(), self.kind.into());
        fields.insert("message".to_owned(), self.message.clone().into());
        fields.insert("fix".to_owned(), self.fix.as_deref().into());
        fields.insert("run".to_owned(), self.run.as_deref().into());
        fields.insert("link".to_owned(), self.link.as_deref().into());
        fields.insert("exit".to_owned(), (self.exit as u8).into());
        fields.extend(self.facts.iter().map(|(name, value)| (name.clone(), value.clone())));
        fields
    }
}

/// The hint for a tape whose error has none.
fn tape_fix(error: &TapeError) -> &'static str {
    match error {
        TapeError::File { source, .. } => tape_fix(source),
        TapeError::Write { .. } => "name a file in a folder that you can write in",
        TapeError::Alias { .. } => {
            "give each name one that nothing else has: `--rename my-project=project-1`"
        }
        TapeError::Malformed { .. } => MEND,
        // There was a tape up to that place.
        TapeError::NotJson { at, .. } if !at.is_empty() => MEND,
        TapeError::NotJson { .. }
        | TapeError::Read { .. }
        | TapeError::NotATape { .. }
        | TapeError::Version { .. }
        | TapeError::UnknownFields { .. }
        | TapeError::Leak { .. }
        | TapeError::TooManySecrets
        | TapeError::Full { .. }
        | TapeError::NotReplayed { .. } => "name a tape: `--record FILE` writes one",
    }
}

/// The kind of a request that is not on the tape.
const TAPE_MISS: &str = "tape-miss";

/// The hint for a tape that was edited by hand.
const MEND: &str = "mend the file, or record it again; `gcf tape schema` prints what may be in it";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::new(Exit::from(error.kind), error.kind.name(), &error.message);
        failure.fix = hint::in_options(&error).or(error.fix).map(Into::into);
        failure.link = error.link.map(Into::into);
        let details: Map<String, Value> =
            error.details.into_iter().map(|(name, value)| (name, value.into())).collect();
        let trace: Vec<Value> =
            error.trace.iter().map(|exchange: &Exchange| json::exchange(exchange)).collect();
        for (name, value) in [
            ("origin", error.origin.name().into()),
            ("http-status", error.http_status.into()),
            ("retry-after-ms", error.retry_after_ms.into()),
            ("reason", error.reason.into()),
            ("details", details.into()),
            ("trace", trace.into()),
        ] {
            failure.facts.insert(name.to_owned(), value);
        }
        failure
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Connector(error) => (*error).into(),
            CallError::Host(error) => error.into(),
        }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        if let HostError::TapeMiss(miss) = &error {
            let message = format!("the call did not match its tape\n{}", miss.what);
            return Self::new(Exit::Replay, TAPE_MISS, message).with_fix(&miss.hint).in_lines();
        }
        let (exit, kind) = match error {
            HostError::NoComponent
            | HostError::Unreadable { .. }
            | HostError::NotAComponent(_)
            | HostError::Invalid(_)
            | HostError::EgressBeyond(_) => (Exit::Usage, "host"),
            HostError::Manifest(_) | HostError::Engine(_) | HostError::Trapped(_) => (Exit::Fault, "host"),
            HostError::DeadlineExceeded(_) => (Exit::Temporary, ErrorKind::DeadlineExceeded.name()),
            HostError::Store(_) => (Exit::Fault, ErrorKind::SecretStore.name()),
            HostError::LimitExceeded(_) => (Exit::Failed, "limit"),
            HostError::TapeMiss(_) => (Exit::Replay, TAPE_MISS),
        };
        Self::new(exit, kind, error.message()).with_fix(error.fix())
    }
}

#[cfg(test)]
mod tests;
