//! IAM Credentials: tokens of service accounts that somebody else may act for.
//!
//! <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts>

use crate::{
    base::{
        error::{Error, Result},
        http::Response,
        json::{self, Object, Value},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
    },
    call::Call,
    google::{
        bearer::AccessToken,
        hosts::Api,
        refusal::{
            self,
            api::{Attempted, Resource},
        },
        request::{self, grammar::PathAndQuery},
    },
    sign_in::{
        credential::impersonated::Chain,
        grant::{Minted, SCOPES, id_token as checked_id_token, malformed, usable},
        identity::Identity,
    },
};

/// The life that is asked for, in seconds: the longest that needs no policy.
const LIFE: u64 = 3600;

/// The token that is wanted of a service account.
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
    let account = chain.account.as_str();
    let (purpose, method, permission, ask) = match wanted {
        Wanted::Access => (
            Purpose::AccessTokenOf { account: account.to_owned() },
            "generateAccessToken",
            "iam.serviceAccounts.getAccessToken",
            Object::default().with("scope", Value::List(SCOPES.map(Value::from).into())),
        ),
        Wanted::Id { audience, include_email } => (
            Purpose::IdTokenOf { account: account.to_owned(), audience: audience.to_owned() },
            "generateIdToken",
            "iam.serviceAccounts.getOpenIdToken",
            Object::default().with("audience", audience).with("includeEmail", include_email),
        ),
    };
    let ask = ask.with_texts("delegates", &delegates);
    let asking = identity.asking_for(chain);
    // The wildcard is required: a project's id is refused there.
    let target = PathAndQuery::ours(&format!("/v1/projects/-/serviceAccounts/{account}:{method}"), &[]);
    let mut request =
        request::to_api_with_json(purpose, Api::IamCredentials, &target, token, ask.to_json().into_bytes());
    let response = call.exchange(&mut request, Class::Idempotent).await?;
    let action = format!("mint a token of {account}");
    if (200..300).contains(&response.status) && refusal::token_endpoint::refuses(&response.body) {
        let grant = identity.credential.grant();
        return Err(refusal::token_endpoint::error_of(
            "IAM Credentials API",
            response.status,
            &response.body,
            grant,
            asking,
        ));
    }
    // A status in the body of a success is what the API means.
    let response = refusal::api::with_status_of_body(response);
    if response.status != 200 {
        let attempted = Attempted {
            action: &action,
            project,
            account: asking,
            permission,
            resource: Resource::ServiceAccount(account),
        };
        return Err(refusal(&response, &attempted, account));
    }
    let field = match wanted {
        Wanted::Access => "accessToken",
        Wanted::Id { .. } => "token",
    };
    let minted = json::read(&response.body)
        .and_then(|answer| answer.string(field))
        .map_err(|why| refusal::api::unreadable(&response, &action, &why))?;
    match wanted {
        Wanted::Access => {
            let token = minted
                .and_then(usable)
                .ok_or_else(|| malformed("IAM Credentials returned no usable access token"))?;
            // `expireTime` is what was asked for; the clock here need not agree with Google's.
            Ok(Minted { token, expires: call.ports().now().as_secs() + LIFE })
        }
        Wanted::Id { audience, .. } => checked_id_token(call.ports(), minted, Some(audience)),
    }
}

fn refusal(response: &Response, attempted: &Attempted<'_>, account: &str) -> Error {
    let error = refusal::api::error(response, attempted);
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
