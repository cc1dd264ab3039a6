//! The tape as far as it is recorded, and the files that it is written to.

use std::{
    collections::BTreeMap,
    mem,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::request::Parts;
use tokio::time::Instant;

use super::{
    Entry,
    answer::{Answer, Recorded, not_kept},
};
use crate::tape::{
    bounds::{ROOM, length_on_tape},
    error::TapeError,
    file::{
        fault::Fault,
        format::{Interaction, RecordedBody, RecordedRequest, Tape, Timing},
        rules::Rules,
        store,
    },
    hide::{redact::Redactor, rename::Aliases},
    play::handover::Notes,
    shared::locked,
};

/// A tape that grows.
pub(super) struct Book {
    path: PathBuf,
    tape: Tape,
    /// All interactions of the tape, which has none itself.
    interactions: BTreeMap<Place, Interaction>,
    pub(super) redactor: Arc<Mutex<Redactor>>,
    aliases: Aliases,
    began: Instant,
    /// True if the file may be replaced without a copy of what it was.
    extends: bool,
    /// The tape that this one goes behind.
    before: Option<Tape>,
    /// The length of the tape, and its length when it was last written beside its file.
    length: usize,
    in_part: usize,
    /// The length that the file may reach.
    room: usize,
    /// Exchanges that were recorded, and those that are not on the tape as they were, for want of room.
    recorded: usize,
    left_out: usize,
}

/// The place of an interaction: behind so many of those that the tape began with. There come, in the order of
/// their requests, the new ones, and then the next of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Then {
    New(usize),
    Old,
}

type Place = (usize, Then);

impl Book {
    pub(super) fn new(path: PathBuf, mut tape: Tape, redactor: Arc<Mutex<Redactor>>, extends: bool) -> Self {
        tape.reserve(&mut locked(&redactor));
        let length = length_on_tape(&tape);
        let old = mem::take(&mut tape.interactions).into_iter().enumerate();
        Self {
            path,
            tape,
            interactions: old.map(|(place, interaction)| ((place, Then::Old), interaction)).collect(),
            redactor,
            aliases: Aliases::default(),
            began: Instant::now(),
            extends,
            before: None,
            length,
            in_part: 0,
            room: ROOM,
            recorded: 0,
            left_out: 0,
        }
    }

    pub(super) fn rename(&mut self, aliases: Aliases) {
        aliases.in_provenance(self.tape.provenance_mut());
        if let Some(before) = &mut self.before {
            before.interactions.iter_mut().for_each(|interaction| aliases.in_interaction(interaction));
        }
        self.interactions.values_mut().for_each(|interaction| aliases.in_interaction(interaction));
        self.aliases = aliases;
    }

    pub(super) fn go_behind(&mut self, before: Tape) {
        self.room = ROOM.saturating_sub(length_on_tape(&before));
        (self.before, self.extends) = (Some(before), true);
    }

    #[cfg(test)]
    pub(super) fn limit(&mut self, room: usize) {
        self.room = room;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.recorded == 0
    }

    pub(super) fn request(&self, parts: &Parts, body: &[u8]) -> RecordedRequest {
        let mut request = RecordedRequest::from_sent(parts, body, &mut locked(&self.redactor));
        self.aliases.in_request(&mut request);
        request.headers.retain(|(name, _)| !OF_THE_CLIENT.contains(&name.as_str()));
        request
    }

    /// Records an exchange without a response.
    pub(super) fn failed(&mut self, entry: Entry, fault: Fault) {
        self.keep(entry, None, None, Some(fault));
    }

    pub(super) fn answered(&mut self, entry: Entry, answer: Answer) {
        let since = |moment: Instant| milliseconds(moment.saturating_duration_since(self.began));
        let timing =
            Timing { sent_ms: since(entry.sent), head_ms: since(answer.head), done_ms: since(answer.done) };
        let recorded = answer.record(&entry.request.url, &mut locked(&self.redactor), &self.aliases);
        self.keep(entry, Some(timing), Some(recorded), None);
    }

    fn keep(
        &mut self,
        entry: Entry,
        timing: Option<Timing>,
        recorded: Option<Recorded>,
        failure: Option<Fault>,
    ) {
        let Entry { index, after, side_by_side, request, margin, .. } = entry;
        let (response, fault, note) = match recorded {
            Some(Recorded { response, fault, note }) => (Some(response), fault, note),
            None => (None, failure, None),
        };
        let rules = Rules::default();
        let seen = Notes { note, provenance: None, rules, side_by_side, timing, fault, response: None };
        let notes = margin.take().unwrap_or(seen);
        let interaction = Interaction {
            note: notes.note,
            provenance: notes.provenance,
            rules: notes.rules,
            side_by_side: notes.side_by_side,
            timing: notes.timing,
            request,
            response: notes.response.or(response),
            fault: notes.fault,
        };
        self.recorded += 1;
        if let Some((interaction, length)) = self.fitted(interaction) {
            self.length += length;
            self.interactions.insert((after, Then::New(index)), interaction);
        }
    }

    /// As much of the interaction as there is room for, and its length.
    fn fitted(&mut self, mut interaction: Interaction) -> Option<(Interaction, usize)> {
        let room = self.room.saturating_sub(self.length);
        let length = length_on_tape(&interaction);
        if length <= room {
            return Some((interaction, length));
        }
        self.left_out += 1;
        if let Some(body) = interaction.response.as_mut().and_then(|response| response.body.take()) {
            let length = body.to_bytes().len();
            interaction.fault = Some(Fault::after(length));
            interaction.note = Some(not_kept("the tape was full", length));
        }
        let length = length_on_tape(&interaction);
        if length <= room {
            return Some((interaction, length));
        }
        if interaction.request.body.is_some() {
            interaction.request.body =
                Some(RecordedBody::Text("(not what was sent: the tape was full)".to_owned()));
        }
        let length = length_on_tape(&interaction);
        (length <= room).then_some((interaction, length))
    }

    /// Does something with the tape as it is now.
    pub(super) fn with_tape<T>(&mut self, what: impl FnOnce(&mut Tape) -> T) -> T {
        // Moved there and back: a copy would be as large as all that was recorded.
        let (places, interactions): (Vec<_>, Vec<_>) = mem::take(&mut self.interactions).into_iter().unzip();
        self.tape.interactions = interactions;
        let done = what(&mut self.tape);
        self.interactions = places.into_iter().zip(mem::take(&mut self.tape.interactions)).collect();
        done
    }

    /// Puts the tape so far beside its file, if it has grown enough for that: writing a long one each time
    /// would take longer and longer.
    pub(super) fn write_part(&mut self) {
        let grown = self.length.saturating_sub(self.in_part);
        if self.path.as_os_str().is_empty() || self.length > SHORT && grown < self.in_part / 8 {
            return;
        }
        self.in_part = self.length;
        let (redactor, path) = (Arc::clone(&self.redactor), store::part(&self.path));
        self.with_tape(|tape| {
            if tape.leaks(&mut locked(&redactor)).is_empty() {
                // Of use only if the program ends before its time; and the tape itself is still in memory.
                let _ = store::replace(&path, &tape.to_json());
            }
        });
    }

    pub(super) fn finish(&mut self) -> Result<(), TapeError> {
        let redactor = Arc::clone(&self.redactor);
        let before = self.before.clone();
        let text = self.with_tape(|tape| {
            let mut redactor = locked(&redactor);
            if !redactor.knows_all() {
                return Err(TapeError::TooManySecrets);
            }
            // Secrets that the store gave out since may stand in earlier interactions.
            tape.redact(&mut redactor);
            let at = tape.leaks(&mut redactor);
            if !at.is_empty() {
                return Err(TapeError::Leak { at });
            }
            Ok(before.map_or_else(|| tape.to_json(), |before| before.join(tape).to_json()))
        })?;
        let path = self.path.clone();
        store::put(&path, &text, !self.extends)
            .map_err(|source| TapeError::Write { path: path.clone(), source })?;
        if self.left_out == 0 {
            return Ok(());
        }
        Err(TapeError::Full { path, left_out: self.left_out, of: self.recorded })
    }
}

fn milliseconds(time: Duration) -> f64 {
    // To the microsecond: finer than a network, and short in the file.
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Headers that say how the request travelled, and so are not part of the question.
const OF_THE_CLIENT: [&str; 7] =
    ["accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"];

/// The length up to which a tape is written anew for each exchange.
const SHORT: usize = 1 << 20;
