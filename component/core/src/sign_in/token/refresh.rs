//! A refresh: all that it brings is kept, a new refresh token before anything else.

use super::slots;
use crate::{
    base::{
        error::{Kind, Result},
        ports::Ports,
        secret::Secret,
    },
    call::Call,
    sign_in::{
        credential::{Credential, authorized_user::AuthorizedUser},
        grant::Granted,
        identity::Identity,
    },
    store::{self, Swap, names::ConnectionId},
};

/// The tokens that the source grants: a new access token, and a user's ID token. All of it is kept, a new refresh token
/// before anything else.
pub(super) async fn of_source<P: Ports>(
    call: &Call<'_, P>,
    id: &ConnectionId,
    identity: &Identity,
) -> Result<Granted> {
    let ports = call.ports();
    let newer;
    let (identity, mut granted) = match identity.credential.ask(call).await {
        Err(error) if error.kind() == Kind::ReconnectRequired => {
            // Somebody may have signed in anew, or received a new refresh token, since it was read.
            newer = store::read::<Identity>(ports, &id.credential_key())?;
            match &newer {
                Some(newer) if is_newer(newer, identity) => (newer, newer.credential.ask(call).await?),
                _ => return Err(error),
            }
        }
        outcome => (identity, outcome?),
    };
    if let Some(new) = granted.refresh_token.take() {
        replace_refresh_token(ports, id, identity, &new)?;
    }
    slots::keep_granted(ports, id, identity, &granted);
    Ok(granted)
}

fn user(identity: &Identity) -> Option<&AuthorizedUser> {
    if let Credential::AuthorizedUser(user) = &identity.credential { Some(user) } else { None }
}

fn is_newer(stored: &Identity, used: &Identity) -> bool {
    match (user(stored), user(used)) {
        (Some(stored), Some(used)) => stored.refresh_token != used.refresh_token,
        (None, _) | (_, None) => false,
    }
}

/// Keeps a refresh token that came in place of the old one. Whoever has signed in anew meanwhile wins.
fn replace_refresh_token(
    ports: &impl Ports,
    id: &ConnectionId,
    identity: &Identity,
    new: &Secret<String>,
) -> Result<()> {
    let Some(used) = user(identity) else { return Ok(()) };
    let mut attempt = 1;
    loop {
        let replaced = store::swap(ports, &id.credential_key(), &|stored: Result<Option<Identity>>| {
            let mut stored = stored?;
            match &mut stored {
                Some(Identity { credential: Credential::AuthorizedUser(user), .. })
                    if user.refresh_token == used.refresh_token =>
                {
                    user.refresh_token = Some(new.clone());
                    Ok(stored)
                }
                _ => Ok(None),
            }
        });
        match replaced {
            // The old one may be of no use any more: this is worth another attempt, whatever went wrong.
            Err(_) if attempt < 3 => attempt += 1,
            Ok(Swap::Outrun) => return Err(store::outrun()),
            outcome => return outcome.map(drop),
        }
    }
}
