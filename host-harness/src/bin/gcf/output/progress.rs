//! The pages that have come in so far, if a person looks on.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gcf_host::{Observer, RequestEvent, Stage};
use indicatif::ProgressBar;

use super::{style::plain, words};

/// Counts pages, and shows the counts on a terminal. Clones share them.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    counts: Arc<Counts>,
}

/// The kind of list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Listing {
    /// Functions, which are in several lists.
    #[default]
    Functions,
    /// Whatever a list of the caller's own choice holds.
    Anything,
}

#[derive(Debug, Default)]
struct Counts {
    listing: Listing,
    /// Pages of Cloud Functions, or of anything.
    pages: AtomicUsize,
    /// Pages of Cloud Run, as a rule one for each region.
    services: AtomicUsize,
}

impl Progress {
    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), counts: Arc::default() }
    }

    /// Spins on stderr; indicatif hides it where that is no terminal.
    pub(crate) fn spinner(listing: Listing) -> Self {
        let bar = ProgressBar::new_spinner().with_message("listing");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, counts: Arc::new(Counts { listing, ..Counts::default() }) }
    }

    /// Receives what the host tells about each request.
    pub(crate) fn observer(&self) -> Observer {
        let (bar, counts) = (self.bar.clone(), Arc::clone(&self.counts));
        Arc::new(move |event: &RequestEvent| {
            if let Some(message) = counts.note(event) {
                bar.set_message(message);
            }
        })
    }

    /// Tells whether somebody sees it.
    pub(crate) fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Leaves no trace on the terminal.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The same after ctrl-C. The bar fills its line to the end, so a terminal that echoes the key shows it on the
    /// next one.
    pub(crate) fn clear_behind_an_echo(&self) {
        self.bar.disable_steady_tick();
        if self.is_shown() && echoes_keys() {
            let _ = io::stderr().write_all(LINE_BEFORE.as_bytes());
        }
        self.clear();
    }
}

/// One line up, and nothing from there on.
const LINE_BEFORE: &str = "\u{1b}[A\r\u{1b}[J";

/// Tells whether the terminal shows `^C` where ctrl-C was pressed.
fn echoes_keys() -> bool {
    #[cfg(unix)]
    {
        use rustix::termios::{LocalModes, tcgetattr};

        tcgetattr(io::stderr())
            .is_ok_and(|modes| modes.local_modes.contains(LocalModes::ECHO | LocalModes::ECHOCTL))
    }
    #[cfg(not(unix))]
    false
}

/// Writes a line on stderr for each request that is sent, answered, or fails.
pub(crate) fn watching() -> Observer {
    Arc::new(|event: &RequestEvent| {
        // If stderr is closed, nobody looks on.
        let _ = io::stderr().write_all(told(event).as_bytes());
    })
}

/// An event as a line. It holds no query, header or body, as the event has none.
fn told(event: &RequestEvent) -> String {
    let RequestEvent { number, method, url, token, stage } = event;
    let url = plain(url.strip_prefix("https://").unwrap_or(url));
    match stage {
        Stage::Sent => format!("> {number} {method} {url}  {}\n", words::carried(*token)),
        Stage::Answered { status, elapsed } => {
            format!("< {number} {} after {} ms\n", status.as_u16(), elapsed.as_millis())
        }
        Stage::Failed { error, elapsed } => {
            let error = plain(&error.to_string()).into_owned();
            format!("< {number} {method} {url}  {error} after {} ms\n", elapsed.as_millis())
        }
    }
}

impl Counts {
    /// The new message, if this event changes it.
    fn note(&self, event: &RequestEvent) -> Option<String> {
        if !matches!(event.stage, Stage::Answered { .. }) {
            return None;
        }
        let counter = match self.listing {
            Listing::Functions if event.url.ends_with("/functions") => &self.pages,
            Listing::Functions if event.url.ends_with("/services") => &self.services,
            // A token is asked for with a POST.
            Listing::Anything if event.method == http::Method::GET => &self.pages,
            Listing::Functions | Listing::Anything => return None,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let of = match self.listing {
            Listing::Functions => " of Cloud Functions",
            Listing::Anything => "",
        };
        let said = [(&self.pages, of), (&self.services, " of Cloud Run")]
            .map(|(count, of)| (count.load(Ordering::Relaxed), of))
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, of)| format!("{count} {}{of}", if count == 1 { "page" } else { "pages" }));
        Some(format!("listing: {}", said.collect::<Vec<_>>().join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use gcf_host::{Carried, transport::TransportError};

    use super::*;

    fn event(path: &str, stage: Stage) -> RequestEvent {
        let url = format!("https://example.googleapis.com/v2/projects/p/locations{path}");
        RequestEvent { number: 1, method: http::Method::GET, url, token: Carried::Nothing, stage }
    }

    fn answered() -> Stage {
        Stage::Answered { status: http::StatusCode::OK, elapsed: Duration::ZERO }
    }

    #[test]
    fn pages_are_counted_by_who_gave_them() {
        let counts = Counts::default();
        assert_eq!(counts.note(&event("/-/functions", Stage::Sent)), None);
        assert_eq!(counts.note(&event("", answered())), None);
        let said = |path: &str| counts.note(&event(path, answered())).unwrap();
        assert_eq!(said("/-/functions"), "listing: 1 page of Cloud Functions");
        assert_eq!(said("/us-east1/services"), "listing: 1 page of Cloud Functions, 1 page of Cloud Run");
        assert_eq!(said("/us-east4/services"), "listing: 1 page of Cloud Functions, 2 pages of Cloud Run");
    }

    #[test]
    fn a_request_is_told_as_it_happens() {
        let of = |stage| RequestEvent { token: Carried::AccessToken, ..event("/a", stage) };
        assert_eq!(
            told(&of(Stage::Sent)),
            "> 1 GET example.googleapis.com/v2/projects/p/locations/a  access token\n"
        );
        assert_eq!(told(&of(answered())), "< 1 200 after 0 ms\n");
        let error = TransportError::ConnectionRefused("a\u{1b}[2J".to_owned());
        let failed = told(&of(Stage::Failed { error, elapsed: Duration::from_millis(7) }));
        assert!(failed.ends_with(" after 7 ms\n") && !failed.contains('\u{1b}'), "{failed}");
    }

    #[test]
    fn pages_of_anything_are_counted_and_tokens_are_not() {
        let counts = Counts { listing: Listing::Anything, ..Counts::default() };
        let token = RequestEvent { method: http::Method::POST, ..event("", answered()) };
        assert_eq!(counts.note(&token), None);
        let said = |path: &str| counts.note(&event(path, answered())).unwrap();
        assert_eq!(said(""), "listing: 1 page");
        assert_eq!(said("/us-east1/operations"), "listing: 2 pages");
    }
}
