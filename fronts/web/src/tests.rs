//! The gate, heads and replies natively.

use serde_json::{Value, json};

use crate::{Gate, Head, Reply};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn gate(variables: &[(&str, &str)]) -> Gate {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Gate::new(&variables)
}

/// The status and the body of an answer by the gate; 0 for whoever may ask.
fn status(gate: &Gate, method: &str, target: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    match gate.admit(&Head { method, target, headers: &headers }) {
        Ok(()) => (0, String::new()),
        Err(reply) => (reply.status, reply.body),
    }
}

#[test]
fn whoever_has_the_token_is_let_in_and_nobody_else() {
    let gate = gate(&[("GCF_FRONT_TOKEN", TOKEN)]);
    let with = |authorization: &str| status(&gate, "POST", "/x", &[("Authorization", authorization)]).0;
    for good in [format!("Bearer {TOKEN}"), format!("bearer {TOKEN}"), format!("BEARER  {TOKEN} ")] {
        assert_eq!(with(&good), 0, "{good}");
    }
    let shorter = &TOKEN[..31];
    let other = TOKEN.replace('f', "e");
    for bad in [
        String::new(),
        TOKEN.to_owned(),
        "Bearer ".to_owned(),
        "Bearer".to_owned(),
        format!("Basic {TOKEN}"),
        format!("Bearer {shorter}"),
        format!("Bearer {TOKEN}0"),
        format!("Bearer {other}"),
        format!("Bearer {}", TOKEN.to_uppercase()),
    ] {
        assert_eq!(with(&bad), 401, "{bad}");
    }
    assert_eq!(status(&gate, "POST", "/x", &[]).0, 401);
    let good = format!("Bearer {TOKEN}");
    let twice = [("authorization", good.as_str()), ("authorization", good.as_str())];
    assert_eq!(status(&gate, "POST", "/x", &twice).0, 401);
}

#[test]
fn without_a_token_of_its_own_it_answers_nobody_and_says_why() {
    let short = &TOKEN[..31];
    let (line, blank) = (format!("{TOKEN}\n"), format!(" {TOKEN}"));
    for (variables, why) in [
        (&[][..], "is not set"),
        (&[("GCF_FRONT_TOKEN", "")], "is not set"),
        (&[("GCF_FRONT_TOKEN", short)], "is shorter"),
        (&[("GCF_FRONT_TOKEN", line.as_str())], "has white space around it"),
        (&[("GCF_FRONT_TOKEN", blank.as_str())], "has white space around it"),
        (&[("GCF_FRONT_TOKEN", "   ")], "has white space around it"),
        (&[("GCF_FRONT_OPEN", "")], "is not set"),
        (&[("GCF_FRONT_OPEN", "no")], "is not set"),
        (&[("GCF_FRONT_OPEN", "yes"), ("GCF_FRONT_TOKEN", short)], "is shorter"),
        (&[("GCF_FRONT_OPEN", "yes"), ("GCF_FRONT_TOKEN", line.as_str())], "has white space around it"),
    ] {
        for (method, target) in [("GET", "/healthz"), ("HEAD", "/healthz"), ("POST", "/x")] {
            let authorization = format!("Bearer {TOKEN}");
            let (status, body) =
                status(&gate(variables), method, target, &[("authorization", authorization.as_str())]);
            let error: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((status, &error["kind"], &error["origin"]), (503, &json!("other"), &json!("host")));
            assert!(error["message"].as_str().unwrap().contains(why), "{variables:?}: {error}");
            assert!(!body.contains(TOKEN), "{body}");
        }
    }
}

#[test]
fn an_open_front_is_for_everybody_but_pages_in_browsers() {
    let open = gate(&[("GCF_FRONT_OPEN", "yes")]);
    assert_eq!(status(&open, "POST", "/x", &[]).0, 0);
    // The Fetch standard: a page sends `null` where it must not say who it is.
    for origin in ["https://evil.example", "null", ""] {
        let (status, body) = status(&open, "POST", "/x", &[("Origin", origin)]);
        let error: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &error["kind"], &error["origin"]), (403, &json!("forbidden"), &json!("host")));
    }
    assert_eq!(status(&open, "POST", "/x", &[("origin", "a"), ("origin", "b")]).0, 403);
    // A page does not know the token; and who sets both means the token.
    let both = gate(&[("GCF_FRONT_OPEN", "yes"), ("GCF_FRONT_TOKEN", TOKEN)]);
    assert_eq!(status(&both, "POST", "/x", &[]).0, 401);
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("origin", "https://a.example"), ("authorization", authorization.as_str())];
    assert_eq!(status(&both, "POST", "/x", &headers).0, 0);
}

#[test]
fn anybody_may_ask_whether_it_is_there() {
    let gate = gate(&[("GCF_FRONT_TOKEN", TOKEN)]);
    assert_eq!(status(&gate, "GET", "/healthz", &[]), (200, r#"{"status":"ok"}"#.to_owned()));
    assert_eq!(status(&gate, "HEAD", "/healthz?x=1", &[]).0, 200);
    assert_eq!(status(&gate, "POST", "/healthz", &[]).0, 405);
}

#[test]
fn a_head_gets_no_body_and_the_same_headers() {
    let reply = || Reply::json(404, &json!({"a": 1}));
    assert_eq!(reply().to("HEAD").headers, reply().headers);
    assert_eq!((reply().to("HEAD").body.as_str(), reply().to("GET").body.as_str()), ("", r#"{"a":1}"#));
}
