//! The one error type: what failed, whose failure it is, and what to do next.

mod cause;
mod kind;

use std::fmt;

pub use self::{
    cause::Cause,
    kind::{Belief, Kind},
};
use crate::base::{http::Exchange, unseen::is_unseen};

/// The result of every call that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The reason why a call failed. The fields are those of the record `error` in `wit/types.wit`.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Fields>);

/// The facts of an [`Error`]. No field ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// The kind of failure.
    pub kind: Kind,
    /// The side whose failure it is.
    pub origin: Origin,
    /// The message: what failed and where, in one line.
    pub message: String,
    /// The fix: whose move it is, and what to do next.
    pub fix: Option<String>,
    /// The HTTP status, where one was received.
    pub http_status: Option<u16>,
    /// A floor for the next attempt, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// Google's machine-readable reason.
    pub reason: Option<String>,
    /// The page on which it is mended.
    pub link: Option<String>,
    /// Facts by name.
    pub details: Vec<(String, String)>,
    /// The requests that had been sent.
    pub trace: Vec<Exchange>,
}

/// The origins of `wit/types.wit`, where each is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Origin {
    Input,
    Connection,
    TokenEndpoint,
    Iam,
    GoogleApi,
    Function,
    GoogleFrontEnd,
    Network,
    Host,
}

/// The fix for a damaged credential.
pub(crate) const FRESH_CREDENTIAL: &str =
    "use the JSON key as Google hands it out (IAM & Admin, Service Accounts, Keys), unchanged";

/// The name of the detail that holds a [`Cause`].
pub(crate) const CAUSE: &str = "cause";

/// The longest foreign text that gets into a message, in characters.
const FOREIGN_TEXT: usize = 400;

impl Error {
    /// An error of a kind and an origin. `message` is lower case, without a period at its end.
    pub fn new(kind: Kind, origin: Origin, message: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            kind,
            origin,
            message: one_line(&message.into()),
            fix: None,
            http_status: None,
            retry_after_ms: None,
            reason: None,
            link: None,
            details: Vec::new(),
            trace: Vec::new(),
        }))
    }

    /// Bad input in `field`: nothing was sent, and the caller can mend it.
    pub fn input(field: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidInput, Origin::Input, message).detail("field", field)
    }

    /// A credential that cannot be used because of one field of it.
    pub(crate) fn credential(field: &str, what: &str) -> Self {
        let message = format!("the credential cannot be used: its field `{field}` {what}");
        Self::new(Kind::InvalidCredential, Origin::Connection, message)
            .detail("field", field)
            .fix(FRESH_CREDENTIAL)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.0.fix = Some(one_line(&fix.into()));
        self
    }

    /// The status that was received.
    #[must_use]
    pub fn http_status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// The time to wait at least.
    #[must_use]
    pub fn retry_after_ms(mut self, floor: Option<u64>) -> Self {
        self.0.retry_after_ms = floor;
        self
    }

    /// Google's reason.
    #[must_use]
    pub fn reason(mut self, reason: Option<String>) -> Self {
        self.0.reason = reason.map(|r| one_line(&r));
        self
    }

    /// Adds the page on which it is mended.
    #[must_use]
    pub fn link(mut self, link: impl Into<String>) -> Self {
        self.0.link = Some(one_line(&link.into()));
        self
    }

    /// One fact.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.details.push((name.to_owned(), one_line(&value.into())));
        self
    }

    /// The cause, in one word: the detail `cause`.
    #[must_use]
    pub fn cause(self, cause: Cause) -> Self {
        self.detail(CAUSE, cause.as_str())
    }

    /// Without a secret that an endpoint may have repeated.
    #[must_use]
    pub fn without(mut self, secret: &str) -> Self {
        if self.0.message.contains(secret) {
            self.0.message = self.0.message.replace(secret, "[secret]");
        }
        if self.0.reason.as_ref().is_some_and(|reason| reason.contains(secret)) {
            self.0.reason = None;
        }
        self
    }

    /// Adds the requests that had been sent.
    #[must_use]
    pub fn with_trace(mut self, trace: Vec<Exchange>) -> Self {
        self.0.trace = trace;
        self
    }

    /// The facts.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.0
    }

    /// The facts, by value.
    #[must_use]
    pub fn into_fields(self) -> Fields {
        *self.0
    }

    /// The kind, which most callers branch on.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        self.0.fix.as_ref().map_or(Ok(()), |fix| write!(f, "; {fix}"))
    }
}

impl std::error::Error for Error {}

/// One line of text in which each character is seen where it stands, cut at a fixed length: messages of other systems
/// end up in terminals and logs.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|c| if is_unseen(c) { ' ' } else { c }).take(FOREIGN_TEXT * 3).collect();
    if line.contains("  ") {
        line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    line
}

/// Text that somebody else wrote, cut to a length that fits in a message, and without what looks like a
/// token: an endpoint may repeat what it was sent.
#[must_use]
pub fn foreign(text: &str) -> String {
    let mut line = String::new();
    let mut names_token = false;
    for word in one_line(text).split(' ') {
        if !line.is_empty() {
            line.push(' ');
        }
        let secret = names_token || TOKENS.iter().any(|token| begins(word, token));
        line.push_str(if secret { "[secret]" } else { word });
        names_token = word.ends_with("Bearer");
    }
    match line.char_indices().nth(FOREIGN_TEXT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Tells if a token begins in a word, and not in the middle of another one: `v1//` and `2024/05` are none.
fn begins(word: &str, token: &str) -> bool {
    word.match_indices(token).any(|(at, _)| !word[..at].ends_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The beginnings of Google's tokens and keys: access token, refresh token, code, JWT, client secret, API key, PEM.
const TOKENS: [&str; 7] = ["ya29.", "1//", "4/0", "eyJ", "GOCSPX-", "AIza", "-----BEGIN"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::canaries;

    #[test]
    fn foreign_text_cannot_break_a_line_or_flood_a_log() {
        assert_eq!(foreign("a\r\nb\u{1b}[31m"), "a b [31m");
        assert_eq!(foreign("a\u{2028}error: b\u{85}c"), "a error: b c");
        assert_eq!(foreign(&"x".repeat(10_000)).chars().count(), FOREIGN_TEXT + 1);
    }

    /// All of Unicode, by the properties of somebody else's tables.
    #[test]
    fn every_field_of_an_error_is_seen_as_it_is() {
        let unseen =
            regex::Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]").unwrap();
        let all: Vec<char> =
            ('\0'..=char::MAX).filter(|c| unseen.is_match(c.encode_utf8(&mut [0; 4]))).collect();
        assert!(all.len() > 4000, "{}", all.len());
        for part in all.chunks(100) {
            let text: String = part.iter().flat_map(|c| ['a', *c]).collect();
            let error = Error::new(Kind::Internal, Origin::Host, &*text)
                .fix(&*text)
                .reason(Some(text.clone()))
                .link(&*text)
                .detail("name", &*text);
            let fields = error.fields();
            for shown in [
                &fields.message,
                fields.fix.as_ref().unwrap(),
                fields.reason.as_ref().unwrap(),
                fields.link.as_ref().unwrap(),
                &fields.details[0].1,
                &foreign(&text),
            ] {
                assert!(!unseen.is_match(shown), "{shown:?}");
                assert!(shown.contains("a a"), "{shown:?}");
            }
        }
        assert_eq!(foreign("pay\u{202e}gnp.exe\u{200b}\u{e0041} now"), "pay gnp.exe now");
    }

    #[test]
    fn foreign_text_does_not_repeat_a_token() {
        for token in [
            canaries::FIRST,
            canaries::REFRESH_FIRST,
            canaries::CODE,
            "eyJcanary.eyJ.x",
            canaries::CLIENT_SECRET,
            "AIzacanary",
        ] {
            let shown = foreign(&format!("the header was \"authorization: {token}\" and more"));
            assert_eq!(shown, "the header was \"authorization: [secret] and more");
        }
        assert_eq!(foreign("https://x.test/v1//f of 2024/05"), "https://x.test/v1//f of 2024/05");
        // What only looks like the beginning of one hides none behind it.
        assert_eq!(
            foreign(&format!("at https://x.test/v1//?token={}", canaries::REFRESH_FIRST)),
            "at [secret]"
        );
        assert_eq!(foreign(&format!("of 2024/05,code={}", canaries::CODE)), "of [secret]");
        assert_eq!(foreign("sent Bearer canary again"), "sent Bearer [secret] again");
        assert_eq!(foreign("nothing  of\nthe kind"), "nothing of the kind");
    }

    #[test]
    fn an_error_reads_as_one_breath() {
        let error = Error::input("region", "region `x y` is not a region").fix("use one such as us-central1");
        assert_eq!(error.to_string(), "region `x y` is not a region; use one such as us-central1");
        assert_eq!(error.fields().details, [("field".to_owned(), "region".to_owned())]);
    }
}
