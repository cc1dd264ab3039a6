//! What a function or an API answered, for people and for pipes.

use std::fmt::Write as _;

use gcf_host::wit::{
    api::{ApiPages, ApiResponse},
    functions::Invocation,
    types::{ResponseHeader, TokenKind},
};
use http::StatusCode;
use serde_json::Value;

use crate::output::{
    json,
    outcome::Shown,
    style::{Look, block, plain},
    table, words,
};

pub(crate) fn invocation(invocation: &Invocation, include: bool, look: Look) -> Shown {
    let mut carried = carried(invocation.token);
    if let Some(audience) = &invocation.audience {
        let _ = write!(carried, " for {}", plain(audience));
    }
    if let Some(principal) = &invocation.principal {
        let _ = write!(carried, " as {}", plain(principal));
    }
    let mut shown =
        response(invocation.status, &invocation.headers, invocation.body.as_bytes(), include, look, &carried);
    if let Some(failure) = &invocation.execution_error {
        shown.after += &format!("{} {}\n", look.err.error("the function failed:"), plain(failure));
    }
    if let Some(diagnosis) = &invocation.diagnosis {
        shown.after += &format!("{} {}\n", look.err.warning("diagnosis:"), plain(diagnosis));
    }
    shown
}

pub(crate) fn api(answer: &ApiResponse, include: bool, look: Look) -> Shown {
    response(answer.status, &answer.headers, answer.body.as_bytes(), include, look, &carried(answer.token))
}

/// All items: as they came to a pipe, readable to a person.
pub(crate) fn pages(pages: &ApiPages, look: Look) -> Shown {
    let mut shown = Shown::default();
    match serde_json::from_str::<Value>(&pages.items) {
        Ok(items) if look.terminal => shown.result.extend(block(&format!("{items:#}")).bytes()),
        Ok(_) | Err(_) => shown.result.extend(pages.items.bytes()),
    }
    shown.result.push(b'\n');
    let counted = |count: u32, what: &str| table::counted(count as usize, what);
    shown.after = format!("{} in {}\n", counted(pages.count, "item"), counted(pages.pages, "page"));
    if !pages.unreachable.is_empty() {
        let names = plain(&pages.unreachable.join(", ")).into_owned();
        shown.after += &format!("{} {names} did not answer\n", look.err.warning("partial:"));
    }
    if let Some(token) = &pages.next_page_token {
        shown.after += &format!("{} there is more: --page-token '{}'\n", look.err.hint("cut:"), plain(token));
    }
    shown
}

/// The status of an answer with its name, such as `200 OK`.
fn status_line(status: u16) -> String {
    match StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

fn carried(token: TokenKind) -> String {
    match token {
        TokenKind::None => "no credential".to_owned(),
        TokenKind::AccessToken
        | TokenKind::IdToken
        | TokenKind::Assertion
        | TokenKind::Grant
        | TokenKind::Injected
        | TokenKind::Other => words::token(token).to_owned(),
    }
}

fn response(
    status: u16,
    headers: &[ResponseHeader],
    body: &[u8],
    include: bool,
    look: Look,
    carried: &str,
) -> Shown {
    let line = status_line(status);
    let before = if (200..300).contains(&status) { look.err.good(&line) } else { look.err.warning(&line) };
    let mut shown = Shown { before: format!("{before}  {}\n", look.err.dim(carried)), ..Shown::default() };
    if include {
        shown.result.extend(format!("HTTP {line}\n").bytes());
        for header in headers {
            shown.result.extend(plain(&header.name).bytes());
            shown.result.extend(b": ");
            if look.terminal {
                shown.result.extend(plain(&String::from_utf8_lossy(&header.value)).bytes());
            } else {
                shown.result.extend(&header.value);
            }
            shown.result.push(b'\n');
        }
        shown.result.push(b'\n');
    }
    if !look.terminal {
        shown.result.extend(body);
        return shown;
    }
    match readable(headers, body) {
        Some(text) => {
            shown.result.extend(text.bytes());
            if !text.is_empty() && !text.ends_with('\n') {
                shown.result.push(b'\n');
            }
        }
        None => {
            shown.after +=
                &format!("{} bytes that are not text; send them to a file with > FILE\n", body.len());
        }
    }
    shown
}

/// The body as a person reads it; `None` if it is not text.
fn readable(headers: &[ResponseHeader], body: &[u8]) -> Option<String> {
    if json::says_json(headers)
        && let Ok(value) = serde_json::from_slice::<Value>(body)
    {
        return Some(block(&format!("{value:#}")).into_owned());
    }
    let text = str::from_utf8(body).ok().filter(|text| !text.contains('\0'))?;
    Some(block(&text.replace("\r\n", "\n")).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::style::Paint;

    fn look(terminal: bool) -> Look {
        Look { terminal, out: Paint::none(), err: Paint::none() }
    }

    fn answer(content_type: &str, body: &[u8]) -> ApiResponse {
        ApiResponse {
            status: 404,
            headers: vec![ResponseHeader {
                name: "content-type".to_owned(),
                value: content_type.as_bytes().to_vec(),
            }],
            body: gcf_host::wit::types::Content::Bytes(body.to_vec()),
            url: "https://a.example/".to_owned(),
            token: TokenKind::AccessToken,
            trace: Vec::new(),
        }
    }

    #[test]
    fn a_pipe_gets_the_bytes_as_they_came() {
        for body in [&b"{\"a\":1}"[..], b"\x1b[2J\r\n", b"\xff\x00", b""] {
            let shown = api(&answer("application/json", body), false, look(false));
            assert_eq!(shown.result, body);
            assert_eq!(shown.before, "404 Not Found  access-token\n");
        }
    }

    #[test]
    fn a_person_gets_what_can_be_read() {
        let shown = api(&answer("application/json", b"{\"a\":1}"), false, look(true));
        assert_eq!(String::from_utf8(shown.result).unwrap(), "{\n  \"a\": 1\n}\n");
        let shown = api(&answer("text/plain", b"a\x1b[2Jb"), false, look(true));
        assert_eq!(String::from_utf8(shown.result).unwrap(), "a\u{fffd}[2Jb\n");
        let shown = api(&answer("image/png", b"\x89PNG\xff"), false, look(true));
        assert!(shown.result.is_empty());
        assert!(shown.after.starts_with("5 bytes that are not text"), "{}", shown.after);
    }

    #[test]
    fn headers_come_first_if_asked_for() {
        let shown = api(&answer("text/plain", b"hi"), true, look(false));
        assert_eq!(
            String::from_utf8(shown.result).unwrap(),
            "HTTP 404 Not Found\ncontent-type: text/plain\n\nhi"
        );
    }
}
