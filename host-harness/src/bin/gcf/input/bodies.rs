//! Bodies of requests: text, files, stdin.

use std::path::Path;

use gcf_host::{
    reading,
    wit::types::{Body, TypedBytes},
};

use super::files;
use crate::output::failure::Failure;

/// The body that `--data` and `--content-type` ask for. `header` is the value of a `content-type` among the headers.
pub(crate) fn body(
    data: Option<&str>,
    content_type: Option<&str>,
    header: Option<&str>,
) -> Result<Option<Body>, Failure> {
    let Some(data) = data else { return Ok(None) };
    let (bytes, from) = match (data, data.strip_prefix('@')) {
        // curl takes the second one.
        ("-" | "@-", _) => (files::read_body(Path::new("-"))?, DataFrom::File("stdin")),
        (_, Some(path)) => (files::read_named(Path::new(path))?, DataFrom::File(path)),
        (text, None) => (text.as_bytes().to_vec(), DataFrom::CommandLine),
    };
    classify(bytes, from, content_type, header).map(Some)
}

/// The place that a body stands in.
#[derive(Debug, Clone, Copy)]
enum DataFrom<'a> {
    CommandLine,
    File(&'a str),
}

impl DataFrom<'_> {
    fn is_json_file(self) -> bool {
        matches!(self, Self::File(path) if has_extension(path, "json"))
    }

    fn name(self) -> String {
        match self {
            Self::CommandLine => "the body".to_owned(),
            Self::File(path) => path.to_owned(),
        }
    }
}

fn has_extension(path: &str, wanted: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// Sends JSON as JSON, other text as text, and other bytes as bytes.
///
/// Refuses text that was plainly meant as JSON and is none: a function would get it as text. Whoever names the media type
/// has said what it is, and gets what they said.
fn classify(
    bytes: Vec<u8>,
    from: DataFrom<'_>,
    content_type: Option<&str>,
    header: Option<&str>,
) -> Result<Body, Failure> {
    let as_it_is =
        |content_type: &str, data| Body::Bytes(TypedBytes { content_type: content_type.to_owned(), data });
    if let Some(content_type) = content_type {
        return Ok(as_it_is(content_type, bytes));
    }
    let says_json = header.is_some_and(is_json);
    if let Some(header) = header.filter(|_| !says_json) {
        return Ok(as_it_is(header, bytes));
    }
    // Numbers of 16 bits look the same, unless there is a mark before them, or JSON.
    if reading::is_utf16(&bytes) && (has_mark(&bytes) || begins_json(&bytes)) {
        return Err(files::utf16(&from.name()).with_fix(format!(
            "save it as UTF-8 (in PowerShell: Out-File -Encoding utf8); or send the bytes as they are: {BYTES}"
        )));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
        Err(error) => return Ok(as_it_is("application/octet-stream", error.into_bytes())),
    };
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text) else {
        return Ok(Body::Json(text));
    };
    let why = if says_json {
        "its content-type says JSON, and it is none"
    } else if from.is_json_file() {
        "its name says JSON, and it is none"
    } else if text.trim_start().starts_with(['{', '[']) {
        "it begins like JSON and is none"
    } else if is_quoted_json(&text) {
        "it is JSON in quotes that the shell left there"
    } else {
        return Ok(Body::Text(text));
    };
    let mend = match from {
        DataFrom::CommandLine => {
            "mend it: cmd and PowerShell take double quotes away, so let a file hold it (--data @FILE)"
        }
        DataFrom::File(_) => "mend it",
    };
    let on_purpose = if says_json { JSON } else { TEXT };
    Err(Failure::input(format!("{} cannot be sent as JSON: {why}: {error}", from.name()))
        .with_fix(format!("{mend}; or send it as it is: {on_purpose}")))
}

const BYTES: &str = "--content-type application/octet-stream";
const JSON: &str = "--content-type application/json";
const TEXT: &str = "--content-type text/plain";

/// `application/json`, `text/json` and every `+json` (RFC 6839).
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

/// Tells if text has a byte order mark of UTF-16 or UTF-32. Without one, what is wide may be anything.
fn has_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\0\0\xfe\xff")
}

/// Tells if the first character, of two or four bytes, opens a JSON object or array.
fn begins_json(bytes: &[u8]) -> bool {
    bytes.iter().take(4).any(|byte| matches!(byte, b'{' | b'['))
}

/// `'{foo:bar}'`, as cmd hands on what is in single quotes; and the same in quotes that an editor has put there.
fn is_quoted_json(text: &str) -> bool {
    let is_json = |inner: &str| {
        let inner = inner.trim();
        [('{', '}'), ('[', ']')]
            .iter()
            .any(|(open, close)| inner.starts_with(*open) && inner.ends_with(*close))
    };
    [("'", "'"), ("\"", "\""), ("`", "`"), ("“", "”"), ("‘", "’"), ("\\\"", "\\\"")]
        .into_iter()
        .filter_map(|(open, close)| text.trim().strip_prefix(open)?.strip_suffix(close))
        .any(is_json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(bytes: &[u8], content_type: Option<&str>) -> Result<Body, Failure> {
        super::classify(bytes.to_vec(), DataFrom::CommandLine, content_type, None)
    }

    #[test]
    fn json_travels_as_json_and_the_rest_as_what_it_is() {
        let json = classify(br#"{"a":1}"#, None).unwrap();
        assert!(matches!(json, Body::Json(text) if text == r#"{"a":1}"#));
        assert!(matches!(classify(b"hello", None).unwrap(), Body::Text(text) if text == "hello"));
        assert!(matches!(classify(b"", None).unwrap(), Body::Text(text) if text.is_empty()));
        for bytes in [&[0xff][..], b"\x01\0\x02\0\xff"] {
            assert!(matches!(classify(bytes, None).unwrap(), Body::Bytes(sent) if sent.data == bytes));
        }
        let named = classify(b"{}", Some("a/b")).unwrap();
        assert!(matches!(named, Body::Bytes(bytes) if bytes.content_type == "a/b"));
    }

    /// The mark that Notepad and PowerShell 5.1 (`Out-File -Encoding utf8`) write before text (RFC 8259, section 8.1).
    #[test]
    fn a_byte_order_mark_is_no_part_of_a_body() {
        let json = classify(b"\xef\xbb\xbf{\"a\":1}\r\n", None).unwrap();
        assert!(matches!(json, Body::Json(text) if text == "{\"a\":1}\r\n"));
        let text = classify("\u{feff}hello".as_bytes(), None).unwrap();
        assert!(matches!(text, Body::Text(text) if text == "hello"));
        let as_it_is = classify("\u{feff}{}".as_bytes(), Some("text/plain")).unwrap();
        assert!(matches!(as_it_is, Body::Bytes(bytes) if bytes.data == "\u{feff}{}".as_bytes()));
    }

    #[test]
    fn utf_16_is_named_and_sent_only_on_purpose() {
        let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        for bytes in [wide("\u{feff}{\"a\":1}"), wide("{\"a\":1}"), wide("\u{feff}hello")] {
            let refused = classify(&bytes, None).unwrap_err();
            assert!(refused.message.contains("is text in UTF-16"), "{}", refused.message);
            assert!(refused.fix().unwrap().contains("save it as UTF-8"), "{:?}", refused.fix());
            let sent = classify(&bytes, Some("application/octet-stream")).unwrap();
            assert!(matches!(sent, Body::Bytes(sent) if sent.data == bytes));
        }
        // Numbers of 16 bits are no text.
        assert!(classify(b"\x01\0\x02\0", None).is_ok());
    }

    #[test]
    fn what_was_meant_as_json_and_is_none_is_not_sent_as_text() {
        for (broken, why) in [
            ("{\"a\":1", "begins like JSON"),
            (" [1,]", "begins like JSON"),
            ("{{template}}", "begins like JSON"),
            ("{foo:bar}", "begins like JSON"),
            ("\u{feff}{foo:bar}", "begins like JSON"),
            ("'{foo:bar}'", "in quotes"),
            ("'{\"foo\":\"bar\"}'", "in quotes"),
            (" '[1, 2]' ", "in quotes"),
            ("“{\"a\":1}”", "in quotes"),
            ("\"{\"a\":1}\"", "in quotes"),
            ("\\\"{a:1}\\\"", "in quotes"),
        ] {
            let refused = classify(broken.as_bytes(), None).unwrap_err();
            assert!(refused.message.contains(why), "{broken}: {}", refused.message);
            assert!(refused.fix().unwrap().contains("--content-type text/plain"), "{:?}", refused.fix());
            assert!(classify(broken.as_bytes(), Some("text/plain")).is_ok());
        }
        for text in ["a {", "'quoted'", "it's {fine}", "'{' opens, '}' closes.", "[sic] no", "key=value"] {
            let sent = classify(text.as_bytes(), None);
            let is_text = matches!(&sent, Ok(Body::Text(sent)) if sent == text);
            assert_eq!(is_text, !text.starts_with('['), "{text}");
        }
    }

    #[test]
    fn the_name_of_a_file_and_a_header_say_what_is_meant() {
        let from = |path, header, text: &str| {
            super::classify(text.as_bytes().to_vec(), DataFrom::File(path), None, header)
        };
        for (path, header, text, why) in [
            ("f.json", None, "a: 1", "its name says JSON"),
            ("F.JSON", None, "", "its name says JSON"),
            ("f.txt", Some("application/json"), "a=1", "its content-type says JSON"),
            ("f", Some("application/vnd.api+json; charset=utf-8"), "NaN", "its content-type says JSON"),
        ] {
            let refused = from(path, header, text).unwrap_err();
            assert!(refused.message.contains(why), "{}", refused.message);
        }
        assert!(matches!(from("f.json", Some("application/json"), "{}").unwrap(), Body::Json(_)));
        // Whoever says that it is something else has it sent.
        let sent = from("f.json", Some("text/yaml"), "{foo: bar}").unwrap();
        assert!(matches!(sent, Body::Bytes(bytes) if bytes.content_type == "text/yaml"));
    }

    #[test]
    fn data_comes_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\u{feff}[1]").unwrap();
        let name = format!("@{}", file.path().display());
        assert!(matches!(body(Some(&name), None, None), Ok(Some(Body::Json(text))) if text == "[1]"));
        let missing = body(Some("@/nowhere/at/all"), None, None).unwrap_err();
        assert!(missing.message.contains("/nowhere/at/all"), "{}", missing.message);
    }
}
