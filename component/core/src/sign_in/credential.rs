//! Credentials: the ways in which a connection comes to an access token, a file for each kind.
//!
//! | module | the kind |
//! |---|---|
//! | [`service_account`] | a service account's key, in the store or in the host |
//! | [`authorized_user`] | a user's refresh token |
//! | [`external_account`] | another provider's token, exchanged for Google's |
//! | [`supplied_token`] | an access token that the host keeps in its store |
//! | [`injected_token`] | an access token that the host adds to each request |
//! | [`impersonated`] | a service account that one of the others leads to |
//! | `google_json` | what the JSON files of Google have in common |
//! | `wrappings` | what others have wrapped around it |
//! | `strangers` | files of other kinds, by name |
//!
//! A kind says in its file what it holds, how Google's JSON and the store are read and written, how a token
//! is asked for, and what stays of it after it is gone from here. The matches below are all that is
//! exhaustive about kinds in the core.

pub mod authorized_user;
pub mod external_account;
mod google_json;
pub mod impersonated;
pub mod injected_token;
pub mod service_account;
pub(super) mod strangers;
pub mod supplied_token;
pub(super) mod wrappings;

use self::{
    authorized_user::AuthorizedUser, external_account::ExternalAccount, injected_token::InjectedToken,
    service_account::ServiceAccount, supplied_token::SuppliedToken,
};
use super::{grant::Granted, identity::Given};
use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        json::{Object, Read, Unreadable},
        ports::Ports,
        secret::Secret,
    },
    call::Call,
    google::refusal::token_endpoint::Grant,
    store::{connection::CredentialKind, names::ConnectionId},
};

/// A credential as a caller gives it; see `wit/connections.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum CredentialRequest {
    GoogleJson(Secret<String>),
    StoredKey { client_email: String, private_key_id: Option<String>, key: String },
    SuppliedToken { key: String, account: Option<String> },
    InjectedToken(Option<String>),
}

/// The proof that a credential is asked for before it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Google grants a first token for it.
    Accepted,
    /// The host's store holds it; it is not tried.
    Present,
    /// None.
    None,
}

impl CredentialRequest {
    /// The proof that is asked for before it is kept.
    #[must_use]
    pub fn proof(&self) -> Proof {
        match self {
            Self::GoogleJson(_) | Self::StoredKey { .. } => Proof::Accepted,
            Self::SuppliedToken { .. } => Proof::Present,
            Self::InjectedToken(_) => Proof::None,
        }
    }
}

/// A credential, checked.
#[derive(Debug)]
pub enum Credential {
    /// A service account signs an assertion (RFC 7523).
    ServiceAccount(ServiceAccount),
    /// A user's refresh token (RFC 6749, section 6).
    AuthorizedUser(AuthorizedUser),
    /// Somebody else's token, exchanged at Google's Security Token Service (RFC 8693).
    ExternalAccount(ExternalAccount),
    /// The host keeps an access token in its store.
    SuppliedToken(SuppliedToken),
    /// The host adds an access token to the request.
    InjectedToken(InjectedToken),
}

/// The answers of each kind about itself.
trait Described {
    /// The kind, as it is shown.
    fn kind(&self) -> CredentialKind;

    /// The account that signs in, for people: an address where there is one.
    fn account(&self) -> &str;

    /// The text that keeps the tokens of different credentials apart. It is a part of the names of cached tokens, and
    /// must stay as it is.
    fn fingerprint(&self) -> String;

    /// Its fields, as they are kept.
    fn fields(&self) -> Object<'_>;

    /// The way to an access token.
    fn means(&self) -> Means<'_>;

    /// The thing that it hands to Google for a token, as far as its refusals mean something.
    fn grant(&self) -> Grant;

    /// The knowledge about the scopes of its tokens.
    fn scopes(&self) -> Scopes;

    /// The key that signs, if it is one.
    fn key(&self) -> Option<&ServiceAccount> {
        None
    }

    /// The OAuth client that a user signed in with.
    fn client_id(&self) -> Option<&str> {
        None
    }

    /// The scopes that an earlier version kept with it.
    fn kept_scopes(&self) -> Option<&str> {
        None
    }
}

/// The way to an access token.
#[derive(Debug)]
pub enum Means<'a> {
    /// Google is asked for one, which is cached.
    Asked,
    /// The host keeps one in its store, and renews it.
    Supplied(&'a SuppliedToken),
    /// The host adds one to the request.
    Injected,
}

/// The knowledge about the scopes of a credential's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scopes {
    /// A person granted them.
    Granted,
    /// A token has those that are asked for.
    AsAsked,
    /// The host knows.
    OfHost,
}

impl Credential {
    fn described(&self) -> &dyn Described {
        match self {
            Self::ServiceAccount(credential) => credential,
            Self::AuthorizedUser(credential) => credential,
            Self::ExternalAccount(credential) => credential,
            Self::SuppliedToken(credential) => credential,
            Self::InjectedToken(credential) => credential,
        }
    }

    /// The kind, as it is shown.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.described().kind()
    }

    /// The account that signs in, for people: an address where there is one.
    #[must_use]
    pub fn account(&self) -> &str {
        self.described().account()
    }

    /// The text that keeps the tokens of different credentials apart.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.described().fingerprint()
    }

    /// The way to an access token.
    #[must_use]
    pub fn means(&self) -> Means<'_> {
        self.described().means()
    }

    /// The thing that it hands to Google for a token, as far as its refusals mean something.
    #[must_use]
    pub fn grant(&self) -> Grant {
        self.described().grant()
    }

    /// The knowledge about the scopes of its tokens.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.described().scopes()
    }

    /// The key that signs, if it is one.
    #[must_use]
    pub fn key(&self) -> Option<&ServiceAccount> {
        self.described().key()
    }

    /// The OAuth client that a user signed in with.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.described().client_id()
    }

    /// The scopes that an earlier version kept with it, separated by spaces.
    #[must_use]
    pub fn kept_scopes(&self) -> Option<&str> {
        self.described().kept_scopes()
    }

    /// Its fields, as they are kept.
    pub(super) fn fields(&self) -> Object<'_> {
        self.described().fields()
    }

    /// From its fields, as they are kept.
    pub(super) fn read(fields: &Object<'_>) -> Read<Self> {
        match fields.required("type")?.as_str() {
            service_account::TYPE => ServiceAccount::read(fields).map(Self::ServiceAccount),
            authorized_user::TYPE => AuthorizedUser::read(fields).map(Self::AuthorizedUser),
            external_account::TYPE => ExternalAccount::read(fields).map(Self::ExternalAccount),
            supplied_token::TYPE => SuppliedToken::read(fields).map(Self::SuppliedToken),
            injected_token::TYPE => InjectedToken::read(fields).map(Self::InjectedToken),
            // One that a newer version keeps.
            _ => Err(Unreadable::Field("type")),
        }
    }

    /// From Google's JSON of a kind that can also be behind an impersonation.
    fn of_json(raw: &Object<'_>, kind: Option<&str>) -> Result<Self> {
        match kind {
            Some("service_account") => ServiceAccount::of_json(raw).map(Self::ServiceAccount),
            Some("authorized_user") => AuthorizedUser::of_json(raw).map(Self::AuthorizedUser),
            Some(
                kind @ ("external_account" | "external_account_authorized_user" | "gdch_service_account"),
            ) => Err(Error::new(
                Kind::UnsupportedCredential,
                Origin::Connection,
                format!("credentials of type {kind} cannot be used here"),
            )
            .detail("type", kind)
            .fix("use the JSON key of a service account, or sign in as a user")),
            _ => Err(Error::credential("type", "is not a kind of credential that Google hands out")),
        }
    }

    /// A new access token, and what comes with it; nothing where Google is not asked for one.
    ///
    /// # Errors
    /// As Google refuses, and `secret-store`.
    pub async fn ask<P: Ports>(&self, call: &Call<'_, P>) -> Result<Granted> {
        match self {
            Self::ServiceAccount(key) => key.ask(call).await,
            Self::AuthorizedUser(user) => user.ask(call).await,
            Self::ExternalAccount(external) => external.ask(call).await,
            Self::SuppliedToken(_) | Self::InjectedToken(_) => Ok(Granted::default()),
        }
    }

    /// Takes over what is known only now that Google has answered. Returns the private key, if there is one in hand: it is
    /// kept under a name of its own.
    pub fn complete(&mut self, id: &ConnectionId, granted: &Granted) -> Option<Secret<String>> {
        match self {
            Self::ServiceAccount(key) => key.put_away(id),
            Self::AuthorizedUser(user) => {
                user.complete(granted);
                None
            }
            Self::ExternalAccount(_) | Self::SuppliedToken(_) | Self::InjectedToken(_) => None,
        }
    }

    /// Ends it at Google where that can be done, and says what is left of it after it is gone from here.
    pub async fn farewell<P: Ports>(&self, call: &Call<'_, P>) -> Option<String> {
        match self {
            Self::ServiceAccount(key) => Some(key.farewell()),
            Self::AuthorizedUser(user) => user.farewell(call).await,
            Self::ExternalAccount(external) => Some(supplied_token::stays(&external.subject_token)),
            Self::SuppliedToken(token) => Some(supplied_token::stays(&token.key)),
            Self::InjectedToken(_) => None,
        }
    }
}

impl Given {
    /// Parses a credential that a caller gives. `subject_token` is where the host keeps the token that an
    /// `external_account` exchanges.
    ///
    /// # Errors
    /// `invalid-credential`, whose `details.field` names what is wrong and whose text never repeats the
    /// input; `unsupported-credential` for a kind that Google hands out and this version cannot use;
    /// `invalid-input` of field `subject-token`.
    pub fn parse(request: CredentialRequest, subject_token: Option<&str>) -> Result<Self> {
        if subject_token.is_some() && !matches!(request, CredentialRequest::GoogleJson(_)) {
            return Err(Error::input("subject-token", "only an external_account has a subject token"));
        }
        let credential = match request {
            CredentialRequest::GoogleJson(json) => return google_json::parse(&json, subject_token),
            CredentialRequest::StoredKey { client_email, private_key_id, key } => Credential::ServiceAccount(
                ServiceAccount::of_host(&client_email, private_key_id.as_deref(), &key)?,
            ),
            CredentialRequest::SuppliedToken { key, account } => {
                Credential::SuppliedToken(SuppliedToken::parse(&key, account)?)
            }
            CredentialRequest::InjectedToken(account) => {
                Credential::InjectedToken(InjectedToken::parse(account)?)
            }
        };
        Ok(Self { identity: credential.into(), project: None, quota_project: None })
    }
}

/// The text of a kind, an account and three fields that some kinds have, in this order.
fn fingerprint(kind: &str, account: &str, key_id: &str, client_id: &str, audience: &str) -> String {
    [kind, account, key_id, client_id, audience].join("\n")
}

#[cfg(test)]
mod tests;
