//! Each shape, with one that is it and one that nearly is; and what is no secret at all.

use data_encoding::{BASE64, HEXLOWER};

use super::{SERVICES, names};
use crate::tape::{RecordedBody, Redactor, Tape};

/// So many letters and digits. Secrets that are put together here are not taken for real ones by
/// those who look for them.
fn run(length: usize) -> String {
    "a1B2c3D4e5F6g7H8i9J0".chars().cycle().take(length).collect()
}

fn letters(length: usize) -> String {
    "aBcDeFgHiJ".chars().cycle().take(length).collect()
}

fn hex(length: usize) -> String {
    "0123456789abcdef".chars().cycle().take(length).collect()
}

/// Of each kind: a text with a secret, what becomes of it, and a text without. The secrets are as
/// long as those that the `source` of the rule shows.
fn table() -> Vec<(&'static str, String, String, String)> {
    let whole = |kind: &'static str, secret: String, near: String| {
        (kind, format!("it is {secret}, they say"), format!("it is [redacted:{kind}:1], they say"), near)
    };
    vec![
        whole("aws-keys", format!("AKIA{}", "IOSFODNN7EXAMPLE"), "AKIAIOSFODNN7EXAMPL".to_owned()),
        whole(
            "aws-keys",
            format!("ASIA{}: {}", "IOSFODNN7EXAMPLE", run(40)),
            "XASIAIOSFODNN7EXAMPLE".to_owned(),
        ),
        (
            "aws-secret-key",
            format!("AWS_SECRET_ACCESS_KEY={}", run(40)),
            "AWS_SECRET_ACCESS_KEY=[redacted:aws-secret-key:1]".to_owned(),
            format!("AWS_SECRET_ACCESS_KEY={}", run(39)),
        ),
        whole("npm-token", format!("npm_{}", run(36)), format!("npm_{}", run(35))),
        whole(
            "slack-token",
            format!("xoxb-{}-{}-{}", "123456789012", "123456789012", run(24)),
            "xoxb-1".to_owned(),
        ),
        whole("slack-token", format!("xoxe.xoxp-1-{}", run(140)), "foxp-1234567890123".to_owned()),
        whole(
            "slack-token",
            format!("xapp-1-{}-{}-{}", "A0123456789", "123456789012", run(64)),
            "xapp-store".to_owned(),
        ),
        (
            "slack-webhook",
            format!("https://hooks.slack.com/services/{}/{}/{}", "T0123456", "B0123456", run(24)),
            "https://hooks.slack.com/services/[redacted:slack-webhook:1]".to_owned(),
            "https://hooks.slack.com/services/".to_owned(),
        ),
        whole("openai-key", format!("sk-{}T3BlbkFJ{}", run(20), run(20)), format!("sk-{}", run(48))),
        whole("anthropic-key", format!("sk-ant-api03-{}AA", run(93)), format!("sk-ant-api03-{}", run(20))),
        whole("groq-key", format!("gsk_{}", run(52)), format!("gsk_{}", run(53))),
        whole("hugging-face-token", format!("hf_{}", letters(34)), format!("hf_{}", letters(35))),
        whole("linear-key", format!("lin_api_{}", run(40)), "lin_api_version".to_owned()),
        whole("notion-token", format!("ntn_{}{}", "12345678901", run(35)), format!("ntn_{}", letters(46))),
        whole("sendgrid-key", format!("SG.{}.{}", run(22), run(43)), "SG.Utils.Text".to_owned()),
        whole("shopify-token", format!("shpat_{}", hex(32)), format!("shpat_{}", hex(31))),
        whole("stripe-key", format!("sk_live_{}", run(24)), format!("pk_live_{}", run(24))),
        whole("stripe-key", format!("rk_live_{}", run(99)), "rk_live_mode".to_owned()),
        whole("github-token", format!("ghp_{}", run(36)), format!("ghp_{}", run(37))),
        whole("github-token", format!("gho_{}", run(36)), format!("xgho_{}", run(36))),
        whole("github-token", format!("ghs_{}", run(36)), format!("ghs_{}", run(35))),
        whole("github-token", format!("github_pat_{}", run(82)), format!("github_pat_{}", run(81))),
        whole("gitlab-token", format!("glpat-{}", run(20)), format!("glpat-{}", run(19))),
        whole("grafana-token", format!("glsa_{}_{}", run(32), hex(8)), format!("glsa_{}", run(32))),
        whole("vault-token", format!("hvs.{}", run(95)), "hvs.address".to_owned()),
        whole("vault-token", format!("hvb.{}", run(150)), format!("hvb.{}", run(90))),
        whole("vercel-token", format!("vcp_{}", run(24)), "vcp_short".to_owned()),
        whole("databricks-token", format!("dapi{}", hex(32)), format!("dapi{}", hex(33))),
        whole("docker-token", format!("dckr_pat_{}", run(27)), format!("dckr_pat_{}", run(26))),
        whole("figma-token", format!("figd_{}", run(43)), "figd_file".to_owned()),
        whole("cloudflare-token", format!("cfut_{}{}", run(40), hex(8)), format!("cfut_{}", run(40))),
        whole("tailscale-key", format!("tskey-auth-{}-{}", run(17), run(32)), "tskey-auth-short".to_owned()),
        (
            "password",
            "postgres://app:s3cret-pass@db.internal:5432/orders".to_owned(),
            "postgres://app:[redacted:password:1]@db.internal:5432/orders".to_owned(),
            "postgres://app@db.internal:5432/orders".to_owned(),
        ),
        (
            "password",
            "mongodb+srv://:p%40ss@cluster0.example.net/?w=majority".to_owned(),
            "mongodb+srv://:[redacted:password:1]@cluster0.example.net/?w=majority".to_owned(),
            "mongodb+srv://cluster0.example.net/?w=majority".to_owned(),
        ),
        (
            "password",
            "redis://default:hunter22@cache:6379".to_owned(),
            "redis://default:[redacted:password:1]@cache:6379".to_owned(),
            "redis://cache:6379/0".to_owned(),
        ),
        (
            "password",
            "postgres://app:s3cret-pass@db/x".to_owned(),
            "postgres://app:[redacted:password:1]@db/x".to_owned(),
            "postgres://app:${DB_PASSWORD}@db/x and postgres://app:****@db/x".to_owned(),
        ),
        (
            "password",
            "see https://me:hunter22@example.com/a".to_owned(),
            "see https://me:[redacted:password:1]@example.com/a".to_owned(),
            "see https://example.com:8443/a@b and https://maps.example/@52.5,13.4".to_owned(),
        ),
        whole("twilio-key", format!("SK{}", hex(32)), format!("SK{}", hex(33))),
        (
            "azure-key",
            format!("AccountName=x;AccountKey={}==;EndpointSuffix=core.windows.net", run(86)),
            "AccountName=x;AccountKey=[redacted:azure-key:1];EndpointSuffix=core.windows.net".to_owned(),
            "AccountKey=<key>".to_owned(),
        ),
        (
            "azure-secret",
            format!("is abc8Q~{}", run(34)),
            "is abc8Q~[redacted:azure-secret:1]".to_owned(),
            "is abc8Q~short".to_owned(),
        ),
        (
            "credentials",
            "> Authorization: Basic dXNlcjpwYXNzd29yZA==".to_owned(),
            "> Authorization: Basic [redacted:credentials:1]".to_owned(),
            "Authorization: Bearer [redacted:access-token:1] or Authorization: Basic".to_owned(),
        ),
    ]
}

#[test]
fn each_shape_is_told_from_its_nearest_neighbour() {
    for (kind, text, shown, near) in table() {
        assert_eq!(Redactor::default().text(&text), shown, "{kind}");
        assert_eq!(Redactor::thorough().text(&text), shown, "{kind}");
        assert_eq!(Redactor::thorough().text(&shown), shown, "{kind}: twice is once");
        assert_eq!(Redactor::thorough().text(&near), near, "{kind}");
        // Nor does an encoding hide it.
        let encoded = BASE64.encode(text.as_bytes());
        assert_ne!(Redactor::thorough().text(&encoded), encoded, "{kind}");
    }
}

#[test]
fn the_table_has_every_shape() {
    for service in SERVICES.iter() {
        let has = |text: &str| {
            service.begins.iter().any(|begin| {
                text.match_indices(begin).any(|(at, _)| service.regex().is_match(&text.as_bytes()[at..]))
            })
        };
        assert!(
            table().iter().any(|(kind, text, ..)| *kind == service.kind && has(text)),
            "{}",
            service.name
        );
    }
    let named: Vec<_> = names().collect();
    assert!(
        named.len() > 25 && named.iter().collect::<std::collections::HashSet<_>>().len() == named.len(),
        "{named:?}"
    );
}

#[test]
fn what_identifies_is_no_secret() {
    let image: Vec<u8> = (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
    let mut texts: Vec<String> = [
        "3f2b8c1e-9d4a-4f6b-8a7c-1e2d3c4b5a69",
        "projects/demo-project/locations/us-central1/functions/hello",
        "projects/123456789012/secrets/stripe-key/versions/latest",
        "gcf-v2-sources-123456789012-us-central1",
        "us-central1-docker.pkg.dev/demo-project/gcf-artifacts/hello@sha256:",
        "BwYkZ3Qh1xM=",
        "CiQAx5cVq0X8Qp1p2y3mN0b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1",
        "https://hello-abcdef-uc.a.run.app",
        "1234567890-abcdefghijklmnopqrstuvwxyz012345.apps.googleusercontent.com",
        "robot@demo-project.iam.gserviceaccount.com",
        "bearer authentication is required; basic authentication is not",
        "the authorization: it is basic",
        "arn:aws:iam::123456789012:user/AKIA",
        "sk-learn, hf_transfer, gsk_version, npm_config_registry, SKU 12345",
        "2026-03-01T12:00:00.123456789Z",
        "W/\"0815-4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945\"",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push(hex(64));
    texts.push(hex(40));
    texts.push(run(40));
    texts.push(BASE64.encode(&image));
    texts.push(data_encoding::BASE64URL_NOPAD.encode(&image));
    texts.push(format!("data:image/png;base64,{}", BASE64.encode(&image)));
    texts.push(HEXLOWER.encode(&image));
    for text in texts {
        assert_eq!(Redactor::thorough().text(&text), text);
    }
}

#[test]
fn an_answer_that_repeats_its_request_has_no_credentials_left() {
    let body = serde_json::json!({
        "headers": {"authorization": "Basic dXNlcjpwYXNzd29yZA==", "Proxy-Authorization": "token abcdefgh12"},
        "policy": {"binaryAuthorization": "default", "authorization": "required"},
    });
    let redacted = Redactor::thorough().body(&RecordedBody::Json(body));
    assert_eq!(
        redacted,
        RecordedBody::Json(serde_json::json!({
            "headers": {
                "authorization": "Basic [redacted:credentials:1]", "Proxy-Authorization": "token [redacted:credentials:2]",
            },
            "policy": {"binaryAuthorization": "default", "authorization": "required"},
        }))
    );
}

#[test]
fn a_tape_is_scanned_for_them_and_says_so() {
    let tape = serde_json::json!({
        "format": "gcf-tape", "version": "1.0", "provenance": {"kind": "made", "from": "a test"},
        "clock": "2026-03-01T12:00:00Z", "seed": 1, "interactions": [{
            "request": {"method": "GET", "url": "https://hello-abcdef-uc.a.run.app/"},
            "response": {"status": 200, "body": {"json": {"dsn": "postgres://app:s3cret-pass@db/x"}}},
        }],
    });
    let leaks = Tape::scan(&tape.to_string()).unwrap();
    assert_eq!(
        leaks.iter().map(|leak| leak.at.as_str()).collect::<Vec<_>>(),
        ["interactions[0].response.body.json.dsn"]
    );
    for name in ["Stripe keys", "Slack tokens", "passwords in the URLs of databases", "JWTs"] {
        assert!(Tape::looked_for().contains(&name), "{name}");
    }
}

/// Many beginnings and no end: the work is in proportion to the text, by its size and not by a
/// clock.
#[test]
fn beginnings_without_an_end_cost_no_more_than_a_bound_each() {
    for begin in super::beginnings() {
        let text = begin.repeat(20_000 / begin.len());
        assert!(crate::tape::hide::scan::shapes(text.as_bytes()).count() <= text.len());
    }
}
