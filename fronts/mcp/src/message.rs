//! JSON-RPC 2.0, as the protocol uses it.

use gcf_front::shortened;
use gcf_front_web::Reply;
use serde_json::{Map, Value, json};

/// A request.
pub(crate) struct Request {
    pub(crate) id: Value,
    pub(crate) method: String,
    /// An object, or nothing.
    pub(crate) params: Value,
}

/// A message that has arrived.
pub(crate) enum Message {
    Request(Request),
    /// Nobody waits for an answer.
    Notification,
}

/// An error of the protocol: of a request that no model has written.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: i32,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl Fault {
    /// -32600: no request.
    pub(crate) fn request(message: &str) -> Self {
        Self { code: -32600, message: message.to_owned(), data: None }
    }

    /// -32602: the parameters do not go with the method.
    pub(crate) fn params(message: String) -> Self {
        Self { code: -32602, message, data: None }
    }

    /// -32601.
    pub(crate) fn method(method: &str) -> Self {
        Self { code: -32601, message: format!("Method not found: {}", shortened(method)), data: None }
    }

    /// The answer. Where the id of the request could not be read, there is none.
    pub(crate) fn reply(self, status: u16, id: Option<Value>) -> Reply {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            error["data"] = data;
        }
        let mut message = json!({ "jsonrpc": "2.0", "error": error });
        if let Some(id) = id {
            message["id"] = id;
        }
        Reply::json(status, &message)
    }
}

/// Reads a message. What is none may still say its id, which goes with the fault: whoever waits for an answer is told.
pub(crate) fn read(body: &[u8]) -> Result<Message, (Fault, Option<Value>)> {
    let json = gcf_front::input(body).map_err(|failure| {
        let message = failure.error().message.clone();
        (Fault { code: -32700, message, data: None }, None)
    })?;
    let Value::Object(mut fields) = json else {
        // A list was a batch, until 2025-06-18 took batches out.
        return Err((Fault::request("a message is one object; there are no batches"), None));
    };
    let given = fields.remove("id");
    let has_id = given.is_some();
    // Serializers write null where nothing is.
    let has = |name| fields.get(name).is_some_and(|member| !member.is_null());
    let (asks, answers) = (has("method"), has("result") || has("error"));
    // That of an answer is the id of a request from here, and there are none.
    let is_answer = answers && !asks;
    let id = given.filter(|id| (id.is_string() || id.is_i64() || id.is_u64()) && !is_answer);
    if fields.get("jsonrpc") != Some(&json!("2.0")) {
        return Err((Fault::request("jsonrpc is not 2.0"), id));
    }
    if asks && answers {
        let why = "a request has no result and no error: leave them out, or the method";
        return Err((Fault::request(why), id));
    }
    let method = match fields.remove("method") {
        Some(Value::String(method)) => method,
        None | Some(Value::Null) => {
            let why = "there is no method; nothing was asked here that has an answer";
            return Err((Fault::request(why), id));
        }
        Some(_) => return Err((Fault::request("method is not text"), id)),
    };
    let params = fields.remove("params").unwrap_or_else(|| Value::Object(Map::new()));
    match id {
        None if has_id => Err((Fault::request("id is neither text nor a whole number"), None)),
        None => Ok(Message::Notification),
        Some(id) if params.is_object() => Ok(Message::Request(Request { id, method, params })),
        Some(id) => Err((Fault::request("params is not an object"), Some(id))),
    }
}
