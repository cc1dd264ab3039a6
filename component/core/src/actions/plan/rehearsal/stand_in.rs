//! Stand-ins for Google's answers in a rehearsal: the shape that the next step needs, and nothing that could be
//! taken for a fact.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Rehearsal;
use crate::{
    base::{
        http::{Request, Response},
        json::{Object, Value},
        purpose::Purpose,
    },
    google::{request::function_url::FunctionUrl, which::FunctionRef},
    rails::GuardRails,
};

/// The URL of a function that was found: an address that nobody has.
const URL: &str = "https://function.rehearsal.run.app";

/// A region that Google has not.
const REGION: &str = "rehearsed-region1";

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
    /// Its URL: the stand-in, or the one that the caller's own audience stands for. It may have others.
    url: String,
    /// True if all that is known is its name.
    bare: bool,
    /// The region in which a bare name is found.
    place: String,
    /// True if it can only be there.
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
            // A function that has no such URL is refused, unless the rails allow its audience.
            url: audience
                .filter(|audience| !audiences.iter().any(|allowed| allowed == audience))
                .and_then(|audience| FunctionUrl::parse_with_rest(audience).ok())
                .map_or_else(|| URL.to_owned(), |(url, ..)| url.to_string()),
            bare,
            place: allowed.first().map_or(PLACE, String::as_str).to_owned(),
            certain: allowed.len() == 1,
        })
    }

    /// The URL of a request to it, which is at one of its URLs, and the answer says at which.
    pub(super) fn called(&self, url: String) -> String {
        url.strip_prefix(&self.url).map_or(url.clone(), |rest| format!("{URL}{rest}"))
    }

    pub(super) fn in_words(&self, text: String, purpose: &Purpose) -> String {
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
        let lists = matches!(purpose, Purpose::Functions { .. } | Purpose::Services);
        if !self.bare || self.certain || lists {
            return text;
        }
        text.replace(&format!("/locations/{}/", self.place), &format!("/locations/{{region of {name}}}/"))
    }

    /// The answer of `functions.get` about it.
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
        let text = |text: String| Value::Text(text.into());
        match request.purpose() {
            Purpose::AccessToken { client_id } => json(granted(client_id.as_deref(), now)),
            Purpose::TokenExchange | Purpose::Revocation => json(granted(None, now)),
            Purpose::IdToken { audience } => {
                json(Object::default().with("id_token", text(jwt(audience, now))))
            }
            Purpose::AccessTokenOf { .. } => json(Object::default().with("accessToken", TOKEN)),
            Purpose::IdTokenOf { audience, .. } => {
                json(Object::default().with("token", text(jwt(audience, now))))
            }
            // One, for nobody else is asked then.
            Purpose::Regions => {
                let region = Object::default().with("locationId", REGION);
                json(Object::default().with("locations", Value::List(vec![region.into()])))
            }
            Purpose::Functions { location } => json(self.functions(location)),
            Purpose::Function { resource, .. } => {
                json(self.function.as_ref().map(|function| function.found(resource)).unwrap_or_default())
            }
            // The audience that was asked for is its own, or the call ends here.
            Purpose::Audiences { at, .. } => {
                let own = self.function.as_ref().map(|function| function.url.as_str());
                let urls = std::iter::once(at.as_str()).chain(own).map(Value::from).collect();
                json(Object::default().with("urls", Value::List(urls)))
            }
            Purpose::Services
            | Purpose::Service { .. }
            | Purpose::Permissions
            | Purpose::TestCall { .. }
            | Purpose::ApiCall => json(Object::default()),
            Purpose::Keys | Purpose::Invocation { .. } => {
                Response { status: 200, headers: Vec::new(), body: Vec::new() }
            }
        }
    }

    /// The list of a location: of everywhere, or of one region after another until one of them has the function.
    fn functions(&self, location: &str) -> Object<'_> {
        let Some(function) = self.function.as_ref().filter(|function| function.bare) else {
            return Object::default();
        };
        let name = match location.strip_suffix("/-") {
            Some(locations) => format!("{locations}/{}/functions/{}", function.place, function.name),
            None if self.found.replace(true) => return Object::default(),
            None => format!("{location}/functions/{}", function.name),
        };
        Object::default().with("functions", Value::List(vec![function.found(&name).into()]))
    }
}

/// The grant of an access token. A user's brings an ID token for the OAuth client along.
fn granted(client_id: Option<&str>, now: u64) -> Object<'static> {
    Object::default()
        .with("access_token", TOKEN)
        .with("token_type", "Bearer")
        .with("expires_in", LIFE)
        .with_some("id_token", client_id.map(|client_id| Value::Text(jwt(client_id, now).into())))
}

/// In place of an ID token: for an audience, of nobody, signed by nobody.
fn jwt(audience: &str, now: u64) -> String {
    let claims = Object::default().with("aud", audience).with("exp", now + LIFE);
    format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_json()))
}
