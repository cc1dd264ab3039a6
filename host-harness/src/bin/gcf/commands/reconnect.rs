//! `gcf reconnect`: another credential for a connection.

use clap::Args;
use gcf_host::{
    Action,
    wit::{
        connections::{AuthorizeRequest, Connected, NewCredential},
        types::GuardRails,
    },
};

use super::{Planning, Run, Running};
use crate::{
    context::Context,
    output::{connection::Changed, failure::Failure, shown::Outcome},
    sign_in::{
        by_consent,
        credential::{self, Credential},
    },
};

const USAGE: &str = "\
gcf reconnect ID --oauth --client CLIENT.json [OPTIONS]
       gcf reconnect ID --credentials FILE [OPTIONS]
       gcf reconnect ID --stored-key KEY --account EMAIL [OPTIONS]
       gcf reconnect ID --supplied-token TOKEN [OPTIONS]";

/// Sign in anew for a connection, or give it another credential; its id stays
#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
pub(crate) struct Reconnect {
    /// The connection: its id or its nickname
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    credential: Credential,
}

impl Run for Reconnect {
    fn planning(&self) -> Planning {
        if self.credential.kind.oauth { Planning::AfterBrowser } else { Planning::Possible }
    }

    fn names_connection(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self { id, credential } = *self;
            let id = context.named(&id).await?.id;
            give(context, id, credential, None, "reconnected").await
        })
    }
}

/// Gives a connection another credential and, if some are named, other guard rails.
pub(super) async fn give(
    context: &Context,
    id: String,
    credential: Credential,
    rails: Option<GuardRails>,
    done: &'static str,
) -> Result<Box<dyn Outcome>, Failure> {
    if credential.kind.oauth {
        let consented = by_consent(context, credential, |client, login| {
            let mut request = AuthorizeRequest::anew(id, client, login.redirect_uri);
            request.login_hint = login.login_hint;
            request.hosted_domain = login.hosted_domain;
            request
        });
        let connected = restricted(context, consented.await?, rails).await?;
        return Ok(Box::new(Changed { done, connected }) as Box<dyn Outcome>);
    }
    let found = credential.find(context)?;
    let reauthorize = async |(credential, subject_token): credential::Found| {
        let reauthorized = context
            .host
            .reauthorize(&id, credential.clone(), subject_token.as_deref(), context.timeout)
            .await;
        let connected = reauthorized
            .map_err(|error| credential::in_our_words(error.into(), &credential, subject_token.as_deref()))?;
        Ok(Changed { done, connected: restricted(context, connected, rails).await? })
    };
    let planned = |(credential, subject_token)| {
        let mut request = NewCredential::new(credential);
        request.subject_token = subject_token;
        Action::Reauthorize(request)
    };
    context.call(&id, found, planned, reauthorize).await
}

/// The connection with these guard rails, if there are any to set.
async fn restricted(
    context: &Context,
    mut connected: Connected,
    rails: Option<GuardRails>,
) -> Result<Connected, Failure> {
    if rails.is_some() {
        let restricted = context.host.restrict(&connected.connection.id, rails).await?;
        connected.connection = restricted.connection;
        connected.warnings.extend(restricted.warnings);
    }
    Ok(connected)
}
