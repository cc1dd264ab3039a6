//! What a request is for, in a few words: read off where it goes, in one place.

use super::stand_in::{Function, api, audience, path};
use crate::{
    base::http::{Method, Request, TokenKind},
    google::hosts::{Api, KEYS_HOST, STS_HOST},
};

/// Such as `get an access token`.
pub(super) fn of(request: &Request, function: Option<&Function>) -> String {
    let path = path(request);
    let last = path.rsplit('/').next().unwrap_or_default();
    match (request.host(), request.token(), api(request)) {
        (STS_HOST, ..) => "exchange the subject token for an access token".to_owned(),
        (_, TokenKind::Grant, _) if last == "revoke" => "end the grant at Google".to_owned(),
        (_, TokenKind::Assertion | TokenKind::Grant, _) => match audience(request) {
            Some(_) => "get an ID token".to_owned(),
            None => "get an access token".to_owned(),
        },
        (KEYS_HOST, ..) => "get Google's public keys".to_owned(),
        (.., Some(Api::IamCredentials)) => match last.split_once(':') {
            Some((account, "generateAccessToken")) => format!("get an access token of {account}"),
            Some((account, "generateIdToken")) => format!("mint an ID token of {account}"),
            _ => call(request),
        },
        (.., Some(api @ (Api::Functions | Api::Run))) => {
            resource(request, api).unwrap_or_else(|| call(request))
        }
        (.., Some(_)) => call(request),
        (host, _, None) => {
            format!("invoke {}", function.map_or(host, |function| function.name.as_str()))
        }
    }
}

/// What is done to a resource of Cloud Functions or Cloud Run, as far as it is one of our own requests.
fn resource(request: &Request, api: Api) -> Option<String> {
    let resource = path(request).split('/').skip(2).collect::<Vec<_>>();
    let of_run = if api == Api::Run { " of Cloud Run" } else { "" };
    match (request.method(), &resource[..]) {
        (Method::Get, ["projects", _, "locations"]) => Some("list regions".to_owned()),
        (Method::Get, ["projects", _, "locations", _, "functions"]) => Some("list functions".to_owned()),
        (Method::Get, ["projects", _, "locations", _, "services"]) => {
            Some("list services of Cloud Run".to_owned())
        }
        (Method::Get, ["projects", _, "locations", _, "functions" | "services", name]) => {
            Some(format!("look up {name}{of_run}"))
        }
        (Method::Post, ["projects", _, "locations", _, "functions" | "services", name]) => {
            match name.split_once(':')? {
                (_, "testIamPermissions") => Some("ask what is allowed".to_owned()),
                (name, "call") => Some(format!("call {name} through the API")),
                _ => None,
            }
        }
        _ => None,
    }
}

fn call(request: &Request) -> String {
    format!("call {}", request.host())
}
