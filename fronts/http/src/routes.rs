//! The decision on a request: first by its head, so that a body that is not wanted is never read, then with its body.

use gcf_front::{Action, Answer, Failure, Given};
use serde_json::{Value, json};

use crate::{
    gate::{Gate, OPEN, TOKEN},
    open_api, status,
};

/// The largest body of an action whose input may hold a request's body: 32 MiB, the most that a function takes, in
/// base64, and what stands around it.
pub(crate) const MAX_WITH_BODY: u64 = 48 << 20;

/// The largest body of any other action.
pub(crate) const MAX_BODY: u64 = 1 << 20;

/// The first part of the path of each action.
pub(crate) const PREFIX: &str = "/gcf:connector/";

/// The head of a request.
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) authorization: Option<&'a [u8]>,
    pub(crate) content_type: Option<&'a [u8]>,
    pub(crate) content_length: Option<u64>,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// A call that may be made, as soon as its input has been read.
pub(crate) struct Call {
    action: &'static Action,
    connection: String,
    deadline_ms: Option<u32>,
}

/// What can be said of a request by its head.
pub(crate) enum Step {
    /// It is answered.
    Done(Reply),
    /// It is an action, whose input is in the body: at most so many bytes.
    Body(Call, u64),
}

/// Decides by the head.
pub(crate) fn decide(gate: &Gate, head: &Head<'_>, describe: impl Fn() -> String) -> Step {
    Step::Done(match step(gate, head, describe) {
        Ok(step) => return step,
        Err(reply) => reply,
    })
}

fn step(gate: &Gate, head: &Head<'_>, describe: impl Fn() -> String) -> Result<Step, Reply> {
    let (path, query) = head.target.split_once('?').unwrap_or((head.target, ""));
    if path == "/healthz" {
        method(head, "GET")?;
        return Ok(Step::Done(health(gate)));
    }
    if let Gate::Shut(why) = gate {
        return Err(shut(why));
    }
    if !gate.lets_in(head.authorization) {
        return Err(unauthenticated());
    }
    if path == "/openapi.json" {
        method(head, "GET")?;
        let catalog = serde_json::from_str(&describe()).unwrap_or_default();
        return Ok(Step::Done(Reply::json(200, &open_api::make(&catalog))));
    }
    let name = path.strip_prefix(PREFIX).ok_or_else(|| no_route(path))?;
    let action = action(name)?;
    method(head, "POST")?;
    is_json(head)?;
    let call = Call::new(action, query).map_err(|failure| Reply::failure(400, failure))?;
    let limit = if action.holds_a_body { MAX_WITH_BODY } else { MAX_BODY };
    if head.content_length.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    Ok(Step::Body(call, limit))
}

/// The action of a path, such as `functions/list`.
fn action(path: &str) -> Result<&'static Action, Reply> {
    let found = gcf_front::ACTIONS.iter().find(|action| action.path == path);
    found.ok_or_else(|| match gcf_front::action(&path.replace('/', ".")) {
        Err(failure) => Reply::failure(404, failure),
        Ok(_) => no_route(path),
    })
}

fn method(head: &Head<'_>, allowed: &'static str) -> Result<(), Reply> {
    if head.method == allowed {
        return Ok(());
    }
    let why = format!("the method is not {allowed}");
    let mut reply = Reply::failure(405, Failure::invalid("method", &why, &format!("use {allowed}")));
    reply.headers.push(("allow", allowed.to_owned()));
    Err(reply)
}

/// A page in a browser can send anything else to any address, without being asked.
fn is_json(head: &Head<'_>) -> Result<(), Reply> {
    let media_type = head.content_type.unwrap_or_default().split(|byte| *byte == b';').next();
    if media_type.is_some_and(|text| text.trim_ascii().eq_ignore_ascii_case(b"application/json")) {
        return Ok(());
    }
    let why = "the body is not JSON";
    let fix = "send `content-type: application/json`";
    Err(Reply::failure(415, Failure::invalid("content-type", why, fix)))
}

fn health(gate: &Gate) -> Reply {
    match gate {
        Gate::Shut(why) => shut(why),
        Gate::Token(_) | Gate::Open => Reply::json(200, &json!({ "status": "ok" })),
    }
}

/// An error of the front itself, in the form of the connector's.
fn own(status: u16, kind: &str, origin: &str, message: &str, fix: &str) -> Reply {
    Reply::json(
        status,
        &json!({
            "kind": kind, "origin": origin, "message": message, "fix": fix, "details": [], "trace": [],
        }),
    )
}

fn shut(why: &str) -> Reply {
    let fix = format!(
        "set {TOKEN} in the environment of the front to at least 32 random bytes, or {OPEN} to `yes` where \
         something else decides who may call"
    );
    own(503, "other", "host", &format!("the front answers nobody: {why}"), &fix)
}

fn unauthenticated() -> Reply {
    let fix = format!("send `authorization: Bearer` with the token that {TOKEN} names");
    let mut reply = own(401, "unauthenticated", "host", "the token of this API is missing or wrong", &fix);
    reply.headers.push(("www-authenticate", "Bearer".to_owned()));
    reply
}

fn no_route(path: &str) -> Reply {
    let path: String = path.chars().take(100).collect();
    let why = format!("there is nothing at {path}");
    Reply::failure(404, Failure::invalid("path", &why, "GET /openapi.json says what there is"))
}

/// The answer to a body that is larger than allowed.
pub(crate) fn too_large(limit: u64) -> Reply {
    Reply::json(
        413,
        &json!({
            "kind": "too-large", "origin": "input", "message": "the body is larger than this action takes",
            "fix": "send less", "details": [["limit", limit.to_string()]], "trace": [],
        }),
    )
}

/// The answer to a body that did not arrive.
#[cfg(target_os = "wasi")]
pub(crate) fn cut_short() -> Reply {
    Reply::failure(400, Failure::invalid("", "the body did not arrive whole", "send it again"))
}

impl Call {
    fn new(action: &'static Action, query: &str) -> Result<Self, Failure> {
        let (mut connection, mut deadline_ms) = (None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let given = match &*name {
                "connection" => &mut connection,
                "deadline-ms" => &mut deadline_ms,
                _ => {
                    let why = format!("unknown parameter {}", name.chars().take(100).collect::<String>());
                    return Err(Failure::invalid(&name, &why, "the query takes connection and deadline-ms"));
                }
            };
            if given.replace(value.into_owned()).is_some() {
                return Err(Failure::invalid(&name, &format!("{name} stands twice"), "send it once"));
            }
        }
        let deadline_ms = deadline_ms.map(|text: String| {
            let fix = "send a whole number of milliseconds";
            text.parse().map_err(|_| Failure::invalid("deadline-ms", "deadline-ms is no number", fix))
        });
        let deadline_ms = deadline_ms.transpose()?;
        Ok(Self { action, connection: connection.unwrap_or_default(), deadline_ms })
    }

    /// Makes the call. An empty body is an input without fields.
    pub(crate) fn answer(&self, body: &[u8], perform: impl Fn(&Action, Given<'_>) -> Answer) -> Reply {
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        let input = match serde_json::from_slice(body) {
            Ok(input) => input,
            Err(error) => {
                let why =
                    format!("the body is not JSON, from line {} column {}", error.line(), error.column());
                let fix = "the action's `input` in the catalog says what it takes";
                return Reply::failure(400, Failure::invalid("", &why, fix));
            }
        };
        let given = Given { connection: &self.connection, input: &input, deadline_ms: self.deadline_ms };
        match perform(self.action, given) {
            Ok(output) => Reply::json(200, &output),
            Err(failure) => Reply::failure(status::of(failure.error()), failure),
        }
    }
}

impl Reply {
    fn json(status: u16, body: &Value) -> Self {
        let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        Self { status, headers, body: body.to_string() }
    }

    fn failure(status: u16, failure: Failure) -> Self {
        let wait = failure.error().retry_after_ms.map(|millis| millis.div_ceil(1000));
        let mut reply = Self::json(status, &failure.into_json());
        reply.headers.extend(wait.map(|seconds| ("retry-after", seconds.to_string())));
        reply
    }
}
