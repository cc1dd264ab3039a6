//! What `--json` prints: the records of the contract, field by field, in its order.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_host::wit::{
    api::{ApiPages, ApiResponse},
    connections::{Connected, Connection, Disconnected, Finding},
    functions::{Function, FunctionList, Invocation, MissingPart, OptionItem, OptionList},
    types::{Exchange, GuardRails, Invoker, ResponseHeader},
};
use serde_json::{Map, Value, json};

use crate::output::words;

pub(crate) fn connection(connection: &Connection) -> Value {
    json!({
        "id": connection.id,
        "nickname": connection.nickname,
        "project": connection.project,
        "region": connection.region,
        "kind": words::credential(connection.kind),
        "account": connection.account,
        "scopes": connection.scopes,
        "invoker": invoker(&connection.invoker),
        "guard-rails": connection.guard_rails.as_ref().map(guard_rails),
        "created": connection.created,
        "last-used": connection.last_used,
        "fault": connection.fault.as_ref().map(|fault| json!({
            "message": fault.message,
            "fix": fault.fix,
            "reason": fault.reason,
            "since": fault.since,
        })),
    })
}

pub(crate) fn guard_rails(rails: &GuardRails) -> Value {
    json!({
        "read-only": rails.read_only,
        "regions": rails.regions,
        "functions": rails.functions,
        "methods": rails.methods,
        "max-body": rails.max_body,
        "own-project": rails.own_project,
        "audiences": rails.audiences,
    })
}

fn invoker(invoker: &Invoker) -> Value {
    match invoker {
        Invoker::Own => json!("own"),
        Invoker::User => json!("user"),
        Invoker::ServiceAccount(impersonation) => json!({ "service-account": {
            "service-account": impersonation.service_account,
            "delegates": impersonation.delegates,
            "include-email": impersonation.include_email,
        } }),
    }
}

pub(crate) fn connected(connected: &Connected) -> Value {
    json!({ "connection": connection(&connected.connection), "warnings": connected.warnings })
}

pub(crate) fn disconnected(id: &str, disconnected: &Disconnected) -> Value {
    json!({ "disconnected": id, "warnings": disconnected.warnings })
}

pub(crate) fn finding(finding: &Finding) -> Value {
    json!({
        "name": finding.name,
        "verdict": words::verdict(finding.verdict),
        "message": finding.message,
        "fix": finding.fix,
        "link": finding.link,
    })
}

pub(crate) fn function_list(list: &FunctionList) -> Value {
    json!({
        "functions": list.functions.iter().map(function).collect::<Vec<_>>(),
        "unreachable": list.unreachable,
        "missing": list.missing.iter().map(missing_part).collect::<Vec<_>>(),
        "notes": list.notes,
        "next-page-token": list.next_page_token,
        "pages": list.pages,
        "trace": trace(&list.trace),
    })
}

fn missing_part(part: &MissingPart) -> Value {
    json!({
        "source": part.source,
        "region": part.region,
        "kind": words::kind(part.kind),
        "message": part.message,
        "fix": part.fix,
    })
}

pub(crate) fn option_list(list: &OptionList) -> Value {
    let option = |item: &OptionItem| json!({ "value": item.value, "label": item.label, "hint": item.hint, "default": item.default });
    json!({
        "options": list.options.iter().map(option).collect::<Vec<_>>(),
        "more": list.more,
        "notes": list.notes,
        "trace": trace(&list.trace),
    })
}

pub(crate) fn function(function: &Function) -> Value {
    let labels: Map<String, Value> =
        function.labels.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    json!({
        "name": function.name,
        "region": function.region,
        "project": function.project,
        "generation": words::generation(function.generation),
        "trigger": words::trigger(&function.trigger),
        "state": function.state,
        "url": function.url,
        "runtime": function.runtime,
        "service-account": function.service_account,
        "ingress": function.ingress,
        "timeout-seconds": function.timeout_seconds,
        "memory": function.memory,
        "labels": labels,
        "updated": function.updated,
    })
}

pub(crate) fn invocation(invocation: &Invocation) -> Value {
    json!({
        "status": invocation.status,
        "headers": headers(&invocation.headers),
        "body": body(&invocation.headers, invocation.body.as_bytes()),
        "url": invocation.url,
        "generation": words::generation(invocation.generation),
        "token": words::token(invocation.token),
        "audience": invocation.audience,
        "principal": invocation.principal,
        "execution-id": invocation.execution_id,
        "execution-error": invocation.execution_error,
        "diagnosis": invocation.diagnosis,
        "trace": trace(&invocation.trace),
    })
}

pub(crate) fn api_response(response: &ApiResponse) -> Value {
    json!({
        "status": response.status,
        "headers": headers(&response.headers),
        "body": body(&response.headers, response.body.as_bytes()),
        "url": response.url,
        "token": words::token(response.token),
        "trace": trace(&response.trace),
    })
}

/// The items as JSON; what they are byte for byte, a pipe gets without `--json`.
pub(crate) fn api_pages(pages: &ApiPages) -> Value {
    json!({
        "items": serde_json::from_str::<Value>(&pages.items).unwrap_or_default(),
        "count": pages.count,
        "unreachable": pages.unreachable,
        "next-page-token": pages.next_page_token,
        "pages": pages.pages,
        "trace": trace(&pages.trace),
    })
}

pub(crate) fn exchange(exchange: &Exchange) -> Value {
    json!({
        "method": exchange.method,
        "url": exchange.url,
        "token": words::token(exchange.token),
        "status": exchange.status,
        "attempt": exchange.attempt,
        "duration-ms": exchange.duration_ms,
    })
}

fn trace(exchanges: &[Exchange]) -> Vec<Value> {
    exchanges.iter().map(exchange).collect()
}

/// In order, repeated ones repeated. A value that is not text is given as `base64`.
fn headers(headers: &[ResponseHeader]) -> Vec<Value> {
    headers
        .iter()
        .map(|header| match str::from_utf8(&header.value) {
            Ok(value) => json!({ "name": header.name, "value": value }),
            Err(_) => json!({ "name": header.name, "base64": STANDARD.encode(&header.value) }),
        })
        .collect()
}

/// `json` if the response says so and it is, else `text` if it is, else `base64`.
fn body(headers: &[ResponseHeader], body: &[u8]) -> Value {
    if says_json(headers)
        && let Ok(value) = serde_json::from_slice::<Value>(body)
    {
        return json!({ "json": value });
    }
    match str::from_utf8(body) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": STANDARD.encode(body) }),
    }
}

/// `application/json`, and what is built on it (RFC 6839, section 3.1).
pub(crate) fn says_json(headers: &[ResponseHeader]) -> bool {
    headers.iter().filter(|header| header.name == "content-type").any(|header| {
        let value = String::from_utf8_lossy(&header.value).to_ascii_lowercase();
        let media_type = value.split(';').next().unwrap_or_default().trim();
        media_type == "application/json" || media_type.ends_with("+json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &[u8]) -> ResponseHeader {
        ResponseHeader { name: name.to_owned(), value: value.to_vec() }
    }

    #[test]
    fn a_body_is_json_only_if_the_response_says_so() {
        let json = [header("content-type", b"Application/Problem+JSON; charset=utf-8")];
        let text = [header("content-type", b"text/plain")];
        assert_eq!(body(&json, b"{\"a\": 1}"), json!({ "json": { "a": 1 } }));
        assert_eq!(body(&json, b"{broken"), json!({ "text": "{broken" }));
        assert_eq!(body(&text, b"1"), json!({ "text": "1" }));
        assert_eq!(body(&[], b""), json!({ "text": "" }));
        assert_eq!(body(&[], &[0xff, 0x00]), json!({ "base64": "/wA=" }));
    }

    #[test]
    fn repeated_and_binary_headers_are_kept() {
        let arrived = [header("set-cookie", b"a=1"), header("set-cookie", b"b=2"), header("x-b", &[0xff])];
        assert_eq!(
            Value::from(headers(&arrived)),
            json!([
                { "name": "set-cookie", "value": "a=1" },
                { "name": "set-cookie", "value": "b=2" },
                { "name": "x-b", "base64": "/w==" },
            ])
        );
    }
}
