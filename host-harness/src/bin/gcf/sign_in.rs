//! Sign-ins: with a person's consent in a browser; [`credential`] has those without.

mod browser;
pub(crate) mod credential;
mod loopback;
mod page;
mod paste;

use std::{
    io::{self, Write as _},
    time::Duration,
};

use gcf_host::wit::{
    connections::{Authorization, AuthorizeRequest, Connected},
    types::ErrorKind,
};
use tokio::time;

use crate::{
    context::Context,
    output::{
        failure::Failure,
        style::{Look, plain},
    },
    sign_in::{
        browser::BrowserError,
        credential::Credential,
        loopback::{CallbackUrl, Loopback},
        page::Page,
        paste::Pasted,
    },
};

/// The parts of a request that only the sign-in knows.
pub(crate) struct Login {
    pub(crate) redirect_uri: String,
    pub(crate) login_hint: Option<String>,
    pub(crate) hosted_domain: Option<String>,
}

/// Signs in with Google in a browser, here or elsewhere.
pub(crate) async fn by_consent(
    context: &Context,
    credential: Credential,
    request: impl FnOnce(String, Login) -> AuthorizeRequest,
) -> Result<Connected, Failure> {
    if context.is_replaying() {
        // Before a browser opens, and somebody signs in there in earnest.
        return Err(Failure::input(
            "a sign-in in a browser cannot be replayed: no tape has the signature of its ID token",
        )
        .with_fix(
            "replay with --store DIR, a store that has the connection; or connect on the tape with --credentials",
        ));
    }
    let Credential { client, login_hint, hosted_domain, no_browser, .. } = credential;
    let client = client.ok_or_else(|| Failure::input("--oauth needs --client FILE"))?;
    let client = context.source.key(&client)?;
    let mut loopback = Loopback::bind()
        .await
        .map_err(|error| Failure::machine(format!("cannot listen on a loopback port: {error}")))?;
    let login = Login { redirect_uri: loopback.redirect_uri(), login_hint, hosted_domain };
    let authorization = context.host.authorize(request(client, login)).await.map_err(|error| {
        Failure::from(error)
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
    Ok(context.host.finish(&authorization.id, url.expose(), context.timeout).await?)
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
