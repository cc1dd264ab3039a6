//! The search for secrets in a text, and in whatever it encodes; with a bound for the work.

use std::{collections::VecDeque, ops::Range};

use memchr::memchr;

use crate::tape::{
    hide::{
        decode,
        inflate::{Part, each_inflated},
        known::{Form, Known, merged},
        scan::{self, Found, NO_SIGNATURE},
    },
    queue::Waiter,
};

/// A stretch of a text that is told by its shape or its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tape) struct Mark {
    pub(in crate::tape) range: Range<usize>,
    pub(in crate::tape) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tape) enum What {
    /// A placeholder, or the part of a token that is kept: not a secret, and not looked into.
    Clean,
    /// A secret that is replaced as a whole.
    Secret(&'static str),
    /// The signature of a JWT.
    Signature,
}

/// The bytes that may still be decoded. Nothing is given back: a body has one budget for all that is found in
/// it. The budget is spent, too, once nobody waits for the search.
#[derive(Debug, Clone)]
pub(in crate::tape) struct Budget {
    left: usize,
    spent: bool,
    waiter: Waiter,
}

impl Budget {
    pub(in crate::tape) fn new(bytes: usize) -> Self {
        Self { left: bytes, spent: false, waiter: Waiter::default() }
    }

    /// The same budget, for as long as somebody waits.
    pub(in crate::tape) fn while_waits(self, waiter: &Waiter) -> Self {
        Self { waiter: waiter.clone(), ..self }
    }

    /// A budget for a text of this length, enough for anything that is encoded without bad intent.
    pub(in crate::tape) fn of_text(length: usize) -> Self {
        Self::new(length.saturating_mul(MOST_VIEWS).saturating_add(ROOM).min(MOST))
    }

    /// The smaller one of two, for as long as somebody waits for the other.
    pub(in crate::tape) fn within(self, other: &Self) -> Self {
        let waiter = other.waiter.clone();
        Self { left: self.left.min(other.left), spent: self.spent || other.spent, waiter }
    }

    pub(in crate::tape) fn left(&self) -> usize {
        self.left
    }

    /// Takes so many bytes, and tells whether there was room for them.
    pub(in crate::tape) fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) if !self.spent && !self.waiter.has_left() => {
                self.left = left;
                true
            }
            Some(_) | None => {
                self.spent = true;
                false
            }
        }
    }

    /// Tells whether anything was not looked at for want of room.
    pub(in crate::tape) fn is_spent(&self) -> bool {
        self.spent
    }
}

/// All marks of a text as it stands, in order and without overlaps. A secret that is found is known from then
/// on, and so looked for in the whole text.
pub(in crate::tape) fn marks(known: &mut Known, text: &[u8]) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (at, found) in scan::shapes(text) {
        match found {
            Found::Placeholder { len, .. } => marks.push(Mark { range: at..at + len, what: What::Clean }),
            Found::Secret { kind, len } => {
                learn(known, kind, &text[at..at + len]);
                marks.push(Mark { range: at..at + len, what: What::Secret(kind) });
            }
            Found::Jwt { signature, len } => {
                let (kept, signature) = (at..at + signature, at + signature..at + len);
                let is_one = !signature.is_empty() && text[signature.clone()] != *NO_SIGNATURE.as_bytes();
                marks.push(Mark { range: kept, what: What::Clean });
                if is_one {
                    known.learn_signature(&text[signature.clone()]);
                }
                let what = if is_one { What::Signature } else { What::Clean };
                if !signature.is_empty() {
                    marks.push(Mark { range: signature, what });
                }
            }
        }
    }
    let values = known.find(text);
    if values.is_empty() { marks } else { together(marks, values) }
}

/// Makes a secret known by its value if its shape does not tell it everywhere: refresh tokens and codes
/// within a word, and a signature by itself.
fn learn(known: &mut Known, kind: &str, secret: &[u8]) {
    match kind {
        "refresh-token" | "code" => known.learn_shape(secret),
        "signature" => {
            let value = memchr(b'=', secret).map_or(secret, |at| &secret[at + 1..]);
            known.learn_shape(value);
        }
        _ => {}
    }
}

/// Tells whether a secret is in a text, in whatever form. Nothing is collected: one is enough.
pub(in crate::tape) fn is_dirty(known: &mut Known, text: &[u8], depth: u8, budget: &mut Budget) -> bool {
    let shaped = first_shaped(known, text);
    shaped.is_some() || has_value(known, text) || depth > 0 && is_dirty_inside(known, text, depth, budget)
}

fn is_dirty_inside(known: &mut Known, text: &[u8], depth: u8, budget: &mut Budget) -> bool {
    if is_compressed(known, text, depth, budget) {
        return true;
    }
    if text.len() < SHORTEST {
        return false;
    }
    for stretch in decode::stretches(text) {
        if !budget.take(stretch.range.len()) {
            break;
        }
        if is_dirty(known, &stretch.decoded(text), depth - 1, budget) {
            return true;
        }
    }
    false
}

/// The end of the first secret that its shape tells. It is known from then on.
fn first_shaped(known: &mut Known, text: &[u8]) -> Option<usize> {
    scan::shapes(text).find_map(|(at, found)| match found {
        Found::Placeholder { .. } => None,
        Found::Secret { kind, len } => {
            learn(known, kind, &text[at..at + len]);
            Some(at + len)
        }
        Found::Jwt { signature, len } => {
            let signature = &text[at + signature..at + len];
            let is_one = !signature.is_empty() && signature != NO_SIGNATURE.as_bytes();
            is_one.then(|| {
                known.learn_signature(signature);
                at + len
            })
        }
    })
}

/// Tells whether a text without secrets that their shape tells has one that its value tells: as [`together`]
/// judges it, and in doubt by that.
fn has_value(known: &mut Known, text: &[u8]) -> bool {
    let (mut parts, mut short) = (Kept::of(text), Kept::of(text));
    let (mut found, mut doubt) = (false, false);
    known.each(text, |form, value| {
        let kept = match form {
            Form::Parts => &mut parts,
            Form::Short => &mut short,
        };
        match kept.longest_outside(&value) {
            0 => {}
            rest if rest >= SHORTEST_REST || rest == value.len() => found = true,
            _ => doubt = true,
        }
        found
    });
    found || doubt && marks(known, text).iter().any(|mark| mark.what != What::Clean)
}

/// The stretches of a text that are kept, as far as they are asked for. Questions come in order of where they
/// begin.
struct Kept<'a> {
    shapes: scan::Shapes<'a>,
    ranges: VecDeque<Range<usize>>,
    is_over: bool,
}

impl<'a> Kept<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self { shapes: scan::shapes(text), ranges: VecDeque::new(), is_over: false }
    }

    /// The length of the longest part of a value that is not kept.
    fn longest_outside(&mut self, value: &Range<usize>) -> usize {
        while !self.is_over && self.ranges.back().is_none_or(|last| last.start < value.end) {
            match self.shapes.next() {
                Some((at, found)) => self.ranges.push_back(at..at + found.len()),
                None => self.is_over = true,
            }
        }
        while self.ranges.front().is_some_and(|range| range.end <= value.start) {
            self.ranges.pop_front();
        }
        let (mut longest, mut at) = (0, value.start);
        for range in self.ranges.iter().take_while(|range| range.start < value.end) {
            longest = longest.max(range.start.saturating_sub(at));
            at = at.max(range.end);
        }
        longest.max(value.end.saturating_sub(at))
    }
}

/// The places of secrets in a text, as they are and in encodings. The list of marks comes out of the budget.
fn dirty(known: &mut Known, text: &[u8], depth: u8, budget: &mut Budget) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut kept = 0..0;
    let marks = marks(known, text);
    if !budget.take(marks.len() * size_of::<Mark>()) {
        return found;
    }
    for Mark { range, what } in marks {
        match what {
            What::Clean => kept = range,
            What::Secret(_) => found.push(range),
            // The text before it is the rest of its token.
            What::Signature if kept.end == range.start => found.push(kept.start..range.end),
            What::Signature => found.push(range),
        }
    }
    if depth > 0 {
        if is_compressed(known, text, depth, budget) {
            found.push(0..text.len());
        } else {
            found.extend(encoded(known, text, depth, budget));
        }
    }
    merged(found)
}

/// Tells whether a secret is in the compressed streams of some bytes.
pub(in crate::tape) fn is_compressed(
    known: &mut Known,
    bytes: &[u8],
    depth: u8,
    budget: &mut Budget,
) -> bool {
    let mut found = false;
    each_inflated(bytes, budget, |inner, part, budget| {
        found |= match part {
            // A find that ends where the part ends may not be what it seems.
            Part::Beginning => first_shaped(known, inner).is_some_and(|end| end < inner.len()),
            Part::All => is_dirty(known, inner, depth - 1, budget),
        };
        found
    });
    found
}

/// The stretches that encode a secret, in order and without overlaps.
pub(in crate::tape) fn encoded(
    known: &mut Known,
    text: &[u8],
    depth: u8,
    budget: &mut Budget,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if text.len() < SHORTEST {
        return found;
    }
    for stretch in decode::stretches(text) {
        if !budget.take(stretch.range.len()) {
            break;
        }
        let inner = dirty(known, &stretch.decoded(text), depth - 1, budget);
        if !inner.is_empty() {
            found.extend(stretch.sources(text, &inner));
        }
    }
    merged(found)
}

/// The marks by shape and by value together: not within clean ones, and one where two overlap.
fn together(shapes: Vec<Mark>, values: Vec<Range<usize>>) -> Vec<Mark> {
    let mut all = Vec::with_capacity(shapes.len() + values.len());
    let mut clean = shapes.iter().filter(|mark| mark.what == What::Clean).map(|mark| &mark.range).peekable();
    for value in values {
        let mut start = value.start;
        while start < value.end {
            while clean.next_if(|range| range.end <= start).is_some() {}
            let end = clean.peek().map_or(value.end, |range| range.start.clamp(start, value.end));
            // A few letters beside a placeholder tell nothing.
            if end - start >= SHORTEST_REST || end - start == value.len() {
                all.push(Mark { range: start..end, what: What::Secret("secret") });
            }
            start = clean.peek().map_or(value.end, |range| range.end.max(end)).min(value.end);
        }
    }
    all.extend(shapes);
    // Of two that begin alike, the shape comes first: it says of what kind it is.
    all.sort_by_key(|mark| (mark.range.start, mark.what == What::Secret("secret")));
    let mut joined: Vec<Mark> = Vec::with_capacity(all.len());
    for mark in all {
        match joined.last_mut() {
            Some(last) if mark.range.start < last.range.end => {
                if mark.range.end > last.range.end {
                    last.range.end = mark.range.end;
                    last.what = What::Secret("secret");
                } else if last.range == mark.range {
                    last.what = if last.what == What::Secret("secret") { mark.what } else { last.what };
                }
            }
            Some(_) | None => joined.push(mark),
        }
    }
    joined
}

/// The shortest text that is looked into: shorter ones hide nothing in an encoding.
const SHORTEST: usize = 8;

const SHORTEST_REST: usize = 8;

/// The bytes that are decoded for each byte of a text, at most. Base64 is read from four places, hexadecimal
/// digits from two, and nested encodings once more: ordinary texts need about five.
const MOST_VIEWS: usize = 64;

/// The budget of each text, however short it is.
const ROOM: usize = 64 << 10;

/// The most that one text may cost, however long it is.
const MOST: usize = 256 << 20;

#[cfg(test)]
mod tests;
