//! The sign-in from the client's JSON to the code, and what is refused on the way.

mod authorization;
mod callback;
mod client_json;
mod redirect_uri;

use serde_json::{Value, json};

use super::*;
use crate::{
    base::{
        error::{Error, Kind, Result},
        secret::Secret,
    },
    testing::canaries,
};

const LOOPBACK: &str = "http://127.0.0.1:4711/callback";

/// The text of `State::from_random([7; 16])`.
const GOOD: &str = "BwcHBwcHBwcHBwcHBwcHBw";

/// A client's JSON, as Google hands it out.
fn file(kind: &str) -> Value {
    json!({kind: {
        "client_id": "1234567890-abc.apps.googleusercontent.com",
        "project_id": "demo-project",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_secret": canaries::CLIENT_SECRET,
        "redirect_uris": ["https://app.example.com/oauth/callback", "http://localhost:8080/cb"],
        "javascript_origins": ["https://app.example.com"],
    }})
}

fn parse(file: &Value) -> Result<OAuthClient> {
    OAuthClient::parse(&Secret::new(file.to_string()))
}

fn client(kind: &str) -> OAuthClient {
    parse(&file(kind)).unwrap()
}

fn loopback() -> RedirectUri {
    RedirectUri::parse(LOOPBACK, &client("installed")).unwrap().0
}

fn state() -> State {
    State::from_random([7; 16])
}

fn detail<'a>(error: &'a Error, name: &str) -> Option<&'a str> {
    error.fields().details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// The three steps of a callback.
fn finish(callback: &str) -> Result<Code> {
    Parameters::open(callback, &loopback())?.authentic(&state())?.outcome()
}
