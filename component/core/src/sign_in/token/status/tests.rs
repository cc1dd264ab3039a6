//! The time for which a refusal of the token endpoint is believed.

use test_case::test_case;

use super::*;
use crate::{
    google::refusal::token_endpoint::{
        self,
        Grant::{self, Assertion, Exchange, RefreshToken},
    },
    testing::NOW,
};

const DEAD: Option<Option<u64>> = Some(None);
const REFUSED_FOR_NOW: Option<Option<u64>> = Some(Some(REFUSED));
const IN_PASSING: Option<Option<u64>> = Some(Some(PASSING));

#[test_case(RefreshToken, 400, r#"{"error":"invalid_grant"}"#, DEAD; "dead")]
#[test_case(RefreshToken, 401, r#"{"error":"disabled_client"}"#, REFUSED_FOR_NOW; "a client that can be enabled")]
#[test_case(RefreshToken, 400, r#"{"error":"admin_policy_enforced"}"#, None; "a policy, which can change at any moment")]
#[test_case(RefreshToken, 400, r#"{"error":"invalid_scope"}"#, None; "a scope that was not granted")]
#[test_case(RefreshToken, 503, "", IN_PASSING; "passing")]
#[test_case(RefreshToken, 429, "", IN_PASSING; "asked too often")]
#[test_case(RefreshToken, 403, "<html>", IN_PASSING; "a proxy does not kill a connection")]
#[test_case(RefreshToken, 302, "", None; "nor does a redirect")]
#[test_case(Assertion, 400, r#"{"error":"invalid_grant"}"#, REFUSED_FOR_NOW; "a key that is refused")]
#[test_case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"iat and exp"}"#, IN_PASSING; "a clock that is wrong")]
#[test_case(Assertion, 400, r#"{"error":"invalid_scope"}"#, REFUSED_FOR_NOW; "a bad audience does not kill a connection")]
#[test_case(Exchange, 400, r#"{"error":"invalid_grant"}"#, REFUSED_FOR_NOW; "nor does a stale subject token")]
fn a_refusal_is_believed_as_long_as_its_kind_says(
    grant: Grant,
    status: u16,
    body: &str,
    believed: Option<Option<u64>>,
) {
    let error = token_endpoint::error(status, body.as_bytes(), grant, "ada@example.com");
    let fault = StoredFault::of(&error, "tokens/a/1", NOW);
    assert_eq!(fault.as_ref().map(|fault| fault.until.map(|until| until - NOW)), believed);
    // What ends by itself is about the one token that was refused; the rest, about the whole connection.
    let about = fault.and_then(|fault| fault.about);
    assert_eq!(about.as_deref(), believed.flatten().map(|_| "tokens/a/1"));
}
