//! Answers from a tape, in order, and from nowhere else.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, request::Parts};
use http_body_util::{BodyExt as _, Full};

use super::{
    TapeError,
    format::{RecordedBody, RecordedRequest, RecordedResponse, Tape},
    nearest::{Difference, differences, nearest},
    redact::Redactor,
    request::Comparable,
};
use crate::transport::{Body, Sending, Timeouts, Transport, TransportError};

/// A [`Transport`] that answers each request with the next response of a tape.
///
/// A request that is not the tape's next one is answered by [`TransportError::TapeMiss`]; what
/// differs is in [`misses`](Self::misses). Call [`finish`](Self::finish) at the end: an interaction
/// that nobody asked for is a failure too. Clones share one position on the tape.
#[derive(Debug, Clone)]
pub struct Replay(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Each request in comparable form, with its response.
    requests: Vec<Comparable>,
    responses: Vec<RecordedResponse>,
    next: usize,
    misses: Vec<Miss>,
    redactor: Redactor,
}

/// A request that the tape does not answer. All values are redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// `METHOD https://host/path` of the request that was sent.
    pub request: String,
    /// The tape's next interaction, as `interactions[I] METHOD URL`; `None` at the tape's end.
    pub expected: Option<String>,
    /// The most similar interaction of the tape; `None` if the tape is empty.
    pub nearest: Option<String>,
    /// What differs from the most similar one.
    pub differences: Vec<Difference>,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "not on the tape: {}", self.request)?;
        match &self.expected {
            Some(expected) => writeln!(f, "  next:    {expected}")?,
            None => writeln!(f, "  next:    none, the tape has ended")?,
        }
        if let Some(nearest) = &self.nearest {
            let same = if self.differences.is_empty() { " (the same request)" } else { "" };
            writeln!(f, "  nearest: {nearest}{same}")?;
        }
        for difference in &self.differences {
            writeln!(f, "    {difference}")?;
        }
        write!(f, "hint: {}", self.hint)
    }
}

impl Replay {
    /// Begins at the tape's first interaction.
    #[must_use]
    pub fn new(tape: Tape) -> Self {
        let mut redactor = Redactor::default();
        let (mut requests, mut responses) = (Vec::new(), Vec::new());
        for interaction in tape.interactions {
            // A token that the tape hands out comes back as its placeholder. Any other token must not
            // be given the same number, or a wrong one would match; a secret of the caller must.
            let text = serde_json::to_string(&interaction.response).expect("maps have string keys");
            redactor.reserve(&text);
            requests.push(Comparable::new(&interaction.request));
            responses.push(interaction.response);
        }
        Self(Arc::new(Mutex::new(State { requests, responses, next: 0, misses: Vec::new(), redactor })))
    }

    /// The requests that the tape did not answer, in the order in which they came.
    #[must_use]
    pub fn misses(&self) -> Vec<Miss> {
        self.state().misses.clone()
    }

    /// How many interactions are not used yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        let state = self.state();
        state.requests.len() - state.next
    }

    /// Whether the replay went exactly as the tape says.
    ///
    /// # Errors
    /// [`TapeError::NotReplayed`], which names every miss and every unused interaction.
    pub fn finish(&self) -> Result<(), TapeError> {
        let state = self.state();
        let unused: Vec<String> = (state.next..state.requests.len()).map(|i| state.name(i)).collect();
        if state.misses.is_empty() && unused.is_empty() {
            return Ok(());
        }
        Err(TapeError::NotReplayed { misses: state.misses.clone(), unused })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Replay {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        let replay = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            replay.state().answer(&parts, &body)
        })
    }
}

impl State {
    fn answer(&mut self, parts: &Parts, body: &[u8]) -> Result<http::Response<Body>, TransportError> {
        let sent = Comparable::new(&RecordedRequest::from_sent(parts, body, &mut self.redactor));
        if let Some(expected) = self.requests.get(self.next)
            && differences(expected, &sent).is_empty()
        {
            let response = response(&self.responses[self.next]);
            self.next += 1;
            return response;
        }
        let miss = self.miss(&sent);
        let short = match &miss.expected {
            Some(expected) => format!("{}; the tape's next is {expected}", miss.request),
            None => format!("{}; the tape has ended", miss.request),
        };
        self.misses.push(miss);
        Err(TransportError::TapeMiss(short))
    }

    fn miss(&self, sent: &Comparable) -> Miss {
        let found = nearest(&self.requests, self.next, sent);
        let ended = self.next >= self.requests.len();
        let next = self.next;
        let hint = match &found {
            None => "the tape is empty; record one".to_owned(),
            Some((index, same)) if same.is_empty() && *index < next => format!(
                "interactions[{index}] answered this already: the request was sent twice; \
                 copy the interaction to its new place if that is meant"
            ),
            Some((index, same)) if same.is_empty() => format!(
                "interactions[{index}] answers this, but interactions[{next}] comes first: \
                 the order changed; move the interaction if that is meant"
            ),
            Some(_) if ended => "all interactions are used; add this one to the tape, or record it again, \
                 if the request is meant"
                .to_owned(),
            Some((index, _)) => format!(
                "if the request is right, correct interactions[{index}].request or record the tape again; \
                 if the tape is right, the program has changed"
            ),
        };
        Miss {
            request: sent.summary(),
            expected: (!ended).then(|| self.name(next)),
            nearest: found.as_ref().map(|(index, _)| self.name(*index)),
            differences: found.map(|(_, differences)| differences).unwrap_or_default(),
            hint,
        }
    }

    fn name(&self, index: usize) -> String {
        format!("interactions[{index}] {}", self.requests[index].summary())
    }
}

fn response(recorded: &RecordedResponse) -> Result<http::Response<Body>, TransportError> {
    let body = recorded.body.as_ref().map(RecordedBody::to_bytes).unwrap_or_default();
    let never = |never: std::convert::Infallible| match never {};
    let mut response = http::Response::new(Full::<Bytes>::new(body).map_err(never).boxed_unsync());
    // The reader of a tape has checked these; a recorder has them from a response.
    let broken = |what: String| TransportError::Protocol(format!("the tape's response has {what}"));
    *response.status_mut() =
        StatusCode::from_u16(recorded.status).map_err(|_| broken(format!("status {}", recorded.status)))?;
    for (name, value) in &recorded.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken(format!("header {name:?}")))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| broken(format!("a value of header {name} that cannot be sent")))?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}
