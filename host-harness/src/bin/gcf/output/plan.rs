//! Plans: the requests that a call would send.

use std::fmt::Write as _;

use gcf_host::wit::{
    Case as _,
    planning::{CallPlan, PlannedRequest},
    types::{RetryClass, TokenKind},
};
use serde_json::{Value, json};

use super::{
    connection,
    shown::{Outcome, Shown, notes},
    style::{Look, Paint, plain},
    words,
};

/// A call that was planned, and not made.
pub(crate) struct Planned(pub(crate) CallPlan);

impl Outcome for Planned {
    fn show(&self, look: Look) -> Shown {
        show(&self.0, look)
    }

    fn json(&self) -> Value {
        json(&self.0)
    }
}

/// For people: each request with a number, and what depends on answers.
fn show(plan: &CallPlan, look: Look) -> Shown {
    let paint = look.out;
    let mut text = String::new();
    let digits = plan.requests.len().to_string().len();
    for (at, request) in plan.requests.iter().enumerate() {
        let purpose = paint.bold(plain(&request.purpose));
        let _ = writeln!(text, "{:>digits$}. {purpose}", at + 1);
        for line in lines(request) {
            let _ = writeln!(text, "{:digits$}  {}", "", plain(&line));
        }
        for line in body(request) {
            let _ = writeln!(text, "{:digits$}  {}", "", paint.dim(plain(&line)));
        }
    }
    if plan.requests.is_empty() {
        text += "no request\n";
    }
    for (name, value) in facts(plan) {
        let _ = writeln!(text, "{} {}", paint.dim(name), plain(&value));
    }
    Shown { after: after(&plan.notes, look.err), result: text.into_bytes(), ..Shown::default() }
}

fn lines(request: &PlannedRequest) -> Vec<String> {
    let seconds = request.timeout_ms as f64 / 1000.0;
    let sent = match request.attempts {
        1 => "sent once".to_owned(),
        attempts => format!("sent {attempts} times at most, {}", repeated(request.retry)),
    };
    let mut lines = vec![
        format!("{} {}", request.method, request.url),
        format!("with {}; {sent}; within {seconds} s", token(request)),
    ];
    lines.extend(request.headers.iter().map(|header| format!("{}: {}", header.name, header.value)));
    lines
}

fn token(request: &PlannedRequest) -> String {
    let audience = request.audience.as_ref().map(|audience| format!(" for {audience}")).unwrap_or_default();
    match request.token {
        TokenKind::None => "no credential".to_owned(),
        TokenKind::AccessToken if request.audience.is_some() => {
            format!("an access token, to get an ID token{audience}")
        }
        TokenKind::AccessToken => "an access token".to_owned(),
        TokenKind::IdToken => format!("an ID token{audience}"),
        TokenKind::Assertion if request.audience.is_some() => {
            format!("a signed assertion, to get an ID token{audience}")
        }
        TokenKind::Assertion => "a signed assertion".to_owned(),
        TokenKind::Grant => "the grant in its body".to_owned(),
        TokenKind::Injected => "the access token that the host adds".to_owned(),
        TokenKind::Other => "a credential of a newer kind".to_owned(),
    }
}

fn repeated(class: RetryClass) -> &'static str {
    match class {
        RetryClass::Never => "never again",
        RetryClass::Unsent => "again only if it was not sent",
        RetryClass::Idempotent => "again on 408, 429, 502, 503, 504 and where no answer came",
        RetryClass::TokenEndpoint => "again on 408, 429, 5xx and where no answer came",
        RetryClass::Other => "again by a rule of a newer kind",
    }
}

fn body(request: &PlannedRequest) -> Vec<String> {
    let bytes = request.body_bytes;
    match &request.body {
        None if bytes == 0 => Vec::new(),
        None if matches!(request.token, TokenKind::Assertion | TokenKind::Grant) => {
            vec![format!("({bytes} bytes, which hold the credential)")]
        }
        None => vec![format!("({bytes} bytes that are no text)")],
        Some(body) => {
            let mut lines: Vec<_> = body.lines().map(str::to_owned).collect();
            if (body.len() as u64) < bytes {
                lines.push(format!("(… {bytes} bytes in all)"));
            }
            lines
        }
    }
}

fn facts(plan: &CallPlan) -> Vec<(&'static str, String)> {
    let mut facts = vec![("signs in as", plan.account.clone())];
    facts.extend(plan.principal.clone().map(|principal| ("calls as   ", principal)));
    facts
        .extend(plan.guard_rails.as_ref().map(|rails| ("guard rails", words::guard_rails(rails).join("; "))));
    facts
}

fn after(notes: &[String], paint: Paint) -> String {
    self::notes(notes, paint) + "nothing was sent, and nothing written\n"
}

/// For programs.
fn json(plan: &CallPlan) -> Value {
    let request = |request: &PlannedRequest| {
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|header| json!({ "name": header.name, "value": header.value }))
            .collect();
        json!({
            "purpose": request.purpose,
            "method": request.method,
            "url": request.url,
            "headers": headers,
            "body": request.body,
            "body-bytes": request.body_bytes,
            "token": request.token.name(),
            "audience": request.audience,
            "retry": request.retry.name(),
            "attempts": request.attempts,
            "timeout-ms": request.timeout_ms,
        })
    };
    json!({
        "requests": plan.requests.iter().map(request).collect::<Vec<_>>(),
        "account": plan.account,
        "principal": plan.principal,
        "guard-rails": plan.guard_rails.as_ref().map(connection::guard_rails),
        "notes": plan.notes,
    })
}
