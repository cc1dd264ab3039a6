//! A credential as it is kept.

use super::Kept;
use crate::base::json::{Object, Read};

/// A credential as it is kept: everything but a private key, which is under its own name, in the store
/// or in the host.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoredCredential {
    /// One of the names in [`kind`].
    pub kind: String,
    /// The account that signs in, for people: an address where there is one.
    pub account: String,
    /// The scopes that were granted, separated by spaces.
    pub scopes: String,
    /// Google's id of the key of a service account.
    pub private_key_id: Option<String>,
    /// The entry of the private key, or of the token that the host supplies.
    pub key: String,
    /// True if only the host sees the key.
    pub host_only: bool,
    /// Of the OAuth client of a user's grant.
    pub client_id: String,
    /// Of the OAuth client of a user's grant.
    pub client_secret: String,
    /// A user's grant.
    pub refresh_token: String,
    /// Google's id of the user.
    pub subject: String,
    /// Of a workload identity provider.
    pub audience: String,
    /// Of the token that is exchanged for Google's.
    pub subject_token_type: String,
    /// The service account that all of this only leads to.
    pub impersonates: Option<String>,
    /// On the way there.
    pub delegates: Vec<String>,
}

/// The kinds of credential, as they are kept.
pub mod kind {
    /// A key, in the store or in the host.
    pub const SERVICE_ACCOUNT: &str = "service-account";
    /// A refresh token.
    pub const AUTHORIZED_USER: &str = "authorized-user";
    /// A subject token of somebody else's.
    pub const EXTERNAL_ACCOUNT: &str = "external-account";
    /// An access token in the store.
    pub const SUPPLIED_TOKEN: &str = "supplied-token";
    /// An access token that the host adds.
    pub const INJECTED_TOKEN: &str = "injected-token";
}

impl std::fmt::Debug for StoredCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredCredential")
            .field("kind", &self.kind)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl Kept for StoredCredential {
    fn read(fields: &Object<'_>) -> Read<Self> {
        let text = |name| Ok(fields.string(name)?.unwrap_or_default());
        Ok(Self {
            kind: fields.required("type")?,
            account: fields.required("account")?,
            scopes: text("scopes")?,
            private_key_id: fields.string("private_key_id")?,
            key: text("key")?,
            host_only: fields.flag("host_only")?,
            client_id: text("client_id")?,
            client_secret: text("client_secret")?,
            refresh_token: text("refresh_token")?,
            subject: text("subject")?,
            audience: text("audience")?,
            subject_token_type: text("subject_token_type")?,
            impersonates: fields.string("impersonates")?,
            delegates: fields.texts("delegates")?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("type", self.kind.as_str())
            .with("account", self.account.as_str())
            .with_text("scopes", &self.scopes)
            .with_some("private_key_id", self.private_key_id.as_deref())
            .with_text("key", &self.key)
            .with_some("host_only", self.host_only.then_some(true))
            .with_text("client_id", &self.client_id)
            .with_text("client_secret", &self.client_secret)
            .with_text("refresh_token", &self.refresh_token)
            .with_text("subject", &self.subject)
            .with_text("audience", &self.audience)
            .with_text("subject_token_type", &self.subject_token_type)
            .with_some("impersonates", self.impersonates.as_deref())
            .with_texts("delegates", &self.delegates)
    }
}
