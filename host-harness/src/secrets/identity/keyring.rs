//! The key in the keyring of the operating system: Keychain, Credential Manager, or the Secret Service.

use age::{
    secrecy::{ExposeSecret, SecretString},
    x25519::Identity,
};
use keyring::{Entry, Error};

use crate::secrets::StoreError;

pub(super) fn load() -> Result<Option<Identity>, StoreError> {
    let text = match entry()?.get_password() {
        Ok(text) => SecretString::from(text),
        Err(Error::NoEntry) => return Ok(None),
        Err(error) => return Err(unavailable(&error)),
    };
    text.expose_secret().parse().map(Some).map_err(|_| {
        StoreError::unavailable(format!(
            "the entry {USER} of {SERVICE} in the system's keyring is no `AGE-SECRET-KEY-1…`"
        ))
        .with_fix("restore it, or use a key file")
    })
}

pub(super) fn save(identity: &Identity) -> Result<(), StoreError> {
    entry()?.set_password(identity.to_string().expose_secret()).map_err(|error| unavailable(&error))
}

fn entry() -> Result<Entry, StoreError> {
    Entry::new(SERVICE, USER).map_err(|error| unavailable(&error))
}

fn unavailable(error: &Error) -> StoreError {
    StoreError::unavailable(format!("the system's keyring cannot be used: {error}"))
        .with_fix("unlock it, or use a key file or a passphrase")
}

const SERVICE: &str = "gcf";
const USER: &str = "store key";
