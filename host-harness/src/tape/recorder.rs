//! Writes what passes through another transport to a tape.

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, request::Parts, response};
use http_body_util::{BodyExt as _, Full};

use super::{
    TapeError,
    format::{Interaction, RecordedBody, RecordedRequest, RecordedResponse, Tape},
    live_secrets::LiveSecrets,
    redact::Redactor,
    request::{content_type, text_headers},
};
use crate::transport::{Body, Sending, Timeouts, Transport, TransportError};

/// A [`Transport`] that keeps a redacted copy of each exchange of another one.
///
/// Bodies are held in memory in both directions, so a response arrives whole instead of streamed. The
/// order on the tape is that in which requests were sent. An exchange that brought no response is not
/// on the tape. Nothing is written before [`finish`](Self::finish). Clones share one tape.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<dyn Transport>,
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

struct State {
    tape: Tape,
    /// One place per request sent; filled when its response is there.
    exchanges: Vec<Option<Interaction>>,
    redactor: Redactor,
}

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
        let mut redactor = Redactor::thorough();
        redactor.reserve(&tape.to_json());
        for interaction in &tape.interactions {
            interaction.reserve_query(&mut redactor);
        }
        let state = State { tape, exchanges: Vec::new(), redactor };
        Self { inner, path: path.into(), state: Arc::new(Mutex::new(state)) }
    }

    /// Keeps these secrets off the tape by their exact value, wherever and in whatever encoding they stand.
    #[must_use]
    pub fn knowing(self, live: LiveSecrets) -> Self {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).redactor.know(live);
        self
    }

    /// The tape so far.
    #[must_use]
    pub fn tape(&self) -> Tape {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tape = state.tape.clone();
        tape.interactions.extend(state.exchanges.iter().flatten().cloned());
        tape
    }

    /// Writes the tape so far: whole, or not at all.
    ///
    /// # Errors
    /// [`TapeError::Write`].
    pub fn finish(&self) -> Result<(), TapeError> {
        write(&self.path, &self.tape().to_json())
            .map_err(|source| TapeError::Write { path: self.path.clone(), source })
    }

    fn begin(&self, parts: &Parts, body: &[u8]) -> (usize, RecordedRequest) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut request = RecordedRequest::from_sent(parts, body, &mut state.redactor);
        request.headers.retain(|name, _| !OF_THE_CLIENT.contains(&name.as_str()));
        state.exchanges.push(None);
        (state.exchanges.len() - 1, request)
    }

    fn end(&self, index: usize, request: RecordedRequest, parts: &response::Parts, body: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let headers = recorded_headers(&parts.headers, &mut state.redactor);
        let body = recorded_body(&request.url, content_type(&parts.headers), body, &mut state.redactor);
        let response = RecordedResponse { status: parts.status.as_u16(), headers, body };
        state.exchanges[index] = Some(Interaction { note: None, provenance: None, request, response });
    }
}

impl Transport for Recorder {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let recorder = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let (index, recorded) = recorder.begin(&parts, &body);
            let request = http::Request::from_parts(parts, whole(body));
            let (parts, body) = recorder.inner.send(request, timeouts).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            recorder.end(index, recorded, &parts, &body);
            Ok(http::Response::from_parts(parts, whole(body)))
        })
    }
}

/// Headers that say how the request travelled, which is no part of what was asked.
const OF_THE_CLIENT: [&str; 7] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"];

/// Headers of one connection or of the body's length before redaction; a replay makes its own.
const OF_THE_CONNECTION: [&str; 4] = ["alt-svc", "connection", "content-length", "transfer-encoding"];

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

fn whole(body: Bytes) -> Body {
    let never = |never: std::convert::Infallible| -> TransportError { match never {} };
    Full::new(body).map_err(never).boxed_unsync()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
