//! Any other call to Google's APIs, or to a function without a credential.

use crate::{
    call::{Call, deadlines},
    content::Content,
    error::{Error, Kind, Origin, Result},
    google,
    http::{Exchange, Method, TokenKind},
    ports::Ports,
    retry::Class,
    session::Session,
    target::{
        self, Api,
        body::{Body, Payload},
        function_url::FunctionUrl,
        grammar::{PathAndQuery, Query},
        headers::CallerHeaders,
    },
};

/// The largest body that is sent to an API, in bytes.
const MAX_REQUEST: u64 = 10 * 1024 * 1024;

/// What a caller asks for; see `wit/api.wit`.
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

/// What the API answered; see `wit/api.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct ApiResponse {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Content,
    pub url: String,
    pub token: TokenKind,
    pub trace: Vec<Exchange>,
}

/// What a caller asks for; see `wit/api.wit`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct PagesRequest {
    pub request: ApiRequest,
    pub items: Option<String>,
    pub page_token: Option<String>,
    pub max_pages: Option<u32>,
}

/// What all pages together hold; see `wit/api.wit`.
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

/// Follows `nextPageToken`, and joins the pages.
///
/// # Errors
/// As `wit/api.wit` says.
pub async fn all_pages<P: Ports>(
    _ports: &P,
    _connection: &str,
    _request: PagesRequest,
    _deadline_ms: Option<u32>,
) -> Result<ApiPages> {
    Err(Error::new(Kind::Internal, Origin::Host, "pages are not built yet"))
}

enum Target {
    /// With an access token.
    Api(Api, PathAndQuery),
    /// With no credential of any kind.
    Function(FunctionUrl, PathAndQuery),
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
    let session = Session::open(ports, connection)?;
    let target = parse_target(&request)?;
    let method = parse_method(&request.method)?;
    let headers = CallerHeaders::parse(request.headers)?;
    let payload = match (request.body, method) {
        // An API takes a GET without a body at its word; a content type would promise one.
        (None, Method::Get | Method::Delete) => Payload { content_type: None, bytes: Vec::new() },
        (body, _) => Payload::encode(body, ports.random())?.at_most(MAX_REQUEST, "this connector")?,
    };
    let class = if method == Method::Get { Class::Idempotent } else { Class::Once };

    let (url, token, response) = match &target {
        Target::Api(api, path_and_query) => {
            let build = |token: &_| {
                target::to_api(*api, method, path_and_query, token).with(&headers, payload.clone())
            };
            let response = call.run(session.send(&call, class, &build)).await?;
            (url_of(api.host(), path_and_query), session.identity.token_kind(), response)
        }
        Target::Function(url, path_and_query) => {
            let request = target::to_function(url, method, path_and_query, None)?.with(&headers, payload);
            let response = call.run(call.exchange(&request, class)).await?;
            (request.url(), TokenKind::None, response)
        }
    };
    if matches!(target, Target::Api(..)) && (300..400).contains(&response.status) && response.status != 304 {
        let error = google::redirect(&response, &format!("call {url}"));
        return Err(error.with_trace(call.take_trace()));
    }
    let status = response.status;
    let (headers, body) = Content::of_response(response);
    Ok(ApiResponse { status, headers, body, url, token, trace: call.take_trace() })
}

fn parse_target(request: &ApiRequest) -> Result<Target> {
    if request.path.starts_with('/') {
        let api = Api::parse(request.api.as_deref())?;
        return Ok(Target::Api(api, PathAndQuery::for_api(&request.path, &request.query)?));
    }
    let (url, below, in_url) = FunctionUrl::parse_with_rest(&request.path).map_err(|_| {
        Error::input("path", "the path is neither relative to a Google API nor a function's https URL").fix(
            "begin it with `/` and choose the API by name, such as /v2/projects/PROJECT/locations; tokens go nowhere else",
        )
    })?;
    if request.api.is_some() {
        return Err(Error::input("api", "there is an API, but the path is a URL").fix("leave the API out"));
    }
    let query = match (in_url, &request.query) {
        (None, query) => query.clone(),
        (Some(raw), Query::None) => Query::Raw(raw),
        (Some(_), Query::Pairs(_) | Query::Raw(_)) => {
            return Err(
                Error::input("query", "the query stands both in the URL and beside it").fix("give it once")
            );
        }
    };
    let target = PathAndQuery::for_function(url.base(), &below, &query)?;
    Ok(Target::Function(url, target))
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
