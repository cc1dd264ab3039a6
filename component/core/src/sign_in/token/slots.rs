//! Tokens in the store: found, renewed by one caller for all, kept.

use std::{cell::OnceCell, future::Future, pin::Pin, time::Duration};

use super::{SignIn, status};
use crate::{
    base::{
        digest,
        error::{Error, Kind, Result},
        ports::{Expected, Ports},
        secret::Secret,
    },
    call::Call,
    sign_in::{
        grant::{Granted, Minted, SCOPES},
        identity::Identity,
    },
    store::{self, names::ConnectionId},
};

/// google-auth refreshes 3 min 45 s before the end.
const REFRESH_MARGIN: u64 = 225;

/// Spread over this many seconds, so that many callers do not refresh at once.
const REFRESH_JITTER: u64 = 30;

/// A token that could not be refreshed is used until this many seconds before its end.
const LAST_SECONDS: u64 = 10;

/// The longest that one refresh may keep others waiting: shorter than the deadline of most calls, so that those who
/// wait for one that was killed still have time to do without it.
const LEASE: Duration = Duration::from_secs(20);

/// The tokens that are cached.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cached<'a> {
    /// The source's own access token.
    Access,
    /// The access token of the service account that the credential leads to.
    Impersonated,
    /// The ID token of a key of its own, for this audience.
    Id(&'a str),
    /// The user's ID token, which a refresh brings along.
    UserId,
    /// The ID token that IAM Credentials mints, by all that it depends on.
    Minted(&'a str),
}

impl<'a> Cached<'a> {
    /// The name of the kind, and what tells one token of the kind from another. Both are in the store, hashed: another
    /// name would have every token asked for anew.
    fn name(self) -> (&'static str, &'a str) {
        match self {
            Self::Access => ("access", ""),
            Self::Impersonated => ("impersonated", ""),
            Self::Id(audience) => ("id", audience),
            Self::UserId => ("user-id", ""),
            Self::Minted(by) => ("minted", by),
        }
    }
}

/// The place of a cached token, and the lease that keeps two from being asked for at once.
pub(super) struct Slot<'a> {
    id: &'a ConnectionId,
    pub(super) key: String,
    lease: String,
}

impl<'a> Slot<'a> {
    /// Of a token that only this connection's credential can get.
    pub(super) fn new(sign_in: SignIn<'a>, token: Cached<'_>) -> Self {
        let key = key(sign_in.id, sign_in.identity, token);
        Self { id: sign_in.id, lease: key.clone(), key }
    }

    /// Of the source's own access token.
    pub(super) fn source(id: &'a ConnectionId, identity: &Identity) -> Self {
        let key = key(id, identity, Cached::Access);
        Self { id, lease: key.clone(), key }
    }

    /// Of a user's ID token: the same refresh brings both, so both wait for the same lease.
    pub(super) fn user_id_token(id: &'a ConnectionId, identity: &Identity) -> Self {
        Self { id, key: key(id, identity, Cached::UserId), lease: key(id, identity, Cached::Access) }
    }
}

/// The name of a cached token: everything that makes it another token is in it.
fn key(id: &ConnectionId, identity: &Identity, token: Cached<'_>) -> String {
    let (kind, what) = token.name();
    let impersonates = identity.impersonates.as_ref().map_or("", |chain| chain.account.as_str());
    let all = [&identity.credential.fingerprint(), impersonates, SCOPES[0], kind, what].join("\n");
    id.token_prefix() + &digest::name_of(&all)
}

/// The token under a key. One that cannot be read is one more to mint, not a failure.
pub(super) fn cached(ports: &impl Ports, key: &str) -> Result<Option<Minted>> {
    let entry = ports.secret_get(key).map_err(|error| store::store_error("read a token", error))?;
    Ok(entry.and_then(|entry| store::parse(&entry).ok()))
}

/// Removes a token that was not accepted, if it is the one under a key: somebody else may have got a new one already.
pub(super) fn forget(ports: &impl Ports, key: &str, rejected: Option<Secret<String>>) -> Result<()> {
    if let Some(rejected) = rejected
        && cached(ports, key)?.is_some_and(|cached| cached.token == rejected)
    {
        // A store that cannot forget leaves the 401 as it is.
        let _ = store::delete(ports, key);
    }
    Ok(())
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
    // Drawn for the tokens that it decides about: most are far from their end.
    let jitter = OnceCell::new();
    let jitter = || *jitter.get_or_init(|| u64::from(ports.random::<1>()[0]) * REFRESH_JITTER / 255);
    let is_fresh = |token: &Minted, now: u64| match token.expires.saturating_sub(now + REFRESH_MARGIN) {
        0 => false,
        left => left > REFRESH_JITTER || left > jitter(),
    };
    loop {
        let now = ports.now().as_secs();
        let old = match cached(ports, &slot.key)? {
            Some(token) if is_fresh(&token, now) => return Ok(token),
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
        let outcome = renew(call, slot, &is_fresh, mint).await;
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
    is_fresh: &dyn Fn(&Minted, u64) -> bool,
    mint: &'m dyn Fn() -> Minting<'m>,
) -> Result<Minted> {
    let ports = call.ports();
    // Whoever held the lease before may have succeeded, or failed, in the meantime.
    let now = ports.now().as_secs();
    if let Some(token) = cached(ports, &slot.key)?.filter(|token| is_fresh(token, now)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn tokens_are_found_where_earlier_versions_kept_them() {
        let (world, id) = World::connected();
        let id = ConnectionId::parse(&id).unwrap();
        let (_, identity) = crate::sign_in::identity::load(&world, &id).unwrap();
        let audience = "https://hello-abc123-uc.a.run.app";
        let tokens = [
            (Cached::Access, "deef49fd61e649f7baeb5f24f44e2e9c"),
            (Cached::Impersonated, "ef92db3d1bd34293d676947a96df64b7"),
            (Cached::Id(audience), "b69588605747de4fd5ea83a643c00567"),
            (Cached::UserId, "53c9829145106cc8346ad87c605bfb72"),
            (Cached::Minted(audience), "9e53853ac93b64bbd6a9c36532ab2ded"),
        ];
        for (token, digest) in tokens {
            assert_eq!(key(&id, &identity, token), format!("{}{digest}", id.token_prefix()), "{token:?}");
        }
    }
}
