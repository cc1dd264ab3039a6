//! The times that a program measured, which differ from run to run.

use std::ops::Range;

/// The text with the times of another text in place of its own. None if the two have different numbers of
/// them.
pub(super) fn carry(from: &str, into: &str) -> Option<String> {
    let (given, taken) = (numbers(from), numbers(into));
    if given.len() != taken.len() {
        return None;
    }
    let mut carried = String::new();
    let mut end = 0;
    for (given, taken) in given.into_iter().zip(taken) {
        carried += &into[end..taken.start];
        carried += &from[given];
        end = taken.end;
    }
    Some(carried + &into[end..])
}

/// The places of the digits before each ` ms`.
fn numbers(text: &str) -> Vec<Range<usize>> {
    let unit = |(end, unit): (usize, &str)| {
        let whole = !text[end + unit.len()..].starts_with(|next: char| next.is_ascii_alphanumeric());
        let digits = text[..end].trim_end_matches(|digit: char| digit.is_ascii_digit());
        (whole && digits.len() < end).then_some(digits.len()..end)
    };
    text.match_indices(" ms").filter_map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_carried_over_and_nothing_else() {
        assert_eq!(carry("1 ms, 22 ms", "first 333 ms and 4 ms.").unwrap(), "first 1 ms and 22 ms.");
        assert_eq!(carry("no time", "none at all").unwrap(), "none at all");
    }

    #[test]
    fn an_escape_before_a_time_is_not_part_of_it() {
        assert_eq!(carry(r"\u001b[2m56 ms\u001b[0m", "\u{1b}[2m7 ms").unwrap(), "\u{1b}[2m56 ms");
    }

    #[test]
    fn another_number_of_times_is_another_text() {
        assert_eq!(carry("1 ms", "1 ms, 2 ms"), None);
    }

    #[test]
    fn other_units_are_no_times() {
        assert_eq!(carry("", "5 msgs, ms, x ms, 5 s, 5ms").unwrap(), "5 msgs, ms, x ms, 5 s, 5ms");
    }
}
