//! Assertions that we sign (RFC 7523), and the claims of ID tokens that Google signs.

mod envelope;
mod key;
mod pem;
pub(crate) mod provider;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

pub use self::key::PrivateKey;
pub(crate) use self::pem::BASE64;
use crate::{
    base::{
        error::{Error, Result},
        json::{self, Object},
        secret::Secret,
    },
    google::{hosts::TOKEN_URL, names::AccountEmail},
};

/// Services reject an `iat` in the future, and clocks differ: google-cloud-rust dates it back by as
/// much.
const SKEW_SECONDS: u64 = 10;

/// The life of an assertion: Google refuses more than an hour.
const LIFE_SECONDS: u64 = 3600;

/// The id of a key: it goes into the header of an assertion, so it is plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    /// Parses an id of letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// `invalid-credential` of field `private_key_id`. A private key that stands here by mistake is
    /// refused too, and not repeated.
    pub fn parse(text: &str) -> Result<Self> {
        let ok = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if ok {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::credential("private_key_id", "is not the id of a key"))
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The token that an assertion asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// An access token of these scopes, separated by spaces.
    Scope(&'a str),
    /// An ID token for this audience.
    TargetAudience(&'a str),
}

/// Header and claims of an assertion, encoded: what is signed.
#[must_use]
pub fn signing_input(issuer: &AccountEmail, key_id: Option<&KeyId>, wanted: Wanted<'_>, now: u64) -> String {
    // jsonwebtoken's own header holds a hash map, which would import randomness at start.
    let header =
        Object::default().with("typ", "JWT").with("alg", "RS256").with_some("kid", key_id.map(KeyId::as_str));
    let (name, value) = match wanted {
        Wanted::Scope(scope) => ("scope", scope),
        Wanted::TargetAudience(audience) => ("target_audience", audience),
    };
    let iat = now.saturating_sub(SKEW_SECONDS);
    let claims = Object::default()
        .with("iss", issuer.as_str())
        .with(name, value)
        .with("aud", TOKEN_URL)
        .with("iat", iat)
        .with("exp", iat + LIFE_SECONDS);
    format!("{}.{}", encoded(&header), encoded(&claims))
}

/// The finished assertion.
#[must_use]
pub fn join(signing_input: &str, signature: &[u8]) -> Secret<String> {
    Secret::new(format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn encoded(part: &Object<'_>) -> String {
    URL_SAFE_NO_PAD.encode(part.to_json())
}

/// The claims of an ID token that the connector reads.
///
/// Its signature is not checked: it came over TLS from the endpoint that signs it, and the function's
/// front end is what verifies it. Where a token says who has signed in, [`crate::sign_in::oidc`] verifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdTokenClaims {
    /// The audience.
    pub aud: String,
    /// The end of its life, in seconds since 1970-01-01T00:00:00Z.
    pub exp: u64,
    /// The caller's address.
    pub email: Option<String>,
    /// Google's id of who is calling.
    pub sub: Option<String>,
}

impl IdTokenClaims {
    /// Reads the claims of a token in compact form (RFC 7519), or nothing if it is none.
    #[must_use]
    pub fn read(token: &Secret<String>) -> Option<Self> {
        let mut parts = token.reveal().split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let claims = json::read(&payload).ok()?;
        Some(Self {
            aud: claims.get("aud")?.text()?.to_owned(),
            exp: claims.get("exp")?.number()?,
            email: claims.string("email").ok()?,
            sub: claims.string("sub").ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rsa::{
        RsaPrivateKey, RsaPublicKey, pkcs1v15::VerifyingKey, pkcs8::DecodePrivateKey as _,
        signature::Verifier as _,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::demo_key;

    fn decoded(input: &str, part: usize) -> Value {
        let part = input.split('.').nth(part).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_has_exactly_the_claims_of_rfc_7523_and_googles_own() {
        let key = demo_key();
        let input = signing_input(&key.email, key.key_id.as_ref(), Wanted::Scope("s"), 1_000_000_010);
        assert_eq!(
            decoded(&input, 0),
            json!({"typ": "JWT", "alg": "RS256", "kid": "0123456789abcdef0123456789abcdef01234567"})
        );
        assert_eq!(
            decoded(&input, 1),
            json!({"iss": key.email.as_str(), "scope": "s", "aud": TOKEN_URL, "iat": 1_000_000_000, "exp": 1_000_003_600})
        );
        let input = signing_input(&key.email, None, Wanted::TargetAudience("https://f"), 10);
        assert_eq!(decoded(&input, 0), json!({"typ": "JWT", "alg": "RS256"}));
        assert_eq!(decoded(&input, 1)["target_audience"], "https://f");
        assert_eq!(decoded(&input, 1).get("scope"), None);
    }

    #[test]
    fn the_signature_verifies() {
        let key = demo_key();
        let signature = key.key.sign(b"message").unwrap();
        let private = RsaPrivateKey::from_pkcs8_pem(key.key.pem().reveal()).unwrap();
        let verifier = VerifyingKey::<sha2::Sha256>::new(RsaPublicKey::from(&private));
        verifier.verify(b"message", &signature.as_slice().try_into().unwrap()).unwrap();
        assert!(verifier.verify(b"another", &signature.as_slice().try_into().unwrap()).is_err());
    }

    #[test]
    fn a_token_is_three_parts_of_base64url() {
        let read = |text: &str| IdTokenClaims::read(&Secret::new(text.to_owned()));
        let payload = URL_SAFE_NO_PAD.encode(r#"{"aud":"a","exp":1}"#);
        assert_eq!(read(&format!("h.{payload}.s")).unwrap().exp, 1);
        assert_eq!(read(&format!("h.{payload}")), None);
        assert_eq!(read(&format!("h.{payload}.s.x")), None);
        assert_eq!(read("not a token"), None);
    }
}
