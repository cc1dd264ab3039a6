//! A service account's signature: by the host, or with a key in hand.

use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        ports::{Ports, StoreError},
    },
    google::{
        jwt::{KeyId, PrivateKey},
        names::AccountEmail,
    },
    store,
};

/// A service account with its key.
#[derive(Debug)]
pub struct Signer {
    /// The service account.
    pub email: AccountEmail,
    /// Google's id of the key.
    pub key_id: Option<KeyId>,
    /// The key.
    pub key: SigningKey,
}

/// The place of a private key.
#[derive(Debug)]
pub enum SigningKey {
    /// In hand: only while a connection is being made.
    Here(PrivateKey),
    /// In the store, or in the host, under this name.
    Stored(String),
}

impl Signer {
    /// RS256, by the host if it can.
    ///
    /// # Errors
    /// `invalid-credential` or `secret-store`.
    pub fn sign(&self, ports: &impl Ports, message: &[u8]) -> Result<Vec<u8>> {
        let name = match &self.key {
            SigningKey::Here(key) => return key.sign(message),
            SigningKey::Stored(name) => name,
        };
        match ports.sign(name, message) {
            Ok(signature) => Ok(signature),
            Err(StoreError::Unsupported) => {
                let entry =
                    ports.secret_get(name).map_err(|error| store::store_error("read the key", error))?;
                let pem = entry.ok_or_else(|| {
                    Error::new(
                        Kind::InvalidCredential,
                        Origin::Connection,
                        "the host neither signs with this connection's key nor shows it",
                    )
                    .fix("give the host the key again, or make the connection again")
                })?;
                PrivateKey::parse(pem.value)?.sign(message)
            }
            Err(error) => Err(store::store_error("sign", error)),
        }
    }
}
