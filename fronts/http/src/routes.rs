//! The decision on a request: first by its head, so that a body that is not wanted is never read, then with its body.

use gcf_front::{Action, Answer, Failure, Given, beside, shortened};
use gcf_front_web::{Gate, Head, Reply, Step};

use crate::{open_api, status};

/// The first part of the path of each action.
pub(crate) const PREFIX: &str = "/gcf:connector/";

/// A call that may be made, as soon as its input has been read.
pub(crate) struct Call {
    action: &'static Action,
    connection: String,
    deadline_ms: Option<u32>,
}

/// Decides by the head.
pub(crate) fn decide(gate: &Gate, head: &Head<'_>, describe: impl Fn() -> String) -> Step<Call> {
    step(gate, head, describe).unwrap_or_else(Step::Done)
}

fn step(gate: &Gate, head: &Head<'_>, describe: impl Fn() -> String) -> Result<Step<Call>, Reply> {
    gate.admit(head)?;
    let path = head.path();
    if path == "/openapi.json" {
        head.allow(&["GET"])?;
        let catalog = serde_json::from_str(&describe()).unwrap_or_default();
        return Ok(Step::Done(Reply::json(200, &open_api::make(&catalog))));
    }
    let name = path.strip_prefix(PREFIX).ok_or_else(|| no_route(path))?;
    let action = action(name)?;
    head.allow(&["POST"])?;
    head.is_json()?;
    let call = Call::new(action, head.query()).map_err(|failure| Reply::failure(400, failure))?;
    let limit = action.max_input();
    head.fits(limit)?;
    Ok(Step::Body(call, limit))
}

/// The action of a path, such as `functions/list`.
fn action(path: &str) -> Result<&'static Action, Reply> {
    let found = gcf_front::ACTIONS.iter().copied().find(|action| action.path == path);
    found.ok_or_else(|| match gcf_front::action(&path.replace('/', ".")) {
        Err(failure) => Reply::failure(404, failure),
        Ok(_) => no_route(path),
    })
}

fn no_route(path: &str) -> Reply {
    let why = format!("there is nothing at {}", shortened(path));
    Reply::failure(404, Failure::invalid("path", &why, "GET /openapi.json says what there is"))
}

impl Call {
    fn new(action: &'static Action, query: &str) -> Result<Self, Failure> {
        let (mut connection, mut deadline_ms) = (None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let given = match &*name {
                "connection" => &mut connection,
                "deadline-ms" => &mut deadline_ms,
                _ => {
                    let name = shortened(&name);
                    let why = format!("unknown parameter {name}");
                    return Err(Failure::invalid(name, &why, "the query takes connection and deadline-ms"));
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

    /// Makes the call.
    pub(crate) fn answer(&self, body: &[u8], perform: impl Fn(&Action, Given<'_>) -> Answer) -> Reply {
        let answer = gcf_front::input(body).and_then(|input| {
            let input = &beside::fields(input);
            perform(self.action, Given { connection: &self.connection, input, deadline_ms: self.deadline_ms })
        });
        match answer {
            Ok(output) => Reply::json(200, &output),
            Err(failure) => Reply::failure(status::of(failure.error()), failure),
        }
    }
}
