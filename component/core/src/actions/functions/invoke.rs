//! Calling a function: what is asked for, where the function is, and by which way it is reached.

mod own_audience;
mod send;
mod test_call;

use std::time::Duration;

use self::send::Callee;
use super::{Function, Generation, Trigger, get};
use crate::{
    base::{
        content::Content,
        error::{Cause, Error, Kind, Origin, Result, foreign},
        http::{Exchange, Method, TokenKind},
        ports::Ports,
        retry::Class,
        secret::Secret,
    },
    call::{Call, deadlines},
    google::{
        names::FunctionId,
        request::{
            body::{Body, Payload},
            cloud_event::{CloudEvent, Data},
            function_url::{Audience, FunctionUrl},
            grammar::{PathAndQuery, Query},
            headers::{CallerHeaders, OwnAuthorization, Reader},
        },
        which::{FunctionRef, Lookup},
    },
    rails::AddressOf,
    session::Session,
    sign_in::invoker::{Invoker, InvokerRequest},
};

/// <https://cloud.google.com/functions/quotas>: uncompressed.
const MAX_GEN1_REQUEST: u64 = 10 * 1024 * 1024;
const MAX_GEN2_REQUEST: u64 = 32 * 1024 * 1024;

/// The time that signing in and the way there may take beyond the function's own timeout; gcloud adds as much.
const BEYOND_FUNCTION: Duration = Duration::from_secs(30);

/// The identity that the request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Nothing at first, an ID token if the front end asks for one.
    Auto,
    /// An ID token.
    IdToken,
    /// Nothing.
    None,
}

/// The request for an invocation; see `wit/functions.wit`.
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
    pub serverless_authorization: bool,
    pub idempotent: bool,
    pub raise_for_status: bool,
}

/// The answer of the function; see `wit/functions.wit`.
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
    pub execution_id: Option<String>,
    pub execution_error: Option<String>,
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
    /// The event that the payload is the data of, if it is one.
    event: Option<Event>,
    auth: Auth,
    /// The account whose ID token the function receives; `None` if it is to receive none.
    invoker: Option<Invoker>,
    /// True if that is another one than the connection's.
    own_invoker: bool,
    audience: Option<String>,
    /// The side that says where the function is.
    address: AddressOf,
    authorization: Option<OwnAuthorization>,
    /// The ID token goes to Google's front end alone.
    serverless: bool,
    class: Class,
    raise_for_status: bool,
}

/// The parts of an event besides its data.
struct Event {
    headers: Vec<(String, String)>,
    /// Its data is JSON, or there is none.
    is_json: bool,
}

enum Place {
    Lookup(Lookup),
    Url(FunctionUrl),
}

impl Parsed {
    /// Judges for whom the token would be, as far as that can be done before the function is looked up.
    fn allows_audience(&self, session: &Session) -> Result<()> {
        let url = match &self.place {
            Place::Url(url) => Some(url),
            Place::Lookup(_) => None,
        };
        let asked = match (&self.audience, &self.invoker) {
            (Some(asked), _) => Some(asked.as_str()),
            (None, Some(Invoker::User)) => session.identity.client_id(),
            (None, Some(Invoker::Own | Invoker::ServiceAccount { .. }) | None) => None,
        };
        match (asked.map(Audience::parse), url) {
            (Some(Ok(audience)), _) => session.guard_rails.allows_audience(&audience, url, self.address),
            (Some(Err(error)), Some(_)) => Err(error),
            // What is no audience at all is told once the function is known.
            (Some(Err(_)), None) | (None, _) => Ok(()),
        }
    }
}

/// The way to a function.
enum Way {
    Url(Callee),
    TestCall(FunctionId),
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
    let session = Session::open(&call, connection)?;
    let request = parse(ports, &session, request)?;
    session.guard_rails.allows_request(request.method, &request.headers, request.payload.bytes.len())?;
    match &request.place {
        Place::Lookup(lookup) => session.guard_rails.allows_lookup(lookup)?,
        Place::Url(url) => session.guard_rails.allows_url(url)?,
    }
    request.allows_audience(&session)?;
    let (way, timeout) = call.traced(locate(&call, &session, &request).await)?;
    if let (None, Some(seconds)) = (deadline_ms, timeout) {
        call.extend(Duration::from_secs(seconds.into()) + BEYOND_FUNCTION);
    }
    let sent = match way {
        Way::Url(callee) => send::send(&call, &session, request, callee).await,
        Way::TestCall(id) => test_call::send(&call, &session, request, &id).await,
    };
    let mut invocation = call.traced(sent)?;
    invocation.trace = call.take_trace();
    Ok(invocation)
}

fn parse(ports: &impl Ports, session: &Session, request: InvokeRequest) -> Result<Parsed> {
    let (place, path, query) = parse_place(session, request.function, request.path, request.query)?;
    // Only checked here: what it is appended to is not known yet.
    PathAndQuery::for_function("", &path, &query)?;
    let method = Method::parse(&request.method).ok_or_else(|| {
        Error::input("method", "the method is not one that can be sent")
            .fix("use GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS, in upper case")
    })?;
    let headers = CallerHeaders::parse(request.headers, Reader::Function)?;
    let (payload, event) = match request.body {
        Some(Body::CloudEvent(event)) => {
            let (payload, event) = parse_event(&event, method, &headers)?;
            (payload, Some(event))
        }
        body => (Payload::encode(body, &|| ports.random())?, None),
    };
    let payload = payload.going_with(method)?.at_most(MAX_GEN2_REQUEST, "a 2nd gen function")?;
    let authorization = request.authorization.map(OwnAuthorization::parse).transpose()?;
    if request.auth == Auth::None {
        for (field, given) in [
            ("audience", request.audience.is_some()),
            ("invoker", request.invoker.is_some()),
            ("authorization", authorization.is_some()),
            ("serverless-authorization", request.serverless_authorization),
        ] {
            if given {
                return Err(Error::input(
                    field,
                    format!("`{field}` is there, but no credential is to be sent"),
                )
                .cause(Cause::NoCredential)
                .fix("leave it out, or use auth `auto`"));
            }
        }
    }
    if let Place::Url(url) = &place {
        Callee::at(url).takes(authorization.is_some(), request.serverless_authorization)?;
    }
    let address = match &place {
        Place::Lookup(Lookup::Exact(id)) if id.project != session.project => AddressOf::Caller,
        Place::Lookup(Lookup::Exact(_) | Lookup::Bare(_)) => AddressOf::OwnProject,
        Place::Url(_) => AddressOf::Caller,
    };
    Ok(Parsed {
        place,
        address,
        method,
        path,
        query,
        headers,
        payload,
        event,
        auth: match (request.auth, &authorization) {
            // Without an ID token beside it, the front end would take the caller's own value for its own.
            (Auth::Auto, Some(_)) => Auth::IdToken,
            (auth, _) => auth,
        },
        own_invoker: request.invoker.is_some(),
        invoker: match request.auth {
            Auth::Auto | Auth::IdToken => Some(session.invoker(request.invoker.as_ref())?),
            Auth::None => None,
        },
        audience: request.audience,
        authorization,
        serverless: request.serverless_authorization,
        class: if request.idempotent { Class::Idempotent } else { Class::Unsent },
        raise_for_status: request.raise_for_status,
    })
}

fn parse_place(
    session: &Session,
    function: FunctionRef,
    path: String,
    query: Query,
) -> Result<(Place, String, Query)> {
    let lookup = match function {
        FunctionRef::Named { name, region } => Lookup::named(&session.project, &name, region.as_deref())?,
        FunctionRef::Resource(name) => Lookup::Exact(FunctionId::parse(&name)?),
        FunctionRef::Url(text) => {
            let (url, below, in_url) = FunctionUrl::parse_with_rest(&text)?;
            if matches!(below.as_str(), "" | "/") && in_url.is_none() {
                return Ok((Place::Url(url), path, query));
            }
            if !path.is_empty() || query != Query::None {
                return Err(Error::input("path", "path and query stand both in the URL and beside it")
                    .fix("give them once"));
            }
            return Ok((Place::Url(url), below, in_url.map_or(Query::None, Query::Raw)));
        }
    };
    Ok((Place::Lookup(lookup), path, query))
}

fn parse_event(text: &str, method: Method, headers: &CallerHeaders) -> Result<(Payload, Event)> {
    if method != Method::Post {
        return Err(
            Error::input("method", "an event is sent with POST, and with no other method").fix("use POST")
        );
    }
    let set = |(name, _): &&(String, String)| name.starts_with("ce-") || name == "content-type";
    if let Some((name, _)) = headers.iter().find(set) {
        return Err(Error::input("headers", format!("the header `{name}` is made of the event"))
            .detail("header", name)
            .fix("leave it out, and set the attribute of the event"));
    }
    let event = CloudEvent::parse(text)?;
    let is_json = matches!(event.data, Data::None | Data::Json(_));
    let payload = Payload { content_type: event.content_type, bytes: event.data.into_bytes() };
    Ok((payload, Event { headers: event.headers, is_json }))
}

/// The fix for a service without its default URL.
///
/// <https://cloud.google.com/run/docs/securing/ingress#disable-url>
pub(in crate::actions) fn default_url_on(function: &Function) -> String {
    let FunctionId { project, region, .. } = &function.id;
    format!(
        "whoever administers it switches the default URL on: gcloud run services update {} --default-url --region={region} --project={project}; other addresses of it are not called from here",
        function.service_name()
    )
}

/// Finds the way to the function, and its own timeout in seconds, if it is known.
async fn locate<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    request: &Parsed,
) -> Result<(Way, Option<u32>)> {
    let lookup = match &request.place {
        Place::Url(url) => return Ok((Way::Url(Callee::at(url)), None)),
        Place::Lookup(lookup) => lookup,
    };
    // Boxed, as the largest step by far: a call by URL, which does without, would have its place on the stack.
    let function = Box::pin(get::find_to_call(call, session, lookup)).await?;
    Ok((way_to(&function, request)?, function.timeout_seconds))
}

fn way_to(function: &Function, request: &Parsed) -> Result<Way> {
    let not_invocable = |why: String| {
        Error::new(Kind::NotInvocable, Origin::Input, why).detail("state", function.state.as_str())
    };
    if let Trigger::Event(event) = &function.trigger {
        if request.event.is_none() {
            let fix = match function.generation {
                Generation::Gen1 => {
                    "publish such an event, or hand over a CloudEvent as the body: it is then called for a test"
                }
                Generation::Gen2 | Generation::CloudRun | Generation::Other => {
                    "hand over a CloudEvent as the body, or publish such an event"
                }
            };
            let why = format!("{} is started by events ({event}), not by requests", function.id);
            return Err(not_invocable(why).fix(fix));
        }
        if function.generation == Generation::Gen1 {
            return Ok(Way::TestCall(function.id.clone()));
        }
    }
    let Some(url) = function.callable_url() else {
        return Err(match function.url.as_deref().filter(|url| !url.is_empty()) {
            None if function.without_default_url => {
                not_invocable(format!("{} has no URL to call: its default URL is switched off", function.id))
                    .cause(Cause::NoDefaultUrl)
                    .fix(default_url_on(function))
            }
            None => not_invocable(format!("{} has no URL to call", function.id))
                .fix("look at its state: a function that failed to deploy has none"),
            Some(url) => not_invocable(format!(
                "{} is said to be at {}, where no function can be: nothing was sent there",
                function.id,
                foreign(url.split(['?', '#']).next().unwrap_or_default()),
            ))
            .fix("invoke it by its own run.app or cloudfunctions.net URL; if Google does name that one, please report this"),
        });
    };
    let callee = Callee::of(function, url);
    callee.takes(request.authorization.is_some(), request.serverless)?;
    Ok(Way::Url(callee))
}
