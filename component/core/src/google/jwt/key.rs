//! An RSA private key that signs.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::traits::PublicKeyParts as _;

use super::{
    envelope::{pkcs8, rsa_private_key},
    pem::{self, Fault},
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
    /// Parses PKCS #8, or PKCS #1 as older tools write it: in PEM, whatever became of its lines on the way.
    ///
    /// # Errors
    /// `invalid-credential` of field `private_key`; the key itself is never repeated.
    pub fn parse(text: Secret<String>) -> Result<Self> {
        let found = pem::private_key(text.reveal()).map_err(|fault| match fault {
            Fault::Unreadable => unreadable(),
            Fault::Else(what) => Error::credential("private_key", what),
        })?;
        // What it is, it says itself; labels get mixed up.
        let (label, der) = match pkcs8(&found) {
            Ok(der) => ("PRIVATE KEY", der),
            Err(_) => ("RSA PRIVATE KEY", found.as_slice()),
        };
        let key = rsa_private_key(der).ok_or_else(unreadable)?;
        if key.size() * 8 < MIN_BITS {
            return Err(Error::credential("private_key", "is shorter than 2048 bits"));
        }
        Ok(Self { pem: Secret::new(pem::write(label, &found)), der: Secret::new(der.to_vec()) })
    }

    /// The key in PEM as OpenSSL writes it, to be kept in the secret store.
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
