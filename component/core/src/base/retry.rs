//! Repeats: whether a request may have one, how many, and after how long. Values in, a value out.

use std::time::Duration;

use crate::base::{
    dates::http_date,
    http::{Request, Response, TokenKind, TransportError},
};

/// The repeats that a request allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It may have an effect: repeated only if it provably was not sent.
    Unsent,
    /// It reads, or the caller said that it may be repeated. AIP-194 and Google's client libraries.
    Idempotent,
    /// It works once, such as an authorization code: never repeated, whatever happens.
    Never,
    /// An assertion to the token endpoint: google-auth makes three attempts, 1 s and 2 s apart.
    TokenEndpoint,
}

impl Class {
    /// The most times that a request is sent.
    pub(crate) fn attempts(self) -> u32 {
        match self {
            Self::Never => 1,
            Self::Unsent | Self::TokenEndpoint => 3,
            Self::Idempotent => 4,
        }
    }

    fn backoff(self, attempt: u32) -> Duration {
        let base = match self {
            Self::Unsent | Self::Never | Self::Idempotent => Duration::from_millis(500),
            Self::TokenEndpoint => Duration::from_secs(1),
        };
        base.saturating_mul(1 << (attempt - 1).min(10)).min(Duration::from_secs(8))
    }

    /// Tells whether it is repeated where the connection broke, be it within the answer.
    fn repeats_what_broke(self) -> bool {
        match self {
            Self::Unsent | Self::Never => false,
            Self::Idempotent | Self::TokenEndpoint => true,
        }
    }

    fn may_repeat(self, outcome: &Result<Response, TransportError>) -> bool {
        match outcome {
            Ok(response) => match self {
                Self::Unsent | Self::Never => false,
                Self::Idempotent => matches!(response.status, 408 | 429 | 502 | 503 | 504),
                Self::TokenEndpoint => matches!(response.status, 408 | 429 | 500..=599),
            },
            Err(TransportError::NotSent(_)) => true,
            Err(TransportError::Broken(_)) => self.repeats_what_broke(),
            Err(TransportError::Denied | TransportError::Timeout | TransportError::TooLarge) => false,
        }
    }
}

/// Notes that an answer with this status has begun. The memory of the request's body is given back if nothing is sent
/// again, however the answer goes on: its own body may be as large. A credential in a body is kept: a refusal that quotes
/// it is compared with it.
pub fn answered(request: &mut Request, class: Class, status: u16) {
    let is_credential = match request.token {
        TokenKind::Assertion | TokenKind::Grant => true,
        TokenKind::None | TokenKind::AccessToken | TokenKind::IdToken | TokenKind::Injected => false,
    };
    if (200..300).contains(&status) && !class.repeats_what_broke() && !is_credential {
        request.body = Vec::new();
    }
}

/// The time to wait before attempt `attempt + 1`, or `None` to stop here.
///
/// `jitter` is drawn only for a repeat. It is uniform in 0..=`u32::MAX`, and so is the wait in what the backoff
/// allows: full jitter, as in Google's client libraries. Only at the token endpoint it is at least half of that, for
/// all its attempts are over within seconds. Never under the `floor` that the other side asked for.
#[must_use]
pub fn wait(
    class: Class,
    attempt: u32,
    outcome: &Result<Response, TransportError>,
    floor: Option<Duration>,
    jitter: impl FnOnce() -> u32,
) -> Option<Duration> {
    if attempt >= class.attempts() || !class.may_repeat(outcome) {
        return None;
    }
    let longest = class.backoff(attempt).as_millis() as u64;
    let least = if class == Class::TokenEndpoint { longest / 2 } else { 0 };
    let jittered =
        Duration::from_millis(least + (longest - least) * u64::from(jitter()) / u64::from(u32::MAX));
    Some(jittered.max(floor.unwrap_or_default()))
}

/// The floor in a response's `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. A date counts
/// from the response's own `Date`, so that no two clocks need to agree; one that is past is no floor.
#[must_use]
pub fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.header("retry-after")?.trim();
    let seconds = value.parse().ok().or_else(|| {
        let (then, now) = (http_date(value)?, http_date(response.header("date")?)?);
        Some(then.saturating_sub(now))
    });
    seconds.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    fn status(status: u16) -> Result<Response, TransportError> {
        Ok(Response { status, headers: vec![], body: vec![] })
    }

    #[test_case(Class::Idempotent, 503, true)]
    #[test_case(Class::Idempotent, 429, true)]
    #[test_case(Class::Idempotent, 500, false; "a 500 of an API is not in AIP-194")]
    #[test_case(Class::Idempotent, 403, false)]
    #[test_case(Class::TokenEndpoint, 500, true; "a 500 of the token endpoint")]
    #[test_case(Class::TokenEndpoint, 400, false; "invalid_grant is never repeated")]
    #[test_case(Class::Unsent, 503, false; "a function may have run")]
    fn by_status(class: Class, code: u16, repeats: bool) {
        assert_eq!(wait(class, 1, &status(code), None, || 0).is_some(), repeats);
    }

    #[test]
    fn what_was_not_sent_may_always_be_repeated_and_what_broke_only_if_idempotent() {
        let not_sent = Err(TransportError::NotSent("refused".to_owned()));
        let broken = Err(TransportError::Broken("reset".to_owned()));
        assert!(wait(Class::Unsent, 1, &not_sent, None, || 0).is_some());
        assert!(wait(Class::Unsent, 1, &broken, None, || 0).is_none());
        assert!(wait(Class::Idempotent, 1, &broken, None, || 0).is_some());
    }

    #[test_case("7", None, Some(7))]
    #[test_case("Wed, 21 Oct 2015 07:28:00 GMT", Some("Wed, 21 Oct 2015 07:27:30 GMT"), Some(30); "a date to come")]
    #[test_case("Wed, 21 Oct 2015 07:28:00 GMT", Some("Sun, 01 Mar 2026 12:00:00 GMT"), Some(0); "a date that is past")]
    #[test_case("Wed, 21 Oct 2015 07:28:00 GMT", None, None; "a date by nobody's clock")]
    #[test_case("soon", Some("Sun, 01 Mar 2026 12:00:00 GMT"), None)]
    fn retry_after_is_a_floor(value: &str, date: Option<&str>, seconds: Option<u64>) {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let mut headers = vec![header("retry-after", value)];
        headers.extend(date.map(|date| header("date", date)));
        let response = Response { status: 503, headers, body: vec![] };
        assert_eq!(retry_after(&response), seconds.map(Duration::from_secs));
    }

    #[test]
    fn waits_double_to_a_cap_and_respect_the_floor() {
        let waits: Vec<_> =
            (1..=4).map(|n| wait(Class::Idempotent, n, &status(503), None, || u32::MAX)).collect();
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(waits, [ms(500), ms(1000), ms(2000), None]);
        assert_eq!(wait(Class::Idempotent, 1, &status(503), ms(7000), || 0), ms(7000));
        assert_eq!(wait(Class::Idempotent, 1, &status(503), None, || 0), ms(0));
        assert_eq!(wait(Class::TokenEndpoint, 1, &status(503), None, || 0), ms(500));
        assert_eq!(wait(Class::TokenEndpoint, 2, &status(503), None, || u32::MAX), ms(2000));
    }
}
