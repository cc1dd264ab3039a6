//! The purpose of a request in a few words, such as `get an access token`.

use super::stand_in::Function;
use crate::base::{http::Request, purpose::Purpose};

/// The words for a request of a call to this function, if it is to one.
pub(super) fn in_words(request: &Request, function: Option<&Function>) -> String {
    let words = match request.purpose() {
        Purpose::AccessToken { .. } => "get an access token",
        Purpose::TokenExchange => "exchange the subject token for an access token",
        Purpose::IdToken { .. } => "get an ID token",
        Purpose::AccessTokenOf { account } => return format!("get an access token of {account}"),
        Purpose::IdTokenOf { account, .. } => return format!("mint an ID token of {account}"),
        Purpose::Revocation => "end the grant at Google",
        Purpose::Keys => "get Google's public keys",
        Purpose::Regions => "list regions",
        Purpose::Functions { .. } => "list functions",
        Purpose::Services => "list services of Cloud Run",
        Purpose::Function { name, .. } => return format!("look up {name}"),
        Purpose::Service { name } => return format!("look up {name} of Cloud Run"),
        Purpose::Audiences { name, .. } => return format!("ask for the audiences of {name} of Cloud Run"),
        Purpose::Permissions => "ask what is allowed",
        Purpose::TestCall { name } => return format!("call {name} through the API"),
        Purpose::ApiCall => return format!("call {}", request.host()),
        Purpose::Invocation { .. } => {
            return format!("invoke {}", function.map_or(request.host(), |function| function.name.as_str()));
        }
    };
    words.to_owned()
}
