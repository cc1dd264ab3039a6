//! What stands for Google's answers in a rehearsal: the shape that the next step needs, and nothing that could be
//! taken for a fact.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Rehearsal;
use crate::{
    base::{
        http::{Method, Request, Response, TokenKind},
        json::{self, Object, Value},
    },
    google::{hosts::Api, jwt::IdTokenClaims, request::function_url::FunctionUrl, which::FunctionRef},
    rails::GuardRails,
};

/// Where a function is that was found: an address that nobody has.
const URL: &str = "https://function.rehearsal.run.app";

/// A region that Google has not.
pub(super) const REGION: &str = "rehearsed-region1";

/// The region of a function that was found, which Google has not either.
const PLACE: &str = "rehearsed-place1";

/// The Cloud Run service of a function that was found.
const SERVICE: &str = "rehearsed-service";

/// In place of every token.
const TOKEN: &str = "stand-in";

/// The life of a stand-in for a token, in seconds: longer than any rehearsal.
const LIFE: u64 = 3599;

/// The function that a call is about.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// Where it is: the stand-in, or what the caller's own audience says it must be.
    url: String,
    /// Whether all that is known is its name.
    bare: bool,
    /// Where a bare name is found.
    place: String,
    /// Whether it can only be there.
    certain: bool,
}

impl Function {
    /// `None` for a function that is called by its URL: nothing is asked about that one.
    pub(super) fn of(
        function: &FunctionRef,
        audience: Option<&str>,
        rails: Option<&GuardRails>,
    ) -> Option<Self> {
        let allowed = rails.map_or(&[][..], |rails| &rails.regions);
        let audiences = rails.map_or(&[][..], |rails| &rails.audiences);
        let (name, bare) = match function {
            FunctionRef::Named { name, region } => (name.as_str(), region.is_none()),
            FunctionRef::Resource(name) => (name.rsplit('/').next()?, false),
            FunctionRef::Url(_) => return None,
        };
        Some(Self {
            name: name.to_owned(),
            // A function elsewhere would be refused, unless the rails allow its audience.
            url: audience
                .filter(|audience| !audiences.iter().any(|allowed| allowed == audience))
                .and_then(|audience| FunctionUrl::parse_with_rest(audience).ok())
                .map_or_else(|| URL.to_owned(), |(url, ..)| url.to_string()),
            bare,
            place: allowed.first().map_or(PLACE, String::as_str).to_owned(),
            certain: allowed.len() == 1,
        })
    }

    pub(super) fn in_words(&self, text: String) -> String {
        let name = &self.name;
        // The slash that stands for no path is no part of what Google will say.
        let text = text.replace(&format!("{URL}/?"), &format!("{URL}?"));
        let text = match text.strip_suffix('/') {
            Some(URL) => URL.to_owned(),
            Some(_) | None => text,
        };
        let text = text.replace(URL, &format!("{{url of {name}}}"));
        let text = text.replace(SERVICE, &format!("{{service of {name}}}"));
        // A list is asked for before anything is found.
        if !self.bare || self.certain || is_list(text.split('?').next().unwrap_or_default()) {
            return text;
        }
        text.replace(&format!("/locations/{}/", self.place), &format!("/locations/{{region of {name}}}/"))
    }

    /// What `functions.get` says of it.
    fn found<'a>(&'a self, name: &str) -> Object<'a> {
        Object::default()
            .with("name", Value::Text(name.to_owned().into()))
            .with("state", "ACTIVE")
            .with("serviceConfig", Object::default().with("uri", self.url.as_str()).with("service", SERVICE))
    }
}

impl Rehearsal {
    /// An answer of the right shape.
    pub(super) fn answer(&self, request: &Request, now: u64) -> Response {
        let json = |object: Object<'_>| Response {
            status: 200,
            headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
            body: object.to_json().into_bytes(),
        };
        match (request.token(), api(request)) {
            (TokenKind::Assertion | TokenKind::Grant, _) => json(token(request, now)),
            (_, Some(Api::IamCredentials)) => json(match audience(request) {
                Some(audience) => Object::default().with("token", Value::Text(jwt(&audience, now).into())),
                None => Object::default().with("accessToken", TOKEN),
            }),
            (_, Some(Api::Functions)) if request.method() == Method::Get => json(self.functions(request)),
            (_, Some(_)) => json(Object::default()),
            (_, None) => Response { status: 200, headers: Vec::new(), body: Vec::new() },
        }
    }

    fn functions(&self, request: &Request) -> Object<'_> {
        let path = path(request);
        let sought = self.function.as_ref();
        match path.split('/').skip(2).collect::<Vec<_>>()[..] {
            ["projects", _, "locations", _, "functions", _] => {
                // The version stands before the name.
                let name = path.splitn(3, '/').nth(2).unwrap_or_default();
                sought.map(|function| function.found(name)).unwrap_or_default()
            }
            ["projects", project, "locations", region, "functions"] => match sought {
                Some(function) if function.bare => {
                    let everywhere = region == "-";
                    if !everywhere && self.found.replace(true) {
                        return Object::default();
                    }
                    let region = if everywhere { &function.place } else { region };
                    let name = format!("projects/{project}/locations/{region}/functions/{}", function.name);
                    Object::default().with("functions", Value::List(vec![function.found(&name).into()]))
                }
                Some(_) | None => Object::default(),
            },
            ["projects", _, "locations"] => {
                let region = Object::default().with("locationId", REGION);
                Object::default().with("locations", Value::List(vec![region.into()]))
            }
            _ => Object::default(),
        }
    }
}

/// Which Google API a request goes to.
pub(super) fn api(request: &Request) -> Option<Api> {
    Api::ALL.into_iter().find(|api| api.host() == request.host())
}

/// A request's path, without its query.
pub(super) fn path(request: &Request) -> &str {
    request.path_and_query().split('?').next().unwrap_or_default()
}

pub(super) fn is_list(path: &str) -> bool {
    path.ends_with("/functions") || path.ends_with("/services")
}

/// For whom the ID token is that a request asks for, or carries.
pub(super) fn audience(request: &Request) -> Option<String> {
    match (request.token(), api(request)) {
        (TokenKind::Assertion, _) => {
            let assertion = field(request, "assertion")?;
            let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
            json::read(&claims).ok()?.string("target_audience").ok()?
        }
        (_, Some(Api::IamCredentials)) => json::read(request.body()).ok()?.string("audience").ok()?,
        (TokenKind::IdToken, _) => Some(IdTokenClaims::read(request.bearer()?)?.aud),
        _ => None,
    }
}

/// A field of the form that a request carries.
fn field(request: &Request, name: &str) -> Option<String> {
    form_urlencoded::parse(request.body()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// What a token endpoint grants: what was asked for.
fn token(request: &Request, now: u64) -> Object<'static> {
    if let Some(audience) = audience(request) {
        return Object::default().with("id_token", Value::Text(jwt(&audience, now).into()));
    }
    // A user's refresh brings an ID token for the OAuth client along.
    let client = field(request, "client_id").map(|client| Value::Text(jwt(&client, now).into()));
    Object::default()
        .with("access_token", TOKEN)
        .with("token_type", "Bearer")
        .with("expires_in", LIFE)
        .with_some("id_token", client)
}

/// In place of an ID token: for an audience, of nobody, signed by nobody.
fn jwt(audience: &str, now: u64) -> String {
    let claims = Object::default().with("aud", audience).with("exp", now + LIFE);
    format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_json()))
}
