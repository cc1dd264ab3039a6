//! Dates in texts: those of HTTP, in the one form that is sent today, and whether a text is one of RFC 3339.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The first is that of 1 January 1970.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// Parses an IMF-fixdate (RFC 9110, section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`, into
/// seconds since 1970.
///
/// Strict: the obsolete forms, dates that do not exist and dates before 1970 are `None`. So is a wrong
/// weekday: a sender that contradicts itself is not one to set a clock by.
#[must_use]
pub(crate) fn http_date(text: &str) -> Option<u64> {
    // "Sun, 06 Nov 1994 08:49:37 GMT"
    //  0    5  8   12   17 20 23 26
    let field = |from: usize, to: usize| text.get(from..to);
    let fixed = text.len() == 29
        && field(3, 5)? == ", "
        && [7, 11, 16].iter().all(|&at| field(at, at + 1) == Some(" "))
        && [19, 22].iter().all(|&at| field(at, at + 1) == Some(":"))
        && field(25, 29)? == " GMT";
    if !fixed {
        return None;
    }
    let number = |from, to| {
        let digits = field(from, to)?;
        if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<u64>().ok() } else { None }
    };
    let (day, year) = (number(5, 7)?, number(12, 16)?);
    let month = MONTHS.iter().position(|&name| field(8, 11) == Some(name))? as u64 + 1;
    let (hour, minute, second) = (number(17, 19)?, number(20, 22)?, number(23, 25)?);
    // A leap second is written as 60, and counts as the second after it.
    if year < 1970 || day == 0 || day > days_in(month, year) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_before(year) + (1..month).map(|month| days_in(month, year)).sum::<u64>() + day - 1;
    let weekday = WEEKDAYS[(days % 7) as usize];
    (field(0, 3) == Some(weekday)).then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Tells if a text is a time of RFC 3339, such as `1994-11-06T08:49:37.5+01:00`.
#[must_use]
pub(crate) fn rfc_3339(text: &str) -> bool {
    /// The number of `length` digits in front, and what follows it.
    fn number(text: &str, length: usize) -> Option<(u64, &str)> {
        let (digits, rest) = text.split_at_checked(length)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some((digits.parse().ok()?, rest))
    }
    fn read(text: &str) -> Option<bool> {
        let (year, text) = number(text, 4)?;
        let (month, text) = number(text.strip_prefix('-')?, 2)?;
        let (day, text) = number(text.strip_prefix('-')?, 2)?;
        let (hour, text) = number(text.strip_prefix(['T', 't'])?, 2)?;
        let (minute, text) = number(text.strip_prefix(':')?, 2)?;
        let (second, text) = number(text.strip_prefix(':')?, 2)?;
        let text = match text.strip_prefix('.') {
            None => text,
            Some(fraction) => {
                let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
                if rest.len() == fraction.len() {
                    return None;
                }
                rest
            }
        };
        let offset = match text.strip_prefix(['+', '-']) {
            None => matches!(text, "Z" | "z"),
            Some(offset) => {
                let (hour, text) = number(offset, 2)?;
                let (minute, text) = number(text.strip_prefix(':')?, 2)?;
                hour <= 23 && minute <= 59 && text.is_empty()
            }
        };
        let exists = (1..=12).contains(&month) && (1..=days_in(month, year)).contains(&day);
        Some(exists && hour <= 23 && minute <= 59 && second <= 60 && offset)
    }
    read(text).unwrap_or_default()
}

/// The days from 1970 to the start of a year.
fn days_before(year: u64) -> u64 {
    let leap_years = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leap_years(year - 1) - leap_years(1969)
}

fn days_in(month: u64, year: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case("1994-11-06T08:49:37Z", true)]
    #[test_case("1994-11-06t08:49:37.123456789z", true)]
    #[test_case("2024-02-29T23:59:60-23:59", true)]
    #[test_case("2023-02-29T00:00:00Z", false)]
    #[test_case("1994-13-06T08:49:37Z", false)]
    #[test_case("1994-11-06 08:49:37Z", false)]
    #[test_case("1994-11-06T08:49:37", false)]
    #[test_case("1994-11-06T08:49:37.Z", false)]
    #[test_case("1994-11-06T24:00:00Z", false)]
    #[test_case("1994-11-06T08:49:37+0100", false)]
    #[test_case("+994-11-06T08:49:37Z", false)]
    #[test_case("1994-11-06T08:49:37Zx", false)]
    #[test_case("ä994-11-06T08:49:37Z", false)]
    fn a_time_of_rfc_3339(text: &str, good: bool) {
        assert_eq!(rfc_3339(text), good);
    }

    #[test_case("Thu, 01 Jan 1970 00:00:00 GMT", 0)]
    #[test_case("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777; "the example of RFC 9110")]
    #[test_case("Wed, 21 Oct 2015 07:28:00 GMT", 1_445_412_480)]
    #[test_case("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799; "a leap year of 400")]
    #[test_case("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800; "a leap year of 4")]
    #[test_case("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200; "the day after")]
    #[test_case("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400; "after a year of 100, which is none")]
    #[test_case("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800; "a leap second")]
    #[test_case("Sun, 01 Mar 2026 12:00:00 GMT", 1_772_366_400)]
    #[test_case("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799; "the last one")]
    fn a_date(text: &str, seconds: u64) {
        assert_eq!(http_date(text), Some(seconds));
    }

    #[test_case(""; "nothing")]
    #[test_case("7"; "seconds")]
    #[test_case("Mon, 06 Nov 1994 08:49:37 GMT"; "a wrong weekday")]
    #[test_case("Sunday, 06-Nov-94 08:49:37 GMT"; "the form of RFC 850")]
    #[test_case("Sun Nov  6 08:49:37 1994"; "the form of asctime")]
    #[test_case("Sun, 06 Nov 1994 08:49:37 UTC"; "another zone")]
    #[test_case("Sun, 06 Nov 1994 08:49:37 +00"; "an offset")]
    #[test_case("sun, 06 nov 1994 08:49:37 gmt"; "lower case")]
    #[test_case("Sun, 06 Nov 1994 08:49:37 GMT "; "a space at the end")]
    #[test_case("Sun, +6 Nov 1994 08:49:37 GMT"; "a sign")]
    #[test_case("Wed, 29 Feb 2023 00:00:00 GMT"; "29 February of a common year")]
    #[test_case("Mon, 29 Feb 2100 00:00:00 GMT"; "29 February of a year of 100")]
    #[test_case("Thu, 31 Apr 2026 00:00:00 GMT"; "31 April")]
    #[test_case("Wed, 00 Apr 2026 00:00:00 GMT"; "day 0")]
    #[test_case("Thu, 01 Jan 1970 24:00:00 GMT"; "hour 24")]
    #[test_case("Thu, 01 Jan 1970 00:60:00 GMT"; "minute 60")]
    #[test_case("Thu, 01 Jan 1970 00:00:61 GMT"; "second 61")]
    #[test_case("Wed, 31 Dec 1969 23:59:59 GMT"; "before 1970")]
    #[test_case("Sun, 06 N\u{f6}v 199 08:49:37 GMT"; "29 bytes with a letter of two")]
    fn no_date(text: &str) {
        assert_eq!(http_date(text), None);
    }
}
