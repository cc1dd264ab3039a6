//! Any other call to Google's APIs, or to a function without a credential.

mod pages;

pub use pages::all_pages;

use crate::{
    base::{
        content::{self, Content},
        error::{Error, Result},
        http::{Exchange, Method, TokenKind},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
    },
    call::{Call, deadlines},
    google::{
        hosts::Api,
        refusal,
        request::{
            self,
            body::{Body, Payload},
            function_url::{self, FunctionUrl},
            grammar::{PathAndQuery, Query},
            headers::{CallerHeaders, Reader},
        },
    },
    session::Session,
};

/// The largest body that is sent to an API, in bytes.
const MAX_REQUEST: u64 = 10 * 1024 * 1024;

/// Methods of Google's APIs that answer with a credential, whichever API they are of.
const MINTING: [&str; 4] = ["generateAccessToken", "generateIdToken", "signJwt", "signBlob"];

/// A caller's own request; see `wit/api.wit`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct ApiRequest {
    pub api: Option<String>,
    pub method: String,
    pub path: String,
    pub query: Query,
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
}

/// The answer of the API; see `wit/api.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct ApiResponse {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Content,
    pub url: String,
    pub token: TokenKind,
    pub diagnosis: Option<String>,
    pub trace: Vec<Exchange>,
}

/// A caller's own list; see `wit/api.wit`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct PagesRequest {
    pub request: ApiRequest,
    pub items: Option<String>,
    pub page_token: Option<String>,
    pub max_pages: Option<u32>,
}

/// All pages together; see `wit/api.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct ApiPages {
    pub items: String,
    pub count: u32,
    pub unreachable: Vec<String>,
    pub next_page_token: Option<String>,
    pub pages: u32,
    pub trace: Vec<Exchange>,
}

enum Target {
    /// With an access token.
    Api(Api, PathAndQuery),
    /// With no credential of any kind.
    Function(FunctionUrl, PathAndQuery),
}

/// A request of which every part was checked.
struct Parsed {
    target: Target,
    method: Method,
    headers: CallerHeaders,
    payload: Payload,
}

/// Sends one request.
///
/// # Errors
/// As `wit/api.wit` says.
pub async fn custom_api<P: Ports>(
    ports: &P,
    connection: &str,
    request: ApiRequest,
    deadline_ms: Option<u32>,
) -> Result<ApiResponse> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let session = Session::open(&call, connection)?;
    let Parsed { target, method, headers, payload } = parse(ports, &session, request)?;
    let (url, token, response) = match &target {
        Target::Api(api, path_and_query) => {
            let class = if method == Method::Get { Class::Idempotent } else { Class::Unsent };
            let Payload { content_type, bytes } = payload;
            let build = |token: &_, bytes| {
                let purpose = purpose(*api, method, path_and_query);
                let payload = Payload { content_type: content_type.clone(), bytes };
                request::to_api(purpose, *api, method, path_and_query, token).with(&headers, payload)
            };
            let response = call.traced(session.send_body(&call, class, bytes, &build).await)?;
            (url_of(api.host(), path_and_query), session.identity.token_kind(), response)
        }
        Target::Function(url, path_and_query) => {
            let mut request =
                request::to_function(url, method, path_and_query, None)?.with(&headers, payload);
            // Whatever the method: what a function does, only its owner knows.
            let response = call.traced(call.exchange(&mut request, Class::Unsent).await)?;
            (request.url(), TokenKind::None, response)
        }
    };
    if matches!(target, Target::Api(..)) && (300..400).contains(&response.status) && response.status != 304 {
        let error = refusal::api::redirect(&response, &format!("call {url}"));
        return Err(error.with_trace(call.take_trace()));
    }
    let status = response.status;
    let (headers, body, diagnosis) = content::read(response);
    Ok(ApiResponse { status, headers, body, url, token, diagnosis, trace: call.take_trace() })
}

/// The purpose of a caller's own request: where it is one that functions are found with too, it is called the same.
fn purpose(api: Api, method: Method, target: &PathAndQuery) -> Purpose {
    if !matches!(api, Api::Functions | Api::Run) {
        return Purpose::ApiCall;
    }
    let path = target.as_str().split('?').next().unwrap_or_default();
    let resource = path.split('/').skip(2).collect::<Vec<_>>();
    match (method, &resource[..]) {
        (Method::Get, ["projects", _, "locations"]) => Purpose::Regions,
        (Method::Get, ["projects", _, "locations", _, "functions"]) => {
            Purpose::Functions { location: resource[..4].join("/") }
        }
        (Method::Get, ["projects", _, "locations", _, "services"]) => Purpose::Services,
        (Method::Get, ["projects", _, "locations", _, "functions" | "services", name]) => {
            let name = (*name).to_owned();
            if api == Api::Run {
                Purpose::Service { name }
            } else {
                Purpose::Function { name, resource: resource.join("/") }
            }
        }
        (Method::Post, ["projects", _, "locations", _, "functions" | "services", name]) => {
            match name.split_once(':') {
                Some((_, "testIamPermissions")) => Purpose::Permissions,
                Some((name, "call")) => Purpose::TestCall { name: name.to_owned() },
                Some(_) | None => Purpose::ApiCall,
            }
        }
        _ => Purpose::ApiCall,
    }
}

fn parse(ports: &impl Ports, session: &Session, request: ApiRequest) -> Result<Parsed> {
    let target = parse_target(&request)?;
    let method = parse_method(&request.method)?;
    let reader = match target {
        Target::Api(..) => Reader::Api,
        Target::Function(..) => Reader::Function,
    };
    let headers = CallerHeaders::parse(request.headers, reader)?;
    let payload = match request.body {
        Some(Body::CloudEvent(_)) => {
            return Err(Error::input("body", "an event is for a function").fix("send it with invoke"));
        }
        body => Payload::encode(body, &|| ports.random())?
            .going_with(method)?
            .at_most(MAX_REQUEST, "this connector")?,
    };
    let rails = &session.guard_rails;
    rails.allows_request(method, &headers, payload.bytes.len())?;
    match &target {
        Target::Api(api, path_and_query) => {
            rails.allows_path(&session.project, *api, path_and_query)?;
            rails
                .allows_quota_projects(&headers, [Some(&session.project), session.quota_project.as_ref()])?;
        }
        Target::Function(url, _) => rails.allows_custom_url(url)?,
    }
    Ok(Parsed { target, method, headers, payload })
}

fn parse_target(request: &ApiRequest) -> Result<Target> {
    let given = &request.path;
    if given.starts_with('/') {
        return to_api(Api::parse(request.api.as_deref())?, given, &request.query);
    }
    let no_target = |_| {
        Error::input("path", "the path is neither relative to a Google API nor a function's https URL").fix(
            "begin it with `/` and choose the API by name, such as /v2/projects/PROJECT/locations; tokens go nowhere else",
        )
    };
    let (host, target) = function_url::https(given).map_err(no_target)?;
    if request.api.is_some() {
        return Err(Error::input("api", "there is an API, but the path is a URL").fix("leave the API out"));
    }
    if let Some(api) = Api::at(&host)? {
        let (path, in_url) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        return to_api(api, path, &one_query(in_url, &request.query)?);
    }
    let (url, below, in_url) = FunctionUrl::parse_with_rest(given).map_err(no_target)?;
    let query = one_query(in_url, &request.query)?;
    let target = PathAndQuery::for_function(url.base(), &below, &query)?.without_credential()?;
    Ok(Target::Function(url, target))
}

fn one_query(in_url: Option<String>, beside: &Query) -> Result<Query> {
    match (in_url, beside) {
        (None, query) => Ok(query.clone()),
        (Some(raw), Query::None) => Ok(Query::Raw(raw)),
        (Some(_), Query::Pairs(_) | Query::Raw(_)) => {
            Err(Error::input("query", "the query stands both in the URL and beside it").fix("give it once"))
        }
    }
}

/// A path of an API that hides nothing and hands out no token (`docs/decisions/0013`).
fn to_api(api: Api, path: &str, query: &Query) -> Result<Target> {
    let target = PathAndQuery::for_api(path, query)?;
    let [segments, pieces] = target.readings();
    let version = segments.first().and_then(|first| first.strip_prefix('v'));
    let is_version = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    // `/batch` would hold whole requests of its own in its body, and `/upload` begins a session with an address that
    // is a credential.
    if !version.is_some_and(is_version) || segments.len() < 2 {
        return Err(Error::input("path", "the path does not begin with the version of an API")
            .fix("write it as Google documents it, such as /v2/projects/PROJECT/locations"));
    }
    let mints = |segment: &String| {
        let verb = segment.rsplit(':').next().unwrap_or_default();
        MINTING.iter().any(|minting| verb.eq_ignore_ascii_case(minting))
    };
    if segments.iter().chain(&pieces).any(mints) {
        return Err(Error::input(
            "path",
            "this method hands out a token or a signature, and no caller gets those",
        )
        .fix("use invoke, which sends the ID token to the function and to nobody else"));
    }
    Ok(Target::Api(api, target))
}

fn parse_method(text: &str) -> Result<Method> {
    match Method::parse(text) {
        Some(method @ (Method::Get | Method::Post | Method::Put | Method::Patch | Method::Delete)) => {
            Ok(method)
        }
        Some(Method::Head | Method::Options) | None => {
            Err(Error::input("method", "the method is not one that can be sent to an API")
                .fix("use GET, POST, PUT, PATCH or DELETE, in upper case"))
        }
    }
}

fn url_of(host: &str, target: &PathAndQuery) -> String {
    format!("https://{host}{}", target.as_str().split('?').next().unwrap_or_default())
}
