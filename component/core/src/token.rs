//! Access tokens and ID tokens: cached, or signed for and exchanged.
//!
//! ```text
//! cached and fresh ──────────────────────────────────────────► token
//! else: lease ─► look again ─► sign assertion ─► exchange ─► cache ─► token
//!         └─ held by somebody: wait a little, look again ─┘
//! exchange failed in passing, old token still good ──────────► old token
//! ```

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};
use sha2::{Digest as _, Sha256};

use crate::{
    call::Call,
    credential::KeyId,
    error::{Error, Kind, Origin, Result, foreign},
    http::Response,
    json,
    jwt::{self, IdTokenClaims, PrivateKey, Wanted},
    names::AccountEmail,
    ports::{Expected, Lease, Ports, StoreError},
    retry::Class,
    secret::Secret,
    store::{self, ConnectionId, StoredCredential},
    target::{
        self,
        function_url::{Audience, FunctionUrl},
    },
};

/// The scope of every API call of this connector; no narrower one lists functions.
pub const SCOPES: [&str; 1] = ["https://www.googleapis.com/auth/cloud-platform"];

/// google-auth refreshes 3 min 45 s before the end.
const REFRESH_MARGIN: u64 = 225;

/// Spread over this many seconds, so that many callers do not refresh at once.
const REFRESH_JITTER: u64 = 30;

/// A token that could not be refreshed is used until this many seconds before its end.
const LAST_SECONDS: u64 = 10;

/// Longer lives are not believed: an organisation can allow 12 h at most.
const MAX_LIFE: u64 = 12 * 3600;

/// The longest token, in bytes: access tokens have 2 KiB, those of STS 12 KiB.
const MAX_TOKEN: usize = 16 * 1024;

/// How long one refresh may keep others waiting.
const LEASE: Duration = Duration::from_secs(30);

/// An access token: for Google's APIs only.
#[derive(Debug, Clone)]
pub struct AccessToken(Secret<String>);

impl AccessToken {
    pub(crate) fn bearer(&self) -> Secret<String> {
        self.0.clone()
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
    pub(crate) fn bearer(&self) -> Secret<String> {
        self.token.clone()
    }

    /// The only origin that it is sent to.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Who the token says is calling.
    #[must_use]
    pub fn principal(&self) -> Option<&str> {
        self.claims.email.as_deref().or(self.claims.sub.as_deref())
    }

    /// For whom it was minted.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.claims.aud
    }
}

/// Who signs in, and with what.
#[derive(Debug)]
pub struct Signer {
    email: AccountEmail,
    key_id: Option<KeyId>,
    key: SigningKey,
}

#[derive(Debug)]
enum SigningKey {
    /// In hand: only while a connection is being made.
    Here(PrivateKey),
    /// In the store, or in the host.
    Stored(String),
}

impl Signer {
    /// Signs with a key that is not stored yet.
    #[must_use]
    pub fn with_key(email: AccountEmail, key_id: Option<KeyId>, key: PrivateKey) -> Self {
        Self { email, key_id, key: SigningKey::Here(key) }
    }

    /// Signs with what a connection keeps.
    ///
    /// # Errors
    /// `invalid-credential` if what is kept was tampered with.
    pub fn stored(credential: &StoredCredential) -> Result<Self> {
        let StoredCredential { client_email, private_key_id, key, kind: _, host_only: _ } = credential;
        Ok(Self {
            email: AccountEmail::parse(client_email)?,
            key_id: private_key_id.as_deref().map(KeyId::parse).transpose()?,
            key: SigningKey::Stored(key.clone()),
        })
    }

    /// The service account.
    #[must_use]
    pub fn email(&self) -> &AccountEmail {
        &self.email
    }

    /// Google's id of the key.
    #[must_use]
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// The private key, if it is in hand.
    #[must_use]
    pub fn key_in_hand(&self) -> Option<&PrivateKey> {
        match &self.key {
            SigningKey::Here(key) => Some(key),
            SigningKey::Stored(_) => None,
        }
    }

    fn sign(&self, ports: &impl Ports, message: &[u8]) -> Result<Vec<u8>> {
        let name = match &self.key {
            SigningKey::Here(key) => return key.sign(message),
            SigningKey::Stored(name) => name,
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

    /// The fingerprint that keeps tokens of different credentials apart.
    fn fingerprint(&self) -> String {
        let key_id = self.key_id.as_ref().map_or("", KeyId::as_str);
        format!("{}\n{key_id}", self.email.as_str())
    }
}

#[derive(Serialize, Deserialize)]
struct Cached {
    token: String,
    expires: u64,
}

/// A token of either kind, with the end of its life.
struct Minted {
    token: Secret<String>,
    expires: u64,
}

/// An access token for a connection.
///
/// # Errors
/// `credential-rejected`, `invalid-response`, `network`, `unavailable`, `secret-store` or
/// `deadline-exceeded`.
pub async fn access_token<P: Ports>(
    call: &Call<'_, P>,
    id: &ConnectionId,
    signer: &Signer,
) -> Result<AccessToken> {
    let scopes = SCOPES.join(" ");
    obtain(call, id, signer, Wanted::Scope(&scopes)).await.map(|minted| AccessToken(minted.token))
}

/// An ID token for one function.
///
/// # Errors
/// As [`access_token`].
pub async fn id_token<P: Ports>(
    call: &Call<'_, P>,
    id: &ConnectionId,
    signer: &Signer,
    url: &FunctionUrl,
    audience: &Audience,
) -> Result<IdToken> {
    let minted = obtain(call, id, signer, Wanted::TargetAudience(audience.as_str())).await?;
    let claims =
        IdTokenClaims::read(&minted.token).ok_or_else(|| malformed("its ID token cannot be read"))?;
    Ok(IdToken { token: minted.token, origin: url.origin(), claims })
}

/// An access token that is not cached: the proof that a new credential works.
///
/// # Errors
/// As [`access_token`].
pub async fn prove<P: Ports>(call: &Call<'_, P>, signer: &Signer) -> Result<Proof> {
    let scopes = SCOPES.join(" ");
    exchange(call, signer, Wanted::Scope(&scopes)).await.map(Proof)
}

/// What proved a credential, to be cached once the connection is kept.
pub struct Proof(Minted);

impl Proof {
    /// Caches the token that was the proof. A store that does not take it costs one exchange more.
    pub fn cache<P: Ports>(self, call: &Call<'_, P>, id: &ConnectionId, signer: &Signer) {
        let scopes = SCOPES.join(" ");
        keep(call.ports(), &cache_key(id, signer, Wanted::Scope(&scopes)), &self.0);
    }
}

/// Forgets a token that an API did not accept, so that the next one is new.
pub fn forget_access_token<P: Ports>(call: &Call<'_, P>, id: &ConnectionId, signer: &Signer) {
    let scopes = SCOPES.join(" ");
    // A store that cannot forget leaves the 401 as it is.
    let _ = call.ports().secret_delete(&cache_key(id, signer, Wanted::Scope(&scopes)));
}

async fn obtain<P: Ports>(
    call: &Call<'_, P>,
    id: &ConnectionId,
    signer: &Signer,
    wanted: Wanted<'_>,
) -> Result<Minted> {
    let key = cache_key(id, signer, wanted);
    let margin = REFRESH_MARGIN + u64::from(call.ports().random::<1>()[0]) * REFRESH_JITTER / 255;
    loop {
        let cached = cached(call.ports(), &key)?;
        let now = call.ports().now().as_secs();
        let old = match cached {
            Some(token) if token.expires > now + margin => return Ok(token),
            Some(token) if token.expires > now + LAST_SECONDS => Some(token),
            _ => None,
        };
        let lease = match call.ports().acquire_lease(&key, LEASE) {
            Ok(Lease::Granted(lease)) => Some(lease),
            Ok(Lease::Held(left)) => {
                if let Some(old) = old {
                    return Ok(old);
                }
                call.pause(left.clamp(Duration::from_millis(5), Duration::from_millis(100))).await?;
                continue;
            }
            // Without leases Google is only asked more often.
            Err(_) => None,
        };
        // Whoever held the lease before may have refreshed in the meantime.
        let fresh = self::cached(call.ports(), &key)?.filter(|token| token.expires > now + margin);
        let outcome = match fresh {
            Some(token) => Ok(token),
            None => exchange(call, signer, wanted).await.inspect(|minted| keep(call.ports(), &key, minted)),
        };
        if let Some(lease) = lease {
            call.ports().release_lease(&key, &lease);
        }
        return match (outcome, old) {
            (Err(error), Some(old)) if is_passing(&error) => Ok(old),
            (outcome, _) => outcome,
        };
    }
}

/// A fault that says nothing about the credential.
fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), Kind::Network | Kind::Unavailable | Kind::RateLimited)
}

async fn exchange<P: Ports>(call: &Call<'_, P>, signer: &Signer, wanted: Wanted<'_>) -> Result<Minted> {
    let now = call.ports().now().as_secs();
    let input = jwt::signing_input(&signer.email, signer.key_id.as_ref(), wanted, now)?;
    let assertion = jwt::join(&input, &signer.sign(call.ports(), input.as_bytes())?);
    let request = target::to_token_endpoint(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.reveal()),
    ]);
    let response = call.exchange(&request, Class::TokenEndpoint).await?;
    if response.status == 200 { granted(&response, wanted, now) } else { Err(refused(&response, signer)) }
}

#[derive(Deserialize)]
struct Grant {
    access_token: Option<String>,
    id_token: Option<String>,
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Life,
    scope: Option<String>,
}

fn granted(response: &Response, wanted: Wanted<'_>, now: u64) -> Result<Minted> {
    let grant: Grant = json::read(&response.body)
        .map_err(|_| malformed("it is not the JSON of RFC 6749").http_status(response.status))?;
    let usable = |token: Option<String>| {
        token
            .filter(|t| !t.is_empty() && t.len() <= MAX_TOKEN && t.bytes().all(|b| b.is_ascii_graphic()))
            .map(Secret::new)
    };
    match wanted {
        Wanted::Scope(scopes) => {
            if !grant.token_type.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
                return Err(malformed("its token is not of type Bearer"));
            }
            if let Some(granted) = grant.scope {
                let missing = scopes.split(' ').find(|scope| !granted.split(' ').any(|g| g == *scope));
                if let Some(missing) = missing {
                    return Err(Error::new(
                        Kind::CredentialRejected,
                        Origin::TokenEndpoint,
                        format!("Google did not grant the scope {missing}"),
                    )
                    .detail("scope", missing)
                    .fix("grant the scope, and connect again"));
                }
            }
            let token =
                usable(grant.access_token).ok_or_else(|| malformed("it has no usable access token"))?;
            Ok(Minted { token, expires: now + grant.expires_in.seconds() })
        }
        Wanted::TargetAudience(audience) => {
            let token = usable(grant.id_token).ok_or_else(|| malformed("it has no usable ID token"))?;
            let claims =
                IdTokenClaims::read(&token).ok_or_else(|| malformed("its ID token cannot be read"))?;
            if claims.aud != audience {
                return Err(malformed("its ID token is for another audience than was asked for"));
            }
            Ok(Minted { token, expires: claims.exp.min(now + MAX_LIFE) })
        }
    }
}

/// Seconds to live, as text or as a number. By hand, for the generic value type of serde_json is large in
/// wasm; and in whole seconds, for nobody grants half of one.
#[derive(Default)]
struct Life(Option<u64>);

impl<'de> Deserialize<'de> for Life {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Seconds;

        impl Visitor<'_> for Seconds {
            type Value = Life;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> std::result::Result<Life, E> {
                Ok(Life(Some(seconds)))
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> std::result::Result<Life, E> {
                // More seconds than an integer holds; the cast saturates.
                if seconds >= 0.0 { Ok(Life(Some(seconds as u64))) } else { Err(E::custom("negative")) }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Life, E> {
                text.parse().map(|seconds| Life(Some(seconds))).map_err(|_| E::custom("not a number"))
            }
        }

        deserializer.deserialize_any(Seconds)
    }
}

impl Life {
    /// Without a life, the token is used once.
    fn seconds(&self) -> u64 {
        self.0.unwrap_or(0).min(MAX_LIFE)
    }
}

fn malformed(why: &str) -> Error {
    Error::new(
        Kind::InvalidResponse,
        Origin::TokenEndpoint,
        format!("the answer of Google's token endpoint cannot be used: {why}"),
    )
    .fix("a proxy in between may have answered; if not, please report this")
}

#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What a refusal of the token endpoint means, and whose move it is.
fn refused(response: &Response, signer: &Signer) -> Error {
    let refusal: Refusal = json::read(&response.body).unwrap_or_default();
    let said = match (refusal.error.as_str(), refusal.error_description.as_str()) {
        ("", _) => format!("status {}", response.status),
        (code, "") => foreign(code),
        (code, description) => format!("{} ({})", foreign(code), foreign(description)),
    };
    let error = |kind, what: &str| {
        Error::new(kind, Origin::TokenEndpoint, format!("Google's token endpoint {what}: {said}"))
            .http_status(response.status)
            .reason((!refusal.error.is_empty()).then(|| foreign(&refusal.error)))
    };
    let account = signer.email.as_str();
    let description = refusal.error_description.as_str();
    match refusal.error.as_str() {
        "invalid_grant" if description.starts_with("Invalid JWT Signature") => {
            error(Kind::CredentialRejected, "does not know the key").fix(format!(
                "the key of {account} was deleted, disabled or belongs to another account: make a new key and connect again"
            ))
        }
        "invalid_grant" if description.contains("short-lived") || description.contains("iat and exp") => {
            error(Kind::CredentialRejected, "does not accept the time").fix("set the clock of the host, and try again")
        }
        "invalid_grant" if description.contains("account not found") => {
            error(Kind::CredentialRejected, "does not know the account").fix(format!(
                "the service account {account} was deleted or never existed: connect with a key of another one"
            ))
        }
        "invalid_grant" => error(Kind::CredentialRejected, "refused the credential").fix("connect again with a new key"),
        "invalid_scope" => error(Kind::CredentialRejected, "refused the scope or the audience")
            .fix("check the audience, if you set one"),
        "unauthorized_client" | "invalid_client" | "deleted_client" | "disabled_client" | "org_internal" | "admin_policy_enforced" => {
            error(Kind::CredentialRejected, "refused who asks").fix(format!("whoever administers {account} enables it"))
        }
        _ if response.status == 429 => error(Kind::RateLimited, "is asked too often").fix("wait, and ask less often"),
        _ if response.status >= 500 => error(Kind::Unavailable, "has a fault").fix("try again later"),
        _ if (300..400).contains(&response.status) => crate::google::redirect(response, "sign in"),
        _ => error(Kind::CredentialRejected, "refused").fix("read Google's reason, and connect again"),
    }
}

/// The name of a cached token: everything that makes it another token is in it.
fn cache_key(id: &ConnectionId, signer: &Signer, wanted: Wanted<'_>) -> String {
    let (kind, what) = match wanted {
        Wanted::Scope(scopes) => ("access", scopes),
        Wanted::TargetAudience(audience) => ("id", audience),
    };
    let digest = Sha256::digest(format!("{}\n{kind}\n{what}", signer.fingerprint()));
    // Lower-case names only, so hexadecimal and not base64url; 128 bits are plenty within a connection.
    let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}{name}", id.token_prefix())
}

fn cached(ports: &impl Ports, key: &str) -> Result<Option<Minted>> {
    let entry = ports.secret_get(key).map_err(|error| store::store_error("read a token", error))?;
    // A token that cannot be read is one more to mint, not a failure.
    Ok(entry
        .and_then(|entry| json::read::<Cached>(entry.value.reveal()).ok())
        .map(|cached| Minted { token: Secret::new(cached.token), expires: cached.expires }))
}

/// Caches a token. A store that does not take it costs one exchange more, and nothing else.
fn keep(ports: &impl Ports, key: &str, minted: &Minted) {
    let cached = Cached { token: minted.token.reveal().clone(), expires: minted.expires };
    let _ = store::write(ports, key, &cached, Expected::Anything);
}
