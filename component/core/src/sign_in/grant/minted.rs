//! Tokens as Google hands them out, before they are bound to where they may go.

use crate::{
    base::{
        json::{Object, Read, Unreadable},
        secret::Secret,
    },
    store::Kept,
};

/// The longest token, in bytes: access tokens have 2 KiB, those of STS 12 KiB.
const MAX_TOKEN: usize = 16 * 1024;

/// A token of any kind, with the end of its life.
pub(in crate::sign_in) struct Minted {
    pub(in crate::sign_in) token: Secret<String>,
    pub(in crate::sign_in) expires: u64,
}

impl Kept for Minted {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            token: Secret::new(fields.required("token")?),
            expires: fields.number("expires")?.ok_or(Unreadable::Field("expires"))?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default().with("token", self.token.reveal().as_str()).with("expires", self.expires)
    }
}

/// The tokens that Google granted.
#[derive(Default)]
pub struct Granted {
    pub(in crate::sign_in) access: Option<Minted>,
    pub(in crate::sign_in) id_token: Option<Minted>,
    pub(in crate::sign_in) refresh_token: Option<Secret<String>>,
    pub(in crate::sign_in) scopes: Option<String>,
    pub(in crate::sign_in) ends: Option<u64>,
}

impl Granted {
    /// The refresh token, if one came.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&Secret<String>> {
        self.refresh_token.as_ref()
    }

    /// The access token, if one came.
    #[must_use]
    pub fn access_token(&self) -> Option<&Secret<String>> {
        self.access.as_ref().map(|minted| &minted.token)
    }

    /// The user's ID token, if one came.
    #[must_use]
    pub fn id_token(&self) -> Option<&Secret<String>> {
        self.id_token.as_ref().map(|minted| &minted.token)
    }

    /// The end of the refresh token, if Google says one: seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn ends(&self) -> Option<u64> {
        self.ends
    }

    /// The scopes that were granted, separated by spaces, if Google says them.
    #[must_use]
    pub fn scopes(&self) -> Option<&str> {
        self.scopes.as_deref()
    }
}

/// A token that can go into a header.
pub(in crate::sign_in) fn usable(token: String) -> Option<Secret<String>> {
    let ok = !token.is_empty() && token.len() <= MAX_TOKEN && token.bytes().all(|b| b.is_ascii_graphic());
    ok.then(|| Secret::new(token))
}
