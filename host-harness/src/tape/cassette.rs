//! One tape in use, and the modes of its use.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::tape::{
    bounds::is_lavish,
    error::TapeError,
    file::{
        format::{Interaction, RecordedBody, Tape, Timing},
        store,
    },
    hide::{live_secrets::LiveSecrets, redact::Redactor, rename::Aliases, scan},
    miss::Miss,
    play::{
        given::{GivenOut, grants},
        handover::Margin,
        replay::{Replay, play},
    },
    record::recorder::{After, Recorder},
    shared::{locked, whole},
};
use crate::{
    clock::{Clock, FrozenClock, Random, SystemClock, SystemRandom},
    host::HostBuilder,
    outgoing::turns::{Turn, Turns},
    secrets::{Fresh, Layer, Overlay, SecretStore, StoreError, Written},
    transport::{Body, Sending, Timeouts, Transport},
};

/// The ways to use a tape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Every request is answered by the tape, or fails. The store is read, and not written.
    #[default]
    Replay,
    /// As [`Replay`](Self::Replay), but in any order, as often as asked for, and not all of it: the tape
    /// stands for a server that somebody tries things on.
    Stub,
    /// [`Replay`](Self::Replay) if there is a tape, [`Record`](Self::Record) if there is none.
    Once,
    /// A request that is on the tape is answered by it, in any order; any other is sent, and added.
    ///
    /// A request whose answer gave out a secret is sent again, for the tape has only a placeholder for it; it
    /// stays on the tape as it is. So is each request for a token that the tape would grant, in whatever
    /// form. The only writes that reach the store are of tokens that came from Google's servers in this
    /// process, for a connection that the store has: a refresh token that took the place of another would be
    /// lost otherwise.
    ///
    /// Answers on the tape keep their times and their order, whoever asks. New are the time of day, by which tokens
    /// are asked for, and randomness, on which sign-ins rely.
    NewEpisodes,
    /// Everything is sent, and recorded anew.
    Record,
    /// Everything is sent, and recorded behind what is on the tape, as by [`Tape::join`].
    Append,
    /// Everything is sent, and nothing recorded.
    Passthrough,
}

/// A tape in use: a [`Transport`] with the clock and the randomness that belong to it.
#[derive(Debug, Clone)]
pub struct Cassette {
    deck: Deck,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    live: LiveSecrets,
    /// The writes over the stores that the cassette was used with.
    layer: Layer,
    /// The entries of their caches that were written since.
    written: Written,
    /// The caches that are not read.
    hidden: &'static [&'static str],
    on_tape: usize,
}

#[derive(Debug, Clone)]
enum Deck {
    Replaying(Replay),
    Recording(Recorder),
    Adding(Episodes),
    Passing(Arc<dyn Transport>),
}

impl Cassette {
    /// Replays this tape.
    #[must_use]
    pub fn replay(tape: Tape) -> Self {
        Self::playing(tape, |replay| replay)
    }

    /// Replays this tape as [`Mode::Stub`] does.
    #[must_use]
    pub fn stub(tape: Tape) -> Self {
        Self::playing(tape, Replay::as_stub)
    }

    fn playing(tape: Tape, how: impl FnOnce(Replay) -> Replay) -> Self {
        let (clock, random) = (Arc::new(tape.clock()), Arc::new(tape.random()));
        let (live, on_tape) = (LiveSecrets::default(), tape.interactions().len());
        let grants = grants_any(&tape);
        let replay = how(Replay::new(tape).knowing(live.clone()));
        let hidden: &[&str] = match (replay.is_stub(), grants) {
            (false, true) => CACHES,
            (false, false) => &["functions/", "repeats/", "status/"],
            // To a server, a command comes with what earlier ones have left; but its tokens are its own.
            (true, true) => &["tokens/"],
            (true, false) => &[],
        };
        Self { hidden, ..Self::with(Deck::Replaying(replay), clock, random, live, on_tape) }
    }

    fn with(
        deck: Deck,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        live: LiveSecrets,
        on_tape: usize,
    ) -> Self {
        let (layer, written) = (Layer::default(), Written::default());
        Self { deck, clock, random, live, layer, written, hidden: CACHES, on_tape }
    }

    /// Uses the tape at `path` as `mode` says. `network` sends what the tape does not answer; `blank` is the
    /// empty tape that a recording begins with, with its clock, its seed and where it comes from.
    ///
    /// # Errors
    /// The error of [`Tape::read`], if the mode needs the tape; [`TapeError::Write`] if there is something at
    /// `path` that a tape cannot take the place of.
    pub fn open(
        path: impl Into<PathBuf>,
        mode: Mode,
        network: Arc<dyn Transport>,
        blank: Tape,
    ) -> Result<Self, TapeError> {
        let path = path.into();
        let exists = path.exists();
        if matches!(mode, Mode::Record | Mode::Append | Mode::Once | Mode::NewEpisodes) {
            store::refuse_what_is_no_file(&path)
                .map_err(|source| TapeError::Write { path: path.clone(), source })?;
        }
        let live = LiveSecrets::default();
        // Whoever records measures what really passes.
        let (clock, random) = (Arc::new(FrozenClock::at(blank.clock().now())), Arc::new(blank.random()));
        match mode {
            Mode::Replay => return Ok(Self::replay(Tape::read(path)?)),
            Mode::Stub => return Ok(Self::stub(Tape::read(path)?)),
            Mode::Once if exists => return Ok(Self::replay(Tape::read(path)?)),
            Mode::Passthrough => {
                let (clock, random) = (Arc::new(SystemClock::default()), Arc::new(SystemRandom));
                return Ok(Self::with(Deck::Passing(network), clock, random, live, 0));
            }
            Mode::NewEpisodes if exists => {
                let tape = Tape::read(&path)?;
                let on_tape = tape.interactions().len();
                let deck = Deck::Adding(Episodes::new(path, tape, network, live.clone()));
                return Ok(Self::with(deck, Arc::new(blank.clock()), random, live, on_tape));
            }
            Mode::Append if exists => {
                let before = Tape::read(&path)?;
                let recorder = Recorder::new(network, path, blank).knowing(live.clone()).behind(before);
                return Ok(Self::with(Deck::Recording(recorder), clock, random, live, 0));
            }
            Mode::Once | Mode::NewEpisodes | Mode::Record | Mode::Append => {}
        }
        let deck = Deck::Recording(Recorder::new(network, path, blank).knowing(live.clone()));
        Ok(Self::with(deck, clock, random, live, 0))
    }

    /// Gives projects and people these names on the tape: [`Recorder::renaming`] or [`Replay::renaming`], by
    /// the mode.
    #[must_use]
    pub fn renaming(mut self, aliases: Aliases) -> Self {
        self.deck = match self.deck {
            Deck::Replaying(replay) => Deck::Replaying(replay.renaming(aliases)),
            Deck::Recording(recorder) => Deck::Recording(recorder.renaming(aliases)),
            Deck::Adding(mut episodes) => {
                episodes.replay = episodes.replay.renaming(aliases.clone());
                episodes.recorder = episodes.recorder.renaming(aliases);
                Deck::Adding(episodes)
            }
            Deck::Passing(network) => Deck::Passing(network),
        };
        self
    }

    /// Puts the cassette into a host: the transport, the clock, the randomness, and `store`, whose secrets
    /// are kept off the tape by their exact value.
    ///
    /// Tokens, faults and addresses that `store` has from before are not used: a recording holds what a call
    /// needs, whatever was cached when it was made, and a replay asks for it. A tape on which no
    /// token is granted is played with those of `store`.
    ///
    /// While a tape is played, nothing reaches `store`: the connections, tokens and faults of a tape do not
    /// belong there. They stay in memory, for all hosts that this cassette is put into. [`Mode::NewEpisodes`]
    /// has one exception.
    #[must_use]
    pub fn insert(&self, builder: HostBuilder, store: Arc<dyn SecretStore>) -> HostBuilder {
        builder
            .secrets(self.over(store))
            .transport(Arc::new(self.clone()))
            .clock(Arc::clone(&self.clock))
            .random(Arc::clone(&self.random))
    }

    /// The store as a host sees it that the cassette is put into ([`insert`](Self::insert)): for a tenant of that host
    /// ([`Host::for_tenant`](crate::Host::for_tenant)), too.
    #[must_use]
    pub fn over(&self, store: Arc<dyn SecretStore>) -> Arc<dyn SecretStore> {
        self.live.watch(self.beneath(store))
    }

    fn beneath(&self, store: Arc<dyn SecretStore>) -> Arc<dyn SecretStore> {
        let fresh = || Arc::new(Fresh::new(Arc::clone(&store), self.hidden, self.written.clone()));
        match &self.deck {
            Deck::Replaying(_) => Arc::new(Overlay::new(fresh(), self.layer.clone())),
            Deck::Adding(episodes) => {
                let given = Arc::new(episodes.given.clone());
                Arc::new(Overlay::letting_through(fresh(), self.layer.clone(), given))
            }
            Deck::Recording(_) => fresh(),
            Deck::Passing(_) => store,
        }
    }

    /// Writes the changes that a replay has left in memory into a store that is for replays only: its tokens
    /// are placeholders, which no server takes.
    ///
    /// # Errors
    /// The error of the store.
    pub fn keep_in(&self, store: &dyn SecretStore) -> Result<(), StoreError> {
        self.layer.keep_in(store)
    }

    /// The number of the tape's interactions that are not used yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        match &self.deck {
            Deck::Replaying(replay) => replay.remaining(),
            Deck::Adding(episodes) => episodes.replay.remaining(),
            Deck::Recording(_) | Deck::Passing(_) => 0,
        }
    }

    /// The requests that were to be answered by the tape, and were not.
    #[must_use]
    pub fn misses(&self) -> Vec<Miss> {
        match &self.deck {
            Deck::Replaying(replay) => replay.misses(),
            Deck::Adding(_) | Deck::Recording(_) | Deck::Passing(_) => Vec::new(),
        }
    }

    /// Tells whether a tape with interactions has been asked for none of them, and for nothing else.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.on_tape > 0 && self.remaining() == self.on_tape && self.misses().is_empty()
    }

    /// Tells whether this is a recording on which there is nothing. Blocks while an exchange is being recorded.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match &self.deck {
            Deck::Recording(recorder) => recorder.is_empty(),
            Deck::Replaying(_) | Deck::Adding(_) | Deck::Passing(_) => false,
        }
    }

    /// Tells whether the tape is played, and not recorded.
    #[must_use]
    pub fn is_replaying(&self) -> bool {
        matches!(self.deck, Deck::Replaying(_))
    }

    /// Ends the use of the tape: writes a recording, and checks that a replay was played whole.
    ///
    /// # Errors
    /// [`TapeError::NotReplayed`], [`TapeError::Write`] or [`TapeError::Leak`].
    pub fn finish(&self) -> Result<(), TapeError> {
        match &self.deck {
            Deck::Replaying(replay) => replay.finish(),
            Deck::Recording(recorder) => recorder.finish(),
            Deck::Adding(episodes) if episodes.recorder.is_empty() => Ok(()),
            Deck::Adding(episodes) => episodes.recorder.finish(),
            Deck::Passing(_) => Ok(()),
        }
    }
}

impl Transport for Cassette {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        match &self.deck {
            Deck::Replaying(replay) => replay.send(request, timeouts),
            Deck::Recording(recorder) => recorder.send(request, timeouts),
            Deck::Adding(episodes) => episodes.send(request, timeouts),
            Deck::Passing(network) => network.send(request, timeouts),
        }
    }
}

/// The entries of a store that spare a call requests: where functions were found, the repeats that
/// are left, the faults that are known, and tokens.
const CACHES: &[&str] = &["functions/", "repeats/", "status/", "tokens/"];

/// Tells whether a tape grants a token.
fn grants_any(tape: &Tape) -> bool {
    tape.interactions()
        .iter()
        .any(|interaction| interaction.request().url().parse().is_ok_and(|uri| grants(&uri, interaction)))
}

/// A tape that is played where it can be, and added to elsewhere.
#[derive(Debug, Clone)]
struct Episodes {
    replay: Replay,
    recorder: Recorder,
    network: Arc<dyn Transport>,
    redactor: Arc<Mutex<Redactor>>,
    /// The tokens that may reach the store.
    given: GivenOut,
    /// The number of the tape's interactions that the next one belongs behind.
    place: Arc<Mutex<usize>>,
}

impl Episodes {
    fn new(path: PathBuf, tape: Tape, network: Arc<dyn Transport>, live: LiveSecrets) -> Self {
        let redactor = Arc::new(Mutex::new(Redactor::thorough()));
        locked(&redactor).know(live);
        let given = GivenOut::default();
        let network = given.through(network);
        let replay = Replay::with(tape.clone(), Arc::clone(&redactor), true);
        let recorder = Recorder::with(Arc::clone(&network), path, tape, Arc::clone(&redactor), true);
        Self { replay, recorder, network, redactor, given, place: Arc::default() }
    }

    fn passed(&self, index: usize) {
        let mut place = locked(&self.place);
        *place = (*place).max(index + 1);
    }
}

impl Transport for Episodes {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let episodes = self.clone();
        // Taken now, in the order in which the guest sends.
        let turn = request.extensions().get::<Arc<Turns>>().map(Turns::answer);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let body = episodes.recorder.collected(body, "request").await?;
            if let Some(turn) = &turn {
                turn.to_be_found().await;
            }
            let queue = episodes.recorder.queue().clone();
            let (replay, asked) = (episodes.replay.clone(), (parts.clone(), body.clone()));
            let found = queue.run(move || {
                replay.find(&asked.0, &asked.1).map(|(index, interaction)| {
                    let again = grants(&asked.0.uri, &interaction) || gives_out_a_secret(&interaction);
                    (index, interaction, again)
                })
            });
            let Some((index, interaction, again)) = found.await? else {
                parts.extensions.insert(After(*locked(&episodes.place)));
                let request = http::Request::from_parts(parts, whole(body));
                goes_live(turn.as_ref(), None);
                let began = Instant::now();
                let answer = episodes.recorder.send(request, timeouts).await;
                comes(turn, began.elapsed()).await;
                return answer;
            };
            episodes.passed(index);
            if !again {
                Margin::note(&parts.extensions, &interaction);
                return play(episodes.replay.named_back(interaction), &parts.method, timeouts, turn).await;
            }
            let request = http::Request::from_parts(parts, whole(body));
            let taken = interaction.timing.map(Timing::taken).unwrap_or_default();
            goes_live(turn.as_ref(), Some(taken));
            let (parts, body) = episodes.network.send(request, timeouts).await?.into_parts();
            let body = episodes.recorder.collected(body, "response").await?;
            let (redactor, fresh) = (Arc::clone(&episodes.redactor), body.clone());
            let bound = queue.run(move || {
                if let Some(RecordedBody::Json(recorded)) =
                    interaction.response.as_ref().and_then(|response| response.body.as_ref())
                    && !is_lavish(&fresh)
                    && let Ok(fresh) = serde_json::from_slice(&fresh)
                {
                    bind(recorded, &fresh, &mut locked(&redactor));
                }
            });
            bound.await?;
            comes(turn, taken).await;
            Ok(http::Response::from_parts(parts, whole(body)))
        })
    }
}

fn goes_live(turn: Option<&Turn>, taken: Option<Duration>) {
    if let Some(turn) = turn {
        turn.goes_live(taken);
    }
}

/// Waits for the turn of an answer that took so long by the clock.
async fn comes(turn: Option<Turn>, taken: Duration) {
    if let Some(turn) = turn {
        turn.to_come(taken, Duration::ZERO).await;
        turn.hand_over();
    }
}

/// Tells whether the answer holds a placeholder, or a token without its signature: of no use to a server.
fn gives_out_a_secret(interaction: &Interaction) -> bool {
    let body = interaction.response.as_ref().and_then(|response| response.body.as_ref());
    body.is_some_and(|body| {
        let bytes = body.to_bytes();
        scan::shapes(&bytes).next().is_some()
    })
}

/// Gives each secret that was given out anew the placeholder of the one that was given out then.
fn bind(recorded: &Value, fresh: &Value, redactor: &mut Redactor) {
    match (recorded, fresh) {
        (Value::String(placeholder), Value::String(secret)) if scan::is_placeholder(placeholder) => {
            redactor.bind(secret, placeholder);
        }
        (Value::Object(recorded), Value::Object(fresh)) => {
            for (name, value) in recorded {
                bind(value, fresh.get(name).unwrap_or(&Value::Null), redactor);
            }
        }
        (Value::Array(recorded), Value::Array(fresh)) => {
            recorded.iter().zip(fresh).for_each(|(recorded, fresh)| bind(recorded, fresh, redactor));
        }
        (_, _) => {}
    }
}
