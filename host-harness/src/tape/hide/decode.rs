//! The encodings in which a secret could hide, undone.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr2_iter, memchr3};

use crate::tape::hide::escapes;

/// A receiver of decoded bytes, each with the stretch that it comes from.
pub(in crate::tape) trait Sink {
    fn put(&mut self, byte: u8, from: Range<usize>);
}

impl Sink for Vec<u8> {
    fn put(&mut self, byte: u8, _: Range<usize>) {
        self.push(byte);
    }
}

/// The encodings that a stretch may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// Base64 of either alphabet, in lines or not. Text before it may look like a part of it, so many letters
    /// are left out.
    Base64(u8),
    /// Hexadecimal digits, with `0x`, colons, commas, spaces and the like between them, or without.
    Hex(u8),
    /// Percent-encoding, escapes with a backslash, and character references, also side by side.
    Escapes,
    /// Quoted-printable, as in mail: `=41`, and lines that end in `=`.
    QuotedPrintable,
    /// Two or four bytes for each letter.
    Wide,
    /// A letter for each byte, of the first 256 in Unicode: scripts put bytes into a string like that, and JSON then
    /// has `\u008b` for the byte 8b.
    Letters,
}

/// A stretch of a text that may be an encoding of something.
#[derive(Debug, Clone)]
pub(in crate::tape) struct Stretch {
    encoding: Encoding,
    pub(in crate::tape) range: Range<usize>,
}

/// All stretches of a text that may be encoded, one after the other.
pub(in crate::tape) fn stretches(text: &[u8]) -> impl Iterator<Item = Stretch> {
    let base64 = runs(text, IN_BASE64 | BLANK, SHORTEST).flat_map(|range| {
        (0..4).map(move |skipped| Stretch { encoding: Encoding::Base64(skipped), range: range.clone() })
    });
    let hex = runs(text, HEX | BETWEEN_HEX, 16)
        .filter(|range| text[range.clone()].iter().filter(|byte| is(**byte, HEX)).count() >= 16)
        .flat_map(|range| {
            (0..2).map(move |skipped| Stretch { encoding: Encoding::Hex(skipped), range: range.clone() })
        });
    let escapes = memchr3(b'%', b'\\', b'&', text).is_some();
    let escaped = runs(if escapes { text } else { &[] }, IN_WORD, 8)
        .filter(|range| memchr3(b'%', b'\\', b'&', &text[range.clone()]).is_some())
        .map(|range| Stretch { encoding: Encoding::Escapes, range });
    // What is written in escapes of its bytes has blanks and quotes between them.
    let bytes = if escapes_of_bytes(text) { text } else { &[] };
    let lines = runs(bytes, IN_LINE, 16)
        .filter(|range| escapes_of_bytes(&text[range.clone()]))
        .map(|range| Stretch { encoding: Encoding::Escapes, range });
    let quoted = quoted_runs(if memchr(b'=', text).is_some() { text } else { &[] })
        .filter(|range| memchr(b'=', &text[range.clone()]).is_some())
        .map(|range| Stretch { encoding: Encoding::QuotedPrintable, range });
    let wide = wide_runs(if memchr(0, text).is_some() { text } else { &[] })
        .map(|range| Stretch { encoding: Encoding::Wide, range });
    let letters = letter_runs(if memchr2(0xc2, 0xc3, text).is_some() { text } else { &[] })
        .map(|range| Stretch { encoding: Encoding::Letters, range });
    base64.chain(hex).chain(escaped).chain(lines).chain(quoted).chain(wide).chain(letters)
}

impl Stretch {
    /// The bytes that the stretch encodes, if it encodes any.
    pub(in crate::tape) fn decoded(&self, text: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::with_capacity(self.range.len());
        self.decode(text, &mut decoded);
        decoded
    }

    /// The stretches of `text` that the decoded bytes of `parts` come from; whole words, where a letter is a
    /// part of two bytes. The parts are in order, and do not overlap.
    pub(in crate::tape) fn sources(&self, text: &[u8], parts: &[Range<usize>]) -> Vec<Range<usize>> {
        let mut places = Places { parts, index: 0, start: 0, found: Vec::new() };
        self.decode(text, &mut places);
        let class = match self.encoding {
            Encoding::Base64(_) => IN_BASE64,
            Encoding::Hex(_) => HEX,
            Encoding::Escapes | Encoding::QuotedPrintable | Encoding::Wide | Encoding::Letters => {
                return places.found;
            }
        };
        let mut words: Vec<Range<usize>> = Vec::new();
        for place in places.found {
            let least = words.last().map_or(self.range.start, |last| last.end);
            if place.end <= least {
                continue;
            }
            let before =
                text[least..place.start.max(least)].iter().rev().take_while(|byte| is(**byte, class));
            let start = place.start.max(least) - before.count();
            let after = text[place.end..].iter().take_while(|byte| is(**byte, class));
            let end = place.end + after.count();
            let padding = text[end..].iter().take(2).take_while(|byte| **byte == b'=');
            words.push(
                start..end + if matches!(self.encoding, Encoding::Base64(_)) { padding.count() } else { 0 },
            );
        }
        words
    }

    fn decode(&self, text: &[u8], sink: &mut impl Sink) {
        let range = self.range.clone();
        match self.encoding {
            Encoding::Base64(skipped) => base64(&text[range.clone()], range.start, skipped, sink),
            Encoding::Hex(skipped) => hex(&text[range.clone()], range.start, skipped, sink),
            Encoding::Escapes => escapes::undo(&text[range.clone()], range.start, sink),
            Encoding::QuotedPrintable => escapes::quoted_printable(&text[range.clone()], range.start, sink),
            Encoding::Wide => {
                for at in range.filter(|at| text[*at] != 0) {
                    sink.put(text[at], at..at + 1);
                }
            }
            Encoding::Letters => {
                let mut at = range.start;
                while at < range.end {
                    let length = letter(&text[at..]);
                    let byte = if length == 2 { text[at] << 6 | text[at + 1] & 0x3f } else { text[at] };
                    sink.put(byte, at..at + length);
                    at += length;
                }
            }
        }
    }
}

/// Notes the sources of some of the decoded bytes, and keeps none of the bytes.
struct Places<'a> {
    parts: &'a [Range<usize>],
    index: usize,
    start: usize,
    found: Vec<Range<usize>>,
}

impl Sink for Places<'_> {
    fn put(&mut self, _: u8, from: Range<usize>) {
        if let Some(part) = self.parts.get(self.found.len()) {
            if self.index == part.start {
                self.start = from.start;
            }
            if self.index + 1 == part.end {
                self.found.push(self.start..from.end);
            }
        }
        self.index += 1;
    }
}

/// The stretches in which so many bytes of a class stand together, or more.
fn runs(text: &[u8], class: u8, least: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let length = text[at..].iter().take_while(|byte| is(**byte, class)).count();
            let range = at..at + length;
            at += length + 1;
            if length >= least {
                return Some(range);
            }
        }
        None
    })
}

/// The words of a text, those that the end of a line cuts in two included.
fn quoted_runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at;
            while at < text.len() {
                match escapes::soft_break(&text[at..]) {
                    0 if is(text[at], IN_WORD) => at += 1,
                    0 => break,
                    length => at += length,
                }
            }
            let range = start..at;
            at += 1;
            if range.len() >= 8 {
                return Some(range);
            }
        }
        None
    })
}

/// The stretches of UTF-16 or UTF-32 with letters of ASCII: no two bytes in a row that are not zero.
fn wide_runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at;
            at += 1;
            while at < text.len() && (text[at] == 0 || text[at - 1] == 0) {
                at += 1;
            }
            if at - start >= 15 {
                return Some(start..at);
            }
        }
        None
    })
}

/// The stretches in UTF-8 of letters that stand for a byte each, with some beyond ASCII among them.
fn letter_runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let (start, mut beyond) = (at, false);
            while at < text.len() {
                match letter(&text[at..]) {
                    0 => break,
                    length => {
                        beyond |= length == 2;
                        at += length;
                    }
                }
            }
            let range = start..at;
            at += 1;
            if beyond && range.len() >= 8 {
                return Some(range);
            }
        }
        None
    })
}

/// The length in UTF-8 of a letter that stands for a byte; 0 if none begins here.
fn letter(rest: &[u8]) -> usize {
    match rest {
        [..0x80, ..] => 1,
        [0xc2 | 0xc3, 0x80..0xc0, ..] => 2,
        [..] => 0,
    }
}

/// Tells whether bytes that are no text stand in escapes: `\x8b`, `\213`, `\u008b` or `%8b`, for one from 80 on.
fn escapes_of_bytes(text: &[u8]) -> bool {
    memchr2_iter(b'\\', b'%', text).any(|at| {
        matches!(
            text[at..],
            [b'\\', b'x', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]
                | [b'\\', b'2'..=b'3', b'0'..=b'7', b'0'..=b'7', ..]
                | [b'\\', b'u', b'0', b'0', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]
                | [b'%', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]
        )
    })
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// The letters of Base64, in either alphabet.
const IN_BASE64: u8 = 1;
const BLANK: u8 = 2;
const HEX: u8 = 4;
/// The signs that people put between hexadecimal digits.
const BETWEEN_HEX: u8 = 8;
/// All characters but blanks and quotes.
const IN_WORD: u8 = 16;
/// All bytes but those that end a line.
const IN_LINE: u8 = 32;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        let mut class = 0;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_') {
            class |= IN_BASE64;
        }
        if byte.is_ascii_whitespace() {
            class |= BLANK | BETWEEN_HEX;
        }
        if byte.is_ascii_hexdigit() {
            class |= HEX;
        }
        if matches!(byte, b':' | b'-' | b',' | b';' | b'.' | b'_' | b'x' | b'X') {
            class |= BETWEEN_HEX;
        }
        if (byte.is_ascii_graphic() || !byte.is_ascii()) && !matches!(byte, b'"' | b'\'' | b'<' | b'>') {
            class |= IN_WORD;
        }
        if !matches!(byte, b'\r' | b'\n') {
            class |= IN_LINE;
        }
        classes[byte as usize] = class;
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

fn base64(text: &[u8], offset: usize, skipped: u8, sink: &mut impl Sink) {
    let (mut all, mut bits, mut start) = (0_u32, 0, 0);
    let mut left_out = skipped;
    for (at, byte) in text.iter().enumerate() {
        let value = SIX_BITS[usize::from(*byte)];
        if value > 63 {
            continue;
        }
        if left_out > 0 {
            left_out -= 1;
            continue;
        }
        if bits == 0 {
            start = at;
        }
        all = all << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            sink.put((all >> bits).to_le_bytes()[0], offset + start..offset + at + 1);
            start = at;
        }
    }
}

fn hex(text: &[u8], offset: usize, skipped: u8, sink: &mut impl Sink) {
    let mut left_out = skipped;
    let mut high: Option<(usize, u8)> = None;
    for (at, byte) in text.iter().enumerate() {
        let digit = escapes::digit(*byte, 16);
        match (digit, high) {
            (Some(_), _) if left_out > 0 => left_out -= 1,
            (Some(digit), None) => high = Some((at, digit)),
            (Some(digit), Some((first, high_digit))) => {
                sink.put(high_digit << 4 | digit, offset + first..offset + at + 1);
                high = None;
            }
            // A single digit is not a byte: the zero of `0x`, or a number of another kind.
            (None, _) => high = None,
        }
    }
}

/// The values of the letters of both alphabets; 64 for any other byte.
const SIX_BITS: [u8; 256] = {
    let mut table = [64; 256];
    let mut value = 0;
    while value < 64 {
        table[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The shortest secret, eight bytes, has eleven characters in Base64, and sixteen in hexadecimal.
const SHORTEST: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    /// The stretch that encodes a word, if it is seen.
    fn place(text: &[u8]) -> Option<&[u8]> {
        const WORD: &[u8] = b"canary-42";
        stretches(text).find_map(|stretch| {
            let at = memchr::memmem::find(&stretch.decoded(text), WORD)?;
            let word = at..at + WORD.len();
            Some(&text[stretch.sources(text, std::slice::from_ref(&word))[0].clone()])
        })
    }

    #[test]
    fn each_encoding_is_undone_wherever_it_stands() {
        for (text, expected) in [
            ("Y2FuYXJ5LTQy", "Y2FuYXJ5LTQy"),
            ("x=Y2FuYXJ5LTQy&", "Y2FuYXJ5LTQy"),
            ("abcY2FuYXJ5LTQyabc", "abcY2FuYXJ5LTQyabc"),
            ("in lines:\r\n Y2Fu\r\n YXJ5\r\n LTQy\r\nand more", "Y2Fu\r\n YXJ5\r\n LTQy"),
            ("63616e6172792d3432", "63616e6172792d3432"),
            ("f63616E6172792D3432", "f63616E6172792D3432"),
            ("is 63:61:6e:61:72:79:2d:34:32.", "63:61:6e:61:72:79:2d:34:32"),
            (
                "{0x63, 0x61, 0x6e, 0x61,\n0x72, 0x79, 0x2d, 0x34, 0x32}",
                "63, 0x61, 0x6e, 0x61,\n0x72, 0x79, 0x2d, 0x34, 0x32",
            ),
            ("x%63anary-42xx", "%63anary-42"),
            ("x%u0063anary-42xx", "%u0063anary-42"),
            (r"\u0063anary-42", r"\u0063anary-42"),
            (r"\u{63}an\x61ry\055\u{34}2", r"\u{63}an\x61ry\055\u{34}2"),
            (r"\143\141nary\x{2d}\U000000342", r"\143\141nary\x{2d}\U000000342"),
            (r"can\ary-42xx", r"can\ary-42"),
            ("&#99;an&#x61;ry-&#52&#0050;", "&#99;an&#x61;ry-&#52&#0050;"),
            ("so c=61na=\r\nry=2D4=  \n2 it is", "c=61na=\r\nry=2D4=  \n2"),
            ("c\0a\0n\0a\0r\0y\0-\x004\x002\0", "c\0a\0n\0a\0r\0y\0-\x004\x002"),
        ] {
            let place = place(text.as_bytes()).map(String::from_utf8_lossy);
            assert_eq!(place.as_deref(), Some(expected), "{text}");
        }
        assert!(place(b"nothing of the kind in here, 1234567890123456").is_none());
    }

    #[test]
    fn names_of_characters_are_those_of_html() {
        let text = b"&lt;a&plus;b&sol;c&equals;&lowbar;&period;&amp;amp;&nothing;&;";
        let stretch = stretches(text).find(|stretch| stretch.encoding == Encoding::Escapes).unwrap();
        assert_eq!(stretch.decoded(text), b"<a+b/c=_.&amp;&nothing;&;");
    }

    #[test]
    fn a_character_of_two_escapes_is_one() {
        let text = br"grin\ud83d\ude00 \ud83d";
        let stretch = stretches(text).find(|stretch| stretch.encoding == Encoding::Escapes).unwrap();
        assert_eq!(stretch.decoded(text), "grin\u{1f600}".as_bytes());
    }
}
