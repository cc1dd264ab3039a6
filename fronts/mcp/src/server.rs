//! The methods of the protocol.

use gcf_front::{Action, Answer, Given};
use gcf_front_web::Reply;
use serde_json::{Value, json};

use crate::{
    message::{Fault, Message, Request, read},
    tools,
    version::{self, Era, Headers, MODERN},
};

/// The name and the version of the server, and its list of tools, as JSON: the build has made them of the catalog.
const SERVER: &str = include_str!(concat!(env!("OUT_DIR"), "/server.json"));

/// The time for which answers that never change may be kept: they change with the component.
const TTL_MS: u32 = 3_600_000;

/// The words to a model before it sees a tool.
const INSTRUCTIONS: &str = "Google Cloud Functions. Begin with connections-list: every other tool but catalog-describe takes \
    the id of a connection. Connections are made by people, outside of here; never ask for a key or a password. functions-invoke and \
    api-custom-api may change things: planning-plan shows what they would send.";

/// The connector behind the server.
pub(crate) struct Connector<'a> {
    pub(crate) perform: &'a dyn Fn(&Action, Given<'_>) -> Answer,
    /// The catalog, as text.
    pub(crate) describe: &'a dyn Fn() -> String,
}

/// Answers a message.
pub(crate) fn answer(headers: &Headers, body: &[u8], connector: &Connector<'_>) -> Reply {
    let mut request = match read(body) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Notification) => {
            return match version::is_known(headers) {
                Ok(()) => Reply::empty(202),
                Err(fault) => fault.reply(400, None),
            };
        }
        Err((fault, id)) => return fault.reply(400, id),
    };
    let era = match version::era(&request, headers) {
        Ok(era) => era,
        Err(fault) => return fault.reply(400, Some(request.id)),
    };
    match result(era, &mut request, connector) {
        Ok(result) => {
            let mut message = json!({ "jsonrpc": "2.0" });
            message["id"] = request.id;
            message["result"] = result;
            Reply::json(200, &message)
        }
        Err(fault) => {
            // Since 2026-07-28 the status says what the code says.
            let status = match (era, fault.code) {
                (Era::Legacy, _) => 200,
                (Era::Modern, -32601) => 404,
                (Era::Modern, _) => 400,
            };
            fault.reply(status, Some(request.id))
        }
    }
}

fn result(era: Era, request: &mut Request, connector: &Connector<'_>) -> Result<Value, Fault> {
    let mut server: Value = serde_json::from_str(SERVER).unwrap_or_default();
    let capabilities = json!({ "tools": {} });
    let mut result = match (era, request.method.as_str()) {
        (Era::Legacy, "initialize") => json!({
            "protocolVersion": version::agreed(&request.params["protocolVersion"]),
            "capabilities": capabilities,
            "serverInfo": server["serverInfo"],
            "instructions": INSTRUCTIONS,
        }),
        (Era::Legacy, "ping") => json!({}),
        (Era::Modern, "server/discover") => kept(json!({
            "supportedVersions": [MODERN],
            "capabilities": capabilities,
            "instructions": INSTRUCTIONS,
        })),
        (era, "tools/list") => {
            let mut list = json!({});
            list["tools"] = server["tools"].take();
            if era == Era::Modern { kept(list) } else { list }
        }
        (_, "tools/call") => tools::call(era, &mut request.params, connector)?,
        (_, method) => return Err(Fault::method(method)),
    };
    if era == Era::Modern {
        result["resultType"] = json!("complete");
        result["_meta"] = json!({ "io.modelcontextprotocol/serverInfo": server["serverInfo"] });
    }
    Ok(result)
}

/// A result that is the same for everybody.
fn kept(mut result: Value) -> Value {
    result["ttlMs"] = json!(TTL_MS);
    result["cacheScope"] = json!("public");
    result
}
