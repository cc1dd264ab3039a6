//! The headers that a caller may set.

use crate::{
    base::{
        error::{Cause, Error, Result},
        secret::Secret,
    },
    google::names::ProjectId,
};

/// The most headers, and the most bytes in all of them together.
const MAX_COUNT: usize = 100;
const MAX_BYTES: usize = 64 * 1024;
/// Proxies on the way take 8 KiB a value, and no more.
const MAX_VALUE: usize = 8 * 1024;
const MAX_NAME: usize = 256;

/// Names that frame the message, or are about one hop of its way (RFC 9110, sections 7.2, 7.6.1, 8.6, 10.1.1 and 10.1.4).
const FRAMING: [&str; 11] = [
    "host",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "content-length",
    "expect",
    "proxy-connection",
];

/// Names by which Google's front end, Identity-Aware Proxy, API Gateway, or another proxy is told who calls. Whoever is
/// behind them believes these.
///
/// <https://cloud.google.com/run/docs/authenticating/service-to-service>,
/// <https://cloud.google.com/iap/docs/identity-howto>,
/// <https://cloud.google.com/api-gateway/docs/passing-data>, and
/// <https://cloud.google.com/appengine/docs/standard/reference/request-headers>
const IDENTITY: [&str; 10] = [
    "authorization",
    "x-serverless-authorization",
    "cookie",
    "cookie2",
    "x-goog-api-key",
    "x-authorization",
    "x-forwarded-authorization",
    "x-forwarded-access-token",
    "x-original-authorization",
    "x-apigateway-api-userinfo",
];

const IDENTITY_PREFIXES: [&str; 6] =
    ["x-goog-iap-", "x-goog-iam-", "x-goog-authenticated-user-", "x-appengine-", "x-endpoint-api-", "proxy-"];

/// Names by which a Google API is told to read a request otherwise than it stands there, or to answer otherwise: the
/// connector's to say. To a function they are headers like any others: webhooks that are handed on have them.
const OF_APIS: [&str; 8] = [
    "content-encoding",
    "range",
    "accept-encoding",
    "forwarded",
    "via",
    "x-real-ip",
    "metadata-flavor",
    "x-http-method",
];

/// The header that names the project which a request counts against. It may be the caller's, too: to a Google API it says
/// who pays, and Google asks whether the account may say so.
///
/// <https://cloud.google.com/docs/quotas/set-quota-project>
pub(super) const QUOTA_PROJECT: &str = "x-goog-user-project";

const PREFIXES_OF_APIS: [&str; 4] = ["x-goog-", "x-google-", "x-forwarded-", "x-original-"];

/// Names by which many frameworks take a request for one of another method.
const OVERRIDES: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

/// The side that reads a caller's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A Google API.
    Api,
    /// A function.
    Function,
}

/// Headers that have been checked, names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerHeaders(Vec<(String, String)>);

impl CallerHeaders {
    /// Checks what a caller gave.
    ///
    /// # Errors
    /// `invalid-input` of field `headers`, which names the header and never repeats its value.
    pub fn parse(headers: Vec<(String, String)>, reader: Reader) -> Result<Self> {
        if headers.len() > MAX_COUNT {
            return Err(too_many(format!("there are {} headers", headers.len()), MAX_COUNT));
        }
        let size = headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if size > MAX_BYTES {
            return Err(too_many(format!("the headers have {size} bytes together"), MAX_BYTES));
        }
        headers
            .into_iter()
            .map(|(name, value)| checked(&name, value, reader))
            .collect::<Result<_>>()
            .map(Self)
    }

    /// The headers in order.
    pub fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// With what an event consists of; it is checked already.
    #[must_use]
    pub fn and(mut self, more: Vec<(String, String)>) -> Self {
        self.0.extend(more);
        self
    }

    /// The name of a header by which a function may take the request for one of another method.
    pub(crate) fn method_override(&self) -> Option<&str> {
        let overrides = |name: &str| OVERRIDES.contains(&name.replace('_', "-").as_str());
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| overrides(name))
    }

    /// The projects that the caller has requests to Google's APIs count against.
    pub(crate) fn quota_projects(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, _)| name == QUOTA_PROJECT).map(|(_, value)| value.as_str())
    }

    /// Tells if a name is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }
}

/// The caller's own `Authorization`, for a function that reads it.
#[derive(Debug, Clone)]
pub struct OwnAuthorization(pub(super) Secret<String>);

impl OwnAuthorization {
    /// Checks what a caller gave. A Google access token is refused: a function is anybody's code.
    ///
    /// # Errors
    /// `invalid-input` of field `authorization`, which never repeats the value.
    pub fn parse(value: Secret<String>) -> Result<Self> {
        let text = value.reveal();
        let bad = |what: &str| Error::input("authorization", what);
        if text.is_empty() || text.len() > MAX_VALUE {
            return Err(bad("the caller's authorization is empty, or longer than 8 KiB"));
        }
        if !text.bytes().all(|b| (0x20..=0x7e).contains(&b)) || text.trim() != text {
            return Err(bad(
                "the caller's authorization holds a control character, white space at an end, or a character outside ASCII",
            ));
        }
        if text.split_once(' ').map_or(text.as_str(), |(_, token)| token.trim_start()).starts_with("ya29.") {
            return Err(bad(
                "the caller's authorization is a Google access token, which no function may receive",
            )
            .fix("leave it out: the function receives an ID token"));
        }
        Ok(Self(value))
    }
}

fn checked(name: &str, value: String, reader: Reader) -> Result<(String, String)> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(refused("a header's name is not a token (RFC 9110, section 5.6.2)"));
    }
    if name.len() > MAX_NAME {
        return Err(too_many(format!("a header's name has {} bytes", name.len()), MAX_NAME));
    }
    let lower = name.to_ascii_lowercase();
    allowed(&lower, reader)?;
    if value.len() > MAX_VALUE {
        return Err(too_many(
            format!("the value of the header `{lower}` has {} bytes", value.len()),
            MAX_VALUE,
        )
        .detail("header", lower));
    }
    let printable = |b: u8| b == b'\t' || (0x20..=0x7e).contains(&b);
    if !value.bytes().all(printable) || value.starts_with([' ', '\t']) || value.ends_with([' ', '\t']) {
        return Err(refused(format!(
            "the value of the header `{lower}` holds a control character, white space at an end, or a character outside ASCII"
        )));
    }
    if reader == Reader::Api && lower == QUOTA_PROJECT && ProjectId::parse(&value).is_err() {
        return Err(Error::input("headers", format!("the value of the header `{lower}` is no project"))
            .detail("header", lower)
            .fix("name one project, by its id or number"));
    }
    if holds_bearer(&value) {
        return Err(refused(format!("the value of the header `{lower}` holds a bearer token"))
            .detail("header", lower)
            .cause(Cause::OwnAuthorization)
            .fix("hand it over as `authorization`, or send a token of your own without the word Bearer"));
    }
    Ok((lower, value))
}

/// Judges a name, in lower case.
fn allowed(name: &str, reader: Reader) -> Result<()> {
    // Some servers read `_` as `-`, so both spellings of a name are the same.
    let spelled = name.replace('_', "-");
    let is_one = |names: &[&str], prefixes: &[&str]| {
        names.contains(&spelled.as_str()) || prefixes.iter().any(|prefix| spelled.starts_with(prefix))
    };
    let (why, fix) = if is_one(&FRAMING, &[]) {
        ("frames the message, which the connector does", "leave it out")
    } else if is_one(&IDENTITY, &IDENTITY_PREFIXES) {
        let fix = if spelled == "authorization" && reader == Reader::Function {
            "an Authorization of your own for a function is `authorization`; the ID token is the connector's to send"
        } else {
            "leave it out: it is not for the caller to say"
        };
        ("tells Google's front end or a proxy who calls", fix)
    } else if reader == Reader::Api
        && name != QUOTA_PROJECT
        && (is_one(&OF_APIS, &PREFIXES_OF_APIS) || is_one(&OVERRIDES, &[]))
    {
        (
            "tells Google's APIs to read a request otherwise, which is the connector's to do",
            "leave it out; it may go to functions only",
        )
    } else {
        return Ok(());
    };
    let error = Error::input("headers", format!("the header `{name}` {why}")).detail("header", name).fix(fix);
    Err(if spelled == "authorization" && reader == Reader::Function {
        error.cause(Cause::OwnAuthorization)
    } else {
        error
    })
}

fn too_many(what: String, limit: usize) -> Error {
    Error::input("headers", format!("{what}, and this connector sends at most {limit}"))
        .fix("send fewer or shorter headers, and what is long in the body")
}

/// Tells if a value has the scheme of RFC 6750 in it, as a word of its own, or one of Google's access tokens. The host
/// refuses the same.
fn holds_bearer(value: &str) -> bool {
    const BEARER: &[u8] = b"bearer";
    let value = value.as_bytes();
    (0..value.len()).any(|at| {
        let begins =
            |word: &[u8]| value.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word));
        let apart = at.checked_sub(1).is_none_or(|before| !value[before].is_ascii_alphanumeric())
            && value.get(at + BEARER.len()).is_some_and(|after| b" \t+%".contains(after));
        (begins(BEARER) && apart) || begins(b"ya29.")
    })
}

fn refused(message: impl Into<String>) -> Error {
    Error::input("headers", message)
        .fix("send fewer or shorter headers, of printable ASCII (RFC 9110, section 5)")
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;
    use crate::testing::canaries;

    #[test_case("Accept-Language", "de", true)]
    #[test_case("X-Trace", "a\r\nAuthorization: Bearer evil", false)]
    #[test_case("X-Trace", "a\0b", false)]
    #[test_case("X-Tr\r\nHost", "x", false)]
    #[test_case("X Trace", "x", false)]
    #[test_case(":authority", "evil.com", false)]
    #[test_case("", "x", false)]
    #[test_case("aUtHoRiZaTiOn", "Bearer attacker", false)]
    #[test_case("X_Serverless_Authorization", "Bearer attacker", false)]
    #[test_case("Proxy-Authorization", "Basic x", false)]
    #[test_case("Host", "evil.com", false)]
    #[test_case("X-Forwarded-Host", "evil.com", false)]
    #[test_case("Forwarded", "for=127.0.0.1", false)]
    #[test_case("Connection", "close, Authorization", false)]
    #[test_case("Content-Length", "5", false)]
    #[test_case("TE", "trailers", false)]
    #[test_case("X-HTTP-Method-Override", "DELETE", false)]
    #[test_case("X-Method-Override", "DELETE", false)]
    #[test_case("X-HTTP-Method", "DELETE", false)]
    #[test_case("x-goog-user-project", "other-project", true)]
    #[test_case("X-Goog-User-Project", "example.com:other-project", true; "of a domain")]
    #[test_case("x-goog-user-project", "123456789012", true; "by its number")]
    #[test_case("x-goog-user-project", "projects/other-project", false; "a resource name")]
    #[test_case("x-goog-user-project", "other-project, demo-project", false; "two projects")]
    #[test_case("x-goog-user-project", "", false; "no project")]
    #[test_case("x_goog_user_project", "other-project", false; "in a spelling that is not Google's")]
    #[test_case("X-Google-Metadata-Request", "True", false)]
    #[test_case("Metadata-Flavor", "Google", false)]
    #[test_case("Cookie", "SID=x", false)]
    #[test_case("Range", "bytes=0-", false)]
    #[test_case("X-Token", "Bearer attacker", false)]
    #[test_case("X-Token", "token=bearer\tattacker", false)]
    #[test_case("X-Token", canaries::FIRST, false; "an access token of Google")]
    #[test_case("X-Token", "attacker", true)]
    #[test_case("X-Note", "the bearers of it", true)]
    #[test_case("X-Note", "bearer", true; "the word alone")]
    fn a_header_to_an_api(name: &str, value: &str, ok: bool) {
        assert_eq!(parse(name, value, Reader::Api).is_ok(), ok);
    }

    fn parse(name: &str, value: &str, reader: Reader) -> Result<CallerHeaders> {
        CallerHeaders::parse(vec![(name.to_owned(), value.to_owned())], reader)
    }

    /// Google's push notifications (<https://developers.google.com/workspace/drive/api/guides/push>), Cloud Tasks and
    /// Cloud Scheduler, GitHub's and Stripe's webhooks, and what a proxy adds to one that it hands on.
    #[test_case("X-Goog-Channel-ID")]
    #[test_case("X-Goog-Channel-Token")]
    #[test_case("X-Goog-Channel-Expiration")]
    #[test_case("X-Goog-Resource-ID")]
    #[test_case("X-Goog-Resource-URI")]
    #[test_case("X-Goog-Resource-State")]
    #[test_case("X-Goog-Changed")]
    #[test_case("X-Goog-Message-Number")]
    #[test_case("X-Goog-Pubsub-Subscription-Name")]
    // Google's front end takes these out (<https://cloud.google.com/functions/docs/reference/headers>).
    #[test_case("X-Google-Metadata-Request")]
    #[test_case("X-CloudTasks-QueueName")]
    #[test_case("X-CloudScheduler-JobName")]
    #[test_case("X-Hub-Signature-256")]
    #[test_case("Stripe-Signature")]
    #[test_case("X-Forwarded-For")]
    #[test_case("X-Forwarded-Proto")]
    #[test_case("X-Original-URL")]
    #[test_case("Forwarded")]
    #[test_case("Via")]
    #[test_case("X-Real-IP")]
    #[test_case("Range")]
    #[test_case("Accept-Encoding")]
    #[test_case("Content-Encoding")]
    #[test_case("X-HTTP-Method-Override")]
    #[test_case("Traceparent")]
    #[test_case("Idempotency-Key")]
    fn a_header_that_goes_to_a_function(name: &str) {
        let parsed = parse(name, "x", Reader::Function).unwrap();
        assert!(parsed.contains(&name.to_ascii_lowercase()));
    }

    #[test_case("Authorization", "`authorization` tells Google's front end"; "the credential")]
    #[test_case("X-Serverless-Authorization", "`x-serverless-authorization` tells")]
    #[test_case("X_Goog_IAP_JWT_Assertion", "`x_goog_iap_jwt_assertion` tells"; "in another spelling")]
    #[test_case("X-Goog-Authenticated-User-Email", "`x-goog-authenticated-user-email` tells")]
    #[test_case("X-Goog-Authenticated-User-ID", "`x-goog-authenticated-user-id` tells")]
    #[test_case("X-Goog-Iam-Authorization-Token", "`x-goog-iam-authorization-token` tells")]
    #[test_case("X-Goog-Api-Key", "`x-goog-api-key` tells")]
    #[test_case("X-AppEngine-User-Email", "`x-appengine-user-email` tells")]
    #[test_case("X-Apigateway-Api-Userinfo", "`x-apigateway-api-userinfo` tells")]
    #[test_case("X-Endpoint-Api-UserInfo", "`x-endpoint-api-userinfo` tells")]
    #[test_case("X-Forwarded-Authorization", "`x-forwarded-authorization` tells")]
    #[test_case("Proxy-Authorization", "`proxy-authorization` tells")]
    #[test_case("Cookie", "`cookie` tells")]
    #[test_case("Host", "`host` frames the message")]
    #[test_case("Content-Length", "`content-length` frames")]
    #[test_case("Transfer_Encoding", "`transfer_encoding` frames")]
    fn a_header_that_goes_to_nobody_is_named(name: &str, said: &str) {
        for reader in [Reader::Function, Reader::Api] {
            let error = parse(name, "x", reader).unwrap_err();
            assert!(error.fields().message.contains(said), "{error}");
            assert!(error.fields().details.contains(&("header".to_owned(), name.to_ascii_lowercase())));
        }
    }

    #[test]
    fn a_limit_is_called_one_with_its_number() {
        let said = |headers: Vec<(String, String)>| {
            CallerHeaders::parse(headers, Reader::Function).map_err(|error| error.fields().message.clone())
        };
        let of = |name: usize, value: usize| vec![("n".repeat(name), "v".repeat(value))];
        assert_eq!(
            said(of(257, 1)).unwrap_err(),
            "a header's name has 257 bytes, and this connector sends at most 256"
        );
        assert_eq!(
            said(of(1, 8193)).unwrap_err(),
            "the value of the header `n` has 8193 bytes, and this connector sends at most 8192"
        );
        assert_eq!(
            said(vec![("n".to_owned(), "v".repeat(8191)); 9]).unwrap_err(),
            "the headers have 73728 bytes together, and this connector sends at most 65536"
        );
        assert_eq!(
            said(vec![("n".to_owned(), String::new()); 101]).unwrap_err(),
            "there are 101 headers, and this connector sends at most 100"
        );
        assert!(said(of(256, 8192)).is_ok());
        assert!(said(vec![("n".to_owned(), "v".repeat(8191)); 8]).is_ok());
        assert!(said(vec![("n".to_owned(), String::new()); 100]).is_ok());
    }

    #[test_case("Bearer of-the-caller", true)]
    #[test_case("Basic dTpw", true)]
    #[test_case("Digest username=\"u\", realm=\"r\"", true)]
    #[test_case("", false)]
    #[test_case(" Bearer x", false)]
    #[test_case("Bearer canary\r\nx: y", false)]
    #[test_case("Bearer canäry", false)]
    #[test_case(&format!("Bearer {}", canaries::FIRST), false; "an access token of Google")]
    #[test_case(canaries::FIRST, false; "a naked access token of Google")]
    fn an_authorization_of_the_caller(value: &str, ok: bool) {
        let parsed = OwnAuthorization::parse(Secret::new(value.to_owned()));
        assert_eq!(parsed.is_ok(), ok);
        assert!(
            !format!("{parsed:?}").contains("canary") && !format!("{parsed:?}").contains("of-the-caller")
        );
    }

    #[test]
    fn a_refusal_does_not_repeat_the_value() {
        for name in ["authorization", "x-token"] {
            let error = parse(name, "Bearer canary", Reader::Function).unwrap_err();
            assert!(!format!("{error:?}").contains("canary"));
        }
    }
}
