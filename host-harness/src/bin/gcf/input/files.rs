//! Files and stdin, from which keys, tokens and bodies come.

use std::{
    io::{self, Read},
    path::Path,
};

use gcf_host::reading::{self, Kind};

use crate::output::failure::Failure;

/// The largest credential that the contract takes.
const KEY_LIMIT: u64 = 64 * 1024;

/// The largest body that any function takes. Smaller limits are the component's business.
const DATA_LIMIT: u64 = 32 * 1024 * 1024;

/// The place from which `connect` reads keys, and requests their bodies.
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

/// Tells whether a file is an OAuth client, and not a credential: people mistake one for the other.
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

/// A file that an option names, such as `--ca`.
pub(crate) fn read_named(path: &Path) -> Result<Vec<u8>, Failure> {
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
    let what = reading::what(error);
    if error.kind() == io::ErrorKind::FileTooLarge {
        return Failure::input(format!("{name} is longer than {} KiB: {what}", limit / 1024))
            .with_fix("that is the most that is taken: name another file");
    }
    Failure::input(format!("cannot read {name}: {what}"))
        .with_fix("name a file that is there and can be read, or - for stdin")
}

#[cfg(test)]
mod tests {
    use super::*;

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
