//! How a connection comes to its credential: from a file, from the store, or from a person's consent.

mod browser;
mod loopback;
mod page;
mod paste;

use std::{
    io::{self, Write as _},
    time::Duration,
};

use gcf_host::wit::{
    connections::{Authorization, AuthorizeRequest, Connected, Credential, StoredKey, SuppliedToken},
    planning::Action,
    types::{ErrorKind, Impersonation, Invoker},
};
use tokio::time;

use crate::{
    cli,
    context::Context,
    input::files,
    output::{
        failure::Failure,
        outcome::Outcome,
        plan::plan,
        style::{Look, plain},
    },
    sign_in::{
        browser::BrowserError,
        loopback::{CallbackUrl, Loopback},
        page::Page,
        paste::Pasted,
    },
};

/// What only the sign-in knows of a request for it.
pub(crate) struct Login {
    pub(crate) redirect_uri: String,
    pub(crate) login_hint: Option<String>,
    pub(crate) hosted_domain: Option<String>,
}

/// What `--invoke-as` and the options that go with it say.
pub(crate) fn invoker(invoker: cli::Invoker) -> Result<Option<Invoker>, Failure> {
    let cli::Invoker { invoke_as, delegates, without_email } = invoker;
    let Some(invoke_as) = invoke_as else { return Ok(None) };
    let itself = match invoke_as.as_str() {
        "own" => Some(Invoker::Own),
        "user" => Some(Invoker::User),
        _ => None,
    };
    if itself.is_some() && (without_email || !delegates.is_empty()) {
        return Err(Failure::input("--delegate and --without-email are for a service account that invokes")
            .with_fix(format!("leave them out with --invoke-as {invoke_as}")));
    }
    Ok(Some(itself.unwrap_or_else(|| {
        Invoker::ServiceAccount(Impersonation {
            service_account: (invoke_as != "default").then_some(invoke_as),
            delegates,
            include_email: !without_email,
        })
    })))
}

/// A failure that is about the invoker, said in the words of `--invoke-as`: the component's are those of the
/// contract.
pub(crate) fn invoker_in_our_words(failure: Failure) -> Failure {
    if failure.fix().is_some_and(|fix| fix.contains("invoker `service-account`")) {
        failure.with_fix(
            "leave --invoke-as out, which takes what the credential has; or let a service account invoke: \
             --invoke-as default, or its address",
        )
    } else {
        failure
    }
}

/// The store's key for what `gcf supply` puts there.
pub(crate) fn supplied(name: &str) -> String {
    prefixed("supplied/", name)
}

fn prefixed(prefix: &str, name: &str) -> String {
    if name.starts_with(prefix) { name.to_owned() } else { format!("{prefix}{name}") }
}

/// A credential that is there already, and where its subject token is.
pub(crate) fn credential(
    context: &Context,
    credential: cli::Credential,
) -> Result<(Credential, Option<String>), Failure> {
    let cli::Credential { kind, subject_token, account, key_id, .. } = credential;
    let subject_token = subject_token.as_deref().map(supplied);
    if let Some(path) = &kind.credentials {
        let json = context.source.key(path)?;
        if files::is_oauth_client(&json) {
            return Err(Failure::input("this is an OAuth client, which signs nobody in by itself")
                .with_fix("sign in with Google in a browser through it: --oauth --client FILE"));
        }
        return Ok((Credential::GoogleJson(json), subject_token));
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
        return Ok((Credential::StoredKey(key), None));
    }
    match &kind.supplied_token {
        Some(name) => Ok((Credential::SuppliedToken(SuppliedToken { key: supplied(name), account }), None)),
        None => Err(Failure::input("no credential was named")),
    }
}

/// Another credential for a connection.
pub(crate) async fn reconnect(
    context: &Context,
    id: String,
    credential: cli::Credential,
) -> Result<Outcome, Failure> {
    if credential.kind.oauth {
        let consented = by_consent(context, credential, |client, login| AuthorizeRequest {
            nickname: String::new(),
            project: None,
            region: None,
            client,
            redirect_uri: login.redirect_uri,
            login_hint: login.login_hint,
            hosted_domain: login.hosted_domain,
            invoker: None,
            guard_rails: None,
            connection: Some(id),
        });
        return consented.await.map(Outcome::Reconnected);
    }
    let (credential, subject_token) = self::credential(context, credential)?;
    if context.plan {
        return plan(context, &id, Action::Reauthorize { credential, subject_token }).await;
    }
    let reauthorized =
        context.host.reauthorize(&id, credential.clone(), subject_token.as_deref(), context.timeout).await;
    reauthorized
        .map(Outcome::Reconnected)
        .map_err(|error| in_our_words(error.into(), &credential, subject_token.as_deref()))
}

/// The component knows no options and no commands: what is missing, said in those.
pub(crate) fn in_our_words(
    failure: Failure,
    credential: &Credential,
    subject_token: Option<&str>,
) -> Failure {
    let supply = |key: &str| {
        let name = key.strip_prefix("supplied/").unwrap_or(key);
        format!("put it there: gcf supply {name} FILE; and again with the next one, before it expires")
    };
    let failure = invoker_in_our_words(failure)
        .with_fix_for("project", || "name a project id or number with --project".to_owned())
        .with_fix_for("supplied", || match credential {
            Credential::SuppliedToken(token) => supply(&token.key),
            Credential::GoogleJson(_) | Credential::StoredKey(_) | Credential::InjectedToken(_) => {
                supply(subject_token.unwrap_or("subject-token"))
            }
        });
    match credential {
        Credential::StoredKey(_) => failure
            .with_fix_for("client_email", || "name the service account's address with --account".to_owned()),
        Credential::GoogleJson(_) | Credential::SuppliedToken(_) | Credential::InjectedToken(_) => failure,
    }
}

/// Signs in with Google in a browser, here or elsewhere.
pub(crate) async fn by_consent(
    context: &Context,
    credential: cli::Credential,
    request: impl FnOnce(String, Login) -> AuthorizeRequest,
) -> Result<Connected, Failure> {
    let cli::Credential { client, login_hint, hosted_domain, no_browser, .. } = credential;
    let client = client.ok_or_else(|| Failure::input("--oauth needs --client FILE"))?;
    let client = context.source.key(&client)?;
    let mut loopback = Loopback::bind()
        .await
        .map_err(|error| Failure::machine(format!("cannot listen on a loopback port: {error}")))?;
    let login = Login { redirect_uri: loopback.redirect_uri(), login_hint, hosted_domain };
    let authorization = context.host.authorize(request(client, login)).await.map_err(|error| {
        invoker_in_our_words(error.into())
            .with_fix_for("project", || "name a project id or number with --project".to_owned())
    })?;
    let opened = if no_browser { Ok(false) } else { browser::open(&authorization.url).await.map(|()| true) };
    announce(&authorization.url, &opened);
    let mut pasted = (!matches!(opened, Ok(true))).then(Pasted::stdin);
    let patience = time::sleep(PATIENCE);
    tokio::pin!(patience);
    let mut connected = loop {
        let finished = tokio::select! {
            received = loopback.receive() => {
                let finished = finish(context, &authorization, &received.url).await;
                received.show(page(&finished)).await;
                finished
            }
            Some(line) = next(&mut pasted) => match line {
                Ok(url) => finish(context, &authorization, &url).await,
                Err(failure) => Err(failure),
            },
            () = &mut patience => return Err(Failure::connection(
                ErrorKind::AuthorizationFailed,
                "nobody came back from the browser within 10 minutes",
            )
            .with_fix("run the command again; over SSH, with --no-browser")),
        };
        match finished {
            Ok(connected) => break connected,
            // Not what was waited for: any page on the web can send somebody here, and people mispaste.
            Err(failure) if failure.leaves_sign_in_open() => {
                say(&format!("{}still waiting for the right one", failure.warning(Look::detect().err)));
            }
            Err(failure) => return Err(failure),
        }
    };
    // Both steps may warn of the same, such as a nickname that is taken.
    connected.warnings.retain(|warning| !authorization.warnings.contains(warning));
    connected.warnings.splice(0..0, authorization.warnings);
    Ok(connected)
}

async fn finish(
    context: &Context,
    authorization: &Authorization,
    url: &CallbackUrl,
) -> Result<Connected, Failure> {
    let finished = context.host.finish(&authorization.id, url.expose(), context.timeout).await;
    finished.map_err(|error| invoker_in_our_words(error.into()))
}

/// The next pasted line; for ever pending if nothing can be pasted, or no more.
async fn next(pasted: &mut Option<Pasted>) -> Option<Result<CallbackUrl, Failure>> {
    let Some(lines) = pasted else { return std::future::pending().await };
    match lines.next().await {
        Some(line) => Some(
            line.map_err(|error| Failure::connection(ErrorKind::AuthorizationFailed, error).stays_open()),
        ),
        None => {
            *pasted = None;
            std::future::pending().await
        }
    }
}

fn page(finished: &Result<Connected, Failure>) -> Page {
    match finished {
        Ok(Connected { connection, .. }) => {
            Page::Success { account: connection.account.clone(), nickname: connection.nickname.clone() }
        }
        Err(failure) => {
            Page::Failure { message: failure.message.clone(), fix: failure.fix().map(str::to_owned) }
        }
    }
}

/// The address always, for the browser that opens may be the wrong one. `opened` is whether one was to
/// be opened.
fn announce(url: &str, opened: &Result<bool, BrowserError>) {
    let url = plain(url);
    if matches!(opened, Ok(true)) {
        return say(&format!(
            "the browser opens; if it does not, open this address in it:\n\n{url}\n\n\
             waiting until you have signed in there"
        ));
    }
    if let Err(error) = opened {
        say(&error.to_string());
    }
    say(&format!(
        "open this address in a browser, on any machine:\n\n{url}\n\n\
         if the browser then ends at a page that does not load, paste that page's address here:"
    ));
}

fn say(text: &str) {
    // If stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// As long as the component keeps what it needs to finish.
const PATIENCE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    fn says(invoke_as: Option<&str>, delegates: &[&str], without_email: bool) -> Result<String, Failure> {
        let delegates = delegates.iter().map(ToString::to_string).collect();
        let said =
            invoker(cli::Invoker { invoke_as: invoke_as.map(str::to_owned), delegates, without_email })?;
        Ok(match said {
            None => "nothing".to_owned(),
            Some(Invoker::Own) => "own".to_owned(),
            Some(Invoker::User) => "user".to_owned(),
            Some(Invoker::ServiceAccount(Impersonation { service_account, delegates, include_email })) => {
                format!("{service_account:?} {delegates:?} {include_email}")
            }
        })
    }

    #[test]
    fn who_invokes_is_what_the_options_say() {
        for (invoke_as, delegates, without_email, expected) in [
            (None, &[][..], false, "nothing"),
            (Some("own"), &[], false, "own"),
            (Some("user"), &[], false, "user"),
            (Some("default"), &["a"], false, r#"None ["a"] true"#),
            (Some("b"), &[], true, r#"Some("b") [] false"#),
        ] {
            assert_eq!(says(invoke_as, delegates, without_email).unwrap(), expected);
        }
    }

    #[test]
    fn options_of_a_service_account_are_refused_without_one() {
        for who in ["own", "user"] {
            assert!(says(Some(who), &["a"], false).unwrap_err().message.contains("--delegate"));
            assert!(says(Some(who), &[], true).unwrap_err().message.contains("--without-email"));
        }
    }
}
