//! Tokens in the store: found, renewed by one caller for all, kept.

use std::{future::Future, pin::Pin, time::Duration};

use sha2::{Digest as _, Sha256};

use super::{Granted, SignIn, grant, status};
use crate::{
    base::{
        error::{Error, Kind, Result},
        json::{Object, Read, Unreadable},
        ports::{Expected, Ports},
        secret::Secret,
    },
    call::Call,
    sign_in::identity::{Identity, Source},
    store::{self, Kept, credential::StoredCredential, names::ConnectionId},
};

/// google-auth refreshes 3 min 45 s before the end.
const REFRESH_MARGIN: u64 = 225;

/// Spread over this many seconds, so that many callers do not refresh at once.
const REFRESH_JITTER: u64 = 30;

/// A token that could not be refreshed is used until this many seconds before its end.
const LAST_SECONDS: u64 = 10;

/// How long one refresh may keep others waiting: shorter than the deadline of most calls, so that those who
/// wait for one that was killed still have time to do without it.
const LEASE: Duration = Duration::from_secs(20);

/// A token of any kind, with the end of its life.
pub(super) struct Minted {
    pub(super) token: Secret<String>,
    pub(super) expires: u64,
}

/// Where a token is cached, and what keeps two from being asked for at once.
pub(super) struct Slot<'a> {
    id: &'a ConnectionId,
    pub(super) key: String,
    lease: String,
}

impl<'a> Slot<'a> {
    /// Of a token that only this connection's credential can get.
    pub(super) fn new(sign_in: SignIn<'a>, kind: &str, what: &str) -> Self {
        let key = key(sign_in.id, sign_in.identity, kind, what);
        Self { id: sign_in.id, lease: key.clone(), key }
    }

    /// Of the source's own access token.
    pub(super) fn source(id: &'a ConnectionId, identity: &Identity) -> Self {
        let key = key(id, identity, "access", "");
        Self { id, lease: key.clone(), key }
    }

    /// Of a user's ID token: the same refresh brings both, so both wait for the same lease.
    pub(super) fn user_id_token(id: &'a ConnectionId, identity: &Identity) -> Self {
        Self { id, key: key(id, identity, "user-id", ""), lease: key(id, identity, "access", "") }
    }
}

/// The name of a cached token: everything that makes it another token is in it.
fn key(id: &ConnectionId, identity: &Identity, kind: &str, what: &str) -> String {
    let impersonates = identity.impersonates.as_ref().map_or("", |chain| chain.account.as_str());
    let scopes = super::SCOPES[0];
    let text = format!("{}\n{impersonates}\n{scopes}\n{kind}\n{what}", identity.fingerprint);
    let digest = Sha256::digest(text);
    // Lower-case names only, so hexadecimal and not base64url; 128 bits are plenty within a connection.
    let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}{name}", id.token_prefix())
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

/// The token under a key. One that cannot be read is one more to mint, not a failure.
pub(super) fn cached(ports: &impl Ports, key: &str) -> Result<Option<Minted>> {
    let entry = ports.secret_get(key).map_err(|error| store::store_error("read a token", error))?;
    Ok(entry.and_then(|entry| store::parse(&entry).ok()))
}

/// Caches a token. A store that does not take it costs one exchange more, and nothing else.
fn keep(ports: &impl Ports, key: &str, minted: &Minted) {
    let _ = store::write(ports, key, minted, Expected::Anything);
}

pub(super) fn keep_granted(ports: &impl Ports, id: &ConnectionId, identity: &Identity, granted: &Granted) {
    if let Some(access) = &granted.access {
        keep(ports, &Slot::source(id, identity).key, access);
    }
    if let Some(id_token) = &granted.id_token {
        keep(ports, &Slot::user_id_token(id, identity).key, id_token);
    }
}

/// Asks for a token. Boxed, so that the loop around it exists once in the component.
type Minting<'a> = Pin<Box<dyn Future<Output = Result<Minted>> + 'a>>;

/// The token of a slot: from the cache while it is fresh, otherwise asked for by one of all callers.
pub(super) async fn obtain<'m, P: Ports>(
    call: &Call<'_, P>,
    slot: &Slot<'_>,
    mint: &'m dyn Fn() -> Minting<'m>,
) -> Result<Minted> {
    let ports = call.ports();
    let margin = REFRESH_MARGIN + u64::from(ports.random::<1>()[0]) * REFRESH_JITTER / 255;
    loop {
        let now = ports.now().as_secs();
        let old = match cached(ports, &slot.key)? {
            Some(token) if token.expires > now + margin => return Ok(token),
            Some(token) if token.expires > now + LAST_SECONDS => Some(token),
            _ => None,
        };
        // What failed a moment ago, or for good, is not asked again by everybody.
        if let Some(error) = status::known_fault(ports, slot.id, &slot.key, now)? {
            return old_or(old, error);
        }
        let lease = match call.lease(&slot.lease, LEASE) {
            Ok(Ok(lease)) => Some(lease),
            Ok(Err(left)) => {
                if let Some(old) = old {
                    return Ok(old);
                }
                call.pause(left.clamp(Duration::from_millis(5), Duration::from_millis(100))).await?;
                continue;
            }
            // Without leases Google is only asked more often.
            Err(_) => None,
        };
        let outcome = renew(call, slot, margin, mint).await;
        if let Some(lease) = lease {
            call.release(lease);
        }
        return outcome.or_else(|error| old_or(old, error));
    }
}

/// With the lease in hand.
async fn renew<'m, P: Ports>(
    call: &Call<'_, P>,
    slot: &Slot<'_>,
    margin: u64,
    mint: &'m dyn Fn() -> Minting<'m>,
) -> Result<Minted> {
    let ports = call.ports();
    // Whoever held the lease before may have succeeded, or failed, in the meantime.
    let now = ports.now().as_secs();
    if let Some(token) = cached(ports, &slot.key)?.filter(|token| token.expires > now + margin) {
        return Ok(token);
    }
    if let Some(error) = status::known_fault(ports, slot.id, &slot.key, now)? {
        return Err(error);
    }
    match mint().await {
        Ok(minted) => {
            keep(ports, &slot.key, &minted);
            status::used(ports, slot.id, now);
            Ok(minted)
        }
        Err(error) => Err(status::failed(ports, slot.id, &slot.key, error, ports.now().as_secs())),
    }
}

/// A fault that says nothing about the credential is no reason to stop while the old token is good.
fn old_or(old: Option<Minted>, error: Error) -> Result<Minted> {
    match old {
        Some(old) if matches!(error.kind(), Kind::Network | Kind::Unavailable | Kind::RateLimited) => Ok(old),
        _ => Err(error),
    }
}

/// What the source grants: a new access token, and a user's ID token. All of it is kept, a new refresh token
/// before anything else.
pub(super) async fn refresh<P: Ports>(
    call: &Call<'_, P>,
    id: &ConnectionId,
    identity: &Identity,
) -> Result<Granted> {
    let ports = call.ports();
    let newer;
    let (identity, mut granted) = match grant::of(call, identity).await {
        Err(error) if error.kind() == Kind::ReconnectRequired => {
            // Somebody may have signed in anew, or received a new refresh token, since it was read.
            let stored: Option<StoredCredential> = store::read(ports, &id.credential_key())?;
            newer = stored.map(|stored| Identity::of(&stored, None)).transpose()?;
            match &newer {
                Some(newer) if is_newer(newer, identity) => (newer, grant::of(call, newer).await?),
                _ => return Err(error),
            }
        }
        outcome => (identity, outcome?),
    };
    if let Some(new) = granted.refresh_token.take() {
        replace_refresh_token(ports, id, identity, &new)?;
    }
    keep_granted(ports, id, identity, &granted);
    Ok(granted)
}

fn is_newer(stored: &Identity, used: &Identity) -> bool {
    match (&stored.source, &used.source) {
        (Source::Refresh(stored), Source::Refresh(used)) => stored.refresh_token != used.refresh_token,
        _ => false,
    }
}

/// Keeps a refresh token that came in place of the old one. Whoever has signed in anew meanwhile wins.
fn replace_refresh_token(
    ports: &impl Ports,
    id: &ConnectionId,
    identity: &Identity,
    new: &Secret<String>,
) -> Result<()> {
    let Source::Refresh(used) = &identity.source else { return Ok(()) };
    let mut attempt = 1;
    loop {
        let stored = store::read_versioned::<StoredCredential>(ports, &id.credential_key())?;
        let Some((mut stored, version)) =
            stored.filter(|(stored, _)| stored.refresh_token == *used.refresh_token.reveal())
        else {
            return Ok(());
        };
        stored.refresh_token.clone_from(new.reveal());
        match store::write(ports, &id.credential_key(), &stored, Expected::Version(version)) {
            // The old one may be of no use any more: this is worth another attempt, whatever went wrong.
            Err(_) if attempt < 3 => attempt += 1,
            outcome => return outcome.map(drop),
        }
    }
}
