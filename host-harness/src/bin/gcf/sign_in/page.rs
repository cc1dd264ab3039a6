//! Pages for the browser: plain HTML that needs no script, no style and no other file.

use std::{fmt::Write as _, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};

/// System colours and fonts would do, but not with a contrast that we know: these pass WCAG AAA.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c1e21;--paper:#fff;--line:#6b7280}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--paper:#17191c;--line:#9aa0a6}}
body{margin:0;background:var(--paper);color:var(--ink);font:1.125rem/1.6 system-ui,sans-serif}
main{max-width:38rem;margin:12vh auto 0;padding:0 1.5rem;overflow-wrap:anywhere}
h1{font-size:1.75rem;line-height:1.25;padding-bottom:.5rem;border-bottom:2px solid var(--line)}
";

/// Nothing loads and nothing runs but the one style sheet, known by its hash.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 and keywords are visible ASCII")
});

/// The end of a sign-in, in the words that the terminal has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    Success { account: String, nickname: String },
    Failure { message: String, fix: Option<String> },
}

impl Page {
    /// The status is 200 either way: the callback was taken, and the page is what came of it.
    pub(super) fn response(&self) -> Response<Full<Bytes>> {
        match self {
            Self::Success { account, nickname } => html(
                StatusCode::OK,
                "Connected",
                &[
                    format!(
                        "The Google account <strong><bdi>{}</bdi></strong> is connected as \
                         <strong><bdi>{}</bdi></strong>.",
                        escape(account),
                        escape(nickname)
                    ),
                    "You can close this window and go back to the terminal.".to_owned(),
                ],
            ),
            Self::Failure { message, fix } => {
                let mut paragraphs = vec![escape(&sentence(message))];
                paragraphs.extend(
                    fix.as_deref()
                        .map(|fix| format!("<strong>What to do:</strong> {}", escape(&sentence(fix)))),
                );
                paragraphs.push("You can close this window. The terminal says the same.".to_owned());
                html(StatusCode::OK, "Not connected", &paragraphs)
            }
        }
    }
}

/// The reason why a request is not taken as a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Host,
    Favicon,
    Path,
    Method,
    Embedded,
    Query,
    /// Another callback is being worked on.
    Busy,
    /// The caller gave up on the callback without a word.
    Abandoned,
}

impl Refusal {
    pub(super) fn response(self) -> Response<Full<Bytes>> {
        let (status, title, text) = match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "Wrong address",
                "This server answers only to the address that the terminal shows.",
            ),
            Self::Favicon | Self::Path => (
                StatusCode::NOT_FOUND,
                "Nothing here",
                "This server only takes the answer to a sign-in. Follow the link that the terminal shows.",
            ),
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "This address only answers to GET.")
            }
            Self::Embedded => (
                StatusCode::FORBIDDEN,
                "Not a sign-in",
                "A sign-in ends in a window of its own, not inside another page.",
            ),
            Self::Query => (
                StatusCode::BAD_REQUEST,
                "Not a sign-in",
                "The answer to a sign-in is missing from this address. Follow the link that the terminal \
                 shows.",
            ),
            Self::Busy => (
                StatusCode::CONFLICT,
                "Already received",
                "The answer to this sign-in has already arrived. The terminal, or the window that came \
                 first, says how it went.",
            ),
            Self::Abandoned => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not connected",
                "The command ended before the sign-in was finished. The terminal says why.",
            ),
        };
        let mut response = html(status, title, &[text.to_owned()]);
        if self == Self::Method {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
        }
        response
    }
}

/// A page of paragraphs that are HTML already.
fn html(status: StatusCode, title: &str, paragraphs: &[String]) -> Response<Full<Bytes>> {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - gcf</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    for paragraph in paragraphs {
        let _ = writeln!(page, "<p>{paragraph}</p>");
    }
    page.push_str("</main>\n</body>\n</html>\n");

    let mut response = Response::new(Full::from(page));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// With a capital letter, which the terminal's messages do without.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Text as HTML that holds no markup; its lines stay lines.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in gcf_host::text::block(text).chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>\n"),
            '\t' => html.push(' '),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn body(response: Response<Full<Bytes>>) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn text_cannot_become_markup() {
        for (raw, escaped) in [
            ("plain", "plain"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("a&amp;b", "a&amp;amp;b"),
            (r#""onload='x'"#, "&quot;onload=&#39;x&#39;"),
            ("run:\n\tgcloud", "run:<br>\n gcloud"),
            ("\u{1b}[2J\0", "\u{fffd}[2J\u{fffd}"),
            ("søren@例え.jp", "søren@例え.jp"),
        ] {
            assert_eq!(escape(raw), escaped, "{raw:?}");
        }
    }

    #[tokio::test]
    async fn hostile_words_stay_words_on_every_page() {
        let hostile = "</p></main><img src=x onerror=alert(1)>";
        for page in [
            Page::Success { account: hostile.into(), nickname: "n".into() },
            Page::Success { account: "a".into(), nickname: hostile.into() },
            Page::Failure { message: hostile.into(), fix: None },
            Page::Failure { message: "m".into(), fix: Some(hostile.into()) },
        ] {
            let html = body(page.response()).await;
            assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"), "{html}");
            assert!(!html.contains("<img"), "{html}");
            assert_eq!(html.matches("</main>").count(), 1, "{html}");
        }
    }

    #[tokio::test]
    async fn every_page_is_whole_without_style_or_script() {
        let mut responses = vec![
            Page::Success { account: "a@example.com".into(), nickname: "work".into() }.response(),
            Page::Failure { message: "no".into(), fix: Some("try again".into()) }.response(),
        ];
        responses.extend(
            [
                Refusal::Host,
                Refusal::Favicon,
                Refusal::Path,
                Refusal::Method,
                Refusal::Embedded,
                Refusal::Query,
                Refusal::Busy,
                Refusal::Abandoned,
            ]
            .map(Refusal::response),
        );
        for response in responses {
            let html = body(response).await;
            assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{html}");
            for once in ["<title>", "<h1>", "<main>", "</html>"] {
                assert_eq!(html.matches(once).count(), 1, "{once} in {html}");
            }
            for never in ["<script", "<link", "src=", "href=", "url(", "@import", "http:", "https:"] {
                assert!(!html.contains(never), "{never} in {html}");
            }
        }
    }

    #[tokio::test]
    async fn the_policy_names_the_style_that_the_page_has() {
        let response = Refusal::Path.response();
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let html = body(response).await;
        let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(style));
        assert!(policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}'; ")), "{policy}");
    }

    #[tokio::test]
    async fn a_failure_without_a_fix_promises_none() {
        let html = body(Page::Failure { message: "it broke".into(), fix: None }.response()).await;
        assert!(html.contains("<p>It broke</p>"), "{html}");
        assert!(!html.contains("What to do"), "{html}");
    }
}
