//! Writes what passes through another transport to a tape.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use http::{HeaderMap, Method, header, request::Parts, response};
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::{
    TapeError,
    fault::Fault,
    file,
    format::{Interaction, RecordedBody, RecordedRequest, RecordedResponse, Tape, Timing},
    inflate,
    live_secrets::LiveSecrets,
    margin::{Margin, Notes},
    redact::Redactor,
    rename::Aliases,
    replay::{locked, whole},
    request::{content_type, text_headers},
};
use crate::transport::{Body, Sending, Timeouts, Transport, TransportError};

/// A [`Transport`] that keeps a redacted copy of each exchange of another one.
///
/// Bodies are held in memory in both directions, so a response arrives whole instead of streamed. The
/// order on the tape is that in which requests were sent; a failure of the network is on it as a
/// [`Fault`]. After each exchange the tape so far is in a file beside the one that is asked for, with
/// `.part` at the end of its name; [`finish`](Self::finish) puts it in its place. Clones share one tape.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<dyn Transport>,
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

struct State {
    tape: Tape,
    exchanges: Vec<Exchange>,
    redactor: Arc<Mutex<Redactor>>,
    aliases: Aliases,
    began: Instant,
    under_way: usize,
    /// Whether the file may be replaced without a copy of what it was.
    extends: bool,
}

/// A place on the tape; filled when the exchange has ended.
struct Exchange {
    /// It belongs behind so many of the interactions that the tape began with.
    after: usize,
    interaction: Option<Interaction>,
}

/// Where among the interactions of an older tape a new one belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct After(pub(super) usize);

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("inner", &self.inner)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records what passes to and from `inner` after what is on `tape`, for the file `path`.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, path: impl Into<PathBuf>, tape: Tape) -> Self {
        Self::with(inner, path, tape, Arc::new(Mutex::new(Redactor::thorough())), false)
    }

    pub(super) fn with(
        inner: Arc<dyn Transport>,
        path: impl Into<PathBuf>,
        tape: Tape,
        redactor: Arc<Mutex<Redactor>>,
        extends: bool,
    ) -> Self {
        tape.reserve(&mut locked(&redactor));
        let began = Instant::now();
        let aliases = Aliases::default();
        let state = State { tape, exchanges: Vec::new(), redactor, aliases, began, under_way: 0, extends };
        Self { inner, path: path.into(), state: Arc::new(Mutex::new(state)) }
    }

    /// Keeps these secrets off the tape by their exact value, wherever and in whatever encoding they stand.
    #[must_use]
    pub fn knowing(self, live: LiveSecrets) -> Self {
        locked(&locked(&self.state).redactor).know(live);
        self
    }

    /// Gives projects and people these names on the tape, before anything of it is kept or written. To be
    /// called before the first request.
    #[must_use]
    pub fn renaming(self, aliases: Aliases) -> Self {
        {
            let mut state = locked(&self.state);
            aliases.in_provenance(state.tape.provenance_mut());
            state.tape.interactions.iter_mut().for_each(|interaction| aliases.in_interaction(interaction));
            state.aliases = aliases;
        }
        self
    }

    /// The tape so far.
    #[must_use]
    pub fn tape(&self) -> Tape {
        locked(&self.state).tape()
    }

    /// Writes the tape so far: whole, or not at all. If there is another one in its place, that is kept
    /// beside it, as `FILE.1.bak` or the next number that is free.
    ///
    /// # Errors
    /// [`TapeError::Leak`] if there is a secret on the tape that cannot be taken out; [`TapeError::Write`].
    /// Either way the file is as it was.
    pub fn finish(&self) -> Result<(), TapeError> {
        let (tape, extends) = {
            let state = locked(&self.state);
            let mut tape = state.tape();
            let mut redactor = locked(&state.redactor);
            // What the store gave out since may stand in what came before.
            tape.redact(&mut redactor);
            let leaks = tape.leaks(&mut redactor);
            if !leaks.is_empty() {
                return Err(TapeError::Leak { at: leaks });
            }
            (tape, state.extends)
        };
        file::put(&self.path, &tape.to_json(), !extends)
            .map_err(|source| TapeError::Write { path: self.path.clone(), source })
    }

    /// Whether anything was recorded.
    pub(super) fn is_empty(&self) -> bool {
        locked(&self.state).exchanges.iter().all(|exchange| exchange.interaction.is_none())
    }

    fn begin(&self, parts: &Parts, body: &[u8]) -> Recording {
        let mut state = locked(&self.state);
        let mut request = RecordedRequest::from_sent(parts, body, &mut locked(&state.redactor));
        state.aliases.in_request(&mut request);
        request.headers.retain(|(name, _)| !OF_THE_CLIENT.contains(&name.as_str()));
        let after = parts.extensions.get::<After>().map_or(state.tape.interactions.len(), |after| after.0);
        state.exchanges.push(Exchange { after, interaction: None });
        let side_by_side = state.under_way > 0;
        state.under_way += 1;
        Recording {
            state: Arc::clone(&self.state),
            path: self.path.clone(),
            index: state.exchanges.len() - 1,
            request,
            side_by_side,
            sent: Instant::now(),
            margin: Margin::default(),
        }
    }
}

impl Transport for Recorder {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let recorder = self.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let recording = recorder.begin(&parts, &body);
            parts.extensions.insert(recording.margin.clone());
            let method = parts.method.clone();
            let request = http::Request::from_parts(parts, whole(body));
            let (parts, mut body) = match recorder.inner.send(request, timeouts).await {
                Ok(response) => response.into_parts(),
                Err(error) => {
                    recording.failed(&error);
                    return Err(error);
                }
            };
            let head = Instant::now();
            let mut bytes = Vec::new();
            while let Some(frame) = body.frame().await {
                match frame {
                    Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                    Err(error) => {
                        recording.ended(&method, &parts, &bytes, head, Some(Fault::after(bytes.len())));
                        return Err(error);
                    }
                }
            }
            recording.ended(&method, &parts, &bytes, head, None);
            Ok(http::Response::from_parts(parts, whole(bytes.into())))
        })
    }
}

/// One exchange under way.
struct Recording {
    state: Arc<Mutex<State>>,
    path: PathBuf,
    index: usize,
    request: RecordedRequest,
    side_by_side: bool,
    sent: Instant,
    margin: Margin,
}

impl Drop for Recording {
    fn drop(&mut self) {
        locked(&self.state).under_way -= 1;
    }
}

impl Recording {
    fn ended(
        &self,
        method: &Method,
        parts: &response::Parts,
        body: &[u8],
        head: Instant,
        fault: Option<Fault>,
    ) {
        let response = {
            let state = locked(&self.state);
            let mut redactor = locked(&state.redactor);
            recorded_response(&self.request.url, method, parts, body, &mut redactor, &state.aliases)
        };
        self.keep(Some(response), fault, Some(head));
    }

    /// What the host itself has refused is no part of the tape: the host will refuse it again.
    fn failed(&self, error: &TransportError) {
        if let Some(fault) = Fault::from_failure(error) {
            self.keep(None, Some(fault), None);
        }
    }

    fn keep(&self, response: Option<RecordedResponse>, fault: Option<Fault>, head: Option<Instant>) {
        let mut state = locked(&self.state);
        let since = |moment: Instant| milliseconds(moment.saturating_duration_since(state.began));
        let timing = head.map(|head| Timing {
            sent_ms: since(self.sent),
            head_ms: since(head),
            done_ms: since(Instant::now()),
        });
        let notes = self.margin.take().unwrap_or(Notes {
            note: None,
            provenance: None,
            rules: super::Rules::default(),
            side_by_side: self.side_by_side,
            timing,
            fault,
            response: None,
        });
        state.exchanges[self.index].interaction = Some(Interaction {
            note: notes.note,
            provenance: notes.provenance,
            rules: notes.rules,
            side_by_side: notes.side_by_side,
            timing: notes.timing,
            request: self.request.clone(),
            response: notes.response.or(response),
            fault: notes.fault,
        });
        let tape = state.tape();
        let clean = tape.leaks(&mut locked(&state.redactor)).is_empty();
        if clean && !self.path.as_os_str().is_empty() {
            // Of use only if the program ends before its time; and the tape itself is still in memory.
            let _ = file::replace(&part(&self.path), &tape.to_json());
        }
    }
}

impl State {
    fn tape(&self) -> Tape {
        let mut tape = self.tape.emptied();
        for after in 0..=self.tape.interactions.len() {
            let new = self.exchanges.iter().filter(|exchange| exchange.after == after);
            tape.interactions.extend(new.filter_map(|exchange| exchange.interaction.clone()));
            tape.interactions.extend(self.tape.interactions.get(after).cloned());
        }
        tape
    }
}

/// Where the tape is while it is being recorded.
pub(super) fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn milliseconds(time: std::time::Duration) -> f64 {
    // To the microsecond: finer than a network, and short in the file.
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Headers that say how the request travelled, which is no part of what was asked.
const OF_THE_CLIENT: [&str; 7] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"];

/// Headers of one connection; a replay has none.
const OF_THE_CONNECTION: [&str; 3] = ["alt-svc", "connection", "transfer-encoding"];

fn recorded_response(
    url: &str,
    method: &Method,
    parts: &response::Parts,
    bytes: &[u8],
    redactor: &mut Redactor,
    aliases: &Aliases,
) -> RecordedResponse {
    let mut headers = recorded_headers(&parts.headers, redactor);
    let media = content_type(&parts.headers);
    let encoding = parts.headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let (body, decoded) = match encoding.map(|encoding| inflate::content(encoding, bytes)) {
        _ if bytes.is_empty() => (None, false),
        None => (recorded_body(url, media, bytes, redactor), false),
        Some(None) => (Some(redactor.unreadable(bytes)), true),
        Some(Some(plain)) if redactor.finds_in(&plain) || aliases.name(&plain) => {
            (recorded_body(url, media, &plain, redactor), true)
        }
        Some(Some(_)) => (recorded_body(url, media, bytes, redactor), false),
    };
    if decoded {
        headers.retain(|(name, _)| name != "content-encoding");
    }
    let mut response = RecordedResponse { status: parts.status.as_u16(), headers, body };
    aliases.in_response(&mut response);
    // To HEAD, the length is that of another answer.
    if *method != Method::HEAD {
        response.correct_length();
    }
    response
}

fn recorded_headers(headers: &HeaderMap, redactor: &mut Redactor) -> Vec<(String, String)> {
    text_headers(headers)
        .filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()))
        .map(|(name, value)| {
            let value = redactor.header(&name, &value);
            (name, value)
        })
        .collect()
}

/// JSON is stored as such if that loses nothing: Google's may be laid out anew, a function's may not,
/// unless a secret has to come out of it.
fn recorded_body(url: &str, media: &str, bytes: &[u8], redactor: &mut Redactor) -> Option<RecordedBody> {
    let body = RecordedBody::classify(media, bytes)?;
    let redacted = redactor.body(&body);
    let googles = url
        .parse::<http::Uri>()
        .is_ok_and(|uri| uri.host().is_some_and(|host| host.ends_with(".googleapis.com")));
    if googles || redacted != body || body.to_bytes() == bytes {
        return Some(redacted);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(RecordedBody::Text(redactor.text(text))),
        Err(_) => Some(RecordedBody::Base64(redactor.bytes(bytes))),
    }
}
