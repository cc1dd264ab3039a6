//! The callback, with which the browser comes back: anybody can make it up, so nothing of it is believed before the
//! state is, and nothing of it is repeated but Google's own error code.

use super::{ISSUER, authorization::State, redirect::RedirectUri};
use crate::base::{
    error::{Error, Kind, Origin, Result, foreign},
    secret::Secret,
};

/// The longest callback, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// The most parameters of a callback. Google sends seven.
const MAX_PARAMETERS: usize = 32;

/// The longest code, in bytes, by Google's documentation.
const MAX_CODE: usize = 256;

/// The parameters of a callback, readable but not to be believed yet.
#[derive(Debug)]
pub struct Parameters {
    state: Option<Secret<String>>,
    rest: Authentic,
}

/// The parameters of a callback whose state is ours: the pending sign-in is used up from here on,
/// whatever else is wrong.
#[derive(Debug)]
pub struct Authentic {
    issuer: Option<String>,
    error: Option<String>,
    code: Option<Secret<String>>,
}

/// An authorization code, good for one exchange.
#[derive(Debug)]
pub struct Code(Secret<String>);

impl Code {
    /// The code itself, for the token request.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl Parameters {
    /// Reads a callback as people paste it: the whole URL, or its query with or without `?`.
    ///
    /// # Errors
    /// `authorization-failed` with check `format`, `char` or `duplicate`. The pending sign-in is to
    /// be kept: this may be no answer to it at all.
    pub fn open(text: &str, redirect: &RedirectUri) -> Result<Self> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(failed("format", "is longer than 8 KiB"));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(failed("char", "holds a character that no URL holds"));
        }
        // Some browsers and apps leave the mark of a fragment that is empty (RFC 3986, section 3.5).
        let text = text.strip_suffix('#').unwrap_or(text);
        if text.contains('#') {
            return Err(failed(
                "format",
                "holds a fragment, which belongs to a flow that is never asked for",
            ));
        }
        let query = query(text, redirect).ok_or_else(|| {
            failed("format", "belongs to no sign-in that was begun here").fix(format!(
                "paste the whole address that the browser ends on; it begins with {}",
                redirect.as_str()
            ))
        })?;
        let mut parameters = Self { state: None, rest: Authentic { issuer: None, error: None, code: None } };
        let mut names = Vec::new();
        escapes(query)?;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // The decoder writes U+FFFD where an escape is not UTF-8.
            if [&name, &value]
                .into_iter()
                .any(|text| text.contains(|c: char| c.is_control() || c == '\u{fffd}'))
            {
                return Err(failed(
                    "char",
                    "holds an escaped control character, or escapes that are no text",
                ));
            }
            if names.contains(&name) {
                return Err(failed("duplicate", "holds a parameter twice"));
            }
            if names.len() == MAX_PARAMETERS {
                return Err(failed("format", "holds more than 32 parameters"));
            }
            match name.as_ref() {
                "state" => parameters.state = Some(Secret::new(value.into_owned())),
                "iss" => parameters.rest.issuer = Some(value.into_owned()),
                "error" => parameters.rest.error = Some(value.into_owned()),
                "code" => parameters.rest.code = Some(Secret::new(value.into_owned())),
                _ => {}
            }
            names.push(name);
        }
        Ok(parameters)
    }

    /// Compares the state, before anything else of the callback has a meaning.
    ///
    /// # Errors
    /// `authorization-failed` with check `state`. The pending sign-in is to be kept: the callback
    /// answers another one, or was made up.
    pub fn authentic(self, state: &State) -> Result<Authentic> {
        match &self.state {
            Some(theirs) if state.is(theirs.reveal()) => Ok(self.rest),
            Some(_) => Err(failed("state", "belongs to another sign-in, or was made up")
                .fix("do not use an address that somebody sent you; paste the one that this sign-in ended on, or start again")),
            None => Err(failed("state", "holds no state, so it may belong to another sign-in")
                .fix("paste the whole address that the browser ended on, or start again")),
        }
    }
}

impl Authentic {
    /// The outcome of the sign-in.
    ///
    /// # Errors
    /// `authorization-failed` with check `iss` or `code`; for an error that Google reports,
    /// `authorization-denied`, `client-config`, `unavailable`, or `authorization-failed` with check
    /// `error`.
    pub fn outcome(self) -> Result<Code> {
        if self.issuer.is_some_and(|issuer| issuer != ISSUER) {
            return Err(failed("iss", "was issued by somebody other than Google")
                .fix("start the sign-in again, and sign in only on accounts.google.com"));
        }
        if let Some(error) = self.error {
            return Err(refused(&error));
        }
        let code = self.code.ok_or_else(|| failed("code", "holds neither a code nor an error"))?;
        let text = code.reveal();
        if !(1..=MAX_CODE).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(failed("code", "holds a code that cannot be one of Google's"));
        }
        Ok(Code(code))
    }
}

/// The query of a callback, however it was pasted.
fn query<'a>(text: &'a str, redirect: &RedirectUri) -> Option<&'a str> {
    let bare = text.strip_prefix('?').or_else(|| {
        let (name, _) = text.split_once('=')?;
        (!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).then_some(text)
    });
    bare.or_else(|| redirect.query_of(text))
}

/// Every `%` begins an escape: the decoder would let the others stand.
fn escapes(query: &str) -> Result<()> {
    let hex =
        |escape: &str| escape.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if query.split('%').skip(1).all(hex) {
        Ok(())
    } else {
        Err(failed("char", "holds a `%` that is no escape"))
    }
}

/// A callback that cannot be used.
fn failed(check: &str, what: &str) -> Error {
    Error::new(
        Kind::AuthorizationFailed,
        Origin::Input,
        format!("the address that the sign-in ended on {what}"),
    )
    .detail("check", check)
    .fix("start the sign-in again, and paste the whole address that the browser ends on")
}

/// The error that Google reports in place of a code, and whose move it is.
///
/// <https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors>
fn refused(code: &str) -> Error {
    let (kind, what, fix) = match code {
        "access_denied" => (
            Kind::AuthorizationDenied,
            "was not allowed",
            "sign in again and choose Allow; while the OAuth client is in publishing status Testing, its owner first adds you as a test user (Google Auth Platform, Audience)",
        ),
        "admin_policy_enforced" => (
            Kind::AuthorizationDenied,
            "is not allowed by the organisation",
            "an administrator of the Google Workspace trusts the OAuth client (Admin console, Security, API controls); then sign in again",
        ),
        "org_internal" => (
            Kind::ClientConfig,
            "is not open to this account",
            "sign in with an account of the organisation that owns the OAuth client, or its owner makes it External (Google Auth Platform, Audience)",
        ),
        "redirect_uri_mismatch" => (
            Kind::ClientConfig,
            "names a redirect URI that the OAuth client does not list",
            "add it to the client's redirect URIs, character by character (Google Auth Platform, Clients); then sign in again",
        ),
        "invalid_client"
        | "deleted_client"
        | "disabled_client"
        | "unauthorized_client"
        | "unsupported_response_type" => (
            Kind::ClientConfig,
            "names an OAuth client that Google does not accept",
            "check that the client exists, is enabled, and is of type Desktop app or Web application (Google Auth Platform, Clients); then sign in again with its JSON",
        ),
        "invalid_scope" | "restricted_client" => (
            Kind::ClientConfig,
            "asks for scopes that the OAuth client may not have",
            "the client's owner adds openid, email and cloud-platform to its scopes (Google Auth Platform, Data Access); then sign in again",
        ),
        "server_error" | "temporarily_unavailable" | "internal_failure" => {
            (Kind::Unavailable, "met a fault of Google's", "start the sign-in again later")
        }
        "disallowed_useragent" => (
            Kind::AuthorizationFailed,
            "was tried in a browser that Google does not accept",
            "start the sign-in again, and open its address in an ordinary browser, not inside an app",
        ),
        _ => (Kind::AuthorizationFailed, "was refused", "read Google's reason, and start the sign-in again"),
    };
    let said = foreign(code);
    let error = Error::new(kind, Origin::TokenEndpoint, format!("the sign-in {what}: {said}"))
        .reason(Some(said))
        .fix(fix);
    if kind == Kind::AuthorizationFailed { error.detail("check", "error") } else { error }
}
