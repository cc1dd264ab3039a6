//! Files and stdin, from which keys, tokens and bodies come.

use std::{
    io::{self, Read},
    path::Path,
};

use gcf_host::reading::{self, Kind, NotText};

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
        // DER begins so: a sequence whose length takes more than a byte (ITU-T X.690, section 8.1.3).
        let is_der = matches!(bytes.as_slice(), [0x30, 0x80..=0x84, ..]);
        text(bytes, path).map_err(|failure| {
            if is_der {
                Failure::input(format!("{} is a key or a certificate in PKCS #12 or DER (.p12)", name_of(path)))
                    .with_fix("make a JSON key in the console (IAM & Admin, Service Accounts, Keys), and name that file")
            } else {
                failure
            }
        })
    }
}

/// The text of a file, which is UTF-8.
pub(crate) fn text(bytes: Vec<u8>, path: &Path) -> Result<String, Failure> {
    reading::text(bytes).map_err(|why| match why {
        NotText::Utf16 => utf16(&name_of(path)),
        NotText::Bytes { .. } => Failure::input(format!("{} is not text", name_of(path)))
            .with_fix("name the JSON file that Google handed out"),
    })
}

/// The refusal of text that Windows PowerShell has written.
pub(crate) fn utf16(name: &str) -> Failure {
    Failure::input(format!("{name} is text in UTF-16, and UTF-8 is read")).with_fix(
        "save it as UTF-8; in Windows PowerShell: COMMAND | Out-File -Encoding utf8 FILE, in place of COMMAND > FILE",
    )
}

/// A private key: PEM as it is, or what the JSON that Google hands out holds of it.
pub(crate) fn private_key(path: &Path) -> Result<String, Failure> {
    #[derive(serde::Deserialize)]
    struct KeyFile {
        private_key: String,
    }
    let text = Source::Machine.key(path)?;
    let pem = serde_json::from_str::<KeyFile>(&text).map_or(text, |file| file.private_key);
    // Quotes around it, and line breaks as two characters: an environment variable and a shell leave them so. Neither is
    // in a key.
    let pem = pem.trim().trim_matches(['"', '\'']).replace("\\r", "").replace("\\n", "\n").replace('\r', "");
    let pem = pem.trim().to_owned() + "\n";
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
pub(crate) fn name_of(path: &Path) -> String {
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

    /// PowerShell 5.1 writes UTF-16 LE with a mark for `>`, and UTF-8 with a mark for `Out-File -Encoding utf8`:
    /// <https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding>
    #[test]
    fn text_of_windows_is_read_or_named() {
        let json = "{\r\n\"type\": \"x\"}\r\n";
        let little: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = json.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            little.clone(),
            big.clone(),
            [&[0xff, 0xfe][..], &little].concat(),
            [&[0xfe, 0xff][..], &big].concat(),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            let failure = Source::Machine.key(file.path()).unwrap_err();
            assert!(failure.message.contains("UTF-16"), "{}", failure.message);
        }
        assert_eq!(Source::Machine.key(file(&format!("\u{feff}{json}")).path()).unwrap(), json);
    }

    #[test]
    fn a_key_of_the_old_kind_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [0x30, 0x82, 0x0a, 0x3c, 0x02, 0x01, 0x03, 0xff]).unwrap();
        let failure = Source::Machine.key(file.path()).unwrap_err();
        assert!(failure.message.contains(".p12"), "{}", failure.message);
    }

    #[test]
    fn a_private_key_is_pem_or_in_googles_json() {
        let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let json = serde_json::json!({ "type": "service_account", "private_key": pem }).to_string();
        let mangled = [
            pem.replace('\n', "\\n"),
            format!("\"{}\"", pem.replace('\n', "\\n")),
            pem.replace('\n', "\r\n"),
            format!("\u{feff} {pem}\n"),
        ];
        for text in [pem, &json].into_iter().chain(mangled.iter().map(String::as_str)) {
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
