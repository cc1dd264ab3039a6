//! Text from elsewhere, where a person reads it.
//!
//! A terminal obeys control characters, and shows bidirectional text in another order than it stands in;
//! characters without width hide in it. So a name could set the title of a window, forge a line of output, or
//! be read as another one. Output for programs stays as it came.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

/// All characters that a terminal does not show as such, by Unicode's properties: control characters, line
/// and paragraph separators, the controls of bidirectional text, and all that a font may leave out.
static UNSEEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]")
        .expect("the classes are Unicode's")
});

/// Text on one line: a name, a message, a cell of a table. Line breaks and tabs are spaces.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, |character| if matches!(character, '\n' | '\r' | '\t') { " " } else { unseen(character) })
}

/// The most characters of somebody else's text in a message.
const MAX_SHOWN: usize = 100;

/// The beginning of a text that somebody else wrote, for a message.
pub(crate) fn shortened(text: &str) -> &str {
    text.char_indices().nth(MAX_SHOWN).map_or(text, |(end, _)| &text[..end])
}

/// The name that is nearest to a text, if it is near: at most a quarter of the text's letters, and no more than
/// three, are wrong, missing or too many. Two neighbours that have changed places are one.
pub fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = (text.len() / 4).clamp(1, 3);
    let distance = |name: &'a str| {
        let far = name.len().abs_diff(text.len()) > near;
        (if far { usize::MAX } else { strsim::osa_distance(text, name) }, name)
    };
    names.into_iter().map(distance).filter(|(distance, _)| *distance <= near).min().map(|(_, name)| name)
}

/// Text of several lines, such as the body of an answer: `\n` and tabs stay.
#[must_use]
pub fn block(text: &str) -> Cow<'_, str> {
    replaced(text, |character| match character {
        '\n' => "\n",
        '\t' => "\t",
        other => unseen(other),
    })
}

/// The substitute for a character that is not shown: nothing for one that joins letters and emoji, or selects
/// how they look; a sign that there was something for any other.
fn unseen(character: char) -> &'static str {
    match character {
        '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => "",
        _ => "\u{fffd}",
    }
}

fn replaced(text: &str, by: impl Fn(char) -> &'static str) -> Cow<'_, str> {
    UNSEEN.replace_all(text, |found: &Captures<'_>| found[0].chars().map(&by).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The characters in question, by its own ranges: DerivedGeneralCategory.txt and
    /// DerivedCoreProperties.txt of Unicode 16.0.
    const UNSEEN: [(u32, u32); 27] = [
        (0x0, 0x1f),
        (0x7f, 0x9f),
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x600, 0x605),
        (0x61c, 0x61c),
        (0x6dd, 0x6dd),
        (0x70f, 0x70f),
        (0x890, 0x891),
        (0x8e2, 0x8e2),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0x110bd, 0x110bd),
        (0x110cd, 0x110cd),
        (0x13430, 0x1343f),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe0fff),
    ];

    #[test]
    fn of_all_characters_those_that_are_seen_stay() {
        for character in '\0'..=char::MAX {
            let seen = !UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(character)));
            let text = character.to_string();
            assert_eq!(line(&text) == text, seen, "{character:?}");
            assert_eq!(block(&text) == text, seen || matches!(character, '\n' | '\t'), "{character:?}");
        }
    }

    #[test]
    fn nothing_in_a_line_can_end_it_or_turn_it_round() {
        assert_eq!(line("a\u{1b}[2Jb\u{9b}1mc"), "a\u{fffd}[2Jb\u{fffd}1mc");
        assert_eq!(line("ok\nerror: forged\r\tx"), "ok error: forged  x");
        assert_eq!(line("a\u{2028}b\u{85}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(line("pay\u{202e}gnp\u{2066}\u{200b}"), "pay\u{fffd}gnp\u{fffd}\u{fffd}");
        assert_eq!(line("tag\u{e0041}"), "tag\u{fffd}");
        assert_eq!(line("👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}"), "👨👩👧 ❤");
        assert_eq!(line("plain é 字"), "plain é 字");
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(block("line\n\tnext\r\n\u{2028}"), "line\n\tnext\u{fffd}\n\u{fffd}");
    }
}
