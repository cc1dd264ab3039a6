//! Calling a function at its URL: mint a token for it, send, and tell who answered.

use super::{Auth, Invocation, MAX_GEN1_REQUEST, Parsed, Place, own_audience};
use crate::{
    actions::functions::{Function, Generation, front_end, remembered},
    base::{
        content,
        error::{Cause, Error, Kind, Origin, Result},
        ports::Ports,
    },
    call::Call,
    google::{
        bearer::IdToken,
        names::FunctionId,
        refusal::api::{Attempted, Resource},
        request::{
            self,
            function_url::{Audience, FunctionUrl, HostKind},
            grammar::PathAndQuery,
        },
    },
    session::Session,
    sign_in::{invoker::Invoker, token},
};

/// A function that can be called at its URL.
pub(super) struct Callee {
    pub(super) url: FunctionUrl,
    pub(super) generation: Generation,
    name: String,
    ingress: Option<String>,
    /// With the name of its Cloud Run service; unknown if it is called by its URL.
    pub(super) id: Option<(FunctionId, String)>,
}

impl Callee {
    /// Of which nothing is known but its URL.
    pub(super) fn at(url: &FunctionUrl) -> Self {
        Self {
            url: url.clone(),
            generation: Generation::Other,
            name: url.to_string(),
            ingress: None,
            id: None,
        }
    }

    /// One that Google knows.
    pub(super) fn of(function: &Function, url: FunctionUrl) -> Self {
        Self {
            url,
            generation: function.generation,
            name: function.id.to_string(),
            ingress: function.ingress.clone(),
            id: Some((function.id.clone(), function.service_name())),
        }
    }

    /// Refuses the caller's own `Authorization`, or none, where the ID token has no other place to travel in.
    ///
    /// # Errors
    /// `invalid-input` of field `authorization` or `serverless-authorization`.
    pub(super) fn takes(&self, own_authorization: bool, serverless: bool) -> Result<()> {
        let field = match (own_authorization, serverless) {
            (false, false) => return Ok(()),
            (true, _) => "authorization",
            (false, true) => "serverless-authorization",
        };
        let why = match (self.generation, self.url.kind()) {
            (Generation::Gen1, _) => "is of 1st gen",
            (Generation::Other, HostKind::CloudFunctions) => "may be of 1st gen",
            (Generation::Other, HostKind::Run) | (Generation::Gen2 | Generation::CloudRun, _) => {
                return Ok(());
            }
        };
        Err(Error::input(
            field,
            format!("{} {why}, which does not know X-Serverless-Authorization: its Authorization holds the ID token", self.name),
        )
        .fix("leave it out, or send a token of your own alone, without the scheme, in a header of another name; the function was not called"))
    }
}

pub(super) async fn send<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    request: Parsed,
    callee: Callee,
) -> Result<Invocation> {
    let payload = match callee.generation {
        Generation::Gen1 => request.payload.at_most(MAX_GEN1_REQUEST, "a 1st gen function")?,
        Generation::Gen2 | Generation::CloudRun | Generation::Other => request.payload,
    };
    let path_and_query = PathAndQuery::for_function(callee.url.base(), &request.path, &request.query)?;
    let audience = request.audience.as_deref().map(Audience::parse).transpose()?;
    if let Some(audience) = &audience {
        // Boxed, as a large step that few calls have.
        Box::pin(own_audience::allow(call, session, &callee, audience, request.address)).await?;
    }
    let headers = request.headers.and(request.event.map_or_else(Vec::new, |event| event.headers));
    let mint = async |invoker: &Invoker, rejected: Option<&IdToken>| {
        token::id_token(call, session.sign_in(), invoker, &callee.url, audience.clone(), rejected).await
    };
    let mut token = match (&request.invoker, request.auth) {
        (Some(invoker), Auth::IdToken) => Some(mint(invoker, None).await?),
        (Some(_), Auth::Auto | Auth::None) | (None, _) => None,
    };
    let mut outgoing = request::to_function(&callee.url, request.method, &path_and_query, token.as_ref())?
        .with(&headers, payload)
        .beside(request.authorization.as_ref(), request.serverless);
    let mut response = call.exchange(&mut outgoing, request.class).await?;
    // The function was not reached, so this is no repetition.
    if let (Some(invoker), Auth::Auto) = (&request.invoker, request.auth)
        && front_end::asks_who(&response, request.method)
    {
        let minted = mint(invoker, None).await?;
        outgoing = request::identified(outgoing, &callee.url, &minted)?;
        token = Some(minted);
        response = call.exchange(&mut outgoing, request.class).await?;
    }
    // Nor was it with a token that the front end does not accept: one new token, and one more attempt.
    if let (Some(invoker), Some(rejected)) = (&request.invoker, &token)
        && response.status == 401
        && front_end::asks_who(&response, request.method)
    {
        let minted = mint(invoker, Some(rejected)).await?;
        outgoing = request::identified(outgoing, &callee.url, &minted)?;
        token = Some(minted);
        response = call.exchange(&mut outgoing, request.class).await?;
    }

    let action = format!("invoke {}", callee.name);
    // A refused caller at `cloudfunctions.net` by URL: only its own page could tell the generation.
    let generation = match (callee.generation, callee.url.kind()) {
        (Generation::Other, HostKind::Run) => Generation::Gen2,
        (generation, _) => generation,
    };
    let account = match &request.invoker {
        Some(Invoker::ServiceAccount { chain, .. }) => chain.account.as_str(),
        Some(Invoker::Own | Invoker::User) | None => session.identity.principal(),
    };
    let resource = match (&callee.id, generation) {
        (Some((id, _)), Generation::Gen1) => Resource::Function(id),
        (Some((id, service)), Generation::Gen2 | Generation::CloudRun | Generation::Other) => {
            Resource::Service(id, service)
        }
        (None, _) => Resource::Project,
    };
    let attempted = Attempted { account, resource, ..session.attempted(&action, "") };
    let asked = front_end::Asked {
        attempted: &attempted,
        generation,
        ingress: callee.ingress.as_deref(),
        audience: token.as_ref().map(IdToken::audience),
    };
    let refusal = front_end::refusal(&response, &asked);
    if let Place::Lookup(lookup) = &request.place
        && (refusal.is_some() || response.status == 404)
    {
        // It may not be there any more, or be another one.
        remembered::forget(call.ports(), session, lookup);
    }
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    if request.raise_for_status && !(200..300).contains(&response.status) {
        return Err(Error::new(
            Kind::Status,
            Origin::Function,
            format!("the function {} answered {}", callee.name, response.status),
        )
        .http_status(response.status)
        .cause(Cause::NotSuccessful)
        .fix("this is the function's own answer; leave `raise-for-status` off to read its body"));
    }
    let (status, seen) = (response.status, front_end::diagnosis(&response, request.method));
    let execution_id = response.header("function-execution-id").map(str::to_owned);
    let (headers, body, undecoded) = content::read(response);
    let diagnosis = seen.or(undecoded);
    Ok(Invocation {
        status,
        headers,
        body,
        execution_id,
        execution_error: None,
        diagnosis,
        url: outgoing.url(),
        generation: callee.generation,
        token: outgoing.token(),
        audience: token.as_ref().map(|token| token.audience().to_owned()),
        principal: token.as_ref().map(|token| token.principal().unwrap_or(account).to_owned()),
        trace: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    const RUN: &str = "https://f-abc-uc.a.run.app";
    const NET: &str = "https://us-central1-p.cloudfunctions.net/f";

    #[test_case(Generation::Gen1, NET, false)]
    #[test_case(Generation::Gen1, RUN, false)]
    #[test_case(Generation::Gen2, RUN, true)]
    #[test_case(Generation::Gen2, NET, true; "2nd gen by its other address")]
    #[test_case(Generation::CloudRun, RUN, true)]
    #[test_case(Generation::Other, RUN, true)]
    #[test_case(Generation::Other, NET, false; "of which the generation is not known")]
    fn a_second_credential_goes_to(generation: Generation, url: &str, ok: bool) {
        let url = FunctionUrl::parse(url).unwrap();
        let callee = Callee { generation, ..Callee::at(&url) };
        assert_eq!((callee.takes(true, false).is_ok(), callee.takes(false, true).is_ok()), (ok, ok));
        assert!(callee.takes(false, false).is_ok());
    }
}
