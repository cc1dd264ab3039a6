//! Credentials that are there already: in a file, or in the store.

use std::path::PathBuf;

use clap::Args;
use gcf_host::wit::connections::{self, StoredKey, SuppliedToken};

use crate::{context::Context, input::files, output::failure::Failure};

/// The way in which a connection signs in: one of the first four options.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it signs in")]
pub(crate) struct Credential {
    #[command(flatten)]
    pub(crate) kind: CredentialKind,
    /// The OAuth client's JSON file, of a desktop app: Google Auth Platform, Clients
    #[arg(long, value_name = "FILE", requires = "oauth", env = "GCF_CLIENT", hide_env_values = true)]
    pub(super) client: Option<PathBuf>,
    /// The Google account to offer first
    #[arg(long, value_name = "EMAIL", requires = "oauth")]
    pub(super) login_hint: Option<String>,
    /// Accept accounts of this Google Workspace domain only
    #[arg(long, value_name = "DOMAIN", requires = "oauth")]
    pub(super) hosted_domain: Option<String>,
    /// Open no browser, for use over SSH: print the address to open anywhere, and take from stdin the
    /// one that the browser ends at
    #[arg(long, requires = "oauth")]
    pub(super) no_browser: bool,
    /// With an external_account: the name that `gcf supply NAME` gave its subject token, by default
    /// subject-token
    #[arg(long, value_name = "NAME", requires = "credentials")]
    subject_token: Option<String>,
    /// The account of the key or token
    #[arg(long, value_name = "EMAIL", conflicts_with_all = ["oauth", "credentials"])]
    account: Option<String>,
    /// Google's id of the stored key
    #[arg(long, value_name = "ID", requires = "stored_key")]
    key_id: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct CredentialKind {
    /// Sign in with Google in a browser; needs --client
    #[arg(long, requires = "client")]
    pub(crate) oauth: bool,
    /// A JSON file that Google handed out: a service account's key, an authorized user, an impersonated
    /// service account, or workload identity federation; - is stdin
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// A private key that `gcf supply keys/NAME` put into the store, which signs with it; needs --account
    #[arg(long, value_name = "NAME", requires = "account")]
    stored_key: Option<String>,
    /// An access token that `gcf supply NAME` put into the store; supply the next before it expires
    #[arg(long, value_name = "NAME")]
    supplied_token: Option<String>,
}

/// A credential, and the store's key for its subject token.
pub(crate) type Found = (connections::Credential, Option<String>);

impl Credential {
    /// Finds it in a file or in the store.
    pub(crate) fn find(self, context: &Context) -> Result<Found, Failure> {
        let Self { kind, subject_token, account, key_id, .. } = self;
        let subject_token = subject_token.as_deref().map(supplied);
        if let Some(path) = &kind.credentials {
            let json = context.source.key(path)?;
            if files::is_oauth_client(&json) {
                return Err(Failure::input("this is an OAuth client, which signs nobody in by itself")
                    .with_fix("sign in with Google in a browser through it: --oauth --client FILE"));
            }
            return Ok((connections::Credential::GoogleJson(json), subject_token));
        }
        if let (Some(name), Some(client_email)) = (&kind.stored_key, &account) {
            let key = StoredKey {
                client_email: client_email.clone(),
                private_key_id: key_id,
                key: prefixed("keys/", name),
            };
            let entry = context.store.get(&key.key).map_err(|error| Failure::store(&error))?;
            if entry.is_none() {
                return Err(Failure::input(format!("the store holds no key under {}", key.key))
                    .with_fix(format!("put it there: gcf supply {} FILE", key.key)));
            }
            return Ok((connections::Credential::StoredKey(key), None));
        }
        match &kind.supplied_token {
            Some(name) => Ok((
                connections::Credential::SuppliedToken(SuppliedToken { key: supplied(name), account }),
                None,
            )),
            None => Err(Failure::input("no credential was named")),
        }
    }
}

/// The store's key for what `gcf supply` puts there.
pub(crate) fn supplied(name: &str) -> String {
    prefixed("supplied/", name)
}

fn prefixed(prefix: &str, name: &str) -> String {
    if name.starts_with(prefix) { name.to_owned() } else { format!("{prefix}{name}") }
}

/// The component knows no options and no commands: what is missing, said in those.
pub(crate) fn in_our_words(
    failure: Failure,
    credential: &connections::Credential,
    subject_token: Option<&str>,
) -> Failure {
    let supply = |key: &str| {
        let name = key.strip_prefix("supplied/").unwrap_or(key);
        format!("put it there: gcf supply {name} FILE; and again with the next one, before it expires")
    };
    let failure = failure
        .with_fix_for("project", || "name a project id or number with --project".to_owned())
        .with_fix_for("supplied", || match credential {
            connections::Credential::SuppliedToken(token) => supply(&token.key),
            connections::Credential::GoogleJson(_)
            | connections::Credential::StoredKey(_)
            | connections::Credential::InjectedToken(_) => supply(subject_token.unwrap_or("subject-token")),
        });
    match credential {
        connections::Credential::StoredKey(_) => failure
            .with_fix_for("client_email", || "name the service account's address with --account".to_owned()),
        connections::Credential::GoogleJson(_)
        | connections::Credential::SuppliedToken(_)
        | connections::Credential::InjectedToken(_) => failure,
    }
}
