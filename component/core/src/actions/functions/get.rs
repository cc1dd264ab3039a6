//! One function, by whatever name a caller has for it.

use super::{
    function::{FIELDS, Function},
    list::{self, FunctionList, MissingPart},
    regions, remembered, service,
};
use crate::{
    base::{
        error::{Cause, Error, Kind, Origin, Result},
        http::Method,
        json,
        near::{did_you_mean, nearest},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
        sorted,
    },
    call::{Call, deadlines},
    google::{
        hosts::Api,
        names::{FunctionId, FunctionName},
        refusal,
        request::{self, grammar::PathAndQuery},
        which::{FunctionRef, Lookup},
    },
    session::Session,
};

/// One function.
///
/// # Errors
/// As `wit/functions.wit` says.
pub async fn get<P: Ports>(
    ports: &P,
    connection: &str,
    function: FunctionRef,
    deadline_ms: Option<u32>,
) -> Result<Function> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let session = Session::open(&call, connection)?;
    let lookup = Lookup::parse(&session.project, function)?;
    // Somebody wants to know how it is now: by whichever name it is called next, it is looked up.
    remembered::forget(ports, &session, &lookup);
    let function = call.traced(find(&call, &session, &lookup).await)?;
    let names = std::iter::once(&function.id.name).chain(&function.other_name);
    for name in names {
        let id = FunctionId { name: name.clone(), ..function.id.clone() };
        remembered::forget(ports, &session, &Lookup::Exact(id));
        remembered::forget(ports, &session, &Lookup::Bare(name.clone()));
    }
    Ok(function)
}

/// The function that is meant, for somebody who reads on: while a region does not answer, a bare name is that of the one
/// that was found.
pub(crate) async fn find<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    lookup: &Lookup,
) -> Result<Function> {
    look_up(call, session, lookup).await.map(|(function, _)| function)
}

/// The function that is meant, for somebody who calls it: that cannot be undone, so nothing is left open. It may be
/// known from a moment ago.
pub(crate) async fn find_to_call<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    lookup: &Lookup,
) -> Result<Function> {
    if let Some(function) = remembered::recall(call.ports(), session, lookup) {
        return Ok(function);
    }
    let (function, silent) = look_up(call, session, lookup).await?;
    if !silent.is_empty() {
        return Err(undecided(&function.id, &silent));
    }
    if function.callable_url().is_some() {
        remembered::remember(call.ports(), session, lookup, &function);
    }
    Ok(function)
}

/// A function, and where nobody answered of all the places where another one of its name may be.
async fn look_up<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    lookup: &Lookup,
) -> Result<(Function, Vec<String>)> {
    match lookup {
        Lookup::Exact(id) => Ok((exact(call, session, id).await?, Vec::new())),
        Lookup::Bare(name) => bare(call, session, name).await,
    }
}

/// The function of this name, whichever API it was made through.
async fn exact<P: Ports>(call: &Call<'_, P>, session: &Session, id: &FunctionId) -> Result<Function> {
    session.guard_rails.allows_region(&id.region)?;
    in_region(call, session, id).await.map_err(|error| {
        let near = (error.kind() == Kind::NotFound).then(|| regions::nearest_known(&id.region)).flatten();
        match near {
            Some(near) => error.fix(format!(
                "did you mean the region {near}? {} is not one that is known; if it is new, check the name",
                id.region
            )),
            None => error,
        }
    })
}

async fn in_region<P: Ports>(call: &Call<'_, P>, session: &Session, id: &FunctionId) -> Result<Function> {
    let error = match of_cloud_functions(call, session, id).await {
        // Cloud Functions knows nothing of functions that were made through Cloud Run, and neither its API nor its
        // roles nor its regions are needed for those.
        Err(error)
            if matches!(
                error.kind(),
                Kind::NotFound | Kind::MissingRole | Kind::ApiDisabled | Kind::Forbidden
            ) =>
        {
            error
        }
        outcome => return outcome,
    };
    match service::find(call, session, id).await {
        Ok(Some(function)) => Ok(function),
        Ok(None) => Err(error),
        // It may be there, and hidden.
        Err(refusal) if error.kind() == Kind::NotFound && refusal.kind() != Kind::ApiDisabled => Err(error
            .fix(format!(
                "check project, region and name; Cloud Run could not be asked for it: {}",
                refusal.fields().message
            ))),
        Err(_) => Err(error),
    }
}

async fn of_cloud_functions<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    id: &FunctionId,
) -> Result<Function> {
    let target = PathAndQuery::ours(&format!("/v2/{}", id.path()), &[("fields", FIELDS)]);
    let purpose = || Purpose::Function { name: id.name.to_string(), resource: id.path() };
    let response = session
        .send(call, Class::Idempotent, &|token| {
            request::to_api(purpose(), Api::Functions, Method::Get, &target, token)
        })
        .await?;
    let action = format!("get the function {} in {} of {}", id.name, id.region, id.project);
    if response.status != 200 {
        return Err(refusal::api::error(
            &response,
            &session.attempted(&action, "cloudfunctions.functions.get"),
        ));
    }
    json::read(&response.body)
        .and_then(|fields| Function::read(&fields))
        .map_err(|why| refusal::api::unreadable(&response, &action, &why))?
        .ok_or_else(|| {
            Error::new(
                Kind::InvalidResponse,
                Origin::GoogleApi,
                format!("the answer to the attempt to {action} does not name a function"),
            )
        })
}

/// The only function of this name in any region, and who did not answer. Two are an error: the first match could be the
/// wrong one.
async fn bare<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    name: &FunctionName,
) -> Result<(Function, Vec<String>)> {
    let heard = |function| (function, Vec::new());
    // Who may not list may still get: the connection's own region is all there is to go by.
    let in_own_region = || FunctionId {
        project: session.project.clone(),
        region: session.region.clone(),
        name: name.clone(),
    };
    let list = match list::every(call, session, Vec::new()).await {
        Ok(list) => list,
        Err(error) if error.kind() == Kind::MissingRole => {
            return exact(call, session, &in_own_region()).await.map(heard);
        }
        Err(error) => return Err(error),
    };
    let silent = silent(&list);
    let listed = list.functions.len();
    let near = nearest(name.as_str(), list.functions.iter().map(|function| function.id.name.as_str()));
    let near = did_you_mean(near.filter(|near| *near != name.as_str()));
    let mut found: Vec<Function> = list.functions.into_iter().filter(|f| f.is_called(name)).collect();
    match (found.pop(), found.as_slice()) {
        (Some(last), [_, ..]) => Err(ambiguous(name, found.iter().chain([&last]))),
        _ if list.next_page_token.is_some() => Err(too_many(name, listed)),
        (Some(function), []) => Ok((function, silent)),
        (None, _) if !silent.is_empty() => Err(unheard(name, &silent)),
        (None, _) if list.missing.iter().any(hides_functions) => {
            exact(call, session, &in_own_region()).await.map(heard)
        }
        (None, _) => Err(nowhere(session, name, &near, &list.missing)),
    }
}

/// The regions and APIs that would have answered at another time.
fn silent(list: &FunctionList) -> Vec<String> {
    let mut silent = list.unreachable.clone();
    for part in list.missing.iter().filter(|part| !matches!(part.kind, Kind::MissingRole | Kind::ApiDisabled))
    {
        let what = part.region.as_deref().unwrap_or(part.source);
        sorted::insert(&mut silent, what.to_owned());
    }
    silent
}

/// Tells if functions of Cloud Functions may be there that may not be listed.
fn hides_functions(part: &MissingPart) -> bool {
    part.source == Api::Functions.host() && part.kind == Kind::MissingRole
}

fn ambiguous<'a>(name: &FunctionName, found: impl Iterator<Item = &'a Function>) -> Error {
    let mut regions = Vec::new();
    for function in found {
        sorted::insert(&mut regions, function.id.region.as_str());
    }
    let (cause, message, fix) = match regions.as_slice() {
        [region] => (
            Cause::BothProducts,
            format!("the function {name} exists in {region} twice: in Cloud Functions and in Cloud Run"),
            "use the URL of the one that is meant; nothing was called",
        ),
        _ => (
            Cause::SeveralRegions,
            format!("the function {name} exists in several regions: {}", regions.join(", ")),
            "name the region; nothing was called",
        ),
    };
    Error::new(Kind::AmbiguousFunction, Origin::Input, message)
        .detail("regions", regions.join(","))
        .cause(cause)
        .fix(fix)
}

fn too_many(name: &FunctionName, listed: usize) -> Error {
    Error::new(
        Kind::AmbiguousFunction,
        Origin::Input,
        format!("more functions than the {listed} that one call looks through may be called {name}"),
    )
    .cause(Cause::TooManyFunctions)
    .fix("name the region; nothing was called")
}

/// One was found, and another may be where nobody answered.
fn undecided(found: &FunctionId, silent: &[String]) -> Error {
    let FunctionId { name, region, .. } = found;
    unavailable(
        format!(
            "the function {name} is in {region}, and perhaps in {}, which did not answer",
            silent.join(", ")
        ),
        silent,
    )
    .detail("regions", region.to_string())
    .fix(format!("name the region, such as {region}, or try again; nothing was called"))
}

fn unheard(name: &FunctionName, silent: &[String]) -> Error {
    unavailable(
        format!("the function {name} is in no region that answered; {} did not", silent.join(", ")),
        silent,
    )
    .fix("name the region, or try again")
}

fn unavailable(message: String, silent: &[String]) -> Error {
    Error::new(Kind::Unavailable, Origin::GoogleApi, message)
        .detail("unreachable", silent.join(","))
        .cause(Cause::SilentRegions)
}

fn nowhere(session: &Session, name: &FunctionName, near: &str, missing: &[MissingPart]) -> Error {
    let fix = match missing.first() {
        None => format!("{near}list the functions, and use a name from there"),
        Some(part) => format!(
            "{near}list the functions, and use a name from there; {} could not be asked: {}",
            part.source, part.message
        ),
    };
    let place = match session.guard_rails.regions.as_slice() {
        [] => "any region".to_owned(),
        allowed => format!("the allowed regions ({})", allowed.join(", ")),
    };
    Error::new(
        Kind::NotFound,
        Origin::Input,
        format!("there is no function {name} in {place} of {}", session.project),
    )
    .fix(fix)
}
