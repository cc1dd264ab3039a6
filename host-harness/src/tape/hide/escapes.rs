//! Escapes of all kinds, undone: of URLs, of programming languages, of markup, and of mail.

use std::ops::Range;

use crate::tape::hide::decode::Sink;

/// Undoes percent-encoding, escapes with a backslash, and character references. All other text stays.
pub(in crate::tape) fn undo(text: &[u8], offset: usize, sink: &mut impl Sink) {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let undone = match rest[0] {
            b'%' => percent(rest),
            b'\\' => backslash(rest),
            b'&' => reference(rest),
            _ => None,
        };
        let (meant, length) = undone.unwrap_or((Meant::Byte(rest[0]), 1));
        put(sink, meant, offset + at..offset + at + length);
        at += length;
    }
}

/// Undoes quoted-printable, the escapes of mail (RFC 2045, section 6.7).
pub(in crate::tape) fn quoted_printable(text: &[u8], offset: usize, sink: &mut impl Sink) {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let broken = soft_break(rest);
        let (meant, length) = match number(&rest[1..], 2, 2, 16) {
            _ if broken > 0 => (Meant::Nothing, broken),
            Some((value, _)) if rest[0] == b'=' => (Meant::byte(value), 3),
            Some(_) | None => (Meant::Byte(rest[0]), 1),
        };
        put(sink, meant, offset + at..offset + at + length);
        at += length;
    }
}

/// The length of a line's end that mail has put in: `=`, perhaps blanks, and a line break; 0 if there is
/// none.
pub(in crate::tape) fn soft_break(rest: &[u8]) -> usize {
    if rest[0] != b'=' {
        return 0;
    }
    // Some that pass mail on pad its lines.
    let blanks = rest[1..].iter().take(MOST_BLANKS).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match &rest[1 + blanks..] {
        [b'\r', b'\n', ..] => blanks + 3,
        [b'\n' | b'\r', ..] => blanks + 2,
        [..] => 0,
    }
}

/// The value of a digit in a base.
pub(in crate::tape) fn digit(byte: u8, base: u32) -> Option<u8> {
    char::from(byte).to_digit(base).and_then(|digit| u8::try_from(digit).ok())
}

#[derive(Clone, Copy)]
enum Meant {
    Nothing,
    Byte(u8),
    Char(char),
}

impl Meant {
    fn byte(value: u32) -> Self {
        u8::try_from(value).map_or(Self::Nothing, Self::Byte)
    }

    fn char(value: u32) -> Option<Self> {
        char::from_u32(value).map(Self::Char)
    }
}

fn put(sink: &mut impl Sink, meant: Meant, from: Range<usize>) {
    match meant {
        Meant::Nothing => {}
        Meant::Byte(byte) => sink.put(byte, from),
        Meant::Char(char) => {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                sink.put(byte, from.clone());
            }
        }
    }
}

/// The number at the beginning, of so many digits, and the count of them.
fn number(rest: &[u8], least: usize, most: usize, base: u32) -> Option<(u32, usize)> {
    let digits = rest.iter().take(most).map_while(|byte| digit(*byte, base));
    let (value, count) = digits
        .fold((0_u32, 0), |(value, count), digit| (value.saturating_mul(base) + u32::from(digit), count + 1));
    (count >= least).then_some((value, count))
}

fn percent(rest: &[u8]) -> Option<(Meant, usize)> {
    if let [_, b'u', digits @ ..] = rest
        && let Some((value, _)) = number(digits, 4, 4, 16)
    {
        return Some((Meant::char(value)?, 6));
    }
    number(&rest[1..], 2, 2, 16).map(|(value, _)| (Meant::byte(value), 3))
}

fn backslash(rest: &[u8]) -> Option<(Meant, usize)> {
    let byte = *rest.get(1)?;
    let digits = rest.get(2..).unwrap_or_default();
    let numbered = match byte {
        b'u' | b'x' if digits.first() == Some(&b'{') => braced(digits),
        b'u' => unicode(digits),
        b'U' => number(digits, 8, 8, 16).and_then(|(value, _)| Some((Meant::char(value)?, 10))),
        b'x' => number(digits, 2, 2, 16).map(|(value, _)| (Meant::byte(value), 4)),
        b'0'..=b'7' => number(&rest[1..], 1, 3, 8).map(|(value, count)| (Meant::byte(value), 1 + count)),
        _ => None,
    };
    let plain = match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        other => other,
    };
    // Of what is broken, the backslash alone is left out.
    Some(numbered.unwrap_or((Meant::Byte(plain), 2)))
}

/// `\u{41}`.
fn braced(rest: &[u8]) -> Option<(Meant, usize)> {
    let (value, count) = number(&rest[1..], 1, 8, 16)?;
    (rest.get(1 + count) == Some(&b'}')).then_some((Meant::char(value)?, 4 + count))
}

/// `\u0041`; of two that are one character, both.
fn unicode(after: &[u8]) -> Option<(Meant, usize)> {
    let (first, _) = number(after, 4, 4, 16)?;
    if let Some(meant) = Meant::char(first) {
        return Some((meant, 6));
    }
    let (second, _) = number(after.get(4..)?.strip_prefix(b"\\u")?, 4, 4, 16)?;
    let both = char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]).next()?.ok()?;
    Some((Meant::Char(both), 12))
}

fn reference(rest: &[u8]) -> Option<(Meant, usize)> {
    if let Some(digits) = rest.strip_prefix(b"&#") {
        let hex = matches!(digits.first(), Some(b'x' | b'X'));
        let (value, count) = if hex { number(&digits[1..], 1, 8, 16)? } else { number(digits, 1, 8, 10)? };
        let length = 2 + usize::from(hex) + count;
        // Browsers do without the semicolon.
        return Some((Meant::char(value)?, length + usize::from(rest.get(length) == Some(&b';'))));
    }
    let name = rest.get(1..)?;
    let end = name.iter().take(LONGEST_NAME).position(|byte| *byte == b';')?;
    let (_, byte) = NAMES.iter().find(|(known, _)| known.as_bytes() == &name[..end])?;
    Some((Meant::Byte(*byte), end + 2))
}

/// The names of HTML for characters of ASCII.
const NAMES: [(&str, u8); 45] = [
    ("amp", b'&'),
    ("AMP", b'&'),
    ("ast", b'*'),
    ("apos", b'\''),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("DiacriticalGrave", b'`'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("gt", b'>'),
    ("GT", b'>'),
    ("Hat", b'^'),
    ("lbrace", b'{'),
    ("lbrack", b'['),
    ("lcub", b'{'),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("lt", b'<'),
    ("LT", b'<'),
    ("midast", b'*'),
    ("NewLine", b'\n'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("quot", b'"'),
    ("QUOT", b'"'),
    ("rbrace", b'}'),
    ("rbrack", b']'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
    ("Tab", b'\t'),
    ("UnderBar", b'_'),
    ("verbar", b'|'),
    ("vert", b'|'),
    ("VerticalLine", b'|'),
];

const LONGEST_NAME: usize = 17;

/// The most blanks at the end of a line: lines of mail have 76 characters; blanks behind them are few.
const MOST_BLANKS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2045, section 6.7, rule 5, and one of rule 1 (`=0C` and `=3D`).
    #[test]
    fn mail_is_read_as_its_standard_shows_it() {
        for (text, expected) in [
            (
                "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
                "Now's the time for all folk to come to the aid of their country.",
            ),
            ("a=0Cb=3D", "a\u{c}b="),
            ("not =x1 and = and =", "not =x1 and = and ="),
        ] {
            let mut decoded = Vec::new();
            quoted_printable(text.as_bytes(), 0, &mut decoded);
            assert_eq!(String::from_utf8_lossy(&decoded), expected);
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["100% of it", "%zz %u12 %", "a & b &# &#x; &#xzz; &unknown; &", "&#99999999;"] {
            let mut decoded = Vec::new();
            undo(text.as_bytes(), 0, &mut decoded);
            assert_eq!(String::from_utf8_lossy(&decoded), text);
        }
    }

    /// All that the standard of HTML has for the characters that a token is made of.
    #[test]
    fn a_character_may_have_several_names() {
        for (text, expected) in [
            ("&lowbar;&UnderBar;", "__"),
            ("&verbar;&vert;&VerticalLine;", "|||"),
            ("&ast;&midast;", "**"),
            ("&grave;&DiacriticalGrave;", "``"),
        ] {
            let mut decoded = Vec::new();
            undo(text.as_bytes(), 0, &mut decoded);
            assert_eq!(String::from_utf8_lossy(&decoded), expected);
        }
    }
}
