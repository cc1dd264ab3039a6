//! Pages for the browser: plain HTML that needs no script, no style and no other file. What it says is in words; sign
//! and colour say it again.

use std::{fmt::Write as _, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};

/// System colours and fonts would do, but not with a contrast that we know: text passes WCAG AAA on both papers.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c1e21;--soft:#4b5058;--paper:#fff;--good:#0b5a26;--bad:#96140c}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#b4bac2;--paper:#17191c;--good:#8fdca6;--bad:#ffb4ab}}
body{margin:0;background:var(--paper);color:var(--ink);font:1.125rem/1.6 system-ui,sans-serif}
header,main{max-width:38rem;margin:0 auto;padding:0 1.5rem}
header{margin-top:10vh;color:var(--soft);font-size:1rem}
main{overflow-wrap:anywhere}
h1{display:flex;gap:.6rem;align-items:center;font-size:1.75rem;line-height:1.25;margin:.75rem 0 1.25rem;\
padding-bottom:.75rem;border-bottom:3px solid currentcolor}
h1 svg{flex:none;width:2rem;height:2rem;fill:none;stroke:currentcolor;stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round}
.good h1{color:var(--good)}
.bad h1{color:var(--bad)}
";

/// The program, for somebody who has forgotten in which terminal this began.
const PROGRAM: &str = "<strong>gcf</strong> · Google Cloud Functions connector, on this computer";

/// Nothing loads and nothing runs but the one style sheet, known by its hash.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 and keywords are visible ASCII")
});

/// The outcome, as a sign and a colour. A screen reader has the words.
#[derive(Clone, Copy)]
enum Sign {
    Good,
    Bad,
}

impl Sign {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }

    /// A tick or a cross in a circle: drawn, for not every font has them.
    fn drawing(self) -> &'static str {
        match self {
            Self::Good => "M7.5 12.5l3 3 6-6.5",
            Self::Bad => "M8.5 8.5l7 7m0-7l-7 7",
        }
    }
}

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
                Sign::Good,
                "Connected",
                &[
                    format!(
                        "The Google account <strong><bdi>{}</bdi></strong> is connected as \
                         <strong><bdi>{}</bdi></strong>.",
                        escape(account),
                        escape(nickname)
                    ),
                    "You can close this tab and go back to the terminal.".to_owned(),
                ],
            ),
            Self::Failure { message, fix } => {
                let mut paragraphs = vec![escape(&sentence(message))];
                paragraphs.extend(
                    fix.as_deref()
                        .map(|fix| format!("<strong>What to do:</strong> {}", escape(&sentence(fix)))),
                );
                // The answer in this address is used up, and whoever reads this sits in a browser.
                paragraphs.push(
                    "Going back or reloading does not help here. The terminal says the same, and how to go \
                     on; you can close this tab."
                        .to_owned(),
                );
                html(StatusCode::OK, Sign::Bad, "Not connected", &paragraphs)
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
        let mut response = html(status, Sign::Bad, title, &[text.to_owned()]);
        if self == Self::Method {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
        }
        response
    }
}

/// A page of paragraphs that are HTML already.
fn html(status: StatusCode, sign: Sign, title: &str, paragraphs: &[String]) -> Response<Full<Bytes>> {
    let (class, drawing) = (sign.class(), sign.drawing());
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - gcf</title>\n<style>{STYLE}</style>\n</head>\n<body class=\"{class}\">\n\
         <header>{PROGRAM}</header>\n<main>\n<h1><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">\
         <circle cx=\"12\" cy=\"12\" r=\"10.5\"/><path d=\"{drawing}\"/></svg>{title}</h1>\n"
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
            for once in ["<title>", "<h1>", "<main>", "<header>", "</html>"] {
                assert_eq!(html.matches(once).count(), 1, "{once} in {html}");
            }
            for never in ["<script", "<link", "src=", "href=", "url(", "@import", "http:", "https:"] {
                assert!(!html.contains(never), "{never} in {html}");
            }
        }
    }

    /// By a sign and a colour as well as by words, and from which program, whatever the page.
    #[tokio::test]
    async fn success_and_failure_look_different() {
        let good = body(Page::Success { account: "a".into(), nickname: "n".into() }.response()).await;
        let failed = body(Page::Failure { message: "m".into(), fix: None }.response()).await;
        let refused = body(Refusal::Path.response()).await;
        let class =
            |html: &str| html.split_once("<body class=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let sign =
            |html: &str| html.split_once("<path d=\"").unwrap().1.split('"').next().unwrap().to_owned();
        assert_eq!(class(&failed), class(&refused));
        assert_eq!(sign(&failed), sign(&refused));
        assert_ne!(class(&good), class(&failed));
        assert_ne!(sign(&good), sign(&failed));
        for html in [good, failed, refused] {
            assert!(html.contains("<header><strong>gcf</strong>"), "{html}");
            assert!(STYLE.contains(&format!(".{} h1{{color:", class(&html))), "{html}");
        }
    }

    /// The contrast of each pair of colours, as WCAG 2.2 reckons it (1.4.6: 7 to 1 for text).
    #[test]
    fn every_colour_can_be_read_on_its_paper() {
        let luminance = |colour: &str| {
            let digits = if colour.len() == 4 {
                colour[1..].chars().flat_map(|digit| [digit, digit]).collect()
            } else {
                colour[1..].to_owned()
            };
            let channel = |at: usize| {
                let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
        };
        let mut seen = 0;
        for theme in STYLE.lines().take(2) {
            let colour = |name: &str| {
                let after = theme.split_once(&format!("--{name}:")).unwrap().1;
                after.split([';', '}']).next().unwrap()
            };
            for name in ["ink", "soft", "good", "bad"] {
                let (one, other) = (luminance(colour(name)), luminance(colour("paper")));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(contrast >= 7.0, "{name} in {theme}: {contrast}");
                seen += 1;
            }
        }
        assert_eq!(seen, 8);
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
