//! Notes: the parts of a plan that depend on answers, so that no request can show them.

use super::{Action, PlannedRequest};
use crate::{
    actions::functions::invoke::{Auth, InvokeRequest},
    base::http::TokenKind,
    google::{
        request::{body::Body, function_url::Audience},
        which::FunctionRef,
    },
    sign_in::credential::Proof,
};

/// On a call as it is asked for.
pub(super) fn of(action: &Action, deadline_ms: Option<u32>) -> Vec<String> {
    let mut notes = Vec::new();
    match action {
        Action::Connect(request) => notes.push(match request.credential.proof() {
            Proof::Accepted => "the connection is kept only after Google has accepted the credential",
            Proof::Present => {
                "the connection is kept if the host's store holds the token; it is not tried, which `check` does"
            }
            Proof::None => {
                "the connection is kept as it is: the token that the host adds is not tried, which `check` does"
            }
        }),
        Action::Reauthorize { credential, .. } => notes.push(match credential.proof() {
            Proof::Accepted => "the connection gets the new credential only after Google has accepted it",
            Proof::Present => {
                "the connection gets the new credential if the host's store holds the token; it is not tried, which `check` does"
            }
            Proof::None => {
                "the connection gets the new credential as it is: the token that the host adds is not tried, which `check` does"
            }
        }),
        Action::Disconnect => {
            notes.push("the connection, its credential, its key and its tokens are removed from the store, whatever Google answers");
        }
        Action::Check(function) => {
            notes.push("the project itself is looked at only if neither list comes");
            if function.is_some() {
                notes.push("who may not look the function up is told all the same whether it may be invoked");
                notes.push(
                    "about a 1st gen function, Cloud Functions is asked what is allowed, and not Cloud Run",
                );
            }
        }
        Action::List(_) | Action::AllPages(_) => {
            notes.push("further pages: one more request for each, as long as the last one names the next");
        }
        Action::Options(_) | Action::CustomApi(_) => {}
        Action::Get(function) => notes.extend_from_slice(lookup(function)),
        Action::Invoke(request) => {
            notes.extend_from_slice(lookup(&request.function));
            if !matches!(request.function, FunctionRef::Url(_)) {
                notes.push("where the function was found is remembered for ten minutes; a call within them does not look it up");
            }
            if of_a_function(request) {
                notes.push("an audience that is not the URL at which the function is found: Cloud Run is asked whether it is the function's own");
            }
            if request.auth == Auth::Auto {
                notes.push("auto: an ID token is asked for, and the function called with it, only if Google's front end refuses the call without one");
            }
            if request.authorization.is_some() {
                notes.push("the caller's own Authorization travels beside the ID token, which is in X-Serverless-Authorization");
            }
            if matches!(request.body, Some(Body::CloudEvent(_))) {
                notes.push("a 1st gen function that events start is called through the API, which is for testing only");
            }
            if deadline_ms.is_none() && !matches!(request.function, FunctionRef::Url(_)) {
                notes.push("the function gets 30 s more than its own timeout, once that is known");
            }
        }
    }
    notes.into_iter().map(str::to_owned).collect()
}

/// Tells if the audience of the token may be another URL of a function that is called by its name.
fn of_a_function(request: &InvokeRequest) -> bool {
    let audience = request.audience.as_deref().and_then(|audience| Audience::parse(audience).ok());
    !matches!(request.function, FunctionRef::Url(_))
        && audience.is_some_and(|audience| audience.is_a_functions())
}

/// The ways in which a name may turn out.
fn lookup(function: &FunctionRef) -> &'static [&'static str] {
    match function {
        FunctionRef::Named { region: None, .. } => &[
            "a name that is found in several regions is an error, and nothing is called",
            "who may not list functions is given the one in the connection's own region",
        ],
        FunctionRef::Named { region: Some(_), .. } | FunctionRef::Resource(_) => {
            &["a function that Cloud Functions does not know, or may not show, is looked up in Cloud Run"]
        }
        FunctionRef::Url(_) => &[],
    }
}

/// On what would be sent.
pub(super) fn on(requests: &[PlannedRequest]) -> Vec<String> {
    let any = |kind| requests.iter().any(|request| request.token == kind);
    let mut notes = Vec::new();
    if requests.iter().any(|request| request.url.contains("/locations/-/services?")) {
        notes.push("who may not list the services of every region at once: one request for each region that Google names");
    }
    if any(TokenKind::AccessToken) && !any(TokenKind::Assertion) && !any(TokenKind::Grant) {
        notes.push("the access token comes from the store");
    }
    if any(TokenKind::AccessToken) {
        notes.push("a 401 of a Google API costs one new access token, and one more attempt");
    }
    if any(TokenKind::Assertion) {
        notes.push("an assertion whose time Google does not accept is sent once more, with Google's time");
    }
    if any(TokenKind::Injected) {
        notes.push("the host adds an access token of its own, or refuses to");
    }
    notes.into_iter().map(str::to_owned).collect()
}
