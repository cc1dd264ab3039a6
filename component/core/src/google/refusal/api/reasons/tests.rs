//! Every reason of Google's, and what it comes to.

use serde_json::{Value, json};
use test_case::test_case;

use super::{super::Resource, *};
use crate::base::{error::Origin, http::Response};

fn attempted() -> Attempted<'static> {
    Attempted {
        action: "list functions in my-project",
        project: "my-project",
        account: "ada@example.com",
        permission: "cloudfunctions.functions.list",
        resource: Resource::Project,
    }
}

fn answer(status: u16, error: &Value) -> Error {
    let body = json!({"error": error}).to_string().into_bytes();
    super::super::error(&Response { status, headers: vec![], body }, &attempted())
}

/// In the shape of `google/api/error_reason.proto`.
fn refused(status: u16, reason: &str) -> Error {
    answer(
        status,
        &json!({"code": status, "message": "Google's own words.", "status": "PERMISSION_DENIED", "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
            "metadata": {"consumer": "projects/123", "service": "pubsub.googleapis.com"}}]}),
    )
}

fn detail<'e>(error: &'e Error, name: &str) -> Option<&'e str> {
    error.fields().details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

fn fix(error: &Error) -> &str {
    error.fields().fix.as_deref().unwrap()
}

/// All of `google/api/error_reason.proto`, in its order, as googleapis-common-protos 1.76.0 has it.
const REASONS: [(&str, Kind); 44] = [
    ("SERVICE_DISABLED", Kind::ApiDisabled),
    ("BILLING_DISABLED", Kind::Forbidden),
    ("API_KEY_INVALID", Kind::Unauthenticated),
    ("API_KEY_SERVICE_BLOCKED", Kind::Unauthenticated),
    ("API_KEY_HTTP_REFERRER_BLOCKED", Kind::Unauthenticated),
    ("API_KEY_IP_ADDRESS_BLOCKED", Kind::Unauthenticated),
    ("API_KEY_ANDROID_APP_BLOCKED", Kind::Unauthenticated),
    ("API_KEY_IOS_APP_BLOCKED", Kind::Unauthenticated),
    ("RATE_LIMIT_EXCEEDED", Kind::RateLimited),
    ("RESOURCE_QUOTA_EXCEEDED", Kind::RateLimited),
    ("LOCATION_TAX_POLICY_VIOLATED", Kind::Forbidden),
    ("USER_PROJECT_DENIED", Kind::NotFound),
    ("CONSUMER_SUSPENDED", Kind::Forbidden),
    ("CONSUMER_INVALID", Kind::NotFound),
    ("SECURITY_POLICY_VIOLATED", Kind::Forbidden),
    ("ACCESS_TOKEN_EXPIRED", Kind::Unauthenticated),
    ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", Kind::InsufficientScope),
    ("ACCOUNT_STATE_INVALID", Kind::Unauthenticated),
    ("ACCESS_TOKEN_TYPE_UNSUPPORTED", Kind::Unauthenticated),
    ("CREDENTIALS_MISSING", Kind::Unauthenticated),
    ("RESOURCE_PROJECT_INVALID", Kind::NotFound),
    ("SESSION_COOKIE_INVALID", Kind::Unauthenticated),
    ("USER_BLOCKED_BY_ADMIN", Kind::Forbidden),
    ("RESOURCE_USAGE_RESTRICTION_VIOLATED", Kind::Forbidden),
    ("SYSTEM_PARAMETER_UNSUPPORTED", Kind::Forbidden),
    ("ORG_RESTRICTION_VIOLATION", Kind::Forbidden),
    ("ORG_RESTRICTION_HEADER_INVALID", Kind::Forbidden),
    ("SERVICE_NOT_VISIBLE", Kind::Forbidden),
    ("GCP_SUSPENDED", Kind::Forbidden),
    ("LOCATION_POLICY_VIOLATED", Kind::NotFound),
    ("MISSING_ORIGIN", Kind::Forbidden),
    ("OVERLOADED_CREDENTIALS", Kind::Unauthenticated),
    ("LOCATION_ORG_POLICY_VIOLATED", Kind::Forbidden),
    ("TLS_ORG_POLICY_VIOLATED", Kind::Forbidden),
    ("EMULATOR_QUOTA_EXCEEDED", Kind::RateLimited),
    ("CREDENTIAL_ANDROID_APP_INVALID", Kind::Unauthenticated),
    ("IAM_PERMISSION_DENIED", Kind::MissingRole),
    ("JWT_TOKEN_INVALID", Kind::Unauthenticated),
    ("CREDENTIAL_TYPE_UNSUPPORTED", Kind::Unauthenticated),
    ("ACCOUNT_TYPE_UNSUPPORTED", Kind::Unauthenticated),
    ("ENDPOINT_USAGE_RESTRICTION_VIOLATED", Kind::Forbidden),
    ("TLS_CIPHER_RESTRICTION_VIOLATED", Kind::Forbidden),
    ("MCP_SERVER_DISABLED", Kind::Forbidden),
    // The one that says nothing.
    ("ERROR_REASON_UNSPECIFIED", Kind::Forbidden),
];

#[test]
fn every_reason_of_google_s_has_its_kind_its_fix_and_its_facts() {
    let generic = fix(&refused(403, "A_REASON_OF_TOMORROW")).to_owned();
    for (reason, kind) in REASONS {
        let error = refused(403, reason);
        let fields = error.fields();
        assert_eq!((fields.kind, fields.reason.as_deref()), (kind, Some(reason)));
        assert!(fields.message.ends_with("Google's own words."), "{error}");
        assert!(!fix(&error).contains(['{', '}']), "{error}");
        let known = reason != "ERROR_REASON_UNSPECIFIED";
        assert_eq!(fix(&error) != generic, known, "{reason}: {error}");
        if known && kind != Kind::MissingRole {
            let facts = (detail(&error, "service"), detail(&error, "project"));
            assert_eq!(facts, (Some("pubsub.googleapis.com"), Some("123")), "{reason}");
        }
        if let Some(link) = &fields.link {
            let host = link.strip_prefix("https://").and_then(|link| link.split('/').next()).unwrap();
            assert!(host.ends_with(".google.com"), "{link}");
        }
    }
}

#[test]
fn the_table_holds_no_reason_that_google_does_not_have() {
    let known: Vec<_> = REASONS.iter().map(|(reason, _)| *reason).collect();
    let all: Vec<_> = ROWS.iter().flat_map(|row| row.reasons).copied().collect();
    for (at, reason) in all.iter().enumerate() {
        // The types of violations in google/rpc/error_details.proto's own words and in captures.
        let violation = ["VPC_SERVICE_CONTROLS", "TOS", "LOCATION_ACCESS_DENIED"].contains(reason);
        assert!(violation || *reason == USE_DENIED || known.contains(reason), "{reason}");
        assert!(!all[..at].contains(reason), "{reason} twice");
    }
}

/// A reason decides within the statuses of refusals; a fault stays one, and a success is not read for it.
#[test_case(400, Kind::NotFound)]
#[test_case(403, Kind::NotFound)]
#[test_case(404, Kind::NotFound)]
#[test_case(429, Kind::NotFound)]
#[test_case(408, Kind::Unavailable)]
#[test_case(500, Kind::Unavailable)]
#[test_case(503, Kind::Unavailable)]
#[test_case(204, Kind::InvalidResponse)]
fn a_reason_outranks_the_status_of_a_refusal(status: u16, kind: Kind) {
    assert_eq!(refused(status, "CONSUMER_INVALID").kind(), kind);
}

/// The new body of 2024 and later, as captured for Cloud Functions: the project that counts may be another one.
#[test]
fn an_api_that_is_off_is_switched_on_where_google_counts() {
    let url =
        "https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/overview?project=999";
    let metadata = json!({"activationUrl": url, "service": "iamcredentials.googleapis.com", "consumer": "projects/999",
        "serviceTitle": "IAM Service Account Credentials API", "containerInfo": "999"});
    let info = |metadata: &Value| json!({"reason": "SERVICE_DISABLED", "metadata": metadata});
    let error = answer(403, &json!({"message": "off", "details": [info(&metadata)]}));
    assert_eq!((error.kind(), error.fields().link.as_deref()), (Kind::ApiDisabled, Some(url)));
    assert!(
        fix(&error).contains("gcloud services enable iamcredentials.googleapis.com --project=999;"),
        "{error}"
    );
    assert_eq!(
        (detail(&error, "project"), detail(&error, "service")),
        (Some("999"), Some("iamcredentials.googleapis.com"))
    );
    // Before ErrorInfo there was the link alone.
    let help = json!({"links": [{"description": "Google developers console API activation", "url": url}]});
    let error = answer(403, &json!({"message": "off", "status": "PERMISSION_DENIED", "details": [help]}));
    assert_eq!((error.kind(), error.fields().link.as_deref()), (Kind::ApiDisabled, Some(url)));
    assert!(
        fix(&error).contains("gcloud services enable iamcredentials.googleapis.com --project=my-project;"),
        "{error}"
    );
    // Older services count by number in their own way.
    let error =
        answer(403, &json!({"message": "off", "details": [info(&json!({"consumer": "project_number:42"}))]}));
    assert!(fix(&error).contains("enable SERVICE --project=42;"), "{error}");
}

/// A command that somebody copies holds nothing but names.
#[test_case("projects/a; rm -rf ~")]
#[test_case("projects/$(id)")]
#[test_case("projects/")]
#[test_case("organizations/1")]
fn a_consumer_that_is_no_project_gets_into_no_command(consumer: &str) {
    let metadata = json!({"consumer": consumer, "service": "x`id`.googleapis.com", "activationUrl": "https://evil.example/apis/api/a/b"});
    let error = answer(
        403,
        &json!({"message": "off", "details": [{"reason": "SERVICE_DISABLED", "metadata": metadata}]}),
    );
    assert!(fix(&error).contains("gcloud services enable SERVICE --project=my-project;"), "{error}");
    assert!(error.fields().link.as_deref().unwrap().starts_with("https://console.cloud.google.com/"));
}

/// google-github-actions/auth#250, Antigravity-Manager#3050: whoever may not use a project is sent to its IAM page.
#[test]
fn a_quota_project_that_may_not_be_used_names_the_role_and_one_that_is_gone_does_not() {
    let url = "https://console.developers.google.com/iam-admin/iam?project=billing-project";
    let denied = json!({"message": "Caller does not have required permission to use project billing-project.",
        "status": "PERMISSION_DENIED", "details": [{"reason": "USER_PROJECT_DENIED", "metadata":
            {"consumer": "projects/billing-project", "consoleUrl": url, "service": "iamcredentials.googleapis.com"}}]});
    let error = answer(403, &denied);
    assert_eq!((error.kind(), error.fields().link.as_deref()), (Kind::MissingRole, Some(url)));
    assert_eq!(detail(&error, "role"), Some("roles/serviceusage.serviceUsageConsumer"));
    assert_eq!(detail(&error, "resource"), Some("projects/billing-project"));
    assert!(
        fix(&error)
            .contains("gcloud projects add-iam-policy-binding billing-project --member=user:ada@example.com"),
        "{error}"
    );
    let mut gone = denied;
    gone["message"] = "Project billing-project has been deleted.".into();
    gone["details"][0]["metadata"]["consoleUrl"] = Value::Null;
    gone["details"][0]["metadata"].as_object_mut().unwrap().remove("consoleUrl");
    let error = answer(403, &gone);
    assert_eq!(
        (error.kind(), detail(&error, "cause"), detail(&error, "project")),
        (Kind::NotFound, Some("project"), Some("billing-project"))
    );
}

/// The reports' own body, and its siblings: a denial, and nothing else.
#[test_case(json!({"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}))]
#[test_case(json!({"code": 403, "message": "The caller does not have permission"}); "without its status")]
#[test_case(json!({"message": "Forbidden", "errors": [{"reason": "forbidden", "domain": "global"}]}); "as older services say it")]
#[test_case(json!({"message": "The caller does not have permission", "status": "PERMISSION_DENIED", "details": []}); "with no details")]
#[test_case(json!({"message": "The caller does not have permission", "status": "PERMISSION_DENIED", "details": [
    {"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": "x"}]}); "with details that say nothing")]
fn a_denial_without_a_reason_likely_is_a_missing_role(body: Value) {
    let error = answer(403, &body);
    assert_eq!((error.kind(), error.fields().origin), (Kind::MissingRole, Origin::Iam));
    assert_eq!(
        (detail(&error, "role"), detail(&error, "cause")),
        (Some("roles/cloudfunctions.viewer"), Some("unexplained"))
    );
    assert!(fix(&error).starts_with("likely a role is missing: whoever administers"), "{error}");
}

#[test_case(json!({"message": "x", "status": "PERMISSION_DENIED", "details": [{"reason": "NEW", "domain": "googleapis.com"}]}); "a reason")]
#[test_case(json!({"message": "x", "status": "PERMISSION_DENIED", "details": [{"violations": [{"type": "NEW"}]}]}); "a violation")]
#[test_case(json!({"message": "x", "status": "FAILED_PRECONDITION"}); "another code")]
#[test_case(json!({"status": "PERMISSION_DENIED"}); "no words")]
fn a_refusal_that_says_more_is_not_taken_for_a_missing_role(body: Value) {
    assert_eq!(answer(403, &body).kind(), Kind::Forbidden);
}

#[test]
fn a_denial_of_something_without_a_known_permission_stays_as_it_is() {
    let body =
        json!({"error": {"message": "The caller does not have permission", "status": "PERMISSION_DENIED"}});
    let response = Response { status: 403, headers: vec![], body: body.to_string().into_bytes() };
    let of_nothing = Attempted { permission: "", ..attempted() };
    assert_eq!(super::super::error(&response, &of_nothing).kind(), Kind::Forbidden);
}

#[test]
fn the_resource_is_google_s_own_where_it_says_one() {
    let denied = |resource: &str| {
        answer(
            403,
            &json!({"message": "no", "details": [{"reason": "IAM_PERMISSION_DENIED",
            "metadata": {"permission": "cloudfunctions.functions.list", "resource": resource}}]}),
        )
    };
    for resource in [
        "projects/other-one",
        "//cloudresourcemanager.googleapis.com/projects/other-one",
        "projects/other-one/locations/-",
    ] {
        let error = denied(resource);
        assert_eq!(detail(&error, "resource"), Some(resource));
        assert!(fix(&error).contains("gcloud projects add-iam-policy-binding other-one "), "{error}");
    }
    let error = denied("projects/$(id)");
    assert!(fix(&error).contains("gcloud projects add-iam-policy-binding my-project "), "{error}");
    // In the words of Cloud Functions, quoted.
    let said = "Permission 'cloudfunctions.functions.get' denied on resource 'projects/p-1/locations/us-central1/functions/f' (or it may not exist).";
    let error = answer(403, &json!({"message": said, "status": "PERMISSION_DENIED"}));
    assert_eq!(
        (detail(&error, "permission"), detail(&error, "resource"), detail(&error, "cause")),
        (Some("cloudfunctions.functions.get"), Some("projects/p-1/locations/us-central1/functions/f"), None)
    );
}

/// A violation alone is enough; with the unique id by which it is found.
#[test]
fn vpc_service_controls_are_named_with_the_unique_id() {
    let violation = json!({"@type": "type.googleapis.com/google.rpc.PreconditionFailure", "violations":
        [{"type": "VPC_SERVICE_CONTROLS", "description": "eYhD"}]});
    let info = json!({"reason": "SECURITY_POLICY_VIOLATED", "metadata": {"uid": "eYhD", "consumer": "projects/p-12"}});
    for (details, uid) in [(json!([violation, info]), Some("eYhD")), (json!([violation]), None)] {
        let error = answer(
            403,
            &json!({"message": "Request is prohibited by organization's policy.", "details": details}),
        );
        assert_eq!(
            (error.kind(), detail(&error, "cause"), detail(&error, "uid")),
            (Kind::Forbidden, Some("policy"), uid)
        );
        assert!(fix(&error).starts_with("VPC Service Controls"), "{error}");
        assert!(error.fields().link.as_deref().unwrap().contains("vpc-service-controls"));
    }
}

#[test_case(json!({"message": "Permission denied on 'locations/me-central2' (or it may not exist).", "details": [
    {"reason": "LOCATION_POLICY_VIOLATED", "metadata": {"location": "me-central2"}}]}), Some("me-central2"); "with its reason")]
#[test_case(json!({"message": "Permission denied on 'locations/europe-southwest1' (or it may not exist)",
    "errors": [{"message": "Permission denied on 'locations/europe-southwest1' (or it may not exist)", "domain": "global",
    "reason": "forbidden"}], "status": "PERMISSION_DENIED"}), None; "as terraform-provider-google 17037 has it")]
#[test_case(json!({"message": "Location us-central1 is not found or access is unauthorized.", "status": "PERMISSION_DENIED", "details": []}), None; "in words alone")]
fn a_region_that_is_closed_or_unknown_is_not_found(body: Value, location: Option<&str>) {
    let error = answer(403, &body);
    assert_eq!(
        (error.kind(), detail(&error, "cause"), detail(&error, "location")),
        (Kind::NotFound, Some("region"), location)
    );
    assert!(fix(&error).contains("region"), "{error}");
}

#[test]
fn a_missing_scope_is_named() {
    let error = refused(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert_eq!(detail(&error, "scope"), Some("https://www.googleapis.com/auth/cloud-platform"));
}

#[test_case("https://console.developers.google.com/billing/enable?project=1", true)]
#[test_case("https://console.cloud.google.com/billing/enable?project=1", true)]
#[test_case("https://cloud.google.com/x", true)]
#[test_case("https://console.developers.google.com", false; "a console's bare address")]
#[test_case("https://console.developers.google.com/", false; "with a slash")]
#[test_case("http://console.cloud.google.com/x", false; "in clear text")]
#[test_case("https://console.cloud.google.com.evil.example/x", false; "a longer host")]
#[test_case("https://console.cloud.google.com@evil.example/x", false; "a user")]
#[test_case("https://evil.example/console.cloud.google.com/x", false; "somebody else")]
#[test_case("javascript:alert(1)", false; "no address")]
fn a_link_is_google_s_own_and_leads_somewhere(url: &str, passed_on: bool) {
    let body = json!({"message": "x", "details": [
        {"reason": "BILLING_DISABLED", "metadata": {"consumer": "projects/p-12"}}, {"links": [{"url": url}]}]});
    let error = answer(403, &body);
    assert_eq!(error.fields().link.as_deref() == Some(url), passed_on, "{:?}", error.fields().link);
    assert!(error.fields().link.as_deref().unwrap().starts_with("https://c"));
}

#[test_case("Permission denied on resource project demo-project.")]
#[test_case("Permission denied on resource project demo-project")]
#[test_case("Project 123 has been deleted.")]
fn a_project_that_is_not_there_is_not_found_without_a_reason_too(message: &str) {
    let error = answer(403, &json!({"message": message, "status": "PERMISSION_DENIED"}));
    assert_eq!((error.kind(), detail(&error, "cause")), (Kind::NotFound, Some("project")));
}
