//! IAM Credentials: tokens of service accounts that somebody else may act for.
//!
//! <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts>

use serde::{Deserialize, Serialize};

use super::{
    AccessToken, SCOPES,
    cache::Minted,
    grant::{id_token as checked_id_token, malformed},
    usable,
};
use crate::{
    call::Call,
    error::{Error, Result},
    google::{self, Attempted, Resource},
    http::Response,
    identity::{Chain, Identity, member},
    json,
    ports::Ports,
    retry::Class,
    target::{self, Api, grammar::PathAndQuery},
};

/// The life that is asked for, in seconds: the longest that needs no policy.
const LIFE: u64 = 3600;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ask<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_email: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delegates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    access_token: Option<String>,
    token: Option<String>,
}

/// What is wanted of a service account.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// An access token.
    Access,
    /// An ID token.
    Id { audience: &'a str, include_email: bool },
}

/// A token of a service account, for whoever holds `token`.
pub(super) async fn mint<P: Ports>(
    call: &Call<'_, P>,
    identity: &Identity,
    project: &str,
    token: &AccessToken,
    chain: &Chain,
    wanted: Wanted<'_>,
) -> Result<Minted> {
    let delegates = names(chain);
    let (method, permission, ask) = match wanted {
        Wanted::Access => (
            "generateAccessToken",
            "iam.serviceAccounts.getAccessToken",
            Ask { audience: None, include_email: None, scope: Some(SCOPES), delegates },
        ),
        Wanted::Id { audience, include_email } => (
            "generateIdToken",
            "iam.serviceAccounts.getOpenIdToken",
            Ask { audience: Some(audience), include_email: Some(include_email), scope: None, delegates },
        ),
    };
    // Its own target is reached from the source.
    let asking = if identity.impersonates.as_ref() == Some(chain) {
        identity.account.as_str()
    } else {
        identity.principal()
    };
    let account = chain.account.as_str();
    // The wildcard is required: a project's id is refused there.
    let target = PathAndQuery::ours(&format!("/v1/projects/-/serviceAccounts/{account}:{method}"), &[]);
    let body = serde_json::to_vec(&ask).map_err(|_| malformed("the request cannot be serialised"))?;
    let request = target::to_api_with_json(Api::IamCredentials, &target, token, body);
    let response = call.exchange(&request, Class::Idempotent).await?;
    let action = format!("mint a token of {account}");
    if response.status != 200 {
        let attempted = Attempted {
            action: &action,
            project,
            account: asking,
            member: member(asking),
            permission,
            resource: Resource::ServiceAccount(account),
        };
        return Err(refusal(&response, &attempted, account));
    }
    let answer: Answer =
        json::read(&response.body).map_err(|why| google::unreadable(&response, &action, &why))?;
    match wanted {
        Wanted::Access => {
            let token = answer
                .access_token
                .and_then(usable)
                .ok_or_else(|| malformed("IAM Credentials returned no usable access token"))?;
            // `expireTime` is what was asked for; the clock here need not agree with Google's.
            Ok(Minted { token, expires: call.ports().now().as_secs() + LIFE })
        }
        Wanted::Id { audience, .. } => checked_id_token(call.ports(), answer.token, Some(audience)),
    }
}

fn refusal(response: &Response, attempted: &Attempted<'_>, account: &str) -> Error {
    let error = google::api_error(response, attempted);
    if response.status == 404 {
        return error.detail("service-account", account).fix(
            "there is no such service account: name another one as the invoker, or create it; the default one exists only where App Engine or 1st gen functions were set up",
        );
    }
    error
}

fn names(chain: &Chain) -> Vec<String> {
    chain.delegates.iter().map(|account| format!("projects/-/serviceAccounts/{}", account.as_str())).collect()
}

/// The delegates as one text, for the name of a cached token.
pub(super) fn joined(chain: &Chain) -> String {
    names(chain).join(" ")
}
