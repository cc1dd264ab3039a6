//! A message as a call. The subject names the action, so that a broker which decides by subjects who may publish decides
//! who may do what.

use gcf_front::{ACTIONS, Action, Answer, Failure, Given, beside, shortened};
use serde_json::Value;

use crate::limit;

/// A message that has arrived.
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) body: Vec<u8>,
    /// The subject that the answer goes to.
    pub(crate) reply_to: Option<String>,
}

/// A message that leaves.
pub(crate) struct Reply {
    pub(crate) subject: String,
    pub(crate) body: Vec<u8>,
}

/// Makes the call of a message, and publishes the answer.
///
/// # Errors
/// The answer was not taken; or there is nobody to tell that the call failed. A host logs the text.
pub(crate) fn handle(
    message: Message,
    environment: &[(String, String)],
    perform: impl Fn(&Action, Given<'_>) -> Answer,
    publish: impl Fn(Reply) -> Result<(), String>,
) -> Result<(), String> {
    let (limit, answer) = match limit::max_reply(environment) {
        Ok(limit) => (limit, answer(&message, perform)),
        Err(failure) => (usize::MAX, Err(failure)),
    };
    match (message.reply_to.filter(|subject| !subject.is_empty()), answer) {
        (Some(subject), answer) => publish(Reply { subject, body: body(answer, limit) }),
        (None, Ok(_)) => Ok(()),
        (None, Err(failure)) => Err(failure.error().message.clone()),
    }
}

fn answer(message: &Message, perform: impl Fn(&Action, Given<'_>) -> Answer) -> Answer {
    let action = action(&message.subject)?;
    let limit = action.max_input();
    if message.body.len() as u64 > limit {
        return Err(Failure::too_long(limit));
    }
    let Call { connection, input, deadline_ms } = Call::read(gcf_front::input(&message.body)?)?;
    perform(action, Given { connection: &connection, input: &input, deadline_ms })
}

/// The action that the last two tokens of a subject name, such as those of `gcf.functions.list`.
///
/// No token before them may be an interface of the contract. Where a broker permits `gcf.functions.>`, it permits
/// `gcf.functions.connections.disconnect` too, which nobody has meant.
fn action(subject: &str) -> Result<&'static Action, Failure> {
    let mut tokens = subject.rsplit('.');
    let (Some(function), Some(interface)) = (tokens.next(), tokens.next()) else {
        let fix = "publish to a subject that ends in a name from the catalog, such as functions.list";
        return Err(Failure::invalid("action", "the subject names no action", fix));
    };
    if let Some(earlier) = tokens.find(|token| is_interface(token)) {
        let why = format!("{earlier} stands in the subject before the action");
        let fix = "publish to a subject with the action at its end, and no other interface before it";
        return Err(Failure::invalid("action", &why, fix));
    }
    gcf_front::action(&format!("{interface}.{function}"))
}

/// Tells whether actions begin with this name.
fn is_interface(token: &str) -> bool {
    ACTIONS.iter().any(|action| action.name.split_once('.').is_some_and(|(interface, _)| interface == token))
}

/// The next step of who has sent another content.
const TAKEN: &str = "a message takes connection, deadline-ms and input";

/// The content of a message, beside its subject.
struct Call {
    connection: String,
    input: Value,
    deadline_ms: Option<u32>,
}

impl Call {
    fn read(json: Value) -> Result<Self, Failure> {
        let Value::Object(mut fields) = beside::fields(json) else {
            return Err(Failure::invalid("", "the message is not an object", TAKEN));
        };
        let mut take = |name: &str| fields.remove(name).unwrap_or_default();
        let call = Self {
            connection: beside::connection(take("connection"))?,
            deadline_ms: beside::deadline_ms(&take("deadline-ms"))?,
            input: beside::fields(take("input")),
        };
        match fields.keys().next() {
            None => Ok(call),
            Some(name) => {
                let name = shortened(name);
                Err(Failure::invalid(name, &format!("unknown field {name}"), TAKEN))
            }
        }
    }
}

/// An answer as text that is no longer than it may be: one field that says which of the two it is.
fn body(answer: Answer, limit: usize) -> Vec<u8> {
    let error = |error: &Value| text("error", error);
    let text = match answer {
        Ok(output) => {
            let text = text("ok", &output);
            if text.len() <= limit { text } else { error(&limit::too_long(text.len(), limit).into_json()) }
        }
        Err(failure) => limit::fitted(failure.into_json(), error, limit),
    };
    text.into_bytes()
}

/// An object with one field.
fn text(name: &str, value: &Value) -> String {
    format!("{{\"{name}\":{value}}}")
}
