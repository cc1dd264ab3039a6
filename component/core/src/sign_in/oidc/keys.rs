//! The public keys that Google signs ID tokens with.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;

use super::text;
use crate::base::{
    error::{Error, Kind, Origin, Result},
    json::{self, Value},
};

/// The largest key set, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// The most keys that are kept: they are searched one by one.
const MAX_KEYS: usize = 16;

/// The sizes of a modulus, in bits: shorter ones can be factored, and longer ones only cost time.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The keys of a JWK set (RFC 7517) that can verify an RS256 signature, by their ids.
#[derive(Debug, Clone)]
pub struct JwkSet(Vec<(String, DecodingKey)>);

impl JwkSet {
    /// Reads what <https://www.googleapis.com/oauth2/v3/certs> answers. Keys that are not for RS256
    /// signatures, or not of 2048 to 4096 bits, are left out.
    ///
    /// # Errors
    /// `invalid-response` if it is no key set.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let set = if json.len() <= MAX_BYTES { json::read(json).ok() } else { None };
        let keys = set.as_ref().and_then(|set| set.get("keys")?.list()).ok_or_else(|| {
            Error::new(
                Kind::InvalidResponse,
                Origin::TokenEndpoint,
                "Google's public keys cannot be read: they are no JWK set",
            )
            .fix("sign in again; if it repeats, find out what stands between the host and Google")
        })?;
        Ok(Self(keys.iter().filter_map(usable).take(MAX_KEYS).collect()))
    }

    /// Tells if there is a key of this id.
    #[must_use]
    pub fn has(&self, kid: &str) -> bool {
        self.get(kid).is_some()
    }

    pub(super) fn get(&self, kid: &str) -> Option<&DecodingKey> {
        self.0.iter().find(|(id, _)| id == kid).map(|(_, key)| key)
    }
}

/// The id and the key, of a key that can verify RS256.
fn usable(jwk: &Value<'_>) -> Option<(String, DecodingKey)> {
    let jwk = jwk.object()?;
    if text(jwk, "kty") != Some("RSA") || text(jwk, "use") != Some("sig") || text(jwk, "alg") != Some("RS256")
    {
        return None;
    }
    let n = URL_SAFE_NO_PAD.decode(text(jwk, "n")?).ok()?;
    let e = URL_SAFE_NO_PAD.decode(text(jwk, "e")?).ok()?;
    if !BITS.contains(&bits(&n)) {
        return None;
    }
    // The crate's own `from_rsa_components` would decode once more, and hide the length.
    Some((text(jwk, "kid")?.to_owned(), DecodingKey::from_rsa_raw_components(&n, &e)))
}

/// The length of a number in big-endian bytes, without leading zeros.
fn bits(number: &[u8]) -> usize {
    number
        .iter()
        .position(|&byte| byte != 0)
        .map_or(0, |at| (number.len() - at) * 8 - number[at].leading_zeros() as usize)
}
