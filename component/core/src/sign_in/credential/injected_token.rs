//! A token that the host adds to each request, and that the component never sees.

use super::{Described, Means, Scopes, fingerprint, supplied_token::account_of_host};
use crate::{
    base::{
        error::Result,
        json::{Object, Read},
    },
    google::refusal::token_endpoint::Grant,
    store::connection::CredentialKind,
};

/// The name of the kind, as it is kept.
pub(super) const TYPE: &str = "injected-token";

/// An access token that the host adds.
#[derive(Debug)]
pub struct InjectedToken {
    /// The account, as the host says.
    pub account: String,
}

impl InjectedToken {
    /// From what a caller says of it.
    pub(super) fn parse(account: Option<String>) -> Result<Self> {
        Ok(Self { account: account_of_host(account)? })
    }

    /// From the store.
    pub(super) fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self { account: fields.required("account")? })
    }
}

impl Described for InjectedToken {
    fn kind(&self) -> CredentialKind {
        CredentialKind::InjectedToken
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn fingerprint(&self) -> String {
        fingerprint(TYPE, &self.account, "", "", "")
    }

    fn fields(&self) -> Object<'_> {
        Object::default().with("type", TYPE).with("account", self.account.as_str())
    }

    fn means(&self) -> Means<'_> {
        Means::Injected
    }

    fn grant(&self) -> Grant {
        // Nothing is known of it but that somebody issued it.
        Grant::Exchange
    }

    fn scopes(&self) -> Scopes {
        Scopes::OfHost
    }
}
