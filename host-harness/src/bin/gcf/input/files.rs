//! What arguments mean: pairs, headers, seconds, and where a body or a key comes from.

use std::{
    io::{self, Read},
    path::Path,
    time::Duration,
};

use gcf_host::{
    reading::{self, Kind},
    wit::types::{Body, TypedBytes},
};

use crate::output::failure::Failure;

/// The largest credential that the contract takes.
const KEY_LIMIT: u64 = 64 * 1024;

/// The largest body that any function takes. Smaller limits are the component's business.
const DATA_LIMIT: u64 = 32 * 1024 * 1024;

/// Where `connect` reads keys, and requests their bodies.
pub(crate) enum Source {
    /// Files and stdin.
    Machine,
    /// This key, whatever file is named: the demo reads nothing.
    Embedded(&'static str),
}

impl Source {
    /// The credential JSON at `path`.
    pub(crate) fn key(&self, path: &Path) -> Result<String, Failure> {
        let bytes = match self {
            Self::Embedded(key) => return Ok((*key).to_owned()),
            Self::Machine if path == "-" => read(io::stdin().lock(), "stdin", KEY_LIMIT)?,
            Self::Machine => read_file(path, KEY_LIMIT)?,
        };
        String::from_utf8(bytes).map_err(|_| {
            Failure::input(format!("{} is not text", name_of(path)))
                .with_fix("name the JSON file that Google handed out")
        })
    }
}

/// A token that stands alone in a file.
pub(crate) fn token(path: &Path) -> Result<String, Failure> {
    let text = Source::Machine.key(path)?;
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some(token), None) => Ok(token.to_owned()),
        (None, _) => Err(Failure::input(format!("{} is empty: there is no token in it", name_of(path)))
            .with_fix("put the token there, alone, or name the file that it is in")),
        (Some(_), Some(_)) => {
            Err(Failure::input(format!("{} holds more than one word, and a token is one", name_of(path)))
                .with_fix("put the token there alone: no JSON around it, no name before it"))
        }
    }
}

/// A private key: PEM as it is, or what the JSON that Google hands out holds of it.
pub(crate) fn private_key(path: &Path) -> Result<String, Failure> {
    #[derive(serde::Deserialize)]
    struct KeyFile {
        private_key: String,
    }
    let text = Source::Machine.key(path)?;
    let pem = serde_json::from_str::<KeyFile>(&text).map_or(text, |file| file.private_key);
    if pem.trim_start().starts_with("-----BEGIN ") {
        return Ok(pem);
    }
    Err(Failure::input(format!("{} holds no private key", name_of(path)))
        .with_fix("name a PEM file, or the JSON key of a service account as Google hands it out"))
}

/// Whether a file is an OAuth client and no credential: people mistake one for the other.
pub(crate) fn is_oauth_client(json: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct ClientFile {
        installed: Option<serde::de::IgnoredAny>,
        web: Option<serde::de::IgnoredAny>,
    }
    let file = serde_json::from_str::<ClientFile>(json);
    file.is_ok_and(|file| file.installed.is_some() || file.web.is_some())
}

/// For messages.
fn name_of(path: &Path) -> String {
    if path == "-" { "stdin".to_owned() } else { path.display().to_string() }
}

/// The body that `--data` and `--content-type` ask for.
pub(crate) fn body(data: Option<&str>, content_type: Option<&str>) -> Result<Option<Body>, Failure> {
    let Some(data) = data else { return Ok(None) };
    let bytes = match (data, data.strip_prefix('@')) {
        // curl takes the second one.
        ("-" | "@-", _) => read(io::stdin().lock(), "stdin", DATA_LIMIT)?,
        (_, Some(path)) => read_file(Path::new(path), DATA_LIMIT)?,
        (text, None) => text.as_bytes().to_vec(),
    };
    classify(bytes, content_type).map(Some)
}

/// What is JSON travels as JSON, other text as text, other bytes as bytes.
///
/// What begins like JSON and is none was meant to be JSON, more often than not: a function would get it as text.
fn classify(bytes: Vec<u8>, content_type: Option<&str>) -> Result<Body, Failure> {
    if let Some(content_type) = content_type {
        return Ok(Body::Bytes(TypedBytes { content_type: content_type.to_owned(), data: bytes }));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
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

/// A small file that an option names, such as `--ca`.
pub(crate) fn read_small_file(path: &Path) -> Result<Vec<u8>, Failure> {
    read_file(path, DATA_LIMIT)
}

/// A file that is sent, or stdin for `-`.
pub(crate) fn read_body(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == "-" { read(io::stdin().lock(), "stdin", DATA_LIMIT) } else { read_file(path, DATA_LIMIT) }
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    reading::read(path, Kind::Opened, limit)
        .map_err(|error| unread(&error, &path.display().to_string(), limit))
}

fn read(from: impl Read, name: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    reading::read_from(from, limit).map_err(|error| unread(&error, name, limit))
}

fn unread(error: &io::Error, name: &str, limit: u64) -> Failure {
    let text = error.to_string();
    let what = text.split("; ").next().unwrap_or_default();
    if error.kind() == io::ErrorKind::FileTooLarge {
        return Failure::input(format!("{name} is longer than {} KiB: {what}", limit / 1024))
            .with_fix("that is the most that is taken: name another file");
    }
    Failure::input(format!("cannot read {name}: {what}"))
        .with_fix("name a file that is there and can be read, or - for stdin")
}

/// `K=V`: the first `=` divides, and both sides are kept as they are.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the name before the `=` is empty".to_owned()),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("expected NAME=VALUE".to_owned()),
    }
}

/// `K: V`: the first `:` divides; white space around the value is no part of it (RFC 9110, 5.5).
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some(("", _)) => Err("the name before the `:` is empty".to_owned()),
        Some((name, value)) => Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned())),
        None => Err("expected 'NAME: VALUE'".to_owned()),
    }
}

/// Methods are upper case for everybody but people.
#[expect(clippy::unnecessary_wraps, reason = "clap's value parsers may fail")]
pub(crate) fn method(text: &str) -> Result<String, String> {
    Ok(text.to_ascii_uppercase())
}

/// More than no time, and what fits the contract's milliseconds.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 =
        text.parse().map_err(|_| "expected a number of seconds such as 30 or 2.5".to_owned())?;
    let duration =
        Duration::try_from_secs_f64(seconds).map_err(|_| "expected more than 0 seconds".to_owned())?;
    match duration.as_millis() {
        0 => Err("expected at least 0.001 seconds".to_owned()),
        millis if u32::try_from(millis).is_err() => Err("expected less than 50 days".to_owned()),
        _ => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_divides_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(pair("a="), Ok(("a".to_owned(), String::new())));
        assert!(pair("=b").is_err());
        assert!(pair("a").is_err());
    }

    #[test]
    fn a_header_divides_at_the_first_colon() {
        assert_eq!(header("x-a: http://b"), Ok(("x-a".to_owned(), "http://b".to_owned())));
        assert_eq!(header("x-a:"), Ok(("x-a".to_owned(), String::new())));
        assert!(header(": b").is_err());
        assert!(header("x-a").is_err());
    }

    #[test]
    fn seconds_take_fractions_and_refuse_what_is_no_time() {
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e300", "soon", "0.0001", "5000000"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_method_is_upper_case() {
        assert_eq!(method("post").as_deref(), Ok("POST"));
    }

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

    #[test]
    fn a_key_file_has_a_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(KEY_LIMIT).unwrap();
        assert!(Source::Machine.key(file.path()).is_ok());
        file.as_file().set_len(KEY_LIMIT + 1).unwrap();
        let error = Source::Machine.key(file.path()).unwrap_err();
        assert!(error.message.contains("longer than 64 KiB"), "{}", error.message);
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_token_is_one_word() {
        assert_eq!(token(file("\n ya29.a\n").path()).unwrap(), "ya29.a");
        for (text, why) in [("", "is empty"), (" \n", "is empty"), ("Bearer ya29.a", "more than one word")] {
            let error = token(file(text).path()).unwrap_err();
            assert!(error.message.contains(why), "{text:?}: {}", error.message);
            assert!(!error.message.contains("ya29"), "{}", error.message);
        }
    }

    #[test]
    fn a_private_key_is_pem_or_in_googles_json() {
        let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let json = serde_json::json!({ "type": "service_account", "private_key": pem }).to_string();
        for text in [pem, &json] {
            assert_eq!(private_key(file(text).path()).unwrap(), pem);
        }
        for text in ["", "AAAA", "{}", r#"{"private_key":"AAAA"}"#] {
            let error = private_key(file(text).path()).unwrap_err();
            assert!(error.message.ends_with("holds no private key"), "{}", error.message);
        }
    }

    #[test]
    fn an_oauth_client_is_known_by_what_it_is_for() {
        for (json, client) in [
            (r#"{"installed":{}}"#, true),
            (r#"{"web":{"client_id":"x"}}"#, true),
            (r#"{"type":"service_account"}"#, false),
            ("", false),
        ] {
            assert_eq!(is_oauth_client(json), client, "{json}");
        }
    }

    #[test]
    fn the_demo_reads_no_file() {
        assert_eq!(Source::Embedded("{}").key(Path::new("/nowhere")).unwrap(), "{}");
    }
}
