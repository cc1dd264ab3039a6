//! The identity of a connection: the account, and the source of its first access token.

use super::signer::{Signer, SigningKey};
use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        http::TokenKind,
        secret::Secret,
    },
    google::{
        jwt::{KeyId, PrivateKey},
        names::AccountEmail,
        refusal::token_endpoint::Grant,
    },
    store::credential::{StoredCredential, kind},
};

/// The account that signs in, and the one that it acts as.
#[derive(Debug)]
pub struct Identity {
    /// The way to an access token.
    pub source: Source,
    /// The service account that the source only leads to.
    pub impersonates: Option<Chain>,
    /// The account that signs in, for people.
    pub account: String,
    /// The text that keeps the tokens of different credentials apart.
    pub fingerprint: String,
}

/// The way to an access token.
#[derive(Debug)]
pub enum Source {
    /// A service account signs an assertion (RFC 7523).
    Key(Signer),
    /// A user's refresh token (RFC 6749, section 6).
    Refresh(RefreshGrant),
    /// Somebody else's token, exchanged at Google's Security Token Service (RFC 8693).
    Federation(Federation),
    /// The host keeps one in its store, under this key.
    Supplied(String),
    /// The host adds one to the request.
    Injected,
}

/// A user's grant, as it was when it was read.
#[derive(Debug)]
pub struct RefreshGrant {
    /// The OAuth client's id.
    pub client_id: String,
    /// The OAuth client's secret.
    pub client_secret: Secret<String>,
    /// The refresh token.
    pub refresh_token: Secret<String>,
}

/// A workload identity provider, and where the host keeps what it wants to see.
#[derive(Debug)]
pub struct Federation {
    /// The provider's resource name.
    pub audience: String,
    /// The type of the subject token.
    pub subject_token_type: String,
    /// The entry under which the host keeps the subject token.
    pub key: String,
}

/// A service account, and the accounts on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The service account.
    pub account: AccountEmail,
    /// Each may act for the next one, the last one for `account`.
    pub delegates: Vec<AccountEmail>,
}

impl Chain {
    /// Parses addresses.
    ///
    /// # Errors
    /// `invalid-input` of field `invoker`.
    pub fn parse(account: &str, delegates: &[String]) -> Result<Self> {
        let address = |text: &str| {
            AccountEmail::parse(text).map_err(|_| {
                Error::input("invoker", "the invoker is not a service account's address")
                    .fix("give it as name@project.iam.gserviceaccount.com")
            })
        };
        if delegates.len() > 4 {
            return Err(Error::input("invoker", "there are more than 4 delegates"));
        }
        Ok(Self {
            account: address(account)?,
            delegates: delegates.iter().map(|text| address(text)).collect::<Result<_>>()?,
        })
    }
}

impl Identity {
    /// The identity that a connection keeps, with the key in hand if it is not stored yet.
    ///
    /// # Errors
    /// `invalid-credential` if what is kept was tampered with, `secret-store` if a newer version kept
    /// it.
    pub fn of(stored: &StoredCredential, key: Option<PrivateKey>) -> Result<Self> {
        let source = match stored.kind.as_str() {
            kind::SERVICE_ACCOUNT => Source::Key(Signer {
                email: AccountEmail::parse(&stored.account)?,
                key_id: stored.private_key_id.as_deref().map(KeyId::parse).transpose()?,
                key: key.map_or_else(|| SigningKey::Stored(stored.key.clone()), SigningKey::Here),
            }),
            kind::AUTHORIZED_USER => Source::Refresh(RefreshGrant {
                client_id: stored.client_id.clone(),
                client_secret: Secret::new(stored.client_secret.clone()),
                refresh_token: Secret::new(stored.refresh_token.clone()),
            }),
            kind::EXTERNAL_ACCOUNT => Source::Federation(Federation {
                audience: stored.audience.clone(),
                subject_token_type: stored.subject_token_type.clone(),
                key: stored.key.clone(),
            }),
            kind::SUPPLIED_TOKEN => Source::Supplied(stored.key.clone()),
            kind::INJECTED_TOKEN => Source::Injected,
            _ => {
                return Err(Error::new(
                    Kind::SecretStore,
                    Origin::Host,
                    "the connection's credential is of a kind that a newer version keeps",
                )
                .fix("use that version, or disconnect, and connect again"));
            }
        };
        let impersonates = stored
            .impersonates
            .as_deref()
            .map(|account| Chain::parse(account, &stored.delegates))
            .transpose()?;
        Ok(Self {
            source,
            impersonates,
            account: stored.account.clone(),
            // The client and the user, and not the refresh token: that one changes, and its tokens are as good.
            fingerprint: format!(
                "{}\n{}\n{}\n{}\n{}",
                stored.kind,
                stored.account,
                stored.private_key_id.as_deref().unwrap_or_default(),
                stored.client_id,
                stored.audience
            ),
        })
    }

    /// The account that asks Google's APIs: the address that a role is granted to, if it is known.
    #[must_use]
    pub fn principal(&self) -> &str {
        self.impersonates.as_ref().map_or(&self.account, |chain| chain.account.as_str())
    }

    /// The kind of token that requests to Google's APIs carry.
    #[must_use]
    pub fn token_kind(&self) -> TokenKind {
        match (&self.source, &self.impersonates) {
            (Source::Injected, None) => TokenKind::Injected,
            _ => TokenKind::AccessToken,
        }
    }

    /// The member of an IAM policy that [`principal`](Self::principal) is; empty if it is not known.
    #[must_use]
    pub fn member(&self) -> String {
        member(self.principal())
    }

    /// Tells if it has an ID token of its own to give to functions.
    #[must_use]
    pub fn has_own_id_token(&self) -> bool {
        self.impersonates.is_some() || matches!(self.source, Source::Key(_))
    }

    /// The thing that it hands to Google for a token, as far as its refusals mean something.
    #[must_use]
    pub fn grant(&self) -> Grant {
        match &self.source {
            Source::Key(_) => Grant::Assertion,
            Source::Refresh(_) => Grant::RefreshToken,
            // Of a token that the host has, nothing is known but that somebody issued it.
            Source::Federation(_) | Source::Supplied(_) | Source::Injected => Grant::Exchange,
        }
    }

    /// The OAuth client that a user signed in with: the audience of their own ID token.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match &self.source {
            Source::Refresh(refresh) => Some(&refresh.client_id),
            Source::Key(_) | Source::Federation(_) | Source::Supplied(_) | Source::Injected => None,
        }
    }

    /// Tells if there is a user whose ID token can be given to functions.
    #[must_use]
    pub fn has_user_id_token(&self) -> bool {
        self.impersonates.is_none() && matches!(self.source, Source::Refresh(_))
    }
}

/// The member of an IAM policy that an address is; empty if it is none.
#[must_use]
pub fn member(address: &str) -> String {
    if AccountEmail::parse(address).is_err() {
        String::new()
    } else if address.ends_with(".gserviceaccount.com") {
        format!("serviceAccount:{address}")
    } else {
        format!("user:{address}")
    }
}
