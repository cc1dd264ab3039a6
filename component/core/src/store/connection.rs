//! A connection as it is kept.

use super::{Kept, credential::StoredCredential};
use crate::{
    base::json::{Object, Read, Unreadable},
    rails::GuardRails,
};

/// A connection as it is kept: it holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredConnection {
    /// The version of this shape.
    pub format: u64,
    /// The name for people.
    pub nickname: String,
    /// The project.
    pub project: String,
    /// The default region.
    pub region: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub created: u64,
    /// The account whose ID token functions receive, by [`invoker`]'s names; the credential's own if it is empty.
    pub invoker: String,
    /// Of the invoker, if it is a service account other than the project's own.
    pub invoker_account: Option<String>,
    /// Of the invoker, if it is a service account.
    pub invoker_delegates: Vec<String>,
    /// Of the invoker, if it is a service account: the token does not say its address.
    pub without_email: bool,
    /// Its guard rails; none allows everything.
    pub guard_rails: Option<GuardRails>,
    /// The account that signs in; none in a store of an earlier version, which kept it with the credential only.
    pub signs_in: Option<SignsIn>,
    /// The end of the sign-in, in the seconds of `created`, if Google has set one.
    pub ends: Option<u64>,
}

/// The account that signs in, and how: the part of a credential that is not secret. It is kept apart, so
/// that a list of connections reads no credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignsIn {
    /// One of the names in [`kind`](super::credential::kind).
    pub kind: String,
    /// True if only the host sees the key.
    pub host_only: bool,
    /// The account that signs in, for people: an address where there is one.
    pub account: String,
    /// The service account that this only leads to.
    pub impersonates: Option<String>,
    /// The scopes that were granted, separated by spaces.
    pub scopes: String,
}

/// The kinds of invoker, as they are kept.
pub mod invoker {
    /// The credential's own.
    pub const OWN: &str = "own";
    /// A service account's.
    pub const SERVICE_ACCOUNT: &str = "service-account";
    /// The user's.
    pub const USER: &str = "user";
}

impl Kept for StoredConnection {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            format: fields.number("format")?.ok_or(Unreadable::Field("format"))?,
            nickname: fields.required("nickname")?,
            project: fields.required("project")?,
            region: fields.required("region")?,
            created: fields.number("created")?.unwrap_or_default(),
            invoker: fields.string("invoker")?.unwrap_or_default(),
            invoker_account: fields.string("invoker_account")?,
            invoker_delegates: fields.texts("invoker_delegates")?,
            without_email: fields.flag("without_email")?,
            guard_rails: fields.object("guard_rails")?.map(GuardRails::read).transpose()?,
            signs_in: fields.object("signs_in")?.map(SignsIn::read).transpose()?,
            ends: fields.number("ends")?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("format", self.format)
            .with("nickname", self.nickname.as_str())
            .with("project", self.project.as_str())
            .with("region", self.region.as_str())
            .with("created", self.created)
            .with_text("invoker", &self.invoker)
            .with_some("invoker_account", self.invoker_account.as_deref())
            .with_texts("invoker_delegates", &self.invoker_delegates)
            .with_some("without_email", self.without_email.then_some(true))
            .with_some("guard_rails", self.guard_rails.as_ref().map(GuardRails::fields))
            .with_some("signs_in", self.signs_in.as_ref().map(SignsIn::fields))
            .with_some("ends", self.ends)
    }
}

impl Kept for SignsIn {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            kind: fields.required("type")?,
            host_only: fields.flag("host_only")?,
            account: fields.required("account")?,
            impersonates: fields.string("impersonates")?,
            scopes: fields.string("scopes")?.unwrap_or_default(),
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("type", self.kind.as_str())
            .with_some("host_only", self.host_only.then_some(true))
            .with("account", self.account.as_str())
            .with_some("impersonates", self.impersonates.as_deref())
            .with_text("scopes", &self.scopes)
    }
}

impl From<&StoredCredential> for SignsIn {
    fn from(credential: &StoredCredential) -> Self {
        Self {
            kind: credential.kind.clone(),
            host_only: credential.host_only,
            account: credential.account.clone(),
            impersonates: credential.impersonates.clone(),
            scopes: credential.scopes.clone(),
        }
    }
}
