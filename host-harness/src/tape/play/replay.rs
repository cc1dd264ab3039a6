//! Answers from a tape, and from nowhere else.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use tokio::time::sleep;

use crate::tape::{
    bounds::{MAX_HELD, collected},
    error::TapeError,
    file::{
        fault::Fault,
        format::{Interaction, RecordedBody, RecordedRequest, RecordedResponse, Tape, Timing},
    },
    hide::{live_secrets::LiveSecrets, redact::Redactor, rename::Aliases},
    miss::Miss,
    play::handover::Margin,
    queue::Queue,
    same::{
        matching::{differences, nearest},
        request::Comparable,
        tolerance::Tolerance,
    },
    shared::{locked, whole},
};
use crate::{
    limits::account::Account,
    outgoing::turns::{Turn, Turns},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

/// A [`Transport`] that answers each request with the next response of a tape.
///
/// The tape's next interaction answers a request, or another of those that were under way together with it,
/// if it is the same but for what the tape's rules leave open; or one that may be repeated. Any other request
/// is answered by [`TransportError::TapeMiss`]; [`misses`](Self::misses) has the differences. Call
/// [`finish`](Self::finish) at the end: an interaction that nobody asked for is a failure too. Clones share
/// one position on the tape.
///
/// The answers to one call come one at a time, in the order of the tape's own times, and else in
/// that of the requests; so a call on a tape is the same call every time. Comparing happens on
/// tokio's threads for blocking work, one request at a time; a request's body is held in memory, up
/// to 32 MiB, and those of all requests up to 512 MiB.
#[derive(Debug, Clone)]
pub struct Replay {
    state: Arc<Mutex<State>>,
    queue: Queue,
    /// The account of bodies that are compared or wait for it.
    room: Arc<Account>,
}

#[derive(Debug)]
struct State {
    /// Each request in comparable form, with its interaction.
    recorded: Vec<(Comparable, Interaction)>,
    used: Vec<bool>,
    /// True if any interaction may be the next one.
    in_any_order: bool,
    /// True if the tape stands for a server: an interaction answers more than once, and need not be used.
    is_stub: bool,
    misses: Vec<Miss>,
    redactor: Arc<Mutex<Redactor>>,
    aliases: Aliases,
}

impl Replay {
    /// Begins at the tape's first interaction.
    #[must_use]
    pub fn new(tape: Tape) -> Self {
        let redactor = Arc::new(Mutex::new(Redactor::thorough()));
        let replay = Self::with(tape, Arc::clone(&redactor), false);
        locked(&redactor).serve(replay.queue.waiter());
        replay
    }

    /// Stands for a server from now on: any interaction answers, in whatever order and as often as it is
    /// asked for, and none must be used. A request that is not on the tape is a miss as ever.
    #[must_use]
    pub fn as_stub(self) -> Self {
        {
            let mut state = self.state();
            (state.in_any_order, state.is_stub) = (true, true);
        }
        self
    }

    /// Tells whether it stands for a server.
    pub(in crate::tape) fn is_stub(&self) -> bool {
        self.state().is_stub
    }

    /// Takes these secrets out of each request by their exact value, as the recording did.
    #[must_use]
    pub fn knowing(self, live: LiveSecrets) -> Self {
        locked(&self.state().redactor).know(live);
        self
    }

    /// Compares each request under these names, as it was recorded, and answers with the request's own names.
    /// A tape that still has the old names is taken as if it had the new ones.
    #[must_use]
    pub fn renaming(self, aliases: Aliases) -> Self {
        {
            let mut state = self.state();
            for (comparable, interaction) in &mut state.recorded {
                aliases.in_interaction(interaction);
                *comparable =
                    Comparable::new(&interaction.request, std::mem::take(&mut comparable.tolerance));
            }
            state.aliases = aliases;
        }
        self
    }

    /// The interaction under the names that the request has.
    pub(in crate::tape) fn named_back(&self, mut interaction: Interaction) -> Interaction {
        if let Some(response) = &mut interaction.response {
            self.state().aliases.back().in_response(response);
        }
        interaction
    }

    pub(in crate::tape) fn with(tape: Tape, redactor: Arc<Mutex<Redactor>>, in_any_order: bool) -> Self {
        let mut recorded = Vec::new();
        for interaction in tape.interactions {
            // A token that the tape hands out comes back as its placeholder. Any other token must not
            // be given the same number, or a wrong one would match; a secret of the caller must.
            let text = serde_json::to_string(&interaction.response).expect("maps have string keys");
            locked(&redactor).reserve(&text);
            let tolerance = Tolerance::new(&tape.rules, &interaction.rules);
            recorded.push((Comparable::new(&interaction.request, tolerance), interaction));
        }
        let used = vec![false; recorded.len()];
        let (misses, aliases) = (Vec::new(), Aliases::default());
        let state = State { recorded, used, in_any_order, is_stub: false, misses, redactor, aliases };
        let (state, room) = (Arc::new(Mutex::new(state)), Account::new(MAX_HELD));
        Self { state, queue: Queue::default(), room }
    }

    /// Limits the bodies in memory to so many bytes.
    #[cfg(test)]
    pub(in crate::tape) fn holding(mut self, bytes: usize) -> Self {
        self.room = Account::new(bytes);
        self
    }

    /// The requests that the tape did not answer, in the order in which they came.
    #[must_use]
    pub fn misses(&self) -> Vec<Miss> {
        self.state().misses.clone()
    }

    /// The number of interactions that are not used yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.state().used.iter().filter(|used| !**used).count()
    }

    /// Checks that the replay went exactly as the tape says.
    ///
    /// # Errors
    /// [`TapeError::NotReplayed`], which names every miss and every unused interaction.
    pub fn finish(&self) -> Result<(), TapeError> {
        let state = self.state();
        let unused: Vec<String> = (0..state.used.len())
            .filter(|index| !state.used[*index] && !state.is_stub)
            .map(|index| state.name(index))
            .collect();
        if state.misses.is_empty() && unused.is_empty() {
            return Ok(());
        }
        Err(TapeError::NotReplayed { misses: state.misses.clone(), unused })
    }

    /// The interaction with which the tape answers this request now. A request that it does not answer is a
    /// miss.
    pub(in crate::tape) fn answer(&self, parts: &Parts, body: &[u8]) -> Result<Interaction, TransportError> {
        self.state().answer(parts, body)
    }

    /// The interaction that answers this request, which counts as used from now on.
    pub(in crate::tape) fn find(&self, parts: &Parts, body: &[u8]) -> Option<(usize, Interaction)> {
        let mut state = self.state();
        let sent = state.sent(parts, body);
        state.take(&sent).map(|index| (index, state.recorded[index].1.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl Transport for Replay {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let replay = self.clone();
        // Taken now, in the order in which the guest sends.
        let turn = request.extensions().get::<Arc<Turns>>().map(Turns::answer);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = collected(body, "request", &replay.room).await?;
            if let Some(turn) = &turn {
                turn.to_be_found().await;
            }
            let queue = replay.queue.clone();
            let answer = queue.run(move || {
                let interaction = replay.answer(&parts, &body)?;
                Margin::note(&parts.extensions, &interaction);
                Ok((replay.named_back(interaction), parts.method))
            });
            match (answer.await?, turn) {
                (Ok((interaction, method)), turn) => play(interaction, &method, timeouts, turn).await,
                (Err(miss), Some(turn)) => {
                    turn.to_come(Duration::ZERO, Duration::ZERO).await;
                    turn.hand_over();
                    Err(miss)
                }
                (Err(miss), None) => Err(miss),
            }
        })
    }
}

impl State {
    fn sent(&self, parts: &Parts, body: &[u8]) -> Comparable {
        let mut request = RecordedRequest::from_sent(parts, body, &mut locked(&self.redactor));
        self.aliases.in_request(&mut request);
        Comparable::new(&request, Tolerance::default())
    }

    fn answer(&mut self, parts: &Parts, body: &[u8]) -> Result<Interaction, TransportError> {
        let sent = self.sent(parts, body);
        if let Some(index) = self.take(&sent) {
            return Ok(self.recorded[index].1.clone());
        }
        // A request that was not searched to its end is compared with nothing.
        if locked(&self.redactor).is_given_up() {
            return Err(TransportError::Closed("the call has ended".to_owned()));
        }
        let miss = self.miss(&sent);
        let missed = miss.missed();
        self.misses.push(miss);
        Err(TransportError::TapeMiss(missed))
    }

    fn take(&mut self, sent: &Comparable) -> Option<usize> {
        let answers = |index: &usize| differences(&self.recorded[*index].0, sent).is_empty();
        let repeats =
            |index: &usize| self.used[*index] && (self.is_stub || self.recorded[*index].0.tolerance.repeat);
        let index =
            self.candidates().find(answers).or_else(|| (0..self.used.len()).filter(repeats).find(answers))?;
        self.used[index] = true;
        Some(index)
    }

    /// The first interaction that is not used, and those that were under way together with it.
    fn candidates(&self) -> impl Iterator<Item = usize> {
        let next = self.next();
        let together = (next + 1..self.used.len())
            .take_while(|index| self.in_any_order || self.recorded[*index].1.side_by_side);
        (next..self.used.len()).take(1).chain(together).filter(|index| !self.used[*index])
    }

    fn next(&self) -> usize {
        self.used.iter().position(|used| !used).unwrap_or(self.used.len())
    }

    fn miss(&self, sent: &Comparable) -> Miss {
        let next = self.next();
        let found = nearest(&self.recorded, next, sent);
        let ended = next >= self.used.len();
        let hint = match &found {
            None => "the tape is empty; record one".to_owned(),
            Some((index, same)) if same.is_empty() && self.used[*index] => format!(
                "interactions[{index}] answered this already: the request was sent twice; copy the interaction \
                 to its new place, or set `match.repeat` to true in it, if that is meant"
            ),
            Some((index, same)) if same.is_empty() => format!(
                "interactions[{index}] answers this, but interactions[{next}] comes first: if that is another \
                 program's, such as another command's, play the tape in the mode `stub`; if the order has \
                 changed, move the interaction"
            ),
            Some(_) if ended => "all interactions are used; add this one to the tape, or record it again, \
                 if the request is meant"
                .to_owned(),
            Some((index, _)) => format!(
                "if the request is right, correct interactions[{index}].request or record the tape again; \
                 if the tape is right, the program has changed; a field that may differ belongs in `match.ignore`"
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
        format!("interactions[{index}] {}", self.recorded[index].0.summary())
    }
}

/// Plays an interaction: its response, and its fault; in its turn, if it has one.
pub(in crate::tape) async fn play(
    interaction: Interaction,
    method: &Method,
    timeouts: Timeouts,
    turn: Option<Turn>,
) -> Result<http::Response<Body>, TransportError> {
    let Interaction { response: recorded, fault, timing, .. } = interaction;
    let fault = fault.unwrap_or_default();
    let silence = fault.silence(timeouts);
    match turn {
        Some(turn) => {
            let taken = timing.map(Timing::taken).unwrap_or_default();
            turn.to_come(taken.saturating_add(silence), silence).await;
            turn.hand_over();
        }
        None if silence.is_zero() => {}
        None => sleep(silence).await,
    }
    fault.outcome(timeouts)?;
    let recorded = recorded
        .ok_or_else(|| TransportError::Protocol("the tape has no response for this request".to_owned()))?;
    response(&recorded, &fault, method, timeouts)
}

fn response(
    recorded: &RecordedResponse,
    fault: &Fault,
    method: &Method,
    timeouts: Timeouts,
) -> Result<http::Response<Body>, TransportError> {
    let body = recorded.body.as_ref().map(RecordedBody::to_bytes).unwrap_or_default();
    let length = fault.declared(body.len());
    let body = if *fault == Fault::default() { whole(body) } else { fault.body(&body, timeouts) };
    let mut response = http::Response::new(body);
    // The reader of a tape has checked these; a recorder has them from a response.
    let broken = |what: String| TransportError::Protocol(format!("the tape's response has {what}"));
    *response.status_mut() =
        StatusCode::from_u16(recorded.status).map_err(|_| broken(format!("status {}", recorded.status)))?;
    for (name, value) in &recorded.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken(format!("header {name:?}")))?;
        // The body may have been edited by hand. To HEAD, the length is that of another answer.
        let value = if name == header::CONTENT_LENGTH && *method != Method::HEAD {
            HeaderValue::from(length)
        } else {
            HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| broken(format!("a value of header {name} that cannot be sent")))?
        };
        response.headers_mut().append(name, value);
    }
    Ok(response)
}
