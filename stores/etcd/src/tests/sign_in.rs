//! Users and tokens of etcd's authentication.

use gcf_store::{
    contract::{Store as _, StoreError},
    http::{HttpFailure, Response},
    testing::Scripted,
};

use super::{CLEAR, NOTHING, USER, etcd, key};

#[test]
fn a_user_signs_in_once_and_once_more_where_the_token_is_no_longer_good() {
    // Expired or unknown; from before the users were changed. By etcd's gateway: the status of the code of gRPC.
    let expired = (
        401,
        r#"{"error":"etcdserver: invalid auth token","message":"etcdserver: invalid auth token","code":16}"#,
    );
    let old = (
        400,
        r#"{"error":"etcdserver: revision of auth store is old","message":"etcdserver: revision of auth store is old","code":3}"#,
    );
    for stale in [expired, old, (401, "")] {
        let world = Scripted::answers(&[
            (200, r#"{"token":"one"}"#),
            NOTHING,
            NOTHING,
            stale,
            (200, r#"{"token":"two"}"#),
            NOTHING,
            // Whatever is wrong, it is not the token: it is new.
            stale,
            (200, r#"{"token":"three"}"#),
            stale,
        ]);
        let store = etcd(&world, &USER).unwrap();
        for _ in 0..3 {
            assert_eq!(store.get(&key("a")), Ok(None));
        }
        assert_eq!(world.requests().len(), 6);
        assert_eq!(world.header("authorization").as_deref(), Some("two"));
        assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))));
        assert_eq!(world.requests().len(), 9);
    }
}

#[test]
fn a_password_is_called_wrong_only_where_etcd_says_so() {
    let ask = |status, body: &str| {
        let world = Scripted::answers(&[(status, body)]);
        let answer = etcd(&world, &USER).unwrap().get(&key("a"));
        assert_eq!(world.requests().len(), 1);
        answer
    };
    // The codes, and etcd's words for them: https://github.com/etcd-io/etcd/blob/main/api/v3rpc/rpctypes/error.go
    let refusals = [
        (400, 3, "etcdserver: authentication failed, invalid user ID or password"),
        // A gateway of etcd 3.4, and a later one.
        (412, 9, "etcdserver: authentication is not enabled"),
        (400, 9, "etcdserver: authentication is not enabled"),
        (400, 11, "etcdserver: mvcc: required revision is a future revision"),
        (400, 0, "hunter2"),
    ];
    for (status, code, said) in refusals {
        let body = format!(r#"{{"error":"{said}","message":"{said}","code":{code}}}"#);
        let Err(StoreError::Other(why)) = ask(status, &body) else { panic!("{status} {code}") };
        assert_eq!(why.contains("password: correct"), code == 3, "{why}");
        assert_eq!(why.contains("is its authentication on?"), code == 9, "{why}");
        assert!(!why.contains("GCF_ETCD_URL") && !why.contains("hunter2"), "{why}");
    }
    // The first is what a server of Go's answers where the URL should have said https:
    // https://github.com/golang/go/blob/master/src/net/http/server.go. No proxy's words are etcd's, either.
    let others = [
        (400, "Client sent an HTTP request to an HTTPS server.\n"),
        (400, "<h1>Bad Request</h1>"),
        (412, ""),
        (412, r#"{"error":"hunter2"}"#),
        (405, "Method Not Allowed"),
    ];
    for (status, body) in others {
        let Err(StoreError::Other(why)) = ask(status, body) else { panic!("{status} {body}") };
        assert!(why.contains(&status.to_string()) && why.contains("check GCF_ETCD_URL"), "{why}");
        assert!(!why.contains("authentication") && !why.contains("hunter2"), "{why}");
    }
    // What is said of all requests alike.
    for status in [401, 403, 404] {
        let Err(StoreError::Other(why)) = ask(status, r#"{"code":16}"#) else { panic!("{status}") };
        assert!(!why.contains("authentication"), "{why}");
    }
    assert!(matches!(ask(503, r#"{"code":14}"#), Err(StoreError::Unavailable(_))));
}

#[test]
fn a_token_is_not_kept_where_the_connection_breaks_and_a_credential_of_others_is_not_renewed() {
    let whole = |body: &str| Ok(Response { status: 200, body: body.into() });
    let outcomes = [
        whole(r#"{"token":"one"}"#),
        Err(HttpFailure::Broken),
        whole(r#"{"token":"two"}"#),
        whole(NOTHING.1),
    ];
    let world = Scripted::outcomes(outcomes.into_iter());
    let store = etcd(&world, &USER).unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Unavailable(_))));
    assert_eq!(store.get(&key("a")), Ok(None));
    assert_eq!(world.header("authorization").as_deref(), Some("two"));

    let world = Scripted::answers(&[(401, r#"{"code":16}"#)]);
    let store = etcd(&world, &[CLEAR, ("GCF_ETCD_TOKEN", "given")]).unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))));
    assert_eq!(world.requests().len(), 1);
}
