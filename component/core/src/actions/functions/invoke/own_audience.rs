//! The audiences of a function that only Cloud Run knows: its service's other URLs, and those that its owner lists.

use super::send::Callee;
use crate::{
    actions::functions::{Generation, service},
    base::{
        error::{Cause, Error, Kind, Result},
        ports::Ports,
    },
    call::Call,
    google::request::function_url::Audience,
    rails::AddressOf,
    session::Session,
};

/// Judges if a token for this audience may be sent to the function. Cloud Run is asked where the names alone say no,
/// and in this very call: what is remembered of a function opens nothing.
///
/// # Errors
/// As [`GuardRails::allows_audience`](crate::rails::GuardRails::allows_audience), and as asking fails.
pub(super) async fn allow<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    callee: &Callee,
    audience: &Audience,
    address: AddressOf,
) -> Result<()> {
    let rails = &session.guard_rails;
    let Err(refusal) = rails.allows_audience(audience, Some(&callee.url), address) else { return Ok(()) };
    let on_cloud_run = match callee.generation {
        Generation::Gen2 | Generation::CloudRun | Generation::Other => callee.id.as_ref(),
        Generation::Gen1 => None,
    };
    let Some((id, name)) = on_cloud_run.filter(|_| audience.is_a_functions()) else { return Err(refusal) };
    match service::audiences(call, session, (id, name), &callee.url).await {
        Ok(listed) if rails.allows_listed(audience, &callee.url, address, &listed) => Ok(()),
        Ok(_) => Err(refusal),
        Err(why) => Err(unheard(refusal, why)),
    }
}

/// The refusal of a caller who may not ask Cloud Run: the same as without asking, with the reason, for the audience may
/// well be another function's.
fn unheard(refusal: Error, why: Error) -> Error {
    if !matches!(why.kind(), Kind::MissingRole | Kind::ApiDisabled | Kind::Forbidden) {
        return why;
    }
    let fields = refusal.fields();
    let message = format!("{}, as far as its name tells: {}", fields.message, why.fields().message);
    Error::input("audience", message)
        .cause(Cause::AnotherFunction)
        .fix(fields.fix.clone().unwrap_or_default())
}
