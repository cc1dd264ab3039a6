//! The ID token of a sign-in, verified (OpenID Connect Core, section 3.1.3.7).
//!
//! It is what says whose grant came back: without these checks, a token made for another client, or
//! for another sign-in, would name somebody who never consented here.
//!
//! ```text
//! token ─► three parts ─► header (alg, crit, kid) ─► key of the set ─► signature ─► claims ─► Claims
//! ```
//!
//! No claim is looked at before the signature is verified, and no part of a token gets into an error.

mod keys;
#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

pub use self::keys::JwkSet;
use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        json::{self, Object, Value},
        secret::Secret,
    },
    google::jwt::provider,
    sign_in::oauth,
};

/// Google as an issuer: by its documentation it writes either.
///
/// <https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// The largest token, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// The seconds by which clocks may differ: as much as google-cloud-rust allows.
const SKEW: u64 = 10;

/// The longest that a token may still be good for, in seconds. Google's are for an hour; OpenID Connect leaves the length
/// open, and one without an end would make whoever holds it that person for ever.
const MAX_LIFE: u64 = 24 * 3600;

/// The greatest age of a token, in seconds: it is made when the code of a sign-in is exchanged, and a
/// sign-in is good for no longer.
const MAX_AGE: u64 = oauth::LIFE;

/// The longest subject, in bytes (OpenID Connect Core, section 2).
const MAX_SUBJECT: usize = 255;

/// The longest e-mail address, in bytes.
const MAX_EMAIL: usize = 254;

/// The detail that names the check that failed.
const CHECK: &str = "check";

/// The claims that the token of this sign-in has to hold.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The OAuth client that signed in.
    pub client_id: &'a str,
    /// The nonce that was sent with the sign-in.
    pub nonce: &'a str,
    /// The access token that came with the ID token.
    pub access_token: &'a Secret<String>,
    /// The Google Workspace domain that the account has to belong to.
    pub hosted_domain: Option<&'a str>,
}

/// The account that signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Google's id of the account: unlike an address, it is never given to another one.
    pub sub: String,
    /// The address, if Google has verified that it is theirs.
    pub email: Option<String>,
    /// The end of the token's life, in seconds since 1970-01-01T00:00:00Z.
    pub exp: u64,
    /// The Google Workspace domain of the account.
    pub hd: Option<String>,
}

/// Verifies a token and reads who signed in. `now` is in seconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// `authorization-failed`; its detail `check` is `format`, `alg`, `kid`, `signature`, `iss`, `aud`, `azp`,
/// `exp`, `iat`, `nonce`, `at_hash`, `hd`, `email` or `sub`. `kid` means that the key is not in the set, and
/// nothing else: see [`is_unknown_key`].
pub fn verify(token: &Secret<String>, keys: &JwkSet, expected: &Expected<'_>, now: u64) -> Result<Claims> {
    let token = token.reveal();
    if token.len() > MAX_BYTES {
        return Err(failed("format", "is larger than 16 KiB"));
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(failed("format", "does not have three parts"));
    };
    let signed = &token[..header.len() + 1 + payload.len()];

    // `jku`, `x5u`, `x5c` and `jwk` would name a key of the sender's choice: they are not looked at.
    let header = decoded(header).ok_or_else(|| failed("format", "has a header that is not one"))?;
    let header = json::read(&header).map_err(|_| failed("format", "has a header that is not one"))?;
    if text(&header, "alg") != Some("RS256") {
        return Err(failed("alg", "is not signed with RS256"));
    }
    if header.get("crit").is_some() {
        return Err(failed("format", "depends on an extension that is not known here"));
    }
    let kid = text(&header, "kid").ok_or_else(|| failed("format", "does not name the key that signed it"))?;
    let key =
        keys.get(kid).ok_or_else(|| failed("kid", "is signed with a key that Google does not publish"))?;
    if !provider::verifies(signed.as_bytes(), signature, key) {
        return Err(failed("signature", "was not signed by Google, or was changed since"));
    }
    let claims = decoded(payload).ok_or_else(|| failed("format", "has claims that cannot be read"))?;
    let claims = json::read(&claims).map_err(|_| failed("format", "has claims that cannot be read"))?;
    checked(&claims, expected, now)
}

/// Tells if a token failed for a key that is not in the set: Google may have changed its keys, so it is
/// worth one look at the current ones, and no more than one.
#[must_use]
pub fn is_unknown_key(error: &Error) -> bool {
    error.kind() == Kind::AuthorizationFailed
        && error.fields().details.iter().any(|(name, value)| name == CHECK && value == "kid")
}

/// Every rule, in the order of the specification. A claim of another type than it has to be fails like
/// one that is missing, or one that says something else.
fn checked(claims: &Object<'_>, expected: &Expected<'_>, now: u64) -> Result<Claims> {
    if !text(claims, "iss").is_some_and(|iss| ISSUERS.contains(&iss)) {
        return Err(failed("iss", "was not issued by accounts.google.com"));
    }
    audience(claims.get("aud"), claims.get("azp"), expected.client_id)?;
    let exp = number(claims, "exp").ok_or_else(|| failed("exp", "does not say when it ends"))?;
    if now >= exp.saturating_add(SKEW) {
        return Err(failed("exp", "has expired").fix(CLOCK));
    }
    if exp > now.saturating_add(MAX_LIFE + SKEW) {
        return Err(failed("exp", "is good for more than a day").fix(CLOCK));
    }
    let iat = number(claims, "iat").ok_or_else(|| failed("iat", "does not say when it was issued"))?;
    if iat > now.saturating_add(SKEW) {
        return Err(failed("iat", "was issued in the future").fix(CLOCK));
    }
    if iat < now.saturating_sub(MAX_AGE + SKEW) {
        return Err(failed("iat", "was issued before this sign-in").fix(CLOCK));
    }
    if text(claims, "nonce") != Some(expected.nonce) {
        return Err(failed("nonce", "belongs to another sign-in"));
    }
    if claims.get("at_hash").is_some_and(|hash| !hash.is(&at_hash(expected.access_token))) {
        return Err(failed("at_hash", "belongs to another access token"));
    }
    let sub = text(claims, "sub")
        .filter(|sub| (1..=MAX_SUBJECT).contains(&sub.len()) && sub.is_ascii())
        .ok_or_else(|| failed("sub", "does not say whose it is"))?;
    let verified = match claims.get("email_verified") {
        Some(Value::Flag(flag)) => *flag,
        // As Google's tokeninfo writes it.
        Some(value) => value.is("true"),
        None => false,
    };
    let email = text(claims, "email").filter(|email| verified && is_plain(email));
    let hd = text(claims, "hd");
    if let Some(domain) = expected.hosted_domain {
        if hd != Some(domain) {
            return Err(failed("hd", "belongs to an account outside the Google Workspace domain")
                .fix(format!("sign in with an account of {domain}")));
        }
        if email.is_none() {
            return Err(failed("email", "holds no e-mail address that Google has verified")
                .fix("verify the address at https://myaccount.google.com/email, then sign in again"));
        }
    }
    Ok(Claims { sub: sub.to_owned(), email: email.map(str::to_owned), exp, hd: hd.map(str::to_owned) })
}

/// For us, and handed to us: a token for several clients is ours only if `azp` says so.
fn audience(aud: Option<&Value<'_>>, azp: Option<&Value<'_>>, client_id: &str) -> Result<()> {
    let ours = |value: &Value<'_>| value.is(client_id);
    let (named, alone) = match aud {
        Some(Value::List(auds)) => (auds.iter().any(ours), auds.iter().all(ours)),
        Some(aud) => (ours(aud), true),
        None => (false, false),
    };
    if !named {
        return Err(failed("aud", "is not for this OAuth client").fix(CLIENT));
    }
    if !azp.map_or(alone, ours) {
        return Err(failed("azp", "was handed to another OAuth client").fix(CLIENT));
    }
    Ok(())
}

/// The left half of the hash of an access token (OpenID Connect Core, section 3.1.3.6).
fn at_hash(access_token: &Secret<String>) -> String {
    let hash = Sha256::digest(access_token.reveal());
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

/// Tells if an address may be shown as the name of an account.
fn is_plain(email: &str) -> bool {
    email.len() <= MAX_EMAIL && email.contains('@') && email.bytes().all(|b| b.is_ascii_graphic())
}

/// The JSON in a part of a token.
fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

/// A field that has to be text.
fn text<'a>(object: &'a Object<'_>, name: &str) -> Option<&'a str> {
    object.get(name)?.text()
}

/// A field that has to be a number.
fn number(object: &Object<'_>, name: &str) -> Option<u64> {
    object.get(name)?.number()
}

const CLOCK: &str = "check the clock of the host, then sign in again";

const CLIENT: &str = "end the sign-in with the OAuth client that began it; if it repeats, find out what stands between the host and Google";

/// An ID token that cannot be used.
fn failed(check: &str, what: &str) -> Error {
    Error::new(Kind::AuthorizationFailed, Origin::TokenEndpoint, format!("the ID token of the sign-in {what}"))
        .detail(CHECK, check)
        .fix("sign in again; if it repeats, find out what stands between the host and Google: Google issues no such token")
}
