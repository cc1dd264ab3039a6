//! Values of options: pairs, headers, methods and seconds.

use std::time::Duration;

/// `K=V`: the first `=` divides, and both sides are kept as they are.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the name before the `=` is empty".to_owned()),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("expected NAME=VALUE".to_owned()),
    }
}

/// `K: V`: the first `:` divides; white space around the value is no part of it (RFC 9110, 5.5).
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some(("", _)) => Err("the name before the `:` is empty".to_owned()),
        Some((name, value)) => Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned())),
        None => Err("expected 'NAME: VALUE'".to_owned()),
    }
}

/// Methods are upper case for everybody but people.
#[expect(clippy::unnecessary_wraps, reason = "clap's value parsers may fail")]
pub(crate) fn method(text: &str) -> Result<String, String> {
    Ok(text.to_ascii_uppercase())
}

/// More than no time, and what fits the contract's milliseconds.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 =
        text.parse().map_err(|_| "expected a number of seconds such as 30 or 2.5".to_owned())?;
    let duration =
        Duration::try_from_secs_f64(seconds).map_err(|_| "expected more than 0 seconds".to_owned())?;
    match duration.as_millis() {
        0 => Err("expected at least 0.001 seconds".to_owned()),
        millis if u32::try_from(millis).is_err() => Err("expected less than 50 days".to_owned()),
        _ => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_divides_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(pair("a="), Ok(("a".to_owned(), String::new())));
        assert!(pair("=b").is_err());
        assert!(pair("a").is_err());
    }

    #[test]
    fn a_header_divides_at_the_first_colon() {
        assert_eq!(header("x-a: http://b"), Ok(("x-a".to_owned(), "http://b".to_owned())));
        assert_eq!(header("x-a:"), Ok(("x-a".to_owned(), String::new())));
        assert!(header(": b").is_err());
        assert!(header("x-a").is_err());
    }

    #[test]
    fn seconds_take_fractions_and_refuse_what_is_no_time() {
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e300", "soon", "0.0001", "5000000"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_method_is_upper_case() {
        assert_eq!(method("post").as_deref(), Ok("POST"));
    }
}
