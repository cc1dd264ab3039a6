//! The headers and the query of a request: they hold a credential only where the policy looks for it.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use super::{SERVERLESS_AUTHORIZATION, manifest};

/// Names that carry a credential, or say to somebody on the way who is calling. The component's own
/// credentials have their two headers, and nothing else is for it to send.
const CREDENTIALS: [&str; 8] = [
    "cookie",
    "cookie2",
    "proxy-authorization",
    "x-goog-api-key",
    "x-authorization",
    "x-forwarded-authorization",
    "x-forwarded-access-token",
    "x-original-authorization",
];

/// Names that frame a message, or are about one hop of its way (RFC 9110, sections 7.6.1, 7.8 and 10.1): the transport's to
/// send.
const FRAMING: [&str; 9] = [
    "connection",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Names that say what is so, or are refused; in another spelling they say it to some servers only.
const OF_THE_HOST: [&str; 2] = ["content-length", "host"];

/// The beginnings of names in which Google's proxies pass on the caller's identity.
const PREFIXES: [&str; 3] = ["x-goog-iap-", "x-goog-iam-", "x-goog-authenticated-user-"];

/// The parameters by which Google's APIs take a token from the query.
///
/// <https://cloud.google.com/apis/docs/system-parameters>
const PARAMETERS: [&str; 4] = ["access_token", "oauth_token", "bearer_token", "id_token"];

/// Judges all headers but the two that show the credential. No value gets into the error.
pub(super) fn check(headers: &HeaderMap, host: &str) -> Result<(), String> {
    for (name, value) in headers {
        if *name == SERVERLESS_AUTHORIZATION {
            if !manifest::is_function(host) {
                return Err(not_allowed(name));
            }
        } else if *name != header::AUTHORIZATION {
            check_one(name, value)?;
        }
    }
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    if lengths.next().is_some_and(|value| !is_length(value)) || lengths.next().is_some() {
        return Err("the content-length header is not one number".to_owned());
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let same = |value: &HeaderValue| {
        let value = value.as_bytes();
        value.strip_suffix(b":443").unwrap_or(value) == host.as_bytes()
    };
    if hosts.next().is_some_and(|value| !same(value)) || hosts.next().is_some() {
        return Err(format!("the host header differs from {host}"));
    }
    Ok(())
}

fn check_one(name: &HeaderName, value: &HeaderValue) -> Result<(), String> {
    // Some servers read `_` as `-`.
    let spelled = match name.as_str() {
        name if name.contains('_') => Cow::from(name.replace('_', "-")),
        name => Cow::from(name),
    };
    let credential = matches!(&*spelled, "authorization" | "x-serverless-authorization")
        || CREDENTIALS.contains(&&*spelled)
        || PREFIXES.iter().any(|prefix| spelled.starts_with(prefix));
    let respelled = *spelled != *name.as_str() && OF_THE_HOST.contains(&&*spelled);
    if credential || respelled || FRAMING.contains(&&*spelled) {
        return Err(not_allowed(name));
    }
    if holds_bearer(value.as_bytes()) {
        return Err(format!(
            "the header {name} holds a bearer token, which belongs into authorization alone"
        ));
    }
    Ok(())
}

/// Judges the query of a request to Google. That of a function is the caller's own.
pub(super) fn check_query(uri: &Uri, host: &str) -> Result<(), String> {
    if manifest::is_function(host) {
        return Ok(());
    }
    let query = uri.query().unwrap_or_default().as_bytes();
    let credential = url::form_urlencoded::parse(query)
        .find(|(name, _)| PARAMETERS.iter().any(|parameter| name.eq_ignore_ascii_case(parameter)));
    match credential {
        Some((name, _)) => {
            Err(format!("the parameter {} of the query is not allowed", name.to_ascii_lowercase()))
        }
        None => Ok(()),
    }
}

/// Tells whether a value is 1*DIGIT (RFC 9110, section 8.6), and no more than a body can have.
fn is_length(value: &HeaderValue) -> bool {
    let digits = value.as_bytes();
    (1..=19).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

fn not_allowed(name: &HeaderName) -> String {
    format!("the header {name} is not allowed")
}

/// Tells whether a value has the scheme of RFC 6750 in it, as a word of its own, or one of Google's access
/// tokens.
fn holds_bearer(value: &[u8]) -> bool {
    let scheme = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| value.get(before));
        let after = value.get(at + BEARER.len());
        !before.is_some_and(u8::is_ascii_alphanumeric)
            && after.is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'+' | b'%'))
    };
    let begins = |at: usize, word: &[u8]| {
        value.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    (0..value.len()).any(|at| begins(at, BEARER) && scheme(at) || begins(at, b"ya29."))
}

const BEARER: &[u8] = b"bearer";
