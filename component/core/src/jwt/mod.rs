//! Assertions that we sign (RFC 7523), and the claims of ID tokens that Google signs.

pub(crate) mod provider;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::{
    RsaPrivateKey,
    pkcs1::DecodeRsaPrivateKey as _,
    pkcs8::{PrivateKeyInfo, SecretDocument},
    traits::PublicKeyParts as _,
};
use serde::{Deserialize, Serialize};

use crate::{
    credential::{self, KeyId},
    error::{Error, Kind, Origin, Result},
    json,
    names::AccountEmail,
    secret::Secret,
    target::TOKEN_URL,
};

/// Services reject an `iat` in the future, and clocks differ: google-cloud-rust dates it back by as
/// much.
const SKEW_SECONDS: u64 = 10;

/// The life of an assertion: Google refuses more than an hour.
const LIFE_SECONDS: u64 = 3600;

/// Google refuses shorter keys, and so should everybody.
const MIN_BITS: usize = 2048;

/// What an assertion asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// An access token of these scopes, separated by spaces.
    Scope(&'a str),
    /// An ID token for this audience.
    TargetAudience(&'a str),
}

/// jsonwebtoken's own header holds a hash map, which would import randomness at start.
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: Algorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_audience: Option<&'a str>,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

/// Header and claims of an assertion, encoded: what is signed.
///
/// # Errors
/// `internal` if it cannot be serialised, which plain text always can.
pub fn signing_input(
    issuer: &AccountEmail,
    key_id: Option<&KeyId>,
    wanted: Wanted<'_>,
    now: u64,
) -> Result<String> {
    let header = Header { typ: "JWT", alg: Algorithm::RS256, kid: key_id.map(KeyId::as_str) };
    let (scope, target_audience) = match wanted {
        Wanted::Scope(scope) => (Some(scope), None),
        Wanted::TargetAudience(audience) => (None, Some(audience)),
    };
    let iat = now.saturating_sub(SKEW_SECONDS);
    let claims =
        Claims { iss: issuer.as_str(), scope, target_audience, aud: TOKEN_URL, iat, exp: iat + LIFE_SECONDS };
    Ok(format!("{}.{}", encoded(&header)?, encoded(&claims)?))
}

/// The finished assertion.
#[must_use]
pub fn join(signing_input: &str, signature: &[u8]) -> Secret<String> {
    Secret::new(format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn encoded(part: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(part)
        .map_err(|_| Error::new(Kind::Internal, Origin::Host, "an assertion cannot be serialised"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// An RSA private key that has been parsed once.
pub struct PrivateKey {
    pem: Secret<String>,
    der: Secret<Vec<u8>>,
}

impl PrivateKey {
    /// Parses PKCS #8, or PKCS #1 as older tools write it.
    ///
    /// # Errors
    /// `invalid-credential` of field `private_key`; the key itself is never repeated.
    pub fn parse(pem: Secret<String>) -> Result<Self> {
        let unreadable = || credential::invalid("private_key", "is not an RSA key in PEM (PKCS #8)");
        let (label, document) = SecretDocument::from_pem(pem.reveal()).map_err(|_| unreadable())?;
        // PKCS #8 is an envelope around the PKCS #1 form, which is what signs.
        let der = match label {
            "PRIVATE KEY" => {
                PrivateKeyInfo::try_from(document.as_bytes()).map_err(|_| unreadable())?.private_key
            }
            "RSA PRIVATE KEY" => document.as_bytes(),
            _ => return Err(unreadable()),
        };
        let key = RsaPrivateKey::from_pkcs1_der(der).map_err(|_| unreadable())?;
        if key.size() * 8 < MIN_BITS {
            return Err(credential::invalid("private_key", "is shorter than 2048 bits"));
        }
        let der = der.to_vec();
        Ok(Self { pem, der: Secret::new(der) })
    }

    /// The text that was parsed, to be kept in the secret store.
    #[must_use]
    pub fn pem(&self) -> &Secret<String> {
        &self.pem
    }

    /// RS256.
    ///
    /// # Errors
    /// `invalid-credential` if the key does not sign.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        provider::install();
        let key = EncodingKey::from_rsa_der(self.der.reveal());
        let unusable = || credential::invalid("private_key", "does not sign");
        let signature =
            jsonwebtoken::crypto::sign(message, &key, Algorithm::RS256).map_err(|_| unusable())?;
        URL_SAFE_NO_PAD.decode(signature).map_err(|_| unusable())
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey([secret])")
    }
}

/// The claims of an ID token that the connector reads.
///
/// Its signature is not checked: it came over TLS from the endpoint that signs it, and the function's
/// front end is what verifies it. Where a token says who has signed in, [`crate::oidc`] verifies it.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct IdTokenClaims {
    /// For whom.
    pub aud: String,
    /// The end of its life, in seconds since 1970-01-01T00:00:00Z.
    pub exp: u64,
    /// Who is calling.
    #[serde(default)]
    pub email: Option<String>,
    /// Google's id of who is calling.
    #[serde(default)]
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
        json::read(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use rsa::{RsaPublicKey, pkcs1v15::VerifyingKey, pkcs8::DecodePrivateKey as _, signature::Verifier as _};
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
        let input =
            signing_input(&key.email, key.key_id.as_ref(), Wanted::Scope("s"), 1_000_000_010).unwrap();
        assert_eq!(
            decoded(&input, 0),
            json!({"typ": "JWT", "alg": "RS256", "kid": "0123456789abcdef0123456789abcdef01234567"})
        );
        assert_eq!(
            decoded(&input, 1),
            json!({"iss": key.email.as_str(), "scope": "s", "aud": TOKEN_URL, "iat": 1_000_000_000, "exp": 1_000_003_600})
        );
        let input = signing_input(&key.email, None, Wanted::TargetAudience("https://f"), 10).unwrap();
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
