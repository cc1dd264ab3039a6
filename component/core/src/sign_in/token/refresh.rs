//! A refresh: all that it brings is kept, a new refresh token before anything else.

use super::{grant, minted::Granted, slots};
use crate::{
    base::{
        error::{Kind, Result},
        ports::Ports,
        secret::Secret,
    },
    call::Call,
    sign_in::identity::{Identity, Source},
    store::{self, Swap, credential::StoredCredential, names::ConnectionId},
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
    slots::keep_granted(ports, id, identity, &granted);
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
        let replaced = store::swap(ports, &id.credential_key(), &|stored: Result<
            Option<StoredCredential>,
        >| {
            let mut stored = stored?.filter(|stored| stored.refresh_token == *used.refresh_token.reveal());
            if let Some(stored) = &mut stored {
                stored.refresh_token.clone_from(new.reveal());
            }
            Ok(stored)
        });
        match replaced {
            // The old one may be of no use any more: this is worth another attempt, whatever went wrong.
            Err(_) if attempt < 3 => attempt += 1,
            Ok(Swap::Outrun) => return Err(store::outrun()),
            outcome => return outcome.map(drop),
        }
    }
}
