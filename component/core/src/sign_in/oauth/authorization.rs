//! The authorization request, with which the browser is sent to Google.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::{
    client::OAuthClient,
    redirect::{RedirectUri, is_label},
};
use crate::base::{
    error::{Error, Kind, Origin, Result},
    secret::Secret,
};

/// Google's authorization endpoint, whatever a client's JSON says.
///
/// <https://developers.google.com/identity/protocols/oauth2/native-app#step-2:-send-a-request-to-googles-oauth-2.0-server>
const AUTHORIZATION_URL: &str = "https://accounts.google.com/o/oauth2/v2/auth";

/// The scopes that a sign-in asks for: who it is, and the one scope that lists functions.
pub const SCOPES: [&str; 3] = ["openid", "email", "https://www.googleapis.com/auth/cloud-platform"];

/// The scope `email`, as Google calls it when it says what was granted.
const USERINFO_EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";

/// The longest login hint, in bytes: that of an e-mail address.
const MAX_HINT: usize = 254;

/// The code verifier of PKCE (RFC 7636, section 4.1): it proves that who started a sign-in ends it.
#[derive(Debug, Clone)]
pub struct Verifier(Secret<String>);

impl Verifier {
    /// A verifier of 43 characters.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Parses a verifier that was kept.
    ///
    /// # Errors
    /// `authorization-failed` with check `pkce`, unless it is 43 to 128 unreserved characters.
    pub fn parse(text: &str) -> Result<Self> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            return Ok(Self(Secret::new(text.to_owned())));
        }
        Err(damaged("pkce", "code verifier"))
    }

    /// The challenge that Google compares the verifier with. S256: the plain method cannot be asked for.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge(URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.reveal())))
    }

    /// The verifier itself, for the store and for the token request.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

/// An S256 code challenge (RFC 7636, section 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(pub(super) String);

macro_rules! random_text {
    ($(#[$doc:meta])* $type:ident, $check:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $type(Secret<String>);

        impl $type {
            /// 128 bits, as 22 characters.
            #[must_use]
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
            }

            /// Parses one that was kept.
            ///
            /// # Errors
            /// `authorization-failed`, unless it is as long as one that we made, of its characters.
            pub fn parse(text: &str) -> Result<Self> {
                let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
                if text.len() == 22 && text.bytes().all(plain) {
                    return Ok(Self(Secret::new(text.to_owned())));
                }
                Err(damaged($check, $check))
            }

            /// The text, for the store and for the URL.
            #[must_use]
            pub fn reveal(&self) -> &str {
                self.0.reveal()
            }
        }
    };
}

random_text! {
    /// The text that ties a callback to the sign-in that it answers (RFC 6749, section 10.12).
    State, "state"
}
random_text! {
    /// The text that ties an ID token to the sign-in that it answers (OpenID Connect Core, section 3.1.2.1).
    Nonce, "nonce"
}

impl State {
    /// Tells if a callback's state is this one, in a time that does not depend on where they differ.
    pub(super) fn is(&self, other: &str) -> bool {
        let ours = self.0.reveal();
        let differing = ours.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        ours.len() == other.len() && differing == 0
    }
}

/// The account that Google offers to sign in: an e-mail address, or an account's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginHint(String);

impl LoginHint {
    /// Parses a hint of printable ASCII without white space.
    ///
    /// # Errors
    /// `invalid-input` of field `login_hint`.
    pub fn parse(text: &str) -> Result<Self> {
        if (1..=MAX_HINT).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::input("login_hint", "the login hint is not an e-mail address")
            .fix("give the e-mail address of who signs in, or leave it out"))
    }
}

/// The Google Workspace domain that accounts are offered of. A wish: the ID token's claim decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedDomain(String);

impl HostedDomain {
    /// Parses a domain in lower case.
    ///
    /// # Errors
    /// `invalid-input` of field `hosted_domain`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() <= 253 && text.contains('.') && text.split('.').all(is_label) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::input("hosted_domain", "the hosted domain is not a domain")
            .fix("write it as in example.com: in lower case, without https:// and without @"))
    }

    /// The domain, to compare the ID token's `hd` with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The URL that the browser opens.
///
/// `access_type=offline` with `prompt=consent` is what makes Google hand out a refresh token each
/// time; without the prompt, only the first time.
#[must_use]
pub fn authorization_url(
    client: &OAuthClient,
    redirect: &RedirectUri,
    state: &State,
    nonce: &Nonce,
    challenge: &Challenge,
    login_hint: Option<&LoginHint>,
    hosted_domain: Option<&HostedDomain>,
) -> String {
    let scopes = SCOPES.join(" ");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([
        ("response_type", "code"),
        ("client_id", client.id.as_str()),
        ("redirect_uri", redirect.as_str()),
        ("scope", &scopes),
        ("state", state.reveal()),
        ("nonce", nonce.reveal()),
        ("code_challenge", &challenge.0),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("prompt", "consent select_account"),
    ]);
    query.extend_pairs(login_hint.map(|hint| ("login_hint", hint.0.as_str())));
    query.extend_pairs(hosted_domain.map(|domain| ("hd", domain.as_str())));
    format!("{AUTHORIZATION_URL}?{}", query.finish())
}

/// The scopes that were asked for and not granted: people can untick each of them.
#[must_use]
pub fn missing_scopes(granted: &str) -> Vec<&'static str> {
    let has = |scope: &str| granted.split_ascii_whitespace().any(|granted| granted == scope);
    SCOPES.into_iter().filter(|&scope| !(has(scope) || scope == "email" && has(USERINFO_EMAIL))).collect()
}

fn damaged(check: &str, what: &str) -> Error {
    Error::new(
        Kind::AuthorizationFailed,
        Origin::Connection,
        format!("the {what} of the pending sign-in is damaged"),
    )
    .detail("check", check)
    .fix("start the sign-in again")
}
