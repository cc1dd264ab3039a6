//! Calling a function: find it, mint a token for it, send, and tell who answered.

use std::time::Duration;

use super::{
    Function, FunctionRef, Generation, Trigger, front_end,
    get::{self, Lookup},
    login_page,
};
use crate::{
    call::{Call, deadlines},
    content::Content,
    error::{Error, Kind, Origin, Result},
    google::{Attempted, Resource},
    http::{Exchange, Method, TokenKind},
    identity::{Invoker, InvokerRequest, member},
    names::FunctionId,
    ports::Ports,
    retry::Class,
    secret::Secret,
    session::Session,
    target::{
        self,
        body::{Body, Payload},
        function_url::{FunctionUrl, HostKind},
        grammar::{PathAndQuery, Query},
        headers::CallerHeaders,
    },
    token,
};

/// <https://cloud.google.com/functions/quotas>: uncompressed.
const MAX_GEN1_REQUEST: u64 = 10 * 1024 * 1024;
const MAX_GEN2_REQUEST: u64 = 32 * 1024 * 1024;

/// What signing in and the way there may take beyond the function's own timeout; gcloud adds as much.
const BEYOND_FUNCTION: Duration = Duration::from_secs(30);

/// Who the request says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Nothing at first, an ID token if the front end asks for one.
    Auto,
    /// An ID token.
    IdToken,
    /// Nothing.
    None,
}

/// What a caller asks for; see `wit/functions.wit`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct InvokeRequest {
    pub function: FunctionRef,
    pub method: String,
    pub path: String,
    pub query: Query,
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
    pub auth: Auth,
    pub invoker: Option<InvokerRequest>,
    pub audience: Option<String>,
    pub authorization: Option<Secret<String>>,
    pub idempotent: bool,
    pub raise_for_status: bool,
}

/// What the function answered; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Invocation {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Content,
    pub url: String,
    pub generation: Generation,
    pub token: TokenKind,
    pub audience: Option<String>,
    pub principal: Option<String>,
    pub diagnosis: Option<String>,
    pub trace: Vec<Exchange>,
}

/// Everything of a request that can be checked before anything is sent.
struct Parsed {
    place: Place,
    method: Method,
    path: String,
    query: Query,
    headers: CallerHeaders,
    payload: Payload,
    /// Whose ID token the function receives; nobody's if it is to receive none.
    invoker: Option<Invoker>,
    audience: Option<String>,
    class: Class,
    raise_for_status: bool,
}

enum Place {
    Lookup(Lookup),
    Url(FunctionUrl),
}

/// A function that can be called.
struct Callee {
    url: FunctionUrl,
    generation: Generation,
    name: String,
    timeout: Option<Duration>,
    /// With the name of its Cloud Run service; unknown if it is called by its URL.
    id: Option<(FunctionId, String)>,
}

/// Calls a function.
///
/// # Errors
/// As `wit/functions.wit` says.
pub async fn invoke<P: Ports>(
    ports: &P,
    connection: &str,
    request: InvokeRequest,
    deadline_ms: Option<u32>,
) -> Result<Invocation> {
    let mut call = Call::begin(ports, deadline_ms, deadlines::INVOKE)?;
    let session = Session::open(ports, connection)?;
    let request = parse(ports, &session, request)?;
    session.guard_rails.allows_request(request.method, request.payload.bytes.len())?;
    match &request.place {
        Place::Lookup(lookup) => session.guard_rails.allows_lookup(lookup)?,
        Place::Url(url) => session.guard_rails.allows_url(url)?,
    }
    let callee = call.run(locate(&call, &session, &request)).await?;
    if let (None, Some(timeout)) = (deadline_ms, callee.timeout) {
        call.extend(timeout + BEYOND_FUNCTION);
    }
    let mut invocation = call.run(send(&call, &session, request, callee)).await?;
    invocation.trace = call.take_trace();
    Ok(invocation)
}

fn parse(ports: &impl Ports, session: &Session, request: InvokeRequest) -> Result<Parsed> {
    let mut path = request.path;
    let mut query = request.query;
    let place = match request.function {
        FunctionRef::Named { name, region } => {
            Place::Lookup(Lookup::named(session, &name, region.as_deref())?)
        }
        FunctionRef::Resource(name) => Place::Lookup(Lookup::Exact(FunctionId::parse(&name)?)),
        FunctionRef::Url(text) => {
            let (url, below, in_url) = FunctionUrl::parse_with_rest(&text)?;
            if !matches!(below.as_str(), "" | "/") || in_url.is_some() {
                if !path.is_empty() || query != Query::None {
                    return Err(Error::input("path", "path and query stand both in the URL and beside it")
                        .fix("give them once"));
                }
                path = below;
                query = in_url.map_or(Query::None, Query::Raw);
            }
            Place::Url(url)
        }
    };
    // Only checked here: what it is appended to is not known yet.
    PathAndQuery::for_function("", &path, &query)?;
    let method = Method::parse(&request.method).ok_or_else(|| {
        Error::input("method", "the method is not one that can be sent")
            .fix("use GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS, in upper case")
    })?;
    let payload =
        Payload::encode(request.body, ports.random())?.at_most(MAX_GEN2_REQUEST, "a 2nd gen function")?;
    if request.auth == Auth::None {
        for (field, given) in
            [("audience", request.audience.is_some()), ("invoker", request.invoker.is_some())]
        {
            if given {
                return Err(Error::input(field, format!("there is an {field}, but no token is asked for"))
                    .fix("leave it out, or use auth `auto`"));
            }
        }
    }
    Ok(Parsed {
        place,
        method,
        path,
        query,
        headers: CallerHeaders::parse(request.headers)?,
        payload,
        invoker: match request.auth {
            Auth::Auto | Auth::IdToken => Some(session.invoker(request.invoker.as_ref())?),
            Auth::None => None,
        },
        audience: request.audience,
        class: if request.idempotent { Class::Idempotent } else { Class::Once },
        raise_for_status: request.raise_for_status,
    })
}

async fn locate<P: Ports>(call: &Call<'_, P>, session: &Session, request: &Parsed) -> Result<Callee> {
    let lookup = match &request.place {
        Place::Url(url) => {
            return Ok(Callee {
                name: url.to_string(),
                generation: Generation::Other,
                url: url.clone(),
                timeout: None,
                id: None,
            });
        }
        Place::Lookup(lookup) => lookup,
    };
    let function = get::find(call, session, lookup).await?;
    let not_invocable = |why: String| {
        Error::new(Kind::NotInvocable, Origin::Input, why).detail("state", function.state.as_str())
    };
    if let Trigger::Event(event) = &function.trigger {
        return Err(not_invocable(format!(
            "{} is started by events ({event}), not by requests",
            function.id
        ))
        .fix("publish such an event, or invoke the function by its URL with an event as the body"));
    }
    let Some(url) = function.callable_url() else {
        return Err(not_invocable(format!("{} has no URL to call", function.id))
            .fix("look at its state: a function that failed to deploy has none"));
    };
    Ok(callee(&function, url))
}

fn callee(function: &Function, url: FunctionUrl) -> Callee {
    Callee {
        url,
        generation: function.generation,
        name: function.id.to_string(),
        timeout: function.timeout_seconds.map(|seconds| Duration::from_secs(seconds.into())),
        id: Some((function.id.clone(), function.service_name())),
    }
}

async fn send<P: Ports>(
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
    let audience = request.audience.as_deref().map(|text| callee.url.audience_override(text)).transpose()?;
    let token = match &request.invoker {
        None => None,
        Some(invoker) => Some(token::id_token(call, session, invoker, &callee.url, audience).await?),
    };
    let outgoing = target::to_function(&callee.url, request.method, &path_and_query, token.as_ref())?
        .with(&request.headers, payload);
    let response = call.exchange(&outgoing, request.class).await?;

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
    let attempted =
        Attempted { account, member: member(account), resource, ..session.attempted(&action, "") };
    if let Some(refusal) = login_page::refusal(&response, &action) {
        return Err(refusal);
    }
    if let Some(refusal) = front_end::refusal(&response, generation, &attempted, token.is_some()) {
        return Err(refusal);
    }
    if request.raise_for_status && !(200..300).contains(&response.status) {
        return Err(Error::new(
            Kind::Status,
            Origin::Function,
            format!("the function {} answered {}", callee.name, response.status),
        )
        .http_status(response.status)
        .fix("this is the function's own answer; leave raise-for-status off to read its body"));
    }
    Ok(Invocation {
        diagnosis: front_end::diagnosis(&response, callee.generation),
        status: response.status,
        headers: response.headers.clone(),
        body: Content::of_response(response).1,
        url: outgoing.url(),
        generation: callee.generation,
        token: outgoing.token(),
        audience: token.as_ref().map(|token| token.audience().to_owned()),
        principal: token.as_ref().map(|token| token.principal().unwrap_or(account).to_owned()),
        trace: Vec::new(),
    })
}
