//! Google's page for signing in, where a function was expected.

use crate::{
    error::{Error, Kind, Origin},
    http::Response,
};

/// The refusal, if Google asks the caller to sign in in a browser: then the function was never reached.
///
/// Identity-Aware Proxy marks what it answers itself, and App Engine's front end sends everybody to `ServiceLogin`. A
/// function that begins a sign-in of its own sends its visitors to another path of the same host, and that is data.
///
/// <https://cloud.google.com/iap/docs/faq>
pub(crate) fn refusal(response: &Response, action: &str) -> Option<Error> {
    let location =
        response.header("location").unwrap_or_default().split(['?', '#']).next().unwrap_or_default();
    let login = location.strip_prefix("https://accounts.google.com/")?;
    let iap = response.header("x-goog-iap-generated-response").is_some();
    if !(300..400).contains(&response.status) || !(iap || login.ends_with("ServiceLogin")) {
        return None;
    }
    let who = if iap { "Identity-Aware Proxy" } else { "Google's front end" };
    let error = Error::new(
        Kind::Unauthenticated,
        Origin::GoogleFrontEnd,
        format!(
            "the attempt to {action} was answered by {who} with a page to sign in, which is for browsers"
        ),
    );
    Some(
        error
            .http_status(response.status)
            .detail("location", location)
            .fix("whoever administers the function takes the proxy away from it, or lets the caller in without a browser"),
    )
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case(302, "https://accounts.google.com/ServiceLogin?continue=x", false, true)]
    #[test_case(302, "https://accounts.google.com/o/oauth2/v2/auth?client_id=x", true, true; "the proxy")]
    #[test_case(302, "https://accounts.google.com/o/oauth2/v2/auth?client_id=x", false, false; "its own sign-in")]
    #[test_case(302, "https://accounts.google.com.evil.example/ServiceLogin", true, false; "another host")]
    #[test_case(302, "https://evil.example/", false, false; "its own redirect")]
    #[test_case(200, "https://accounts.google.com/ServiceLogin", false, false; "no redirect")]
    #[test_case(302, "", true, false; "no location")]
    fn a_page_to_sign_in(status: u16, location: &str, iap: bool, refused: bool) {
        let mut headers = vec![("location".to_owned(), location.as_bytes().to_vec())];
        if iap {
            headers.push(("x-goog-iap-generated-response".to_owned(), b"true".to_vec()));
        }
        let response = Response { status, headers, body: b"<html>".to_vec() };
        let error = refusal(&response, "invoke f");
        assert_eq!(error.is_some(), refused);
        if let Some(error) = error {
            assert_eq!((error.kind(), error.fields().http_status), (Kind::Unauthenticated, Some(status)));
            assert!(!error.to_string().contains("continue"), "the query may hold a secret");
        }
    }
}
