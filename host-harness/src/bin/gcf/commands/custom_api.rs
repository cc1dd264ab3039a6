//! `gcf custom-api`: any other request to a Google API, or all pages of a list.

use std::time::Instant;

use clap::Args;
use gcf_host::{
    Action,
    wit::{
        Case as _,
        api::{ApiPages, ApiRequest, ApiResponse, PagesRequest},
    },
};
use serde_json::{Value, json};

use super::{Planning, Run, Running};
use crate::{
    context::Context,
    input::{request::Request, values},
    output::{
        exit::Exit,
        failure::Failure,
        json,
        progress::{Listing, Progress},
        response,
        shown::{Outcome, Shown},
        style::{Look, block, plain},
        words::counted,
    },
};

/// Send any other request to a Google API, with the connection's access token
#[derive(Debug, Args)]
pub(crate) struct CustomApi {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_parser = values::method)]
    method: String,
    /// A path on the API such as /v2/projects/p/locations; or a function's own https URL, which gets
    /// no credential
    path: String,
    /// One of the APIs that `gcf describe` lists; by default functions
    #[arg(long, value_name = "NAME")]
    api: Option<String>,
    /// Read a list page after page, and print all items as one JSON array
    #[arg(long, conflicts_with_all = ["data", "content_type", "include"])]
    all_pages: bool,
    /// The field that holds the items; by default the only list there is
    #[arg(long, value_name = "FIELD", requires = "all_pages")]
    items: Option<String>,
    /// Read so many pages at most, by default 150
    #[arg(long, value_name = "N", requires = "all_pages")]
    max_pages: Option<u32>,
    /// Go on where an earlier list was cut
    #[arg(long, value_name = "TOKEN", requires = "all_pages")]
    page_token: Option<String>,
    /// Exit with 22, and print the answer to stderr, if the status is not 2xx
    #[arg(long, conflicts_with = "all_pages")]
    fail: bool,
    #[command(flatten)]
    request: Request,
}

impl Run for CustomApi {
    fn planning(&self) -> Planning {
        Planning::Possible
    }

    fn progress(&self) -> Progress {
        if self.all_pages { Progress::spinner(Listing::Anything) } else { Progress::hidden() }
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self { method, path, api, all_pages, items, max_pages, page_token, fail, request } = *self;
            let include = request.include;
            let mut call = ApiRequest::new(method, path);
            call.api = api;
            call.query = request.query();
            call.headers = request.headers();
            call.body = request.body()?;
            let connection = context.current().await?;
            if all_pages {
                let mut request = PagesRequest::new(call);
                request.items = items;
                request.page_token = page_token;
                request.max_pages = max_pages;
                let read = async |request| {
                    let pages = context.host.all_pages(&connection.id, request, context.timeout).await;
                    pages.map(Paged).map_err(|error| Failure::of_call(error, &connection))
                };
                return context.call(&connection.id, request, Action::AllPages, read).await;
            }
            let send = async |request| {
                let began = Instant::now();
                let answered = context.host.custom_api(&connection.id, request, context.timeout).await;
                let response = answered.map_err(|error| Failure::of_call(error, &connection))?;
                let left = context.timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
                let response = context.cleaned(response, left).await?;
                Ok(Answered { response, include, fail })
            };
            context.call(&connection.id, call, Action::CustomApi, send).await
        })
    }
}

/// The answer of an API.
pub(super) struct Answered {
    pub(super) response: ApiResponse,
    pub(super) include: bool,
    /// A status outside 2xx was to be a failure.
    pub(super) fail: bool,
}

impl Outcome for Answered {
    fn show(&self, look: Look) -> Shown {
        let Self { response, include, .. } = self;
        let carried = response::carried(response.token);
        let body = response.body.as_bytes();
        let show = if self.fails() { response::show_failure } else { response::show };
        let mut shown = show(response.status, &response.headers, body, *include, look, &carried);
        shown.after += &response::diagnosis(response.diagnosis.as_deref(), look);
        shown
    }

    fn json(&self) -> Value {
        let response = &self.response;
        json!({
            "status": response.status,
            "headers": json::headers(&response.headers),
            "body": json::body(&response.headers, response.body.as_bytes()),
            "url": response.url,
            "token": response.token.name(),
            "diagnosis": response.diagnosis,
            "trace": json::trace(&response.trace),
        })
    }

    fn exit(&self) -> Exit {
        if self.fails() { Exit::Status } else { Exit::Done }
    }
}

impl Answered {
    fn fails(&self) -> bool {
        self.fail && !(200..300).contains(&self.response.status)
    }
}

/// The items of all pages.
pub(super) struct Paged(pub(super) ApiPages);

impl Outcome for Paged {
    /// All items: as they came to a pipe, readable to a person.
    fn show(&self, look: Look) -> Shown {
        let pages = &self.0;
        let mut shown = Shown::default();
        match serde_json::from_str::<Value>(&pages.items) {
            Ok(items) if look.terminal => shown.result.extend(block(&format!("{items:#}")).bytes()),
            Ok(_) | Err(_) => shown.result.extend(pages.items.bytes()),
        }
        shown.result.push(b'\n');
        let counted = |count: u32, what: &str| counted(count as usize, what);
        shown.after = format!("{} in {}\n", counted(pages.count, "item"), counted(pages.pages, "page"));
        if !pages.unreachable.is_empty() {
            let names = plain(&pages.unreachable.join(", ")).into_owned();
            shown.after += &format!("{} {names} did not answer\n", look.err.warning("partial:"));
        }
        if let Some(token) = &pages.next_page_token {
            shown.after +=
                &format!("{} there is more: --page-token '{}'\n", look.err.hint("cut:"), plain(token));
        }
        shown
    }

    /// The items as JSON; what they are byte for byte, a pipe gets without `--json`.
    fn json(&self) -> Value {
        let pages = &self.0;
        json!({
            "items": serde_json::from_str::<Value>(&pages.items).unwrap_or_default(),
            "count": pages.count,
            "unreachable": pages.unreachable,
            "next-page-token": pages.next_page_token,
            "pages": pages.pages,
            "trace": json::trace(&pages.trace),
        })
    }
}

#[cfg(test)]
mod tests {
    use gcf_host::wit::types::{ResponseHeader, TokenKind};

    use super::*;
    use crate::output::style::Paint;

    fn show(response: &ApiResponse, include: bool, terminal: bool) -> Shown {
        let look = Look { terminal, out: Paint::none(), err: Paint::none() };
        Answered { response: response.clone(), include, fail: false }.show(look)
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
            diagnosis: None,
            trace: Vec::new(),
        }
    }

    #[test]
    fn a_pipe_gets_the_bytes_as_they_came() {
        for body in [&b"{\"a\":1}"[..], b"\x1b[2J\r\n", b"\xff\x00", b""] {
            let shown = show(&answer("application/json", body), false, false);
            assert_eq!(shown.result, body);
            assert_eq!(shown.before, "404 Not Found  access-token\n");
        }
    }

    #[test]
    fn a_person_gets_what_can_be_read() {
        let shown = show(&answer("application/json", b"{\"a\":1}"), false, true);
        assert_eq!(String::from_utf8(shown.result).unwrap(), "{\n  \"a\": 1\n}\n");
        let shown = show(&answer("text/plain", b"a\x1b[2Jb"), false, true);
        assert_eq!(String::from_utf8(shown.result).unwrap(), "a\u{fffd}[2Jb\n");
        let shown = show(&answer("image/png", b"\x89PNG\xff"), false, true);
        assert!(shown.result.is_empty());
        assert!(shown.after.starts_with("5 bytes that are not text"), "{}", shown.after);
    }

    #[test]
    fn headers_come_first_if_asked_for() {
        let shown = show(&answer("text/plain", b"hi"), true, false);
        assert_eq!(
            String::from_utf8(shown.result).unwrap(),
            "HTTP 404 Not Found\ncontent-type: text/plain\n\nhi"
        );
    }
}
