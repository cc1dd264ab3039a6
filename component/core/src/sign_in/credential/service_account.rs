//! A service account: its key signs an assertion (RFC 7523), in the component or by the host.

use super::{
    Described, Means, Scopes, fingerprint,
    google_json::{required, text},
};
use crate::{
    base::{
        dates::http_date,
        error::{Error, Kind, Origin, Result},
        http::TokenKind,
        json::{Object, Read, Unreadable},
        ports::{Ports, StoreError},
        purpose::Purpose,
        retry::Class,
        secret::Secret,
    },
    call::Call,
    google::{
        jwt::{self, KeyId, PrivateKey, Wanted},
        names::AccountEmail,
        refusal::{self, token_endpoint::Grant},
        request,
    },
    sign_in::grant::{self, Granted, Minted, SCOPES},
    store::{
        self,
        connection::CredentialKind,
        names::{ConnectionId, host_key},
    },
};

/// The name of the kind, as it is kept.
pub(super) const TYPE: &str = "service-account";

/// A service account with its key.
#[derive(Debug)]
pub struct ServiceAccount {
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
    /// In the store, under this name.
    Stored(String),
    /// In the host, under this name: only the host sees it.
    InHost(String),
}

impl ServiceAccount {
    /// From Google's JSON.
    pub(super) fn of_json(raw: &Object<'_>) -> Result<Self> {
        let email = required(raw, "client_email")?;
        let pem = Secret::new(required(raw, "private_key")?);
        let key_id = text(raw, "private_key_id")?.map(|id| KeyId::parse(&id)).transpose()?;
        Ok(Self {
            email: AccountEmail::parse(&email)?,
            key_id,
            key: SigningKey::Here(PrivateKey::parse(pem)?),
        })
    }

    /// With a key that stays in the host.
    pub(super) fn of_host(email: &str, key_id: Option<&str>, key: &str) -> Result<Self> {
        Ok(Self {
            email: AccountEmail::parse(email)?,
            key_id: key_id.map(KeyId::parse).transpose()?,
            key: SigningKey::InHost(host_key("key", "keys/", key)?),
        })
    }

    /// From the store.
    pub(super) fn read(fields: &Object<'_>) -> Read<Self> {
        let email = fields.required("account")?;
        let key_id = fields.text("private_key_id")?.map(KeyId::parse).transpose();
        let key = fields.required("key")?;
        Ok(Self {
            email: AccountEmail::parse(&email).map_err(|_| Unreadable::Field("account"))?,
            key_id: key_id.map_err(|_| Unreadable::Field("private_key_id"))?,
            key: if fields.flag("host_only")? { SigningKey::InHost(key) } else { SigningKey::Stored(key) },
        })
    }

    /// Takes a key out of hand, to be kept under the connection's own name.
    pub(super) fn put_away(&mut self, id: &ConnectionId) -> Option<Secret<String>> {
        let SigningKey::Here(key) = &self.key else { return None };
        let pem = key.pem().clone();
        self.key = SigningKey::Stored(id.private_key_key());
        Some(pem)
    }

    /// An access token.
    pub(super) async fn ask<P: Ports>(&self, call: &Call<'_, P>) -> Result<Granted> {
        let scopes = SCOPES.join(" ");
        let access = Some(self.mint(call, Wanted::Scope(&scopes)).await?);
        Ok(Granted { access, ..Granted::default() })
    }

    /// An ID token for an audience.
    ///
    /// # Errors
    /// As Google refuses, and `secret-store`.
    pub(in crate::sign_in) async fn id_token<P: Ports>(
        &self,
        call: &Call<'_, P>,
        audience: &str,
    ) -> Result<Minted> {
        self.mint(call, Wanted::TargetAudience(audience)).await
    }

    /// A token for an assertion. If only the time in it was wrong, there is one more attempt with Google's
    /// own.
    async fn mint<P: Ports>(&self, call: &Call<'_, P>, wanted: Wanted<'_>) -> Result<Minted> {
        let mut now = call.ports().now().as_secs();
        let mut corrected = false;
        loop {
            let input = jwt::signing_input(&self.email, self.key_id.as_ref(), wanted, now);
            let assertion = jwt::join(&input, &self.sign(call.ports(), input.as_bytes())?);
            let form = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", assertion.reveal().as_str()),
            ];
            let purpose = match wanted {
                Wanted::Scope(_) => Purpose::AccessToken { client_id: None },
                Wanted::TargetAudience(audience) => Purpose::IdToken { audience: audience.to_owned() },
            };
            let mut request = request::to_token_endpoint(purpose, TokenKind::Assertion, &form);
            let response = call.exchange(&mut request, Class::TokenEndpoint).await?;
            if grant::grants(&response) {
                return grant::minted(call, &response, wanted);
            }
            let error = refusal::token_endpoint::error(
                response.status,
                &response.body,
                Grant::Assertion,
                self.email.as_str(),
            );
            let googles = response.header("date").and_then(http_date);
            match googles {
                Some(googles) if error.kind() == Kind::ClockSkew && !corrected => {
                    now = googles;
                    corrected = true;
                }
                _ => return Err(grant::refused(&request, &response, error)),
            }
        }
    }

    /// RS256, by the host if it can.
    ///
    /// # Errors
    /// `invalid-credential` or `secret-store`.
    fn sign(&self, ports: &impl Ports, message: &[u8]) -> Result<Vec<u8>> {
        let name = match &self.key {
            SigningKey::Here(key) => return key.sign(message),
            SigningKey::Stored(name) | SigningKey::InHost(name) => name,
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

    pub(super) fn farewell(&self) -> String {
        match &self.key {
            SigningKey::InHost(key) => {
                format!("the key {key} stays in the host, and still signs in as {}", self.email.as_str())
            }
            SigningKey::Here(_) | SigningKey::Stored(_) => format!(
                "the key of {} is gone from here, but valid until it is deleted in IAM & Admin, Service Accounts",
                self.email.as_str()
            ),
        }
    }
}

impl Described for ServiceAccount {
    fn kind(&self) -> CredentialKind {
        match self.key {
            SigningKey::InHost(_) => CredentialKind::StoredKey,
            SigningKey::Here(_) | SigningKey::Stored(_) => CredentialKind::ServiceAccount,
        }
    }

    fn account(&self) -> &str {
        self.email.as_str()
    }

    fn fingerprint(&self) -> String {
        let key_id = self.key_id.as_ref().map_or("", KeyId::as_str);
        fingerprint(TYPE, self.email.as_str(), key_id, "", "")
    }

    fn fields(&self) -> Object<'_> {
        let (key, host_only) = match &self.key {
            SigningKey::Here(_) => (None, None),
            SigningKey::Stored(name) => (Some(name.as_str()), None),
            SigningKey::InHost(name) => (Some(name.as_str()), Some(true)),
        };
        Object::default()
            .with("type", TYPE)
            .with("account", self.email.as_str())
            .with_some("private_key_id", self.key_id.as_ref().map(KeyId::as_str))
            .with_some("key", key)
            .with_some("host_only", host_only)
    }

    fn means(&self) -> Means<'_> {
        Means::Asked
    }

    fn grant(&self) -> Grant {
        Grant::Assertion
    }

    fn scopes(&self) -> Scopes {
        Scopes::AsAsked
    }

    fn key(&self) -> Option<&ServiceAccount> {
        Some(self)
    }
}
