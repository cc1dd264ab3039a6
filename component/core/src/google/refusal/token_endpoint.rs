//! Refusals of Google's token endpoint: the meaning of each, and whose move it is.
//!
//! A table: the error code, words of the description, and what was exchanged, in the order of the
//! rows; then the status. Nothing is guessed from a body that is not the JSON of RFC 6749: a proxy may
//! have written it, and no connection dies of that.

mod table;
#[cfg(test)]
mod tests;

use crate::base::{
    error::{Cause, Error, Kind, Origin, foreign},
    json::{self, Value},
};

/// The thing that was handed to the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A user's refresh token.
    RefreshToken,
    /// An authorization code.
    Code,
    /// An assertion, signed with a service account's key.
    Assertion,
    /// A subject token of another issuer, at the Security Token Service.
    Exchange,
}

/// The meaning of a refusal.
struct Verdict {
    /// The kind of the error, which also decides how long the refusal is believed (`sign_in::token::status`).
    kind: Kind,
    /// The cause, for programs.
    cause: Cause,
    /// The endpoint's deed, as the end of a sentence.
    what: &'static str,
    /// The fix: whose move it is. `{account}` stands for the account.
    fix: &'static str,
}

/// Tells if a body says in the words of RFC 6749, section 5.2, that nothing was granted. That holds under any status: what
/// refuses is no grant, whatever stands beside it.
#[must_use]
pub fn refuses(body: &[u8]) -> bool {
    !code(body).is_empty()
}

/// The error code of RFC 6749, section 5.2; empty if there is none.
#[must_use]
pub fn code(body: &[u8]) -> String {
    Refusal::read(body).error
}

/// The error of a refusal, or of an answer other than 200, for `account`. `details.cause` holds the cause.
#[must_use]
pub fn error(status: u16, body: &[u8], grant: Grant, account: &str) -> Error {
    let endpoint = match grant {
        Grant::RefreshToken | Grant::Code | Grant::Assertion => "token endpoint",
        Grant::Exchange => "Security Token Service",
    };
    error_of(endpoint, status, body, grant, account)
}

/// The same of another endpoint that answers like one that grants tokens.
pub(crate) fn error_of(endpoint: &str, status: u16, body: &[u8], grant: Grant, account: &str) -> Error {
    let refusal = Refusal::read(body);
    let verdict = refusal.verdict(status, grant);
    let said = match (refusal.error.as_str(), refusal.error_description.as_str()) {
        ("", _) => format!("status {status}"),
        (code, "") => foreign(code),
        (code, description) => format!("{} ({})", foreign(code), foreign(description)),
    };
    Error::new(verdict.kind, Origin::TokenEndpoint, format!("Google's {endpoint} {}: {said}", verdict.what))
        .http_status(status)
        .reason((!refusal.error.is_empty()).then(|| foreign(&refusal.error)))
        .cause(verdict.cause)
        .fix(verdict.fix.replace("{account}", if account.is_empty() { "the user" } else { account }))
}

/// The error of RFC 6749, section 5.2, with Google's addition.
#[derive(Default)]
struct Refusal {
    error: String,
    error_description: String,
    error_subtype: String,
}

impl Refusal {
    fn read(body: &[u8]) -> Self {
        let Ok(fields) = json::read(body) else { return Self::default() };
        let text = |name| fields.get(name).and_then(Value::text).unwrap_or_default().to_owned();
        Self {
            error: text("error"),
            error_description: text("error_description"),
            error_subtype: text("error_subtype"),
        }
    }

    fn verdict(&self, status: u16, grant: Grant) -> &'static Verdict {
        // google-auth finds these in either place, under any status.
        let fault =
            |text: &str| matches!(text, "internal_failure" | "server_error" | "temporarily_unavailable");
        // What is beyond 599 is the far side's fault (RFC 9110, section 15).
        let passing_status = matches!(status, 408 | 429 | 500..);
        if self.error != "invalid_grant" {
            match status {
                429 => return &table::RATE,
                _ if passing_status || fault(&self.error) || fault(&self.error_description) => {
                    return &table::FAULT;
                }
                300..=399 => return &table::REDIRECT,
                _ => {}
            }
        }
        // "Account has been deleted" and "account has been deleted" are both Google's.
        let (description, subtype) =
            (self.error_description.to_ascii_lowercase(), self.error_subtype.to_ascii_lowercase());
        let says = |words: &str| {
            let words = words.to_ascii_lowercase();
            description.contains(&words) || subtype.contains(&words)
        };
        let row = table::ROWS.iter().find(|row| {
            row.code == self.error && says(row.says) && (row.grants.is_empty() || row.grants.contains(&grant))
        });
        match row {
            Some(row) => &row.verdict,
            None if self.error.is_empty() => &table::NOT_OAUTH,
            None => &table::UNKNOWN,
        }
    }
}
