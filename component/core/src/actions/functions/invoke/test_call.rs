//! `functions.call`: the only way to a 1st gen function that events start.
//!
//! Google offers it for testing, with a quota of its own: 16 calls in 100 s, which cannot be raised.
//! <https://cloud.google.com/functions/docs/reference/rest/v1/projects.locations.functions/call>

use super::{Auth, Invocation, MAX_GEN1_REQUEST, Parsed};
use crate::{
    actions::functions::Generation,
    base::{
        content::Content,
        error::{Cause, Error, Kind, Origin, Result, foreign},
        json::{self, Object},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
    },
    call::Call,
    google::{
        hosts::Api,
        names::FunctionId,
        refusal::{
            self,
            api::{Attempted, Resource},
        },
        request::{
            self,
            grammar::{PathAndQuery, Query},
        },
    },
    session::Session,
};

const TEST_ONLY: &str = "called through functions.call, which Google offers for testing only (16 calls in 100 s): \
    the function receives the event's data, and none of its attributes";

/// Calls a 1st gen function with the data of an event.
pub(super) async fn send<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    request: Parsed,
    id: &FunctionId,
) -> Result<Invocation> {
    refuse_what_it_does_not_take(&request, id)?;
    let payload = request.payload.at_most(MAX_GEN1_REQUEST, "a 1st gen function")?;
    let data = String::from_utf8(payload.bytes).unwrap_or_default();
    let body = Object::default().with("data", data.as_str()).to_json();
    let target = PathAndQuery::ours(&format!("/v1/{}:call", id.path()), &[]);
    // It may have an effect, and has no header that could say whether it had.
    let response = session
        .send_body(call, Class::Never, body.into_bytes(), &|token, json| {
            let purpose = Purpose::TestCall { name: id.name.to_string() };
            request::to_api_with_json(purpose, Api::Functions, &target, token, json)
        })
        .await?;
    let action = format!("call {id}");
    let attempted = session.attempted(&action, "cloudfunctions.functions.call");
    if response.status != 200 {
        let attempted = Attempted { resource: Resource::Function(id), ..attempted };
        let error = refusal::api::error(&response, &attempted);
        return Err(if error.kind() == Kind::RateLimited {
            error.fix("functions.call is for testing, 16 times in 100 s: wait, or publish an event")
        } else {
            error
        });
    }
    let read = |fields: &Object<'_>| {
        Ok((fields.string("executionId")?, fields.string("result")?, fields.string("error")?))
    };
    let (execution_id, result, failure) = json::read(&response.body)
        .and_then(|fields| read(&fields))
        .map_err(|why| refusal::api::unreadable(&response, &action, &why))?;
    if request.raise_for_status
        && let Some(failure) = &failure
    {
        return Err(failed(id, execution_id, failure));
    }
    let diagnosis = match failure {
        Some(_) => format!("the function failed; {TEST_ONLY}"),
        None => TEST_ONLY.to_owned(),
    };
    Ok(Invocation {
        status: response.status,
        headers: Vec::new(),
        body: Content::of(Some("text/plain"), result.unwrap_or_default().into_bytes()).0,
        url: format!("https://{}{}", Api::Functions.host(), target.as_str()),
        generation: Generation::Gen1,
        token: session.identity.token_kind(),
        audience: None,
        principal: Some(session.identity.principal().to_owned()),
        execution_id,
        execution_error: failure,
        diagnosis: Some(diagnosis),
        trace: Vec::new(),
    })
}

/// It takes a string, and shows the connection's own access token.
fn refuse_what_it_does_not_take(request: &Parsed, id: &FunctionId) -> Result<()> {
    let refused = |field: &str, what: &str| {
        Err(Error::input(
            field,
            format!("{id} is of 1st gen and started by events: functions.call takes {what}"),
        )
        .fix("leave it out; the function was not called"))
    };
    match &request.event {
        Some(event) if event.is_json => {}
        Some(_) | None => return refused("body", "an event whose data is JSON, and no other"),
    }
    if !request.path.is_empty() {
        return refused("path", "no path");
    }
    if request.query != Query::None {
        return refused("query", "no query");
    }
    if request.headers.iter().next().is_some() {
        return refused("headers", "no headers");
    }
    if request.authorization.is_some() {
        return refused("authorization", "no authorization of the caller's");
    }
    if request.serverless {
        return refused("serverless-authorization", "no ID token");
    }
    if request.auth == Auth::None {
        return refused("auth", "the connection's access token, and nothing less");
    }
    if request.audience.is_some() || request.own_invoker {
        let field = if request.own_invoker { "invoker" } else { "audience" };
        return refused(field, "the connection's access token, and no ID token");
    }
    Ok(())
}

fn failed(id: &FunctionId, execution_id: Option<String>, failure: &str) -> Error {
    let error =
        Error::new(Kind::Status, Origin::Function, format!("the function {id} failed: {}", foreign(failure)))
            .http_status(200)
            .cause(Cause::ExecutionFailed)
            .fix("its logs say why, under its execution id; leave `raise-for-status` off to read the answer");
    match execution_id {
        Some(execution_id) => error.detail("execution-id", execution_id),
        None => error,
    }
}
