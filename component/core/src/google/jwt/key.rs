//! An RSA private key that signs.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::traits::PublicKeyParts as _;

use super::{
    envelope::{pkcs8, rsa_private_key},
    provider,
};
use crate::base::{
    error::{Error, Result},
    secret::Secret,
};

/// Google refuses shorter keys, and so should everybody.
const MIN_BITS: usize = 2048;

/// An RSA private key that has been parsed once.
pub struct PrivateKey {
    pem: Secret<String>,
    /// PKCS #1, the form that signs.
    der: Secret<Vec<u8>>,
}

impl PrivateKey {
    /// Parses PKCS #8, or PKCS #1 as older tools write it.
    ///
    /// # Errors
    /// `invalid-credential` of field `private_key`; the key itself is never repeated.
    pub fn parse(pem: Secret<String>) -> Result<Self> {
        let document = pem::parse(pem.reveal()).map_err(|_| unreadable())?;
        let der = match document.tag() {
            "PRIVATE KEY" => pkcs8(document.contents()).map_err(|_| unreadable())?,
            "RSA PRIVATE KEY" => document.contents(),
            _ => return Err(unreadable()),
        };
        let key = rsa_private_key(der).ok_or_else(unreadable)?;
        if key.size() * 8 < MIN_BITS {
            return Err(Error::credential("private_key", "is shorter than 2048 bits"));
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
        let unusable = || Error::credential("private_key", "does not sign");
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

fn unreadable() -> Error {
    Error::credential("private_key", "is not an RSA key in PEM (PKCS #8)")
}
