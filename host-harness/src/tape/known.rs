//! Secrets by their value: as a whole, and in parts of sixteen bytes and more.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    ops::Range,
};

use super::scan;

/// The secrets that are looked for. A search reads each byte of a text once, however many there are.
#[derive(Default)]
pub(super) struct Known {
    /// Each sixteen bytes in a row of each secret, and how long a stretch of such must be to count.
    windows: HashMap<u128, usize>,
    /// Secrets that are shorter than a window.
    short: HashSet<Vec<u8>>,
    /// The first eight bytes of these.
    begin: HashSet<u64>,
    filter: Filter,
    /// How many bytes of what was found in texts are among them.
    learned: usize,
}

impl Known {
    /// How much is known: not the same again once anything was added.
    pub(super) fn size(&self) -> usize {
        self.windows.len() + self.short.len()
    }

    /// A secret of which each part counts. Of a JWT, the signature is the secret; its claims count as a whole.
    pub(super) fn add(&mut self, secret: &str) {
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

    /// The signature of a token that was found in a text.
    pub(super) fn learn_signature(&mut self, signature: &[u8]) {
        if signature.len() >= WINDOW {
            self.learn_parts(signature, WINDOW);
        }
    }

    /// A secret that was found in a text: it counts as a whole. Whoever writes the text decides how many there are, so
    /// there is a bound.
    pub(super) fn learn(&mut self, secret: &[u8]) {
        self.learn_parts(secret, secret.len());
    }

    fn learn_parts(&mut self, secret: &[u8], least: usize) {
        let is_known = || matches!(&self.find(secret)[..], [one] if one.len() == secret.len());
        if secret.len() <= LEARNED - self.learned && !is_known() {
            self.learned += secret.len();
            self.insert(secret, least);
        }
    }

    fn insert(&mut self, secret: &[u8], least: usize) {
        if secret.len() < SHORTEST {
            return;
        }
        if secret.len() < WINDOW {
            let begin = prefix(secret);
            self.short.insert(secret.to_vec());
            self.begin.insert(begin);
            self.filter.add(begin.into());
        }
        // How a key in DER begins is no secret: it says of what kind it is. In Base64, these are so many letters.
        let common = if secret.starts_with(b"MII") { 32 } else { 0 };
        for (at, window) in secret.windows(WINDOW).enumerate() {
            // The lines around a key are in all of them.
            if window.windows(5).any(|dashes| dashes == b"-----") {
                continue;
            }
            let least = if at + WINDOW <= common { least.max(common + WINDOW) } else { least };
            let window = window.iter().fold(0, |all, byte| all << 8 | u128::from(*byte));
            let known = self.windows.entry(window).or_insert(least);
            *known = least.min(*known);
            self.filter.add(window);
        }
        if self.filter.is_crowded(self.windows.len() + self.begin.len()) {
            let all = self.windows.keys().copied().chain(self.begin.iter().map(|begin| u128::from(*begin)));
            self.filter = Filter::of(all, self.windows.len() + self.begin.len());
        }
    }

    /// Where secrets and parts of them stand, in order and without overlaps.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        if self.size() == 0 || text.len() < SHORTEST {
            return found;
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
                    found.extend(stretch.take());
                    stretch = Stretch { range: start..start, least: usize::MAX };
                }
                stretch.range.end = at + 1;
                stretch.least = stretch.least.min(*least);
            }
            let begin = window & u128::from(u64::MAX);
            if at + 1 >= SHORTEST && self.filter.may_have(begin) {
                let start = at + 1 - SHORTEST;
                found.extend(self.short_at(&text[start..]).map(|len| start..start + len));
            }
        }
        found.extend(stretch.take());
        merged(found)
    }

    fn short_at(&self, rest: &[u8]) -> Option<usize> {
        if !self.begin.contains(&prefix(rest)) {
            return None;
        }
        (SHORTEST..WINDOW).rev().find(|len| rest.get(..*len).is_some_and(|start| self.short.contains(start)))
    }
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

/// The same ranges in order; of those that overlap, one is made.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
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

/// Says of nearly everything that is not known that it is not, in a few instructions.
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

    /// Whether it is full enough for a bigger one to pay.
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

/// The shortest part of a secret that is looked for by itself. Half a Google token of the shortest kind is longer.
const WINDOW: usize = 16;

/// Shorter values are words, and would be found everywhere.
pub(super) const SHORTEST: usize = 8;

/// How many bytes of secrets are taken over from texts. Beyond it, one is masked where it is told by its shape or by
/// the name of its field, and not by its value elsewhere.
const LEARNED: usize = 256 << 10;

/// The size of the largest filter: 2 MiB.
const MOST_WORDS: usize = 1 << 18;
