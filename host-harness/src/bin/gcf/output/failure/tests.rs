use gcf_host::wit::types::Origin;

use super::*;

fn error(kind: ErrorKind) -> Error {
    Error {
        kind,
        origin: Origin::Iam,
        message: "listing functions of project p was denied".to_owned(),
        fix: Some("ask for a role".to_owned()),
        http_status: Some(403),
        retry_after_ms: None,
        reason: Some("IAM_PERMISSION_DENIED".to_owned()),
        link: Some("https://cloud.google.com/iam".to_owned()),
        details: vec![("role".to_owned(), "roles/cloudfunctions.viewer".to_owned())],
        trace: Vec::new(),
    }
}

#[test]
fn people_get_the_fix_on_its_own_line() {
    let text = Failure::from(error(ErrorKind::MissingRole)).text(Paint::none());
    assert_eq!(
        text,
        "error: listing functions of project p was denied\nhint: ask for a role\nlink: \
         https://cloud.google.com/iam\n"
    );
}

#[test]
fn what_the_library_says_to_do_is_the_hint() {
    for error in [
        StoreError::unavailable("cannot write a").with_fix("free some space; then again"),
        StoreError::unavailable("cannot read a: input/output error"),
        StoreError::VersionMismatch,
        StoreError::ReadOnly,
        StoreError::Unsupported,
    ] {
        let failure = Failure::store_refuses("keep b", &error);
        assert_eq!((failure.exit, failure.kind), (Exit::Failed, "secret-store"), "{error}");
        assert!(failure.fix().is_some(), "{error}");
    }
    let full = StoreError::unavailable("cannot write a").with_fix("free some space; then again");
    assert_eq!(
        Failure::store(&full).text(Paint::none()),
        "error: cannot write a\nhint: free some space; then again\n"
    );
    let argument = Failure::store(&StoreError::other("not a folder: a").with_fix("name one"));
    assert_eq!((argument.exit, argument.kind), (Exit::Usage, "invalid-input"));
}

#[test]
fn programs_get_every_fact() {
    let json = Failure::from(error(ErrorKind::MissingRole)).json();
    assert_eq!(json["error"]["kind"], "missing-role");
    assert_eq!(json["error"]["origin"], "iam");
    assert_eq!(json["error"]["exit"], 4);
    assert_eq!(json["error"]["http-status"], 403);
    assert_eq!(json["error"]["details"]["role"], "roles/cloudfunctions.viewer");
    assert_eq!(json["error"]["retry-after-ms"], Value::Null);
}

#[test]
fn a_replay_that_does_not_match_tells_what_it_broke() {
    let mismatch = TapeError::NotReplayed { misses: Vec::new(), unused: vec!["2 GET https://x/".to_owned()] };
    let failure = Failure::replay(&mismatch, Some(error(ErrorKind::Network).into()));
    assert_eq!(failure.exit, Exit::Replay);
    let text = failure.text(Paint::none());
    assert!(text.starts_with("error: listing functions"), "{text}");
    assert!(text.contains("error: the replay did not match its tape\n"), "{text}");
    assert_eq!(failure.json()["error"]["before"]["kind"], "network");
}
