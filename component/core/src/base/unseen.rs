//! Characters that nobody sees, or that make others be seen elsewhere than they stand.

/// All that a terminal does not show as a character of its own: control characters, line and paragraph separators, the
/// controls of bidirectional text, and all that a font may leave out (spaces without width, tags, variation
/// selectors). In the order of their code points.
///
/// These are General_Category Cc, Cf, Zl and Zp (UnicodeData.txt) and Default_Ignorable_Code_Point
/// (DerivedCoreProperties.txt) of Unicode 16.0. <https://www.unicode.org/Public/16.0.0/ucd/>
const UNSEEN: [(char, char); 27] = [
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Tells if a character is unseen.
pub(crate) fn is_unseen(character: char) -> bool {
    let at = UNSEEN.partition_point(|(first, _)| *first <= character);
    at.checked_sub(1).is_some_and(|at| character <= UNSEEN[at].1)
}

/// Tells if a character is unseen, and does nothing to letters and emoji either: such a name is made to deceive, or is
/// damaged. The joiners and the variation selectors belong to how some are written.
pub(crate) fn deceives(character: char) -> bool {
    is_unseen(character) && !matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    /// By the tables of somebody else.
    #[test]
    fn all_of_unicode_is_judged_by_its_properties() {
        let unseen = Regex::new(r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]$").unwrap();
        let wrong: Vec<_> = ('\0'..=char::MAX)
            .filter(|character| is_unseen(*character) != unseen.is_match(character.encode_utf8(&mut [0; 4])))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn what_joins_letters_and_emoji_deceives_nobody() {
        for character in ['a', 'é', '\u{200d}', '\u{fe0f}', '字', '👍'] {
            assert!(!deceives(character), "{character:?}");
        }
        for character in
            ['\n', '\u{202e}', '\u{2066}', '\u{200b}', '\u{2028}', '\u{e0041}', '\u{e0100}', '\u{feff}']
        {
            assert!(deceives(character), "{character:?}");
        }
    }
}
