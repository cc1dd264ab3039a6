//! JSON of what several records of the contract share: answers, and the trace of requests.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_host::wit::{
    Case as _,
    types::{Exchange, ResponseHeader},
};
use serde_json::{Value, json};

pub(crate) fn exchange(exchange: &Exchange) -> Value {
    json!({
        "method": exchange.method,
        "url": exchange.url,
        "token": exchange.token.name(),
        "status": exchange.status,
        "attempt": exchange.attempt,
        "duration-ms": exchange.duration_ms,
    })
}

pub(crate) fn trace(exchanges: &[Exchange]) -> Vec<Value> {
    exchanges.iter().map(exchange).collect()
}

/// In order, repeated ones repeated. A value that is not text is given as `base64`.
pub(crate) fn headers(headers: &[ResponseHeader]) -> Vec<Value> {
    headers
        .iter()
        .map(|header| match str::from_utf8(&header.value) {
            Ok(value) => json!({ "name": header.name, "value": value }),
            Err(_) => json!({ "name": header.name, "base64": STANDARD.encode(&header.value) }),
        })
        .collect()
}

/// `json` if the response says so and it is, else `text` if it is, else `base64`.
pub(crate) fn body(headers: &[ResponseHeader], body: &[u8]) -> Value {
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
