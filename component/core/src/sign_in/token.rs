//! Access tokens and ID tokens: cached, or asked for.
//!
//! ```text
//! cached and fresh ────────────────────────────────────────────────────► token
//! else: known fault? ─► lease ─► look again ─► ask Google ─► cache ─► token
//!           │             └─ held by somebody: wait a little, look again ─┘
//!           ▼
//!         error, or the old token while it is good and the fault is passing
//! ```

mod iam;
mod refresh;
mod slots;
pub(crate) mod status;

use self::slots::{Cached, Slot};
use crate::{
    base::{
        error::{Cause, Error, Kind, Origin, Result},
        ports::Ports,
        secret::Secret,
    },
    call::Call,
    google::{
        bearer::{AccessToken, IdToken},
        names::ProjectId,
        request::function_url::{Audience, FunctionUrl},
    },
    sign_in::{
        credential::{Means, impersonated::Chain},
        grant::{self, Granted, Minted},
        identity::Identity,
        invoker::Invoker,
    },
    store::names::ConnectionId,
};

/// A connection, as far as its tokens depend on it.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// Its id, under which tokens are cached.
    pub id: &'a ConnectionId,
    /// The credential that tokens are asked for with.
    pub identity: &'a Identity,
    /// The project, for the words of an error.
    pub project: &'a ProjectId,
    /// The project that requests count against, where the caller can say so.
    pub quota_project: Option<&'a ProjectId>,
}

/// The access token for Google's APIs: the source's own token, or that of the service account it leads to.
///
/// # Errors
/// `credential-rejected`, `reconnect-required`, `clock-skew`, `client-config`, `insufficient-scope`,
/// `invalid-response`, `network`, `unavailable`, `secret-store` or `deadline-exceeded`.
pub async fn access_token<P: Ports>(call: &Call<'_, P>, sign_in: SignIn<'_>) -> Result<AccessToken> {
    let Some(chain) = &sign_in.identity.impersonates else {
        return source_token(call, sign_in).await;
    };
    let slot = Slot::new(sign_in, Cached::Impersonated);
    let minted =
        slots::obtain(call, &slot, &|| Box::pin(from_iam(call, sign_in, chain, iam::Wanted::Access))).await?;
    Ok(AccessToken::of(minted.token).counted_to(sign_in.quota_project))
}

/// A token that IAM Credentials mints. A 401 takes one new token to ask with and one more attempt.
async fn from_iam<P: Ports>(
    call: &Call<'_, P>,
    sign_in: SignIn<'_>,
    chain: &Chain,
    wanted: iam::Wanted<'_>,
) -> Result<Minted> {
    // The account that the credential leads to is reached from the source; any other, from there.
    let from_source = sign_in.identity.leads_to(chain);
    let mut retried = false;
    loop {
        let token = if from_source {
            source_token(call, sign_in).await?
        } else {
            access_token(call, sign_in).await?
        };
        let project = sign_in.project.as_str();
        match iam::mint(call, sign_in.identity, project, &token, chain, wanted).await {
            Err(error)
                if error.kind() == Kind::Unauthenticated
                    && !retried
                    && forget(call, sign_in, &token, from_source)? =>
            {
                retried = true;
            }
            outcome => return outcome,
        }
    }
}

/// The source's own access token.
async fn source_token<P: Ports>(call: &Call<'_, P>, sign_in: SignIn<'_>) -> Result<AccessToken> {
    let SignIn { id, identity, .. } = sign_in;
    let token = match identity.credential.means() {
        Means::Injected => AccessToken::added_by_the_host(),
        Means::Supplied(token) => AccessToken::of(token.current(call.ports())?),
        Means::Asked => {
            let slot = Slot::source(id, identity);
            let minted = slots::obtain(call, &slot, &|| {
                Box::pin(async {
                    let granted = refresh::of_source(call, id, identity).await?;
                    granted.access.ok_or_else(|| grant::malformed("it has no usable access token"))
                })
            })
            .await?;
            AccessToken::of(minted.token)
        }
    };
    Ok(token.counted_to(sign_in.quota_project))
}

/// Nothing asks for an ID token of a key where there is none.
fn no_key() -> Error {
    Error::new(Kind::Internal, Origin::Host, "this credential has no key to sign with")
}

/// An ID token for one function: another one than `rejected`, which is forgotten.
///
/// # Errors
/// As [`access_token`], and `missing-role` or `api-disabled` if IAM Credentials refuses to mint it. There
/// is no other token to fall back to.
pub async fn id_token<P: Ports>(
    call: &Call<'_, P>,
    sign_in: SignIn<'_>,
    invoker: &Invoker,
    url: &FunctionUrl,
    audience: Option<Audience>,
    rejected: Option<&IdToken>,
) -> Result<IdToken> {
    let own = sign_in.identity.impersonates.as_ref();
    let rejected = rejected.map(IdToken::bearer);
    let minted = match (invoker, own) {
        (Invoker::User, _) => user_id_token(call, sign_in, audience.as_ref(), rejected).await?,
        (Invoker::ServiceAccount { chain, include_email }, _) => {
            let audience = audience.unwrap_or_else(|| url.audience());
            minted_id_token(call, sign_in, chain, *include_email, audience, rejected).await?
        }
        (Invoker::Own, Some(chain)) => {
            let audience = audience.unwrap_or_else(|| url.audience());
            minted_id_token(call, sign_in, chain, true, audience, rejected).await?
        }
        (Invoker::Own, None) => {
            let audience = audience.unwrap_or_else(|| url.audience());
            let slot = Slot::new(sign_in, Cached::Id(audience.as_str()));
            slots::forget(call.ports(), &slot.key, rejected)?;
            slots::obtain(call, &slot, &|| {
                Box::pin(async {
                    let key = sign_in.identity.own_key().ok_or_else(no_key)?;
                    key.id_token(call, audience.as_str()).await
                })
            })
            .await?
        }
    };
    IdToken::read(minted.token, url.origin()).ok_or_else(|| grant::malformed("its ID token cannot be read"))
}

/// A service account's, through IAM Credentials.
async fn minted_id_token<P: Ports>(
    call: &Call<'_, P>,
    sign_in: SignIn<'_>,
    chain: &Chain,
    include_email: bool,
    audience: Audience,
    rejected: Option<Secret<String>>,
) -> Result<Minted> {
    let who =
        format!("{}\n{}\n{include_email}\n{}", chain.account.as_str(), iam::joined(chain), audience.as_str());
    let slot = Slot::new(sign_in, Cached::Minted(&who));
    slots::forget(call.ports(), &slot.key, rejected)?;
    slots::obtain(call, &slot, &|| {
        let wanted = iam::Wanted::Id { audience: audience.as_str(), include_email };
        Box::pin(from_iam(call, sign_in, chain, wanted))
    })
    .await
}

/// The user's own, which a refresh brings along. Its audience is always the OAuth client.
async fn user_id_token<P: Ports>(
    call: &Call<'_, P>,
    sign_in: SignIn<'_>,
    audience: Option<&Audience>,
    rejected: Option<Secret<String>>,
) -> Result<Minted> {
    if let Some(client_id) = sign_in.identity.client_id()
        && audience.is_some_and(|audience| audience.as_str() != client_id)
    {
        return Err(Error::input(
            "audience",
            "a user's ID token has the OAuth client's id as its audience, and no other",
        )
        .cause(Cause::UserToken)
        .fix("leave the audience out, or let a service account invoke"));
    }
    let slot = Slot::user_id_token(sign_in.id, sign_in.identity);
    slots::forget(call.ports(), &slot.key, rejected)?;
    slots::obtain(call, &slot, &|| {
        Box::pin(async {
            let granted = refresh::of_source(call, sign_in.id, sign_in.identity).await?;
            granted.id_token.ok_or_else(|| {
                grant::malformed("it has no ID token: the user's grant does not hold the scope openid")
            })
        })
    })
    .await
}

/// Mints an ID token that is of no use, to see whether it can be done, and says whose.
///
/// # Errors
/// As [`id_token`].
pub(crate) async fn try_minting<P: Ports>(
    call: &Call<'_, P>,
    sign_in: SignIn<'_>,
    invoker: &Invoker,
    audience: &str,
) -> Result<String> {
    let own = sign_in.identity.impersonates.as_ref();
    let (chain, include_email) = match (invoker, own) {
        (Invoker::ServiceAccount { chain, include_email }, _) => (chain, *include_email),
        (Invoker::Own, Some(chain)) => (chain, true),
        (Invoker::Own, None) | (Invoker::User, _) => return Ok(sign_in.identity.account().to_owned()),
    };
    from_iam(call, sign_in, chain, iam::Wanted::Id { audience, include_email }).await?;
    Ok(chain.account.as_str().to_owned())
}

/// An access token of a service account that this connection may act for; it is not cached.
///
/// # Errors
/// As [`access_token`], and `missing-role`.
pub(crate) async fn of_account<P: Ports>(
    call: &Call<'_, P>,
    sign_in: SignIn<'_>,
    chain: &Chain,
) -> Result<AccessToken> {
    let minted = from_iam(call, sign_in, chain, iam::Wanted::Access).await?;
    Ok(AccessToken::of(minted.token).counted_to(sign_in.quota_project))
}

/// Forgets an access token that an API did not accept, so that the next one is new. Says whether there
/// can be a new one.
///
/// # Errors
/// `secret-store`.
pub fn reject<P: Ports>(call: &Call<'_, P>, sign_in: SignIn<'_>, rejected: &AccessToken) -> Result<bool> {
    forget(call, sign_in, rejected, false)
}

fn forget<P: Ports>(
    call: &Call<'_, P>,
    sign_in: SignIn<'_>,
    rejected: &AccessToken,
    from_source: bool,
) -> Result<bool> {
    let slot = match sign_in.identity.credential.means() {
        _ if sign_in.identity.impersonates.is_some() && !from_source => {
            Slot::new(sign_in, Cached::Impersonated)
        }
        Means::Asked => Slot::source(sign_in.id, sign_in.identity),
        Means::Supplied(token) => {
            let now = token.current(call.ports())?;
            return Ok(rejected.bearer().is_some_and(|old| old != now));
        }
        Means::Injected => return Ok(false),
    };
    slots::forget(call.ports(), &slot.key, rejected.bearer())?;
    Ok(true)
}

/// A first access token, which is not cached: the proof that a new credential works.
///
/// # Errors
/// As [`access_token`]; and `missing-role` if the service account it leads to cannot be impersonated.
pub async fn prove<P: Ports>(
    call: &Call<'_, P>,
    identity: &Identity,
    project: &str,
    quota_project: Option<&ProjectId>,
) -> Result<Granted> {
    let granted = match identity.credential.means() {
        Means::Injected => return Ok(Granted::default()),
        Means::Supplied(token) => {
            token.current(call.ports())?;
            return Ok(Granted::default());
        }
        Means::Asked => identity.credential.ask(call).await?,
    };
    if let (Some(chain), Some(access)) = (&identity.impersonates, &granted.access) {
        let source = AccessToken::of(access.token.clone()).counted_to(quota_project);
        iam::mint(call, identity, project, &source, chain, iam::Wanted::Access).await?;
    }
    Ok(granted)
}

impl Granted {
    /// Caches the tokens that were the proof. A store that does not take them costs one exchange more.
    pub fn cache<P: Ports>(&self, call: &Call<'_, P>, id: &ConnectionId, identity: &Identity) {
        slots::keep_granted(call.ports(), id, identity, self);
        if self.access.is_some() {
            status::used(call.ports(), id, call.ports().now().as_secs());
        }
    }
}
