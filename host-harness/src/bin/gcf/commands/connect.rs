//! `gcf connect`: a new connection.

use clap::Args;
use gcf_host::{
    Action,
    wit::connections::{AuthorizeRequest, ConnectRequest, Connected, Connection},
};
use serde_json::Value;

use super::{Planning, Run, Running, connections::One, reconnect::give};
use crate::{
    context::Context,
    input::{guard_rails::GuardRails, invoker::Invoker},
    output::{
        connection,
        failure::Failure,
        shown::{Leaves, Outcome, Shown},
        style::{Look, plain},
    },
    sign_in::{
        by_consent,
        credential::{self, Credential},
    },
};

const USAGE: &str = "\
gcf connect --nickname NAME --oauth --client CLIENT.json [OPTIONS]
       gcf connect --nickname NAME --credentials FILE [OPTIONS]
       gcf connect --nickname NAME --stored-key KEY --account EMAIL [OPTIONS]
       gcf connect --nickname NAME --supplied-token TOKEN [OPTIONS]";

/// Make a connection: sign in with Google, or use a credential
#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
pub(crate) struct Connect {
    /// A name for people
    #[arg(long, value_name = "NAME")]
    nickname: String,
    /// If there is a connection of this nickname, show it and leave everything as it is
    #[arg(long)]
    if_absent: bool,
    /// If there is a connection of this nickname, give it this credential and these guard rails; its id,
    /// project and region stay
    #[arg(long, conflicts_with = "if_absent")]
    replace: bool,
    /// A project id or number, or a console URL with ?project=…; by default the credential's own
    #[arg(long)]
    project: Option<String>,
    /// The project that requests count against, where Google lets the caller say so (IAM Credentials,
    /// Logging, …); by default what `quota_project_id` of the credential names
    #[arg(long, value_name = "PROJECT")]
    quota_project: Option<String>,
    /// The default region, us-central1 if left out: forms offer it first, and a bare name is looked up
    /// there if functions may not be listed
    #[arg(long)]
    region: Option<String>,
    #[command(flatten)]
    credential: Credential,
    #[command(flatten)]
    invoker: Invoker,
    #[command(flatten)]
    guard_rails: GuardRails,
}

impl Run for Connect {
    fn planning(&self) -> Planning {
        if self.credential.kind.oauth { Planning::AfterBrowser } else { Planning::Possible }
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self {
                nickname,
                if_absent,
                replace,
                project,
                quota_project,
                region,
                credential,
                invoker,
                guard_rails,
            } = *self;
            let invoker = invoker.into_contract()?;
            if (if_absent || replace)
                && let Some(there) = there_already(context, &nickname).await?
            {
                if if_absent {
                    return Ok(Box::new(One::of(context, there)?) as Box<dyn Outcome>);
                }
                stays(&there, "project", project.as_ref().is_none_or(|project| *project == there.project))?;
                stays(&there, "region", region.as_ref().is_none_or(|region| *region == there.region))?;
                stays(
                    &there,
                    "quota-project",
                    quota_project.is_none() || quota_project == there.quota_project,
                )?;
                stays(&there, "invoke-as", invoker.as_ref().is_none_or(|invoker| *invoker == there.invoker))?;
                let rails = (!guard_rails.is_empty()).then(|| guard_rails.into_contract());
                return give(context, there.id, credential, rails, "replaced").await;
            }
            let guard_rails = Some(guard_rails.into_contract());
            if credential.kind.oauth {
                let consented = by_consent(context, credential, |client, login| {
                    let mut request = AuthorizeRequest::new(nickname, client, login.redirect_uri);
                    request.project = project;
                    request.quota_project = quota_project;
                    request.region = region;
                    request.login_hint = login.login_hint;
                    request.hosted_domain = login.hosted_domain;
                    request.invoker = invoker;
                    request.guard_rails = guard_rails;
                    request
                });
                return Ok(Box::new(New(consented.await?)) as Box<dyn Outcome>);
            }
            let (credential, subject_token) = credential.find(context)?;
            let mut request = ConnectRequest::new(nickname, credential.clone());
            request.project = project;
            request.quota_project = quota_project;
            request.region = region;
            request.subject_token = subject_token.clone();
            request.invoker = invoker;
            request.guard_rails = guard_rails;
            let connect = async |request| {
                let connected = context.host.connect(request, context.timeout).await;
                connected.map(New).map_err(|error| {
                    credential::in_our_words(error.into(), &credential, subject_token.as_deref())
                })
            };
            context.call("", request, Action::Connect, connect).await
        })
    }
}

/// The connection of this nickname, if there is one. Which of several is meant, nobody can tell.
async fn there_already(context: &Context, nickname: &str) -> Result<Option<Connection>, Failure> {
    let mut alike = context.host.connections().await?;
    alike.retain(|connection| connection.nickname == nickname);
    match <[Connection; 1]>::try_from(alike) {
        Ok([connection]) => Ok(Some(connection)),
        Err(none) if none.is_empty() => Ok(None),
        Err(several) => {
            Err(Failure::input(format!("there are {} connections of the nickname {nickname}", several.len()))
                .with_fix("rename all but one: gcf connections rename ID NICKNAME"))
        }
    }
}

/// Refuses an option that would change what a connection keeps for life.
fn stays(connection: &Connection, option: &str, same: bool) -> Result<(), Failure> {
    if same {
        return Ok(());
    }
    Err(Failure::input(format!(
        "--{option} is not that of the connection {}, which keeps it",
        connection.nickname
    ))
    .with_fix(format!("leave --{option} out; or make it anew, after: gcf disconnect {}", connection.id)))
}

/// A new connection.
pub(super) struct New(pub(super) Connected);

impl Outcome for New {
    fn show(&self, look: Look) -> Shown {
        connection::changed("connected", &self.0, look)
    }

    fn json(&self) -> Value {
        connection::changed_json(&self.0)
    }

    fn leaves(&self) -> Option<Leaves<'_>> {
        Some(Leaves::Kept(&self.0.connection))
    }

    fn gist(&self, look: Look) -> Option<String> {
        let connection = &self.0.connection;
        Some(format!(
            "{} {} to {} as {}\n",
            look.out.good("connected"),
            plain(&connection.nickname),
            plain(&connection.project),
            plain(&connection.account)
        ))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::commands::Cli;

    #[test]
    fn a_connection_has_one_credential() {
        let parse = |arguments: &[&str]| {
            let start = ["gcf", "connect", "--nickname", "n"];
            Cli::try_parse_from(start.iter().chain(arguments)).map(drop).map_err(|error| error.kind())
        };
        use clap::error::ErrorKind::{ArgumentConflict, MissingRequiredArgument};
        assert_eq!(parse(&["--credentials", "f"]), Ok(()));
        assert_eq!(parse(&["--oauth", "--client", "f"]), Ok(()));
        assert_eq!(parse(&[]), Err(MissingRequiredArgument));
        assert_eq!(parse(&["--oauth"]), Err(MissingRequiredArgument));
        assert_eq!(parse(&["--stored-key", "k"]), Err(MissingRequiredArgument));
        assert_eq!(parse(&["--oauth", "--client", "f", "--credentials", "f"]), Err(ArgumentConflict));
    }
}
