//! Opens the person's browser, on their screen, without a word on their terminal.

use std::{env, ffi::OsString, io, thread, time::Duration};

use gcf_host::secrets::{PASSPHRASE_VARIABLE, SECRETS_VARIABLE};
use tokio::{sync::oneshot, time};

/// The time that a browser may take to say that it cannot start. Text browsers take the terminal until their
/// end, and that is a start.
const PATIENCE: Duration = Duration::from_secs(3);

/// There is no browser to open. The caller shows the URL instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrowserError {
    /// No graphical session, and no `$BROWSER` that may do without.
    #[error("there is no screen to open a browser on")]
    NoScreen,
    /// A browser would inherit what this variable holds, and hand it on to all that it starts.
    #[error("no browser is opened, for it would be given what {0} holds")]
    Secret(&'static str),
    /// Nothing that is installed could be started.
    #[error("no browser could be started: {0}")]
    Start(#[source] io::Error),
}

/// Opens `url` in `$BROWSER` (but not on macOS, where nothing else heeds it either), or in the browser
/// that the desktop prefers.
///
/// That it was started is all that is known then: a browser says nothing about what it shows.
pub(crate) async fn open(url: &str) -> Result<(), BrowserError> {
    if !has_screen(|name| env::var_os(name)) {
        return Err(BrowserError::NoScreen);
    }
    if let Some(variable) = secret_in_environment(|name| env::var_os(name)) {
        return Err(BrowserError::Secret(variable));
    }
    start(url.to_owned(), PATIENCE, webbrowser::open).await
}

/// The variable with a secret in it that a child would inherit, if there is one.
fn secret_in_environment(variable: impl Fn(&str) -> Option<OsString>) -> Option<&'static str> {
    [PASSPHRASE_VARIABLE, SECRETS_VARIABLE]
        .into_iter()
        .find(|name| variable(name).is_some_and(|value| !value.is_empty()))
}

/// A thread, not one of tokio's: those keep the program from ending until a text browser has ended.
async fn start(
    url: String,
    patience: Duration,
    launch: impl FnOnce(&str) -> io::Result<()> + Send + 'static,
) -> Result<(), BrowserError> {
    let (sender, result) = oneshot::channel();
    thread::Builder::new()
        .name("browser".to_owned())
        .spawn(move || sender.send(launch(&url)))
        .map_err(BrowserError::Start)?;
    match time::timeout(patience, result).await {
        Ok(Ok(result)) => result.map_err(BrowserError::Start),
        Ok(Err(_)) => Err(BrowserError::Start(io::Error::other("the launcher stopped"))),
        Err(_) => Ok(()),
    }
}

/// Over SSH, browsers start on Unix and end at once, unseen: better to know before.
fn has_screen(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    const SIGNS: [&str; 5] = ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "WSL_INTEROP"];
    cfg!(any(target_os = "macos", windows))
        || SIGNS.into_iter().any(|name| variable(name).is_some_and(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_launcher_gets_the_url() {
        let (sender, got) = mpsc::channel();
        let launch = move |url: &str| sender.send(url.to_owned()).map_err(io::Error::other);
        start("https://example.com/?a=b".into(), LONG, launch).await.unwrap();
        assert_eq!(got.recv().unwrap(), "https://example.com/?a=b");
    }

    #[tokio::test]
    async fn a_launcher_that_fails_is_told() {
        let none = |_: &str| Err(io::Error::new(io::ErrorKind::NotFound, "none is installed"));
        let error = start("https://example.com/".into(), LONG, none).await.unwrap_err();
        assert_eq!(error.to_string(), "no browser could be started: none is installed");
    }

    #[tokio::test]
    async fn a_launcher_that_panics_is_a_failure() {
        let error = start("https://example.com/".into(), LONG, |_| panic!("on purpose")).await.unwrap_err();
        assert!(matches!(error, BrowserError::Start(_)), "{error}");
    }

    #[tokio::test]
    async fn a_browser_that_stays_in_the_foreground_has_started() {
        let (end, ended) = mpsc::channel::<()>();
        let stay = move |_: &str| ended.recv().map_err(io::Error::other);
        assert!(start("https://example.com/".into(), Duration::from_millis(5), stay).await.is_ok());
        end.send(()).unwrap();
    }

    #[test]
    fn a_secret_in_the_environment_is_not_for_a_browser() {
        for name in [PASSPHRASE_VARIABLE, SECRETS_VARIABLE] {
            let seen = |value: &str| secret_in_environment(|it| (it == name).then(|| value.into()));
            assert_eq!((seen("x"), seen("")), (Some(name), None));
        }
        assert_eq!(secret_in_environment(|name| (name == "GCF_STORE").then(|| "x".into())), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn without_a_session_there_is_no_screen() {
        for (set, value, expected) in [
            ("DISPLAY", ":0", true),
            ("WAYLAND_DISPLAY", "wayland-0", true),
            ("WSL_DISTRO_NAME", "Debian", true),
            ("BROWSER", "w3m", true),
            ("DISPLAY", "", false),
            ("TERM", "xterm", false),
        ] {
            let seen = has_screen(|name| (name == set).then(|| value.into()));
            assert_eq!(seen, expected, "{set}={value}");
        }
    }
}
