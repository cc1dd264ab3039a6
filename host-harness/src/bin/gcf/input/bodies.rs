//! Bodies of requests: text, files, stdin.

use std::path::Path;

use gcf_host::{
    reading,
    wit::types::{Body, TypedBytes},
};

use super::files;
use crate::output::failure::Failure;

/// The body that `--data` and `--content-type` ask for.
pub(crate) fn body(data: Option<&str>, content_type: Option<&str>) -> Result<Option<Body>, Failure> {
    let Some(data) = data else { return Ok(None) };
    let bytes = match (data, data.strip_prefix('@')) {
        // curl takes the second one.
        ("-" | "@-", _) => files::read_body(Path::new("-"))?,
        (_, Some(path)) => files::read_named(Path::new(path))?,
        (text, None) => text.as_bytes().to_vec(),
    };
    classify(bytes, content_type).map(Some)
}

/// Sends JSON as JSON, other text as text, and other bytes as bytes.
///
/// Text that begins like JSON and is not was meant to be JSON, more often than not: a function would get it as text.
fn classify(bytes: Vec<u8>, content_type: Option<&str>) -> Result<Body, Failure> {
    if let Some(content_type) = content_type {
        return Ok(Body::Bytes(TypedBytes { content_type: content_type.to_owned(), data: bytes }));
    }
    if reading::is_utf16(&bytes) {
        return Err(files::utf16("the body")
            .with_fix("save it as UTF-8, or send it as it is, with --content-type and its charset"));
    }
    let text = match String::from_utf8(bytes) {
        // A mark of the editor's, and no part of what was written (RFC 8259, section 8.1).
        Ok(text) => text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text),
        Err(error) => {
            return Ok(Body::Bytes(TypedBytes {
                content_type: "application/octet-stream".to_owned(),
                data: error.into_bytes(),
            }));
        }
    };
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(Body::Json(text)),
        Err(error) if text.trim_start().starts_with(['{', '[']) => {
            Err(Failure::input(format!("the body begins like JSON and is none: {error}"))
                .with_fix("mend it, or send it as it is: --content-type text/plain"))
        }
        Err(_) => Ok(Body::Text(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_travels_as_json_and_the_rest_as_what_it_is() {
        assert!(
            matches!(classify(br#"{"a":1}"#.to_vec(), None).unwrap(), Body::Json(text) if text == r#"{"a":1}"#)
        );
        assert!(matches!(classify(b"hello".to_vec(), None).unwrap(), Body::Text(text) if text == "hello"));
        assert!(matches!(classify(Vec::new(), None).unwrap(), Body::Text(text) if text.is_empty()));
        assert!(matches!(classify(vec![0xff], None).unwrap(), Body::Bytes(bytes) if bytes.data == [0xff]));
        assert!(
            matches!(classify(b"{}".to_vec(), Some("a/b")).unwrap(), Body::Bytes(bytes) if bytes.content_type == "a/b")
        );
    }

    #[test]
    fn what_an_editor_of_windows_writes_is_sent_as_it_was_meant() {
        let marked = "\u{feff}{\"a\":1}".as_bytes().to_vec();
        assert!(matches!(classify(marked.clone(), None).unwrap(), Body::Json(text) if text == r#"{"a":1}"#));
        assert!(
            matches!(classify(marked.clone(), Some("a/b")).unwrap(), Body::Bytes(bytes) if bytes.data == marked)
        );
        let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [utf16.clone(), [&[0xff, 0xfe][..], &utf16].concat()] {
            assert!(classify(bytes.clone(), None).unwrap_err().message.contains("UTF-16"));
            assert!(classify(bytes, Some("application/json; charset=utf-16")).is_ok());
        }
    }

    #[test]
    fn what_begins_like_json_and_is_none_is_not_sent_as_text() {
        for broken in ["{\"a\":1", " [1,]", "{{template}}"] {
            let refused = classify(broken.as_bytes().to_vec(), None).unwrap_err();
            assert!(refused.message.contains("begins like JSON"), "{}", refused.message);
            assert!(classify(broken.as_bytes().to_vec(), Some("text/plain")).is_ok());
        }
        assert!(matches!(classify(b"a {".to_vec(), None).unwrap(), Body::Text(_)));
    }

    #[test]
    fn data_comes_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[1]").unwrap();
        let name = format!("@{}", file.path().display());
        assert!(matches!(body(Some(&name), None), Ok(Some(Body::Json(text))) if text == "[1]"));
        let missing = body(Some("@/nowhere/at/all"), None).unwrap_err();
        assert!(missing.message.contains("/nowhere/at/all"), "{}", missing.message);
    }
}
