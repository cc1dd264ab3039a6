//! Tokens as values: which of them may go where is said by their types, and `token` makes them.

use crate::{
    base::{http::TokenKind, secret::Secret},
    google::{jwt::IdTokenClaims, names::ProjectId},
};

/// An access token: for Google's APIs only.
#[derive(Debug, Clone)]
pub struct AccessToken {
    token: Option<Secret<String>>,
    quota_project: Option<ProjectId>,
}

impl AccessToken {
    /// A token that this connection asked for, or was given.
    pub(crate) fn of(token: Secret<String>) -> Self {
        Self { token: Some(token), quota_project: None }
    }

    /// The place of a token that the host adds to the request.
    pub(crate) fn added_by_the_host() -> Self {
        Self { token: None, quota_project: None }
    }

    /// The same token, for requests that count against this project where an API lets the caller say so.
    pub(crate) fn counted_to(self, quota_project: Option<&ProjectId>) -> Self {
        Self { quota_project: quota_project.cloned(), ..self }
    }

    /// The project that requests count against, if the caller says so.
    pub(crate) fn quota_project(&self) -> Option<&ProjectId> {
        self.quota_project.as_ref()
    }

    /// The token; `None` if the host adds it.
    pub(crate) fn bearer(&self) -> Option<Secret<String>> {
        self.token.clone()
    }

    /// Tells if this is the same token.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.token == other.token
    }

    /// The kind of token that a request with it carries.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        if self.token.is_some() { TokenKind::AccessToken } else { TokenKind::Injected }
    }
}

/// An ID token: for the one function it was minted for.
#[derive(Debug, Clone)]
pub struct IdToken {
    token: Secret<String>,
    origin: String,
    claims: IdTokenClaims,
}

impl IdToken {
    /// A token that was minted for the function at this origin; `None` if its claims cannot be read.
    pub(crate) fn read(token: Secret<String>, origin: String) -> Option<Self> {
        let claims = IdTokenClaims::read(&token)?;
        Some(Self { token, origin, claims })
    }

    pub(crate) fn bearer(&self) -> Secret<String> {
        self.token.clone()
    }

    /// The only origin that it is sent to.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The caller that the token names.
    #[must_use]
    pub fn principal(&self) -> Option<&str> {
        self.claims.email.as_deref().or(self.claims.sub.as_deref())
    }

    /// The audience that it was minted for.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.claims.aud
    }
}
