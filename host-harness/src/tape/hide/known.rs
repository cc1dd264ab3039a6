//! Secrets by their value: as a whole, and in parts of sixteen bytes and more.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    ops::Range,
};

use crate::tape::hide::scan;

/// The secrets that are looked for. A search reads each byte of a text once, however many there are.
#[derive(Default)]
pub(in crate::tape) struct Known {
    /// Each sixteen bytes in a row of each secret, and how long a stretch of such must be to count.
    windows: HashMap<u128, usize>,
    /// Secrets that are shorter than a window.
    short: HashSet<Vec<u8>>,
    /// The first eight bytes of each short secret.
    begin: HashSet<u64>,
    filter: Filter,
    /// Raised by whatever makes a search find more than before.
    generation: u64,
    /// The bytes of secrets that were found in texts, for each [`Source`].
    learned: [usize; 3],
    /// True if the text at hand is one that is sent.
    sending: bool,
}

/// The origin of a secret that is found in a text. One answer may use up the room for answers, and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A request.
    Sent,
    /// An answer, by the name of its field.
    Field,
    /// An answer, by its shape.
    Shape,
}

impl Known {
    /// A number that changes once anything was added, or counts in shorter parts than before.
    pub(in crate::tape) fn generation(&self) -> u64 {
        self.generation
    }

    /// Says whether the texts from now on are sent, or came as answers.
    pub(in crate::tape) fn sending(&mut self, sending: bool) {
        self.sending = sending;
    }

    /// Adds a secret, each part of which counts. Of a JWT, the signature is the secret; its claims count as a
    /// whole.
    pub(in crate::tape) fn add(&mut self, secret: &str) {
        if let Some((_, _, signature)) = scan::decode_jwt(secret) {
            self.insert(signature.as_bytes(), WINDOW);
            let claims = secret.split('.').nth(1).unwrap_or_default();
            self.insert(claims.as_bytes(), claims.len());
        } else {
            self.insert(secret.as_bytes(), WINDOW);
        }
        if secret.contains(' ') {
            // As forms spell it.
            self.insert(secret.replace(' ', "+").as_bytes(), WINDOW);
        }
    }

    /// Adds the signature of a token that was found in a text.
    pub(in crate::tape) fn learn_signature(&mut self, signature: &[u8]) {
        if signature.len() >= WINDOW {
            self.learn_parts(signature, WINDOW, Source::Shape);
        }
    }

    /// Adds a secret that its shape told in a text: it counts as a whole. The writer of the text decides how
    /// many there are, so there is a bound.
    pub(in crate::tape) fn learn_shape(&mut self, secret: &[u8]) {
        self.learn_parts(secret, secret.len(), Source::Shape);
    }

    /// Adds a secret that the name of its field told, within the same bound.
    pub(in crate::tape) fn learn_field(&mut self, secret: &[u8]) {
        self.learn_parts(secret, secret.len(), Source::Field);
    }

    /// Adds a secret that will be sent, within a bound too.
    pub(in crate::tape) fn learn_own(&mut self, secret: &[u8]) {
        self.learn_parts(secret, secret.len(), Source::Sent);
    }

    fn learn_parts(&mut self, secret: &[u8], least: usize, source: Source) {
        let source = if self.sending { Source::Sent } else { source };
        let learned = self.learned[source as usize];
        if secret.len() <= LEARNED - learned && self.adds(secret, least) {
            self.learned[source as usize] += secret.len();
            self.insert(secret, least);
        }
    }

    /// Tells whether a search finds more for knowing this.
    fn adds(&self, secret: &[u8], least: usize) -> bool {
        match secret.len() {
            0..SHORTEST => false,
            SHORTEST..WINDOW => !self.short.contains(secret),
            _ => parts(secret, least)
                .any(|(window, least)| self.windows.get(&window).is_none_or(|known| *known > least)),
        }
    }

    fn insert(&mut self, secret: &[u8], least: usize) {
        if secret.len() < SHORTEST {
            return;
        }
        if secret.len() < WINDOW {
            let begin = prefix(secret);
            self.generation += u64::from(self.short.insert(secret.to_vec()));
            self.begin.insert(begin);
            self.filter.add(begin.into());
        }
        let mut changed = false;
        for (window, least) in parts(secret, least) {
            let known = self.windows.entry(window).or_insert(usize::MAX);
            changed |= least < *known;
            *known = least.min(*known);
            self.filter.add(window);
        }
        self.generation += u64::from(changed);
        if self.filter.is_crowded(self.windows.len() + self.begin.len()) {
            let all = self.windows.keys().copied().chain(self.begin.iter().map(|begin| u128::from(*begin)));
            self.filter = Filter::of(all, self.windows.len() + self.begin.len());
        }
    }

    /// The places of secrets and of parts of them, in order and without overlaps.
    pub(in crate::tape) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        self.each(text, |_, range| {
            match found.last_mut() {
                // So there are fewer than there are bytes, however they overlap.
                Some(last) if (last.start..last.end).contains(&range.start) => {
                    last.end = last.end.max(range.end);
                }
                Some(_) | None => found.push(range),
            }
            false
        });
        merged(found)
    }

    /// Shows `visit` the places of secrets and of parts of them, until it has seen enough. Those of each form
    /// come in order; the short ones may overlap.
    pub(in crate::tape) fn each(&self, text: &[u8], mut visit: impl FnMut(Form, Range<usize>) -> bool) {
        if self.windows.is_empty() && self.short.is_empty() || text.len() < SHORTEST {
            return;
        }
        let mut stretch = Stretch::default();
        let mut window = 0_u128;
        for (at, byte) in text.iter().enumerate() {
            window = window << 8 | u128::from(*byte);
            if at + 1 >= WINDOW
                && self.filter.may_have(window)
                && let Some(least) = self.windows.get(&window)
            {
                let start = at + 1 - WINDOW;
                if stretch.range.end != at {
                    if stretch.take().is_some_and(|range| visit(Form::Parts, range)) {
                        return;
                    }
                    stretch = Stretch { range: start..start, least: usize::MAX };
                }
                stretch.range.end = at + 1;
                stretch.least = stretch.least.min(*least);
            }
            let begin = window & u128::from(u64::MAX);
            if at + 1 >= SHORTEST && self.filter.may_have(begin) {
                let start = at + 1 - SHORTEST;
                let short = self.short_at(&text[start..]);
                if short.is_some_and(|length| visit(Form::Short, start..start + length)) {
                    return;
                }
            }
        }
        if let Some(range) = stretch.take() {
            visit(Form::Parts, range);
        }
    }

    fn short_at(&self, rest: &[u8]) -> Option<usize> {
        if !self.begin.contains(&prefix(rest)) {
            return None;
        }
        (SHORTEST..WINDOW).rev().find(|len| rest.get(..*len).is_some_and(|start| self.short.contains(start)))
    }
}

/// The two forms of known secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tape) enum Form {
    /// Windows that follow each other.
    Parts,
    /// Shorter than a window, and whole.
    Short,
}

/// Each window of a secret that is looked for, and how long a stretch of such must be to count.
fn parts(secret: &[u8], least: usize) -> impl Iterator<Item = (u128, usize)> {
    // The beginning of a key in DER is not a secret: it tells the kind. In Base64, these are so many letters.
    let common = if secret.starts_with(b"MII") { 32 } else { 0 };
    secret.windows(WINDOW).enumerate().filter_map(move |(at, window)| {
        // The lines around a key are in all of them.
        if window.windows(5).any(|dashes| dashes == b"-----") {
            return None;
        }
        let least = if at + WINDOW <= common { least.max(common + WINDOW) } else { least };
        Some((window.iter().fold(0, |all, byte| all << 8 | u128::from(*byte)), least))
    })
}

/// Windows that follow each other.
#[derive(Default)]
struct Stretch {
    range: Range<usize>,
    least: usize,
}

impl Stretch {
    fn take(&mut self) -> Option<Range<usize>> {
        let range = std::mem::take(&mut self.range);
        (!range.is_empty() && range.len() >= self.least).then_some(range)
    }
}

/// The same ranges in order, with overlapping ones merged.
pub(in crate::tape) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            Some(_) | None => merged.push(range),
        }
    }
    merged
}

fn prefix(bytes: &[u8]) -> u64 {
    bytes.iter().take(SHORTEST).fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// A filter that rules out nearly everything that is not known, in a few instructions.
struct Filter {
    bits: Vec<u64>,
    /// Drawn anew each time, so that no text can be made to pass.
    key: u64,
}

impl Default for Filter {
    fn default() -> Self {
        Self::of([], 0)
    }
}

impl Filter {
    fn of(all: impl IntoIterator<Item = u128>, count: usize) -> Self {
        let words = (count / 2).next_power_of_two().clamp(1 << 10, MOST_WORDS);
        let mut filter = Self { bits: vec![0; words], key: RandomState::new().hash_one(0_u8) | 1 };
        all.into_iter().for_each(|known| filter.add(known));
        filter
    }

    fn add(&mut self, known: u128) {
        let (word, bit) = self.place(known);
        self.bits[word] |= bit;
    }

    /// Tells whether the filter is full enough for a bigger one to pay.
    fn is_crowded(&self, count: usize) -> bool {
        count > self.bits.len() * 4 && self.bits.len() < MOST_WORDS
    }

    fn may_have(&self, known: u128) -> bool {
        let (word, bit) = self.place(known);
        self.bits[word] & bit != 0
    }

    fn place(&self, known: u128) -> (usize, u64) {
        let hash = ((known >> 64) as u64 ^ (known as u64).rotate_left(29)).wrapping_mul(self.key);
        let hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash >> 40) as usize & (self.bits.len() - 1), 1 << (hash >> 20 & 63))
    }
}

/// The shortest part of a secret that is looked for by itself. Half a Google token of the shortest kind is
/// longer.
const WINDOW: usize = 16;

/// The shortest secret: shorter values are words, and would be found everywhere.
pub(in crate::tape) const SHORTEST: usize = 8;

/// The bytes of secrets that are taken over from texts of each kind. A secret beyond it is masked where it is
/// told by its shape or by the name of its field, and not by its value elsewhere.
const LEARNED: usize = 256 << 10;

/// The size of the largest filter: 2 MiB.
const MOST_WORDS: usize = 1 << 18;
