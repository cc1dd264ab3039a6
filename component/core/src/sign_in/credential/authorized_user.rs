//! A user who consented: a refresh token (RFC 6749, section 6) of one OAuth client.

use super::{
    Described, Means, Scopes, fingerprint,
    google_json::{plain, text},
};
use crate::{
    base::{
        error::{Error, Kind, Origin, Result, foreign},
        http::TokenKind,
        json::{Object, Read},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
        secret::Secret,
    },
    call::Call,
    google::{
        jwt::IdTokenClaims,
        names::AccountEmail,
        refusal::{self, token_endpoint::Grant},
        request,
    },
    sign_in::{
        grant::{self, Granted},
        oauth::OAuthClient,
    },
    store::connection::CredentialKind,
};

/// The name of the kind, as it is kept.
pub(super) const TYPE: &str = "authorized-user";

/// The OAuth client of `gcloud auth application-default login`: its grants are gcloud's to end.
const GCLOUD_CLIENT: &str = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com";

/// A user's grant, as it was when it was read.
#[derive(Debug)]
pub struct AuthorizedUser {
    /// The user's address or Google's id of the user; the client, as long as neither is known.
    pub account: String,
    /// True if it is known who the user is.
    pub is_known: bool,
    /// Google's id of the user, if the sign-in was verified here.
    pub subject: Option<String>,
    /// The OAuth client's id.
    pub client_id: String,
    /// The OAuth client's secret, if it has one.
    pub client_secret: Option<Secret<String>>,
    /// The refresh token; none before a person has signed in.
    pub refresh_token: Option<Secret<String>>,
    /// The scopes that were granted, separated by spaces, if an earlier version kept the credential: now they stand in
    /// the connection.
    pub scopes: Option<String>,
}

impl AuthorizedUser {
    /// From Google's JSON: what `gcloud auth application-default login` writes. The account is there only
    /// sometimes.
    pub(super) fn of_json(raw: &Object<'_>) -> Result<Self> {
        let mut user = Self::of_client_id(plain(raw, "client_id")?);
        user.client_secret = Some(Secret::new(plain(raw, "client_secret")?));
        user.refresh_token = Some(Secret::new(plain(raw, "refresh_token")?));
        user.is(text(raw, "account")?.filter(|account| AccountEmail::parse(account).is_ok()));
        Ok(user)
    }

    /// A user of an OAuth client, of whom nothing is known yet.
    pub(crate) fn of_client(client: &OAuthClient) -> Self {
        Self { client_secret: client.secret.clone(), ..Self::of_client_id(client.id.clone()) }
    }

    fn of_client_id(client_id: String) -> Self {
        Self {
            account: format!("a user of the client {client_id}"),
            is_known: false,
            subject: None,
            client_id,
            client_secret: None,
            refresh_token: None,
            scopes: None,
        }
    }

    fn is(&mut self, account: Option<String>) {
        if let Some(account) = account {
            self.account = account;
            self.is_known = true;
        }
    }

    /// From the store.
    pub(super) fn read(fields: &Object<'_>) -> Read<Self> {
        let secret = |name| Ok(fields.string(name)?.map(Secret::new));
        Ok(Self {
            account: fields.required("account")?,
            is_known: true,
            subject: fields.string("subject")?,
            client_id: fields.required("client_id")?,
            client_secret: secret("client_secret")?,
            refresh_token: secret("refresh_token")?,
            scopes: fields.string("scopes")?,
        })
    }

    /// Takes over what a first grant says: a newer refresh token, and the user.
    pub(super) fn complete(&mut self, granted: &Granted) {
        if let Some(refresh_token) = granted.refresh_token() {
            self.refresh_token = Some(refresh_token.clone());
        }
        if !self.is_known {
            // It came from the token endpoint itself (OpenID Connect Core, 3.1.3.7, 6), and is shown, not trusted.
            let claims = granted.id_token().and_then(IdTokenClaims::read);
            self.is(claims.and_then(|claims| claims.email.or(claims.sub)));
        }
    }

    /// A new access token, and the user's ID token.
    pub(super) async fn ask<P: Ports>(&self, call: &Call<'_, P>) -> Result<Granted> {
        let reveal = |secret: &Option<Secret<String>>| {
            secret.as_ref().map(|secret| secret.reveal().clone()).unwrap_or_default()
        };
        let (refresh_token, client_secret) = (reveal(&self.refresh_token), reveal(&self.client_secret));
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.as_str()),
            ("client_id", self.client_id.as_str()),
            ("client_secret", client_secret.as_str()),
        ];
        let purpose = Purpose::AccessToken { client_id: Some(self.client_id.clone()) };
        let mut request = request::to_token_endpoint(purpose, TokenKind::Grant, &form);
        let account = if self.is_known { &self.account } else { "" };
        grant::ask(call, &mut request, Class::TokenEndpoint, Grant::RefreshToken, account).await
    }

    pub(super) async fn farewell<P: Ports>(&self, call: &Call<'_, P>) -> Option<String> {
        let account = self.account();
        if self.client_id == GCLOUD_CLIENT {
            return Some(format!(
                "the grant of {account} is gcloud's, and still valid: gcloud auth application-default revoke"
            ));
        }
        let why = revoke(call, self.refresh_token.as_ref()?).await.err()?;
        Some(format!(
            "the grant of {account} is gone from here, but could not be revoked at Google: {why}; remove it at https://myaccount.google.com/connections"
        ))
    }
}

/// Ends a grant at Google (RFC 7009), with all tokens that came of it.
async fn revoke<P: Ports>(call: &Call<'_, P>, refresh_token: &Secret<String>) -> Result<()> {
    let mut request = request::to_revocation_endpoint(refresh_token);
    let response = call.exchange(&mut request, Class::TokenEndpoint).await?;
    let said = refusal::token_endpoint::code(&response.body);
    let why = match (response.status, said.as_str()) {
        // What is no token any more needs no revoking: Google says `invalid_token`.
        (200 | 400, "" | "invalid_token" | "invalid_grant") => return Ok(()),
        (status, "") => format!("status {status}"),
        // Under a 200 too, a refusal is one.
        (_, code) => foreign(code),
    };
    Err(Error::new(Kind::Unavailable, Origin::TokenEndpoint, why))
}

impl Described for AuthorizedUser {
    fn kind(&self) -> CredentialKind {
        CredentialKind::AuthorizedUser
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn fingerprint(&self) -> String {
        // The client and the user, and not the refresh token: that one changes, and its tokens are as good.
        fingerprint(TYPE, self.account(), "", &self.client_id, "")
    }

    fn fields(&self) -> Object<'_> {
        let [client_secret, refresh_token] = [&self.client_secret, &self.refresh_token]
            .map(|secret| secret.as_ref().map(|secret| secret.reveal().as_str()));
        Object::default()
            .with("type", TYPE)
            .with("account", self.account())
            .with_some("scopes", self.scopes.as_deref())
            .with("client_id", self.client_id.as_str())
            .with_some("client_secret", client_secret)
            .with_some("refresh_token", refresh_token)
            .with_some("subject", self.subject.as_deref())
    }

    fn means(&self) -> Means<'_> {
        Means::Asked
    }

    fn grant(&self) -> Grant {
        Grant::RefreshToken
    }

    fn scopes(&self) -> Scopes {
        Scopes::Granted
    }

    fn client_id(&self) -> Option<&str> {
        Some(&self.client_id)
    }

    fn kept_scopes(&self) -> Option<&str> {
        self.scopes.as_deref()
    }
}
