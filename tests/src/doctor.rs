//! The doctor on tapes: the faults that it finds, and the way to mend them.

use gcf_host::wit::{Finding, Verdict};
use serde_json::json;

use crate::fixtures::{
    connected,
    google::json_response,
    named, on_tape,
    person::{user, with},
    world::on_script,
};

fn verdicts(findings: &[Finding]) -> Vec<(&str, Verdict)> {
    findings.iter().map(|finding| (finding.name.as_str(), finding.verdict)).collect()
}

fn fix<'a>(findings: &'a [Finding], name: &str) -> &'a str {
    findings.iter().find(|finding| finding.name == name).unwrap().fix.as_deref().unwrap()
}

/// The findings about a service account that needs nothing more.
const NOTHING_MISSING: [(&str, Verdict); 8] = [
    ("token", Verdict::Pass),
    ("scopes", Verdict::NotNeeded),
    ("project", Verdict::Pass),
    ("functions-api", Verdict::Pass),
    ("list-functions", Verdict::Pass),
    ("run-api", Verdict::Pass),
    ("iam-credentials-api", Verdict::NotNeeded),
    ("mint-id-token", Verdict::NotNeeded),
];

#[tokio::test]
pub(crate) async fn a_service_account_with_all_that_it_needs() {
    let (host, replay, id) = connected("doctor-good.json").await;
    let findings = host.check(&id, None, None).await.unwrap();
    assert_eq!(verdicts(&findings), NOTHING_MISSING);
    assert!(findings.iter().all(|finding| finding.fix.is_none()));
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_function_that_may_be_invoked_and_one_that_may_not() {
    let hello = || Some(named("hello-http", Some("us-central1")));
    let (host, replay, id) = connected("doctor-may-invoke.json").await;
    let findings = host.check(&id, hello(), None).await.unwrap();
    let of_function = ["exists", "http", "active", "may-invoke"].map(|name| (name, Verdict::Pass));
    assert_eq!(verdicts(&findings)[8..], of_function);
    replay.finish().unwrap();

    let (host, replay, id) = connected("doctor-may-not-invoke.json").await;
    let findings = host.check(&id, hello(), None).await.unwrap();
    assert_eq!(verdicts(&findings)[11], ("may-invoke", Verdict::Fail));
    let fix = fix(&findings, "may-invoke");
    assert!(
        fix.contains("gcloud run services add-iam-policy-binding hello-http --region=us-central1"),
        "{fix}"
    );
    assert!(fix.contains("--role=roles/run.invoker"), "{fix}");
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_function_of_cloud_run_is_looked_at_too() {
    let (host, replay, id) = connected("doctor-cloud-run.json").await;
    let findings = host.check(&id, Some(named("slack-bot", Some("us-central1"))), None).await.unwrap();
    let of_function = ["exists", "http", "active", "may-invoke"].map(|name| (name, Verdict::Pass));
    assert_eq!(verdicts(&findings)[8..], of_function);
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_user_without_any_role() {
    let (host, replay) = on_tape("doctor-no-roles.json");
    let id = host.connect(with(&user()), None).await.unwrap().connection.id;
    let findings = host.check(&id, None, None).await.unwrap();
    assert_eq!(
        verdicts(&findings),
        [
            ("token", Verdict::Pass),
            ("scopes", Verdict::Pass),
            ("project", Verdict::Unknown),
            ("functions-api", Verdict::Pass),
            ("list-functions", Verdict::Fail),
            ("run-api", Verdict::Pass),
            ("iam-credentials-api", Verdict::Pass),
            ("mint-id-token", Verdict::Fail),
        ]
    );
    let list = fix(&findings, "list-functions");
    assert!(list.contains("--member=user:ada@example.com --role=roles/cloudfunctions.viewer"), "{list}");
    let mint = fix(&findings, "mint-id-token");
    assert!(mint.contains("--role=roles/iam.serviceAccountOpenIdTokenCreator"), "{mint}");
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn iam_credentials_is_off() {
    let (host, replay) = on_tape("doctor-iam-off.json");
    let id = host.connect(with(&user()), None).await.unwrap().connection.id;
    let findings = host.check(&id, None, None).await.unwrap();
    assert_eq!(
        verdicts(&findings)[6..],
        [("iam-credentials-api", Verdict::Fail), ("mint-id-token", Verdict::Unknown)]
    );
    let fix = fix(&findings, "iam-credentials-api");
    assert!(
        fix.contains("gcloud services enable iamcredentials.googleapis.com --project=123456789012"),
        "{fix}"
    );
    assert!(findings[6].link.as_deref().unwrap().starts_with("https://console.developers.google.com/"));
    replay.finish().unwrap();
}

/// Somebody else's connector tried itself on the first function that there was.
#[tokio::test]
async fn a_project_without_functions_is_as_good_as_any() {
    let (host, google, id) = on_script(|sent| {
        let status =
            if sent.url.contains("/functions/") || sent.url.contains("/services/") { 404 } else { 200 };
        // Proto3 leaves out what is empty.
        Some(json_response(status, &json!({})))
    })
    .await;
    let findings = host.check(&id, None, None).await.unwrap();
    assert_eq!(verdicts(&findings), NOTHING_MISSING);
    assert_eq!(google.take().len(), 2, "one page of either API, and no function is looked at");

    let findings = host.check(&id, Some(named("hello", Some("us-central1"))), None).await.unwrap();
    assert_eq!(
        verdicts(&findings)[8..],
        [
            ("exists", Verdict::Fail),
            ("http", Verdict::Unknown),
            ("active", Verdict::Unknown),
            ("may-invoke", Verdict::Unknown),
        ]
    );
}
